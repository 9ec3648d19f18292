//! Prometheus' text format 0.0.4.

use super::lines::Lines;
use super::print::Print;
use super::shown::Shown;
use super::write::{escape, push};

/// The text format.
pub(super) struct Text;

impl Print for Text {
    fn begin(&mut self, out: &mut Vec<u8>, shown: &Shown) {
        let family = &shown.family;
        push(out, &["# HELP ", &family.name, " "]);
        escape(out, &family.help, false);
        push(
            out,
            &["\n# TYPE ", &family.name, " ", family.kind.as_str(), "\n"],
        );
    }

    fn sample(&mut self, out: &mut Vec<u8>, lines: &mut Lines, shown: &Shown, at: usize) {
        lines.with_exemplars = false;
        lines.sample(out, shown, at);
    }
}
