//! What a test is told when it cannot pass.

use std::fmt;

use super::table::{count, percent, seconds};
use super::{Distribution, Outcomes, intervals};

/// How sure a message is: the usual level, and one comparison at a time.
pub(super) const ALPHA: f64 = 0.05;

/// Why a budget is not known to be kept; its `Display` says what was measured and how sure that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetFailure {
    undecided: bool,
    text: String,
}

impl BudgetFailure {
    /// Whether nobody can tell: too few operations, a budget that is not judged, a mistake in the claim. Otherwise a
    /// limit is exceeded.
    pub fn is_undecided(&self) -> bool {
        self.undecided
    }

    pub(super) fn exceeded(text: impl Into<String>) -> Self {
        Self {
            undecided: false,
            text: text.into(),
        }
    }

    pub(super) fn undecided(text: impl Into<String>) -> Self {
        Self {
            undecided: true,
            text: text.into(),
        }
    }

    /// The same with a further line: what it is about, and what there is to say of it.
    pub(super) fn line(mut self, about: &str, says: impl fmt::Display) -> Self {
        self.text.push_str(&format!("\n  {about:<11} {says}"));
        self
    }

    /// The same with what operations recorded since the instance was built.
    pub(super) fn recorded(self, outcomes: &Outcomes, durations: &Distribution) -> Self {
        let (valid, error) = (outcomes.valid(), outcomes.error);
        let (low, high) = intervals::ratio(error as f64, valid.max(1) as f64, ALPHA);
        let sure = match valid {
            0 => String::new(),
            _ => format!(
                " ({} failed: {} to {} with {} confidence)",
                count(error),
                percent(low),
                percent(high),
                percent(1.0 - ALPHA)
            ),
        };
        let told = format!("{} since the instance was built{sure}", count(valid));
        let told = self.line("operations", told);
        let quantiles = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")];
        let timed = quantiles.into_iter().filter(|_| durations.count() > 0);
        timed.fold(told, |told, (q, name)| {
            told.line(name, quantile(durations, q))
        })
    }

    /// Several as one, which is undecided only if all are.
    pub(super) fn all(failures: Vec<Self>) -> Result<(), Self> {
        if failures.is_empty() {
            return Ok(());
        }
        let texts: Vec<_> = failures.iter().map(|failure| &*failure.text).collect();
        Err(Self {
            undecided: failures.iter().all(Self::is_undecided),
            text: texts.join("\n"),
        })
    }
}

fn quantile(durations: &Distribution, q: f64) -> String {
    let value = seconds(durations.quantile(q).unwrap_or_default());
    match durations.quantile_interval(q, ALPHA) {
        Some((low, high)) => {
            let sure = percent(1.0 - ALPHA);
            format!(
                "{value} ({} to {} with {sure} confidence)",
                seconds(low),
                seconds(high)
            )
        }
        None => {
            let needed = intervals::needed(1.0 - q, ALPHA).max(intervals::needed(q, ALPHA));
            format!(
                "{value} (how sure that is takes {} operations to tell)",
                count(needed)
            )
        }
    }
}

impl fmt::Display for BudgetFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for BudgetFailure {}
