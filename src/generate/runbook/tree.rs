//! How to find the cause: one question after the other, drawn.

use std::fmt::Write;

use super::checks::Check;
use crate::generate::markdown::node;

/// A flow chart of Mermaid: each question that is answered with yes ends in what to do.
pub(super) fn chart(checks: &[Check]) -> String {
    let mut chart = "flowchart TD".to_owned();
    for (at, check) in checks.iter().enumerate() {
        let (question, answer) = (node(&check.question), node(&check.action));
        let numbered = at + 1;
        // Writing into a `String` cannot fail.
        let _ = write!(
            chart,
            "\n  q{numbered}{{{question}}} -->|yes| a{numbered}[{answer}]\n  q{numbered} -->|no| q{}",
            numbered + 1
        );
    }
    let last = node("Escalate, with what was found so far");
    let _ = write!(chart, "\n  q{}[{last}]", checks.len() + 1);
    chart
}
