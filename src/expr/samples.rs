//! Samples given by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Selector;
use super::eval::Source;
use super::labels::{Labels, NAME};
use crate::window::{Dialect, NativeError, NativeHistogram, Series};

/// The bits of the NaN by which Prometheus says that a series ended.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// Samples that somebody gives by hand, for [`eval`](super::eval): a trace from anywhere, judged by the same arithmetic.
///
/// ```
/// use plimsoll::expr::{Labels, Samples, eval};
/// use plimsoll::{Expr, Selector};
/// use std::time::Duration;
///
/// let mut samples = Samples::new();
/// let labels = Labels::new([("__name__", "requests_total"), ("route", "/")]);
/// for second in 0..=10 {
///     samples.insert(&labels, second * 1_000, second as f64 * 7.0);
/// }
/// let rate = Expr::rate(Selector::new("requests_total"), Duration::from_secs(5));
/// assert_eq!(eval(&rate, &samples, 10_000)?.as_float(), Some(7.0));
/// # Ok::<(), plimsoll::expr::EvalError>(())
/// ```
#[derive(Debug, Default)]
pub struct Samples {
    dialect: Dialect,
    /// By the family's name, then by all labels.
    families: BTreeMap<String, BTreeMap<Labels, Series>>,
}

impl Samples {
    /// None yet, in the default dialect.
    pub fn new() -> Self {
        Self::default()
    }

    /// None yet, in this dialect.
    pub fn in_dialect(dialect: Dialect) -> Self {
        Self {
            dialect,
            ..Self::default()
        }
    }

    /// Whose arithmetic is applied.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Adds a sample to the series with these labels, the family's name (`__name__`) among them; time is in milliseconds
    /// since 1970 and must not run backwards within a series: a sample that is not newer than the latest replaces it.
    ///
    /// Prometheus' stale marker, a NaN of its own, ends the series as [`insert_stale`](Self::insert_stale) does.
    pub fn insert(&mut self, labels: &Labels, at_ms: i64, value: f64) {
        match value.to_bits() {
            STALE => self.insert_stale(labels, at_ms),
            _ => self.series(labels).push(at_ms, value),
        }
    }

    /// Adds a native histogram, as [`insert`](Self::insert) does a number; only [`Dialect::V3`] reads them.
    ///
    /// # Errors
    ///
    /// [`NativeError`] if it is none: an unknown schema, a negative count, or buckets out of order.
    pub fn insert_histogram(
        &mut self,
        labels: &Labels,
        at_ms: i64,
        value: NativeHistogram,
    ) -> Result<(), NativeError> {
        if value.sum.to_bits() == STALE {
            self.insert_stale(labels, at_ms);
            return Ok(());
        }
        let value = Arc::new(value.checked()?);
        self.series(labels).push_histogram(at_ms, value);
        Ok(())
    }

    /// Says that the series ended: from this moment on it has no newest value.
    pub fn insert_stale(&mut self, labels: &Labels, at_ms: i64) {
        self.series(labels).push_stale(at_ms);
    }

    fn series(&mut self, labels: &Labels) -> &mut Series {
        let family = self.families.entry(labels.get(NAME).to_owned());
        family
            .or_default()
            .entry(labels.clone())
            .or_insert_with(Series::whole)
    }
}

impl Source for Samples {
    fn each(&self, selector: &Selector, show: &mut dyn FnMut(&Labels, &Series)) {
        let Some(family) = self.families.get(selector.name()) else {
            return;
        };
        let matching = family.iter().filter(|(labels, _)| selector.matches(labels));
        matching.for_each(|(labels, series)| show(labels, series));
    }
}
