//! Over which time an SLO is judged.

use std::time::Duration;

use crate::config::fields::Fields;
use crate::expr::Offset;
use crate::slo::{Calendar, Period};

/// Rolling days, or a calendar with its offset.
pub(super) fn period(fields: &mut Fields<'_>) -> Option<Period> {
    let days = fields.days("rolling");
    let calendar = fields.string("calendar");
    let offset = fields.number("offset_minutes");
    if offset.is_some() && calendar.is_none() {
        let message = "says nothing without calendar: rolling periods begin at no time of day";
        fields.report("offset_minutes", message);
    }
    let calendar = calendar.map(|word| match word.as_str() {
        "day" => Ok(Calendar::Day),
        "week" => Ok(Calendar::Week),
        "month" => Ok(Calendar::Month),
        "quarter" => Ok(Calendar::Quarter),
        _ => Err(word),
    });
    match (days, calendar) {
        (Some(_), Some(_)) => {
            fields.report("rolling", "stands beside calendar: keep one of the two");
            None
        }
        (Some(days), None) => Some(Period::Rolling(Duration::from_secs(
            days.saturating_mul(86_400),
        ))),
        (None, Some(Ok(calendar))) => {
            let minutes = offset.unwrap_or(0.0);
            let offset = (minutes.fract() == 0.0)
                .then(|| Offset::minutes(minutes as i32))
                .flatten();
            if offset.is_none() {
                let message = format!(
                    "{minutes} is not an offset: write whole minutes east of UTC, less than a day"
                );
                fields.report("offset_minutes", message);
            }
            Some(Period::Calendar(calendar, offset?))
        }
        (None, Some(Err(word))) => {
            fields.report(
                "calendar",
                format!("{word:?} is not a period: choose day, week, month or quarter"),
            );
            None
        }
        (None, None) => None,
    }
}
