//! What a promise can be about: work that is measured, and families by their exported names.

use super::fields::Fields;
use crate::budget::Select;
use crate::expr::Selector;

/// Labels with their values.
pub(super) type LabelValues = [(String, String)];

/// Operations of the kind that `on` names, with these labels; reports a kind that there is not.
pub(super) fn select(fields: &mut Fields<'_>, on: &str, labels: &LabelValues) -> Option<Select> {
    let Some(select) = Select::named(on) else {
        let message = "is not a kind of work: choose http, service, db, modbus, connect, acquire, create, cycle, check, point or operation";
        fields.report("on", format!("{on:?} {message}"));
        return None;
    };
    let label = |select: Select, (key, value): &(String, String)| select.label(key, value);
    Some(labels.iter().fold(select, label))
}

/// The series of a family that have these labels.
pub(super) fn selector(family: &str, labels: &LabelValues) -> Selector {
    labelled(Selector::new(family), labels)
}

/// Those of these series that have these labels.
pub(super) fn labelled(series: Selector, labels: &LabelValues) -> Selector {
    let label = |series: Selector, (key, value): &(String, String)| series.label(key, value);
    labels.iter().fold(series, label)
}
