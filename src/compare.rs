//! Why it exists: a change that makes a service slower should fail a test, not a customer.
//!
//! [`assert_budget!`](crate::assert_budget) fails a test whose operations did not keep a budget, or were too few to tell.
//! A [`Baseline`] holds what was recorded, operation by operation; two of them give a [`Comparison`], in which a change
//! counts only if the confidence intervals do not overlap. With the feature `baseline` it is kept in a file.
//!
//! ```
//! use plimsoll::{Outcome, Plimsoll, Select, assert_budget, compare::Baseline};
//! use std::time::Duration;
//!
//! let plimsoll = Plimsoll::builder().build()?;
//! let parse = |micros: u64| {
//!     let operation = plimsoll.operation("parse");
//!     (0..1_000).for_each(|at| operation.record(Outcome::Ok, Duration::from_micros(micros + at % 50)));
//! };
//! let start = Baseline::capture(&plimsoll);
//! parse(400);
//! let before = Baseline::capture(&plimsoll);
//! parse(500); // after a change of the configuration, say
//! let after = Baseline::capture(&plimsoll);
//!
//! assert_budget!(plimsoll, Select::operation("parse"), p99 <= 1 ms);
//! let comparison = before.since(&start)?.compare(&after.since(&before)?);
//! assert!(comparison.is_regressed(), "{comparison}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Intervals cover chance: that another thousand calls would have given other figures. They do not cover another machine,
//! a neighbour that takes the processor, or calls that wait for each other; `docs/testing.md` says what helps.
//! This room reads what was counted; nothing that counts or judges knows it.

mod baseline;
mod budgets;
mod claim;
mod comparison;
mod criteria;
mod distribution;
mod error;
mod failure;
#[cfg(feature = "baseline")]
mod file;
mod intervals;
mod table;

pub use baseline::{Baseline, Machine, Outcomes, Recorded};
pub use budgets::check_budget;
pub use claim::{Claim, check_claim};
pub use comparison::{Change, Comparison, Estimate, OperationChange, Verdict};
pub use criteria::{Criteria, Measure};
pub use distribution::{Cell, Distribution};
pub use error::CompareError;
pub use failure::BudgetFailure;

/// Fails a test unless a budget is kept.
///
/// `assert_budget!(plimsoll, "name")` is about a declared budget, with all its levels and all parts that it is kept by. It
/// ticks the instance if its clock has moved since the latest tick, and takes the engine's word: every level has to be
/// inactive. One that is exceeded but not yet sustained fails as well, for a test ends before that could come true.
///
/// `assert_budget!(plimsoll, select, claims)` is about everything that was recorded since the instance was built:
///
/// | claim | holds when |
/// |---|---|
/// | `p99 <= 5 ms` (`p50 p75 p90 p95 p99 p999`) | at most 1 % of the durations are above 5 ms |
/// | `mean <= 2 ms`, `max <= 1 s` | the mean, the greatest duration is not above |
/// | `error_ratio <= 0.01`, `success_ratio >= 0.99` | failed ÷ valid operations is not above 0.01 |
/// | `throughput >= 100.0` | so many valid operations ended per second since the instance was built |
///
/// Units are `ns`, `us`, `ms`, `s`, `min`; instead of a number with a unit stands any expression, a
/// [`Duration`](std::time::Duration) for durations and an `f64` for the others. Another measure, unit or direction does
/// not compile.
///
/// # Panics
///
/// If a limit is exceeded, or if nobody can tell: see [`check_budget`](crate::compare::check_budget) and
/// [`check_claim`](crate::compare::check_claim), which return what this panics with.
///
/// ```
/// use plimsoll::{Budget, ManualClock, Outcome, Plimsoll, Select, assert_budget};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let plimsoll = Plimsoll::builder()
///     .clock(clock.clone())
///     .manual_tick()
///     .budget(Budget::quantile("parse-p95", Select::operation("parse"), 0.95).at_most(Duration::from_millis(5)))
///     .build()?;
/// let parse = plimsoll.operation("parse");
/// (0..400).for_each(|_| parse.record(Outcome::Ok, Duration::from_millis(2)));
/// clock.advance(Duration::from_secs(1));
///
/// assert_budget!(plimsoll, "parse-p95");
/// assert_budget!(plimsoll, Select::operation("parse"), p99 <= 5 ms, max <= 1 s, error_ratio <= 0.01, throughput >= 100.0);
/// # Ok::<(), plimsoll::BuildError>(())
/// ```
///
/// ```compile_fail
/// # let plimsoll = plimsoll::Plimsoll::builder().build().unwrap();
/// plimsoll::assert_budget!(plimsoll, plimsoll::Select::http(), p99 >= 5 ms);
/// ```
#[macro_export]
macro_rules! assert_budget {
    ($plimsoll:expr, $name:expr $(,)?) => {
        if let Err(failure) = $crate::compare::check_budget(&$plimsoll, $name) {
            panic!("{failure}");
        }
    };
    ($plimsoll:expr, $select:expr, $($claims:tt)+) => {{
        let (plimsoll, select) = (&$plimsoll, $select);
        $crate::__assert_claims!(plimsoll, select, $($claims)+);
    }};
}

/// The claims of [`assert_budget!`](crate::assert_budget), one after the other.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_claims {
    ($plimsoll:ident, $select:ident,) => {};
    ($plimsoll:ident, $select:ident, $measure:ident <= $number:literal $unit:ident $(, $($rest:tt)*)?) => {
        $crate::__assert_claims!($plimsoll, $select, $measure <= $crate::__duration!($number $unit) $(, $($rest)*)?);
    };
    ($plimsoll:ident, $select:ident, throughput >= $limit:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_claims!(@check $plimsoll, $select, $crate::compare::Claim::throughput($limit));
        $crate::__assert_claims!($plimsoll, $select, $($($rest)*)?);
    };
    ($plimsoll:ident, $select:ident, success_ratio >= $limit:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_claims!(@check $plimsoll, $select, $crate::compare::Claim::success_ratio($limit));
        $crate::__assert_claims!($plimsoll, $select, $($($rest)*)?);
    };
    ($plimsoll:ident, $select:ident, $measure:ident <= $limit:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_claims!(@check $plimsoll, $select, $crate::__claim!($measure $limit));
        $crate::__assert_claims!($plimsoll, $select, $($($rest)*)?);
    };
    (@check $plimsoll:ident, $select:ident, $claim:expr) => {
        if let Err(failure) = $crate::compare::check_claim($plimsoll, &$select, $claim) {
            panic!("{failure}");
        }
    };
    ($plimsoll:ident, $select:ident, $($other:tt)+) => {
        compile_error!(concat!(
            "`", stringify!($($other)+), "` is no claim: write `p99 <= 5 ms`, `mean <= 2 ms`, `max <= 1 s`, ",
            "`error_ratio <= 0.01`, `success_ratio >= 0.99` or `throughput >= 100.0`"
        ));
    };
}

/// What is claimed to be at most a limit.
#[doc(hidden)]
#[macro_export]
macro_rules! __claim {
    (p50 $limit:expr) => { $crate::compare::Claim::quantile(0.5, $limit) };
    (p75 $limit:expr) => { $crate::compare::Claim::quantile(0.75, $limit) };
    (p90 $limit:expr) => { $crate::compare::Claim::quantile(0.9, $limit) };
    (p95 $limit:expr) => { $crate::compare::Claim::quantile(0.95, $limit) };
    (p99 $limit:expr) => { $crate::compare::Claim::quantile(0.99, $limit) };
    (p999 $limit:expr) => { $crate::compare::Claim::quantile(0.999, $limit) };
    (mean $limit:expr) => { $crate::compare::Claim::mean($limit) };
    (max $limit:expr) => { $crate::compare::Claim::max($limit) };
    (error_ratio $limit:expr) => { $crate::compare::Claim::error_ratio($limit) };
    ($other:ident $limit:expr) => {
        compile_error!(concat!(
            "`", stringify!($other), "` is not promised with `<=`: p50, p75, p90, p95, p99, p999, mean, max and error_ratio are"
        ))
    };
}

/// A number with a unit of time.
#[doc(hidden)]
#[macro_export]
macro_rules! __duration {
    ($number:literal ns) => {
        ::std::time::Duration::from_secs_f64($number as f64 * 1e-9)
    };
    ($number:literal us) => {
        ::std::time::Duration::from_secs_f64($number as f64 * 1e-6)
    };
    ($number:literal ms) => {
        ::std::time::Duration::from_secs_f64($number as f64 * 1e-3)
    };
    ($number:literal s) => {
        ::std::time::Duration::from_secs_f64($number as f64)
    };
    ($number:literal min) => {
        ::std::time::Duration::from_secs_f64($number as f64 * 60.0)
    };
    ($number:literal $other:ident) => {
        compile_error!(concat!(
            "`",
            stringify!($other),
            "` is no unit of time: ns, us, ms, s and min are"
        ))
    };
}

#[cfg(all(doctest, feature = "baseline"))]
#[doc = include_str!("../docs/testing.md")]
struct Testing;
