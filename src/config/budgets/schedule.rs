//! Schedules from TOML.

use crate::budget::{Hours, Schedule, Times};
use crate::config::fields::Fields;
use crate::expr::Offset;

const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Reads the table `schedule` of a budget.
pub(super) fn read(budget: &mut Fields<'_>) -> Option<Schedule> {
    let mut fields = budget.inner("schedule")?;
    let offset = offset(&mut fields);
    let mut schedule = Schedule::at(offset?);
    for (place, period) in (1..).zip(fields.tables("period")) {
        let fields = fields.beside(&format!("period {place}: "), period);
        schedule = self::period(schedule, fields);
    }
    if let Some(mut rest) = fields.inner("otherwise") {
        let name = rest.string("name").unwrap_or_default();
        schedule = match times(&mut rest) {
            Some(Some(times)) => schedule.otherwise(name, times),
            _ => schedule.otherwise_pause(name),
        };
        rest.finish();
    }
    fields.finish();
    Some(schedule)
}

/// Hours and minutes east of UTC: `"+01:00"`.
pub(super) fn offset(fields: &mut Fields<'_>) -> Option<Offset> {
    let Some(text) = fields.string("offset") else {
        return Some(Offset::UTC);
    };
    let parsed = parse_offset(&text);
    if parsed.is_none() {
        let message = format!("{text:?} is no distance from UTC: write \"+01:00\" or \"-05:30\"");
        fields.report("offset", message);
    }
    parsed
}

fn parse_offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str| text.parse::<u8>().ok().map(i32::from);
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|m| *m < 60)?);
    Offset::minutes(sign * (hours * 60 + minutes))
}

fn period(schedule: Schedule, mut fields: Fields<'_>) -> Schedule {
    let name = fields.string("name").unwrap_or_default();
    let hours = hours(&mut fields);
    let times = times(&mut fields);
    fields.finish();
    match (hours, times) {
        (Some(hours), Some(Some(times))) => schedule.period(name, hours, times),
        (Some(hours), Some(None)) => schedule.pause(name, hours),
        _ => schedule,
    }
}

/// `hours = "9..18"` and `days`, which are all of them if none is named.
fn hours(fields: &mut Fields<'_>) -> Option<Hours> {
    let text = fields.string("hours").unwrap_or_else(|| "0..24".to_owned());
    let days = fields.words("days");
    let Some(hours) = parse_hours(&text) else {
        fields.report(
            "hours",
            format!("{text:?} is not from one hour to another: write \"9..18\""),
        );
        return None;
    };
    match days.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(hours),
        ["weekdays"] => Some(hours.weekdays()),
        ["weekend"] => Some(hours.weekend()),
        ref days => {
            let day = |day: &&str| DAYS.iter().position(|known| known == day);
            let known: Option<Vec<usize>> = days.iter().map(day).collect();
            if known.is_none() {
                let message = format!(
                    "{days:?} are not days: write \"weekdays\", \"weekend\", or some of {}",
                    DAYS.join(", ")
                );
                fields.report("days", message);
            }
            Some(hours.on(known?))
        }
    }
}

fn parse_hours(text: &str) -> Option<Hours> {
    let (from, to) = text.split_once("..")?;
    Some(Hours::daily(
        from.trim().parse().ok()?,
        to.trim().parse().ok()?,
    ))
}

/// `times = 1.2`, or those of target, warning and critical; `Some(None)` for `pause = true`.
fn times(fields: &mut Fields<'_>) -> Option<Option<Times>> {
    let pause = fields.boolean("pause") == Some(true);
    match (fields.numbers("times").as_deref(), pause) {
        (None, true) => Some(None),
        (None, false) => Some(Some(1.0.into())),
        (Some([times]), false) => Some(Some((*times).into())),
        (Some([target, warning, critical]), false) => {
            Some(Some([*target, *warning, *critical].into()))
        }
        (Some(_), true) => {
            fields.report("times", "stands beside pause: keep one of the two");
            None
        }
        (Some(_), false) => {
            fields.report(
                "times",
                "has neither one number nor those of target, warning and critical",
            );
            None
        }
    }
}
