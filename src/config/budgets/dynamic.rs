//! Dynamic limits from TOML.

use super::schedule;
use crate::band::{Dynamic, Method};
use crate::budget::Amount;
use crate::config::fields::Fields;

/// Reads the table `dynamic` of a budget; its floor also as it is written, for the unit is known only with the budget.
pub(super) fn read(budget: &mut Fields<'_>) -> Option<(Dynamic, Option<Amount>)> {
    let mut fields = budget.inner("dynamic")?;
    let method = method(&mut fields);
    let mut dynamic = Dynamic::new(method.unwrap_or_default());
    if let Some(window) = fields.duration("window") {
        dynamic = dynamic.window(window);
    }
    if let Some(sensitivity) = fields.number("sensitivity") {
        dynamic = dynamic.sensitivity(sensitivity);
    }
    if let Some(margin) = fields.number("margin") {
        dynamic = dynamic.margin(margin);
    }
    let floor = fields.amount("floor");
    if let Some(floor) = floor.and_then(|floor| floor.of(None)) {
        dynamic = dynamic.floor(floor);
    }
    if let Some(offset) = schedule::offset(&mut fields) {
        dynamic = dynamic.offset_minutes(offset.seconds() / 60);
    }
    if let Some(relearn_after) = fields.duration("relearn_after") {
        dynamic = dynamic.relearn_after(relearn_after);
    }
    if let Some(every) = fields.duration("every") {
        dynamic = dynamic.every(every);
    }
    fields.finish();
    method.map(|_| (dynamic, floor))
}

fn method(fields: &mut Fields<'_>) -> Option<Method> {
    match fields.string("method").as_deref() {
        None => Some(Method::default()),
        Some("hour_of_week") => Some(Method::HourOfWeek),
        Some("classic") => Some(Method::Classic),
        Some(other) => {
            let message = format!("{other:?} is not one: choose hour_of_week or classic");
            fields.report("method", message);
            None
        }
    }
}
