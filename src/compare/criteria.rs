//! What counts as a change.

use std::fmt;

use super::comparison::{Change, Comparison, Estimate, OperationChange, Verdict};
use super::intervals;
use super::{Baseline, Recorded};

/// What is compared, how sure one has to be, and how much worse is still fine.
///
/// A change is a regression if the confidence intervals do not overlap **and** it is greater than the tolerance. The
/// intervals are as wide as it takes for all comparisons together (Bonferroni): among `m` of them each is made at
/// `1 − (1 − confidence) / m`, so that with 95 % confidence at most one run in twenty in which nothing has changed shows
/// any regression at all. Holm's steps would find a little more, but need p-values, which intervals do not have, and
/// what is shown would no longer be what was judged. More operations or measures therefore need more calls each.
///
/// Quantiles have intervals by order statistics (exact, whatever the distribution, out to the edges of the buckets),
/// ratios those of Clopper and Pearson (exact). That of the mean is Student's, and approximate: it takes 30 calls, and
/// more where few calls make up most of the sum.
///
/// ```
/// use plimsoll::compare::{Criteria, Measure};
///
/// let criteria = Criteria::new()
///     .tolerance(0.05) // 5 % worse is fine
///     .measures([Measure::Quantile(0.5), Measure::Quantile(0.95)]);
/// # let _ = criteria;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Criteria {
    confidence: f64,
    tolerance: f64,
    measures: Vec<Measure>,
}

/// A figure of an operation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(into = "String"))]
#[non_exhaustive]
pub enum Measure {
    /// This quantile of the durations, in seconds; 0.99 is "p99".
    Quantile(f64),
    /// The mean of the durations, in seconds.
    Mean,
    /// Failed ÷ valid operations, in `0.0..=1.0`.
    ErrorRatio,
    /// Valid operations per second of the recording.
    ///
    /// Not compared by default, for it says how much was asked for; a test that waits for each answer sees the same in
    /// the mean. Its interval holds for calls that come independently (Poisson), and is too narrow for bursts.
    Throughput,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // 0.999 is 99.9, without what the multiplication leaves behind.
            Self::Quantile(q) => write!(f, "p{}", (q * 1e8).round() / 1e6),
            Self::Mean => f.write_str("mean"),
            Self::ErrorRatio => f.write_str("error ratio"),
            Self::Throughput => f.write_str("throughput"),
        }
    }
}

impl From<Measure> for String {
    fn from(measure: Measure) -> Self {
        measure.to_string()
    }
}

impl Measure {
    /// Whether more is better.
    fn is_floor(self) -> bool {
        matches!(self, Self::Throughput)
    }

    /// Whether an operation has it at all.
    fn is_of(self, operation: &Recorded) -> bool {
        let timed = operation.outcomes.valid() == 0 || operation.durations.count() > 0;
        timed || !matches!(self, Self::Quantile(_) | Self::Mean)
    }

    /// Its value in a recording, and between which it lies with a confidence of `1 − alpha`; `None` where there is none.
    fn estimate(self, operation: &Recorded, seconds: f64, alpha: f64) -> Option<Estimate> {
        let (durations, valid) = (&operation.durations, operation.outcomes.valid());
        if valid == 0 {
            return None;
        }
        let (value, interval) = match self {
            Self::Quantile(q) => (
                durations.quantile(q)?,
                durations.quantile_interval(q, alpha),
            ),
            Self::Mean => (durations.mean()?, durations.mean_interval(alpha)),
            Self::ErrorRatio => {
                let (bad, valid) = (operation.outcomes.error as f64, valid as f64);
                (bad / valid, Some(intervals::ratio(bad, valid, alpha)))
            }
            Self::Throughput if seconds > 0.0 => {
                let (low, high) = intervals::events(valid, alpha);
                (
                    valid as f64 / seconds,
                    Some((low / seconds, high / seconds)),
                )
            }
            Self::Throughput => return None,
        };
        Some(Estimate { value, interval })
    }
}

impl Default for Criteria {
    fn default() -> Self {
        Self::new()
    }
}

impl Criteria {
    /// p50, p95, p99, mean and error ratio, with 95 % confidence and no tolerance.
    pub fn new() -> Self {
        let quantiles = [0.5, 0.95, 0.99].map(Measure::Quantile).into_iter();
        Self {
            confidence: 0.95,
            tolerance: 0.0,
            measures: quantiles
                .chain([Measure::Mean, Measure::ErrorRatio])
                .collect(),
        }
    }

    /// How sure to be of all verdicts together, in `0.0..1.0`.
    ///
    /// # Panics
    ///
    /// If it is not between 0 and 1.
    pub fn confidence(mut self, confidence: f64) -> Self {
        assert!(
            confidence > 0.0 && confidence < 1.0,
            "confidence {confidence} is not between 0 and 1: write 0.95 for 95 %"
        );
        self.confidence = confidence;
        self
    }

    /// By which part of what it was a figure may get worse, 0.05 for 5 %.
    ///
    /// # Panics
    ///
    /// If it is negative or no number.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        assert!(
            tolerance >= 0.0 && tolerance.is_finite(),
            "tolerance {tolerance} is not a share from 0 up: write 0.05 for 5 %"
        );
        self.tolerance = tolerance;
        self
    }

    /// What is compared. Each measure more makes all intervals a little wider.
    ///
    /// # Panics
    ///
    /// If there is none, or a quantile is not between 0 and 1.
    pub fn measures(mut self, measures: impl IntoIterator<Item = Measure>) -> Self {
        self.measures = measures.into_iter().collect();
        assert!(!self.measures.is_empty(), "measures are missing: name one");
        for measure in &self.measures {
            if let Measure::Quantile(q) = measure {
                assert!(
                    *q > 0.0 && *q < 1.0,
                    "quantile {q} is not between 0 and 1: write 0.95 for p95"
                );
            }
        }
        self
    }

    /// What is different in `after`. Cost: a millisecond for each operation, more with millions of calls.
    pub fn compare(&self, before: &Baseline, after: &Baseline) -> Comparison {
        let pair = |old| Some((old, &after.operations[after.find(old).ok()?]));
        let pairs: Vec<_> = before.operations.iter().filter_map(pair).collect();
        let of_pair = |pair: &(&Recorded, &Recorded)| self.measured(pair.0, pair.1).count();
        let comparisons: usize = pairs.iter().map(of_pair).sum();
        let alpha = (1.0 - self.confidence) / comparisons.max(1) as f64;
        let seconds = [before, after].map(|recording| recording.covered().as_secs_f64());
        let both = pairs.into_iter().map(|(old, new)| {
            let changes = self.measured(old, new).map(|measure| {
                let before = measure.estimate(old, seconds[0], alpha);
                let after = measure.estimate(new, seconds[1], alpha);
                self.change(measure, before, after)
            });
            OperationChange::of(new, [old, new].map(valid), changes.collect())
        });
        let alone = |other: &Baseline, operation: &Recorded| other.find(operation).is_err();
        let gone = before.operations.iter().filter(|old| alone(after, old));
        let new = after.operations.iter().filter(|new| alone(before, new));
        let gone = gone.map(|old| OperationChange::alone(old, [valid(old), 0], Verdict::Gone));
        let new = new.map(|new| OperationChange::alone(new, [0, valid(new)], Verdict::New));
        let mut operations: Vec<_> = both.chain(gone).chain(new).collect();
        operations.sort_by(|a, b| (&a.kind, &a.labels).cmp(&(&b.kind, &b.labels)));
        Comparison {
            confidence: self.confidence,
            tolerance: self.tolerance,
            comparisons,
            same_machine: before.machine == after.machine,
            operations,
        }
    }

    /// What there is to compare of an operation.
    fn measured<'a>(
        &'a self,
        before: &'a Recorded,
        after: &'a Recorded,
    ) -> impl Iterator<Item = Measure> + 'a {
        let measures = self.measures.iter().copied();
        measures.filter(|measure| measure.is_of(before) && measure.is_of(after))
    }

    fn change(
        &self,
        measure: Measure,
        before: Option<Estimate>,
        after: Option<Estimate>,
    ) -> Change {
        let improvement = before.zip(after).and_then(|(before, after)| {
            let better = if measure.is_floor() {
                after.value - before.value
            } else {
                before.value - after.value
            };
            (before.value > 0.0).then(|| better / before.value)
        });
        Change {
            measure,
            before,
            after,
            improvement,
            verdict: self.verdict(measure, before, after, improvement),
        }
    }

    fn verdict(
        &self,
        measure: Measure,
        before: Option<Estimate>,
        after: Option<Estimate>,
        improvement: Option<f64>,
    ) -> Verdict {
        let interval = |estimate: Option<Estimate>| estimate.and_then(|known| known.interval);
        let (Some(before), Some(after)) = (interval(before), interval(after)) else {
            return Verdict::TooFewData;
        };
        // What was 0 has grown beyond every share of it.
        let tolerable = improvement.is_some_and(|share| share.abs() <= self.tolerance);
        let (more, less) = (after.0 > before.1, after.1 < before.0);
        match (more, less) {
            _ if tolerable => Verdict::Unchanged,
            (true, _) if measure.is_floor() => Verdict::Improved,
            (_, true) if measure.is_floor() => Verdict::Regressed,
            (true, _) => Verdict::Regressed,
            (_, true) => Verdict::Improved,
            (false, false) => Verdict::Unchanged,
        }
    }
}

fn valid(operation: &Recorded) -> u64 {
    operation.outcomes.valid()
}
