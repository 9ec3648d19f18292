//! What both kinds of specs have in common when they are written.

use std::time::Duration;

use super::problem::Note;
use crate::budget::{Labels, Level, SLI_BAD, SLI_VALID};
use crate::expr::{Expr, Range, Selector};
use crate::generate::Declaration;
use crate::slo::{Sli, Slo};

/// A spec.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Export {
    /// YAML; the same for the same declaration, to the byte.
    pub text: String,
    /// What its readers will not know.
    pub notes: Vec<Note>,
}

/// A range that nobody declares, in the place of `{{.window}}`.
const MARK: Duration = Duration::from_millis(7_919);

/// What generators are to query.
pub(super) enum Queries {
    Events { bad: String, valid: String },
    ErrorRatio(String),
}

impl Queries {
    pub(super) fn new(slo: &Slo) -> Self {
        if matches!(slo.sli, Sli::Weighted(_)) {
            return Self::ErrorRatio(open(&slo.error_ratio(MARK, &Labels::from([]))));
        }
        let sum = |family: &str| {
            let counter = Selector::new(family)
                .label("budget", slo.name())
                .label("level", Level::Target.as_str());
            open(&Expr::rate(counter, MARK).sum())
        };
        Self::Events {
            bad: sum(SLI_BAD),
            valid: sum(SLI_VALID),
        }
    }
}

/// With the range left open.
fn open(expr: &Expr) -> String {
    let mark = format!("[{}]", Range(MARK));
    expr.to_string().replace(&mark, "[{{.window}}]")
}

pub(super) fn note(slo: &Slo, path: &str, message: impl Into<String>) -> Note {
    Note {
        file: String::new(),
        line: 0,
        document: format!("SLO {:?}", slo.name()),
        path: path.to_owned(),
        message: message.into(),
    }
}

/// What neither of both can say of an SLO.
pub(super) fn lost(slo: &Slo) -> Vec<Note> {
    let unsaid = "is not part of the spec: its readers";
    let mut notes = Vec::new();
    let mut lose = |when: bool, path, what: &str| {
        if when {
            notes.push(note(slo, path, format!("{unsaid} {what}")));
        }
    };
    lose(
        !slo.per.is_empty(),
        "per",
        "keep one error budget for all values",
    );
    lose(
        slo.min_events > 0,
        "min_events",
        "alert for fewer events as well",
    );
    lose(
        slo.confidence.is_some(),
        "confidence",
        "judge the ratio as it is",
    );
    lose(
        slo.absent_after.is_some(),
        "absent_after",
        "say nothing of silence",
    );
    lose(
        !slo.maintenance.is_empty(),
        "maintenance",
        "only see that its events are not counted",
    );
    notes
}

/// What of a declaration is no SLO.
pub(super) fn left_out(declaration: &Declaration) -> Option<Note> {
    let names: Vec<_> = declaration
        .budgets
        .iter()
        .map(|budget| format!("{:?}", budget.name()))
        .collect();
    let left_out = match names.len() {
        0 => return None,
        1 => "is no SLO, and is left out",
        _ => "are no SLOs, and are left out",
    };
    Some(Note {
        file: String::new(),
        line: 0,
        document: String::new(),
        path: "budget".to_owned(),
        message: format!("{} {left_out}", names.join(", ")),
    })
}
