//! One `[[slo]]`.

use std::time::Duration;

use toml::{Table, Value};

use super::{Lines, duration};
use crate::budget::Select;
use crate::config::Problem;
use crate::expr::{Expr, Op, Over, Selector};
use crate::slo::{Maintenance, Period, Sli, Slo};

const DAY: u64 = 86_400;

/// Writes its table; what that cannot say comes back.
pub(super) fn write(lines: &mut Lines, slo: &Slo) -> Vec<Problem> {
    let mut unsaid = Vec::new();
    let mut refuse = |field: &str, message: &str| {
        unsaid.push(Problem::new(
            format!("slo {:?}: {field}", slo.name),
            message,
        ));
    };
    lines.table("[[slo]]");
    lines.put("name", slo.name.as_str());
    sli(lines, &slo.sli, &mut refuse);
    lines.put_some("objective", slo.objective);
    period(lines, slo.period, &mut refuse);
    options(lines, slo);
    alerts(lines, slo);
    for known in &slo.maintenance {
        maintenance(lines, known, &mut refuse);
    }
    unsaid
}

fn sli(lines: &mut Lines, sli: &Sli, refuse: &mut impl FnMut(&str, &str)) {
    match sli {
        Sli::Availability(of) => select(lines, of, refuse),
        Sli::Latency(of, threshold) => {
            select(lines, of, refuse);
            lines.put("threshold", duration(*threshold));
        }
        Sli::Ratio {
            part,
            valid,
            part_is_good,
        } => {
            let key = if *part_is_good { "good" } else { "bad" };
            lines.put(key, part.to_string());
            lines.put("valid", valid.to_string());
        }
        Sli::Time(Expr::Select(state)) => lines.put("state", state.to_string()),
        Sli::Time(condition) => lines.put("condition", condition.to_string()),
        Sli::TimeSlice(condition, slice) => {
            match throughout(condition, *slice) {
                Some(state) => lines.put("state", state.to_string()),
                None => lines.put("condition", condition.to_string()),
            }
            lines.put("slice", duration(*slice));
        }
        Sli::RatioSlices(ratio, slice) => {
            lines.put("error_ratio", ratio.to_string());
            lines.put("slice", duration(*slice));
        }
        Sli::Weighted(of) => {
            let weights = of.iter().map(|(name, weight)| (name, *weight));
            put_map(lines, "weights", weights, refuse);
        }
        Sli::AllOf(of) => {
            let names: Vec<String> = of.iter().map(|(name, _)| name.clone()).collect();
            lines.put("all_of", names);
        }
    }
}

/// The state that has to be there all of a slice.
fn throughout(condition: &Expr, slice: Duration) -> Option<&Selector> {
    match condition {
        Expr::Binary(lowest, Op::Greater, matching, zero)
            if *matching == Default::default() && **zero == Expr::Number(0.0) =>
        {
            match &**lowest {
                Expr::Over(Over::Min, state, over) if *over == slice => Some(state),
                _ => None,
            }
        }
        _ => None,
    }
}

fn select(lines: &mut Lines, select: &Select, refuse: &mut impl FnMut(&str, &str)) {
    lines.put("on", select.domain.as_str());
    for (key, labels) in [("labels", &select.labels), ("except", &select.except)] {
        if !labels.is_empty() {
            let labels = labels.iter().map(|(key, value)| (key, value.as_str()));
            put_map(lines, key, labels, refuse);
        }
    }
}

/// As a table, in which each key stands once.
fn put_map<'a, V: Into<Value>>(
    lines: &mut Lines,
    key: &str,
    entries: impl Iterator<Item = (&'a String, V)>,
    refuse: &mut impl FnMut(&str, &str),
) {
    let mut table = Table::new();
    for (name, value) in entries {
        if table.insert(name.clone(), value.into()).is_some() {
            let message = format!("has {name:?} twice, which a table cannot: write it in code");
            refuse(key, &message);
        }
    }
    lines.put(key, table);
}

fn period(lines: &mut Lines, period: Period, refuse: &mut impl FnMut(&str, &str)) {
    match period {
        Period::Rolling(length) if length == Duration::from_secs(length.as_secs() / DAY * DAY) => {
            lines.put("rolling", (length.as_secs() / DAY) as i64);
        }
        Period::Rolling(_) => refuse("rolling", "is no number of days: write it in code"),
        Period::Calendar(calendar, offset) => {
            lines.put("calendar", calendar.as_str());
            if offset.seconds() != 0 {
                lines.put("offset_minutes", offset.seconds() / 60);
            }
        }
    }
}

fn options(lines: &mut Lines, slo: &Slo) {
    if !slo.per.is_empty() {
        lines.put("per", slo.per.clone());
    }
    if slo.min_events > 0 {
        lines.put("min_events", slo.min_events as i64);
    }
    lines.put_some("confidence", slo.confidence);
    lines.put_some("absent_after", slo.absent_after.map(duration));
    for (key, set) in [
        ("sustained_half_window", slo.half_window),
        ("reachable_burn_alerts", slo.reachable_only),
    ] {
        lines.put_some(key, set.then_some(true));
    }
}

fn alerts(lines: &mut Lines, slo: &Slo) {
    let Some(alerts) = &slo.burn_alerts else {
        return;
    };
    if alerts.is_empty() {
        lines.put("burn_alerts", false);
    }
    for alert in alerts {
        lines.table("[[slo.burn_alert]]");
        lines.put("severity", alert.severity.as_str());
        lines.put("share", alert.share);
        lines.put("long", duration(alert.long));
    }
}

fn maintenance(lines: &mut Lines, known: &Maintenance, refuse: &mut impl FnMut(&str, &str)) {
    let Some((start, end, every)) = known.declared() else {
        let message = "was announced to a running instance: a file is read before there is one";
        return refuse("maintenance", message);
    };
    lines.table("[[slo.maintenance]]");
    lines.put("start", humantime::format_rfc3339(start).to_string());
    lines.put("end", humantime::format_rfc3339(end).to_string());
    lines.put("reason", known.reason());
    lines.put_some("every", every.map(duration));
}
