//! `[[slo]]` tables.

mod period;
mod sli;

use std::time::SystemTime;

use super::fields::{Fields, Numbered};
use super::{Problem, Settings};
use crate::budget::Select;
use crate::slo::{BurnAlert, Maintenance, Severity, Slo};
use period::period;
use sli::declare;

/// Reads one table.
pub(super) fn slo(table: Numbered, settings: &mut Settings, problems: &mut Vec<Problem>) {
    let (name, mut fields) = Fields::named("slo", table, problems);
    fields.refuse_twice(&name, settings.slos.iter().map(Slo::name));
    let declared = declare(&mut fields, &name);
    let period = period(&mut fields);
    let objective = fields.number("objective");
    let per = fields.words("per");
    let half_window = fields.boolean("sustained_half_window");
    let reachable_only = fields.boolean("reachable_burn_alerts");
    let min_events = fields.integer("min_events");
    let confidence = fields.number("confidence");
    let absent_after = fields.duration("absent_after");
    let burns = fields.each("burn_alert", burn_alert);
    let no_burns = fields.boolean("burn_alerts") == Some(false);
    let maintenance = fields.each("maintenance", maintained);
    fields.finish();
    // What else is wrong with it is found whatever it counts, but for the labels that only its operations have.
    let is_known = declared.is_some();
    let mut slo = declared.unwrap_or_else(|| Slo::availability(&*name, Select::http()));
    slo.objective = objective;
    slo.period = period.unwrap_or(slo.period);
    slo.per = if is_known { per } else { Vec::new() };
    slo.half_window = half_window.unwrap_or_default();
    slo.reachable_only = reachable_only.unwrap_or_default();
    slo.min_events = min_events.unwrap_or(slo.min_events);
    slo.confidence = confidence;
    slo.absent_after = absent_after;
    slo.maintenance = all(maintenance);
    if no_burns || !burns.is_empty() {
        slo.burn_alerts = Some(all(burns));
    }
    settings.slos.push(slo);
}

/// Those of several tables, or none where one could not be read: the others would be told by wrong places.
fn all<T>(read: Vec<Option<T>>) -> Vec<T> {
    let all: Option<Vec<T>> = read.into_iter().collect();
    all.unwrap_or_default()
}

fn burn_alert(mut fields: Fields<'_>) -> Option<BurnAlert> {
    let severity = match fields.string("severity").as_deref() {
        Some("page") => Some(Severity::Page),
        Some("ticket") => Some(Severity::Ticket),
        None => fields.needed("severity", None, "choose page or ticket"),
        Some(other) => {
            let message = format!("{other:?} is not one: choose page or ticket");
            fields.report("severity", message);
            None
        }
    };
    let (share, long) = (fields.number("share"), fields.duration("long"));
    let share = fields.needed("share", share, "write share = 0.02 for 2 %");
    let long = fields.needed("long", long, "write long = \"1h\"");
    fields.finish();
    Some(BurnAlert::new(severity?, share?, long?))
}

fn maintained(mut fields: Fields<'_>) -> Option<Maintenance> {
    let (start, end) = (moment(&mut fields, "start"), moment(&mut fields, "end"));
    let reason = fields.string("reason").unwrap_or_default();
    let every = fields.duration("every");
    fields.finish();
    let maintenance = Maintenance::new(start?, end?, reason);
    Some(match every {
        Some(every) => maintenance.every(every),
        None => maintenance,
    })
}

fn moment(fields: &mut Fields<'_>, field: &'static str) -> Option<SystemTime> {
    let text = fields.string(field);
    let text = fields.needed(field, text, "write \"2026-02-01T02:00:00Z\"")?;
    let moment = humantime::parse_rfc3339_weak(&text).ok();
    if moment.is_none() {
        fields.report(
            field,
            format!("{text:?} is not a moment in UTC: write \"2026-02-01T02:00:00Z\""),
        );
    }
    moment
}
