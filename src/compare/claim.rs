//! What a test says of operations without declaring a budget.

use std::time::Duration;

use super::baseline::{gather, selected};
use super::failure::{ALPHA, BudgetFailure};
use super::table::{count, digits, percent, seconds};
use super::{Distribution, Measure, Outcomes, intervals};
use crate::budget::Select;
use crate::histogram::nanos;
use crate::instance::Plimsoll;

/// A limit on everything that some operations have recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim(Kind);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Quantile(f64, Duration),
    Mean(Duration),
    Max(Duration),
    ErrorRatio(f64),
    SuccessRatio(f64),
    Throughput(f64),
}

impl Claim {
    /// The `q`-quantile of the durations is at most `limit`; 0.95 for "p95".
    pub fn quantile(q: f64, limit: Duration) -> Self {
        Self(Kind::Quantile(q, limit))
    }

    /// Their mean is at most `limit`.
    pub fn mean(limit: Duration) -> Self {
        Self(Kind::Mean(limit))
    }

    /// None of them is above `limit`.
    pub fn max(limit: Duration) -> Self {
        Self(Kind::Max(limit))
    }

    /// Failed ÷ valid operations are at most `limit`, in `0.0..=1.0`.
    pub fn error_ratio(limit: f64) -> Self {
        Self(Kind::ErrorRatio(limit))
    }

    /// 1 − error ratio is at least `limit`, in `0.0..=1.0`.
    pub fn success_ratio(limit: f64) -> Self {
        Self(Kind::SuccessRatio(limit))
    }

    /// At least `limit` valid operations ended per second since the instance was built.
    pub fn throughput(limit: f64) -> Self {
        Self(Kind::Throughput(limit))
    }

    fn problem(self) -> Option<String> {
        match self.0 {
            Kind::Quantile(q, _) if !(q > 0.0 && q < 1.0) => Some(format!(
                "quantile {q} is not between 0 and 1: write 0.95 for p95"
            )),
            Kind::ErrorRatio(limit) | Kind::SuccessRatio(limit)
                if !(0.0..=1.0).contains(&limit) =>
            {
                Some(format!(
                    "{limit} is not a ratio between 0 and 1: write 0.01 for 1 %"
                ))
            }
            Kind::Throughput(limit) if !(limit >= 0.0 && limit.is_finite()) => Some(format!(
                "throughput {limit} is not a number of operations per second"
            )),
            _ => None,
        }
    }

    fn has_durations(self) -> bool {
        matches!(self.0, Kind::Quantile(..) | Kind::Mean(_) | Kind::Max(_))
    }
}

/// Whether a claim holds for everything that the selected operations recorded since the instance was built, as the
/// engine judges: "p99 at most 5 ms" is "at most 1 % above 5 ms", counted. Cost: one pass over their cells.
///
/// # Errors
///
/// [`BudgetFailure`] if it does not, or if nobody can tell: no operations, or so few that not even faultless ones would
/// show it with 95 % confidence (368 for p99, 72 for p95, 6 for p50; the same for ratios), a mean of fewer than 30, or a
/// limit inside a bucket (1.1 % wide) with operations in it that decide. A budget's limits are exact, and
/// [`check_budget`](super::check_budget) asks only for the operations that its declaration asks for.
///
/// ```
/// use plimsoll::{Outcome, Plimsoll, Select, compare::{Claim, check_claim}};
/// use std::time::Duration;
///
/// let plimsoll = Plimsoll::builder().build()?;
/// plimsoll.operation("parse").record(Outcome::Ok, Duration::from_millis(1));
/// let p99 = Claim::quantile(0.99, Duration::from_millis(5));
/// let failure = check_claim(&plimsoll, &Select::operation("parse"), p99).unwrap_err();
/// assert!(failure.is_undecided() && failure.to_string().contains("takes 368"));
/// # Ok::<(), plimsoll::BuildError>(())
/// ```
pub fn check_claim(
    plimsoll: &Plimsoll,
    select: &Select,
    claim: Claim,
) -> Result<(), BudgetFailure> {
    let mistake = |message: String| Err(BudgetFailure::undecided(message));
    let (set, operations) = match selected(plimsoll, select) {
        Ok(found) => found,
        Err(error) => return mistake(error.to_string()),
    };
    if let Some(problem) = claim.problem() {
        return mistake(problem);
    }
    let kind = set.domain().as_str();
    if claim.has_durations() && !set.domain().is_timed() {
        return mistake(format!("{kind} has no durations: claim a success_ratio"));
    }
    let (outcomes, durations) = gather(set, &operations);
    let about = About {
        name: shown(kind, select),
        outcomes: &outcomes,
        durations: &durations,
    };
    if outcomes.valid() == 0 {
        return Err(about.undecided("no operation has ended that counts"));
    }
    let uptime = plimsoll.inner().engine.uptime();
    about.judge(claim, uptime)
}

fn shown(kind: &str, select: &Select) -> String {
    let label = |(key, value): &(String, String)| format!("{key}={value:?}");
    let labels: Vec<_> = select.labels.iter().map(label).collect();
    match labels.is_empty() {
        true => kind.to_owned(),
        false => format!("{kind}{{{}}}", labels.join(", ")),
    }
}

/// What a claim is about.
struct About<'a> {
    name: String,
    outcomes: &'a Outcomes,
    durations: &'a Distribution,
}

impl About<'_> {
    fn judge(&self, claim: Claim, uptime: f64) -> Result<(), BudgetFailure> {
        match claim.0 {
            Kind::Quantile(q, limit) => self.quantile(q, limit),
            Kind::Mean(limit) => self.mean(limit),
            Kind::Max(limit) => self.max(limit),
            Kind::ErrorRatio(limit) => self.error_ratio(limit, "error ratio", limit),
            Kind::SuccessRatio(limit) => {
                self.error_ratio(without_noise(1.0 - limit), "success ratio", limit)
            }
            Kind::Throughput(limit) => self.throughput(limit, uptime),
        }
    }

    fn quantile(&self, q: f64, limit: Duration) -> Result<(), BudgetFailure> {
        let (share, valid) = (without_noise(1.0 - q), self.durations.count());
        let (certainly, maybe) = self.durations.above(nanos(limit));
        let is_too_many = |above: u64| above as f64 / valid as f64 > share;
        let (name, bound) = (Measure::Quantile(q), seconds(limit.as_secs_f64()));
        if is_too_many(certainly) {
            let (low, high) = intervals::ratio(certainly as f64, valid as f64, ALPHA);
            let above = percent(certainly as f64 / valid as f64);
            let (low, high, sure) = (percent(low), percent(high), percent(1.0 - ALPHA));
            let text = format!(
                "{above} are above {bound}, {} may be ({low} to {high} with {sure} confidence)",
                percent(share)
            );
            return Err(self
                .exceeded(&format!("{name} <= {bound}"))
                .line("share", text));
        }
        if is_too_many(maybe) {
            return Err(self.in_a_bucket(&format!("{name} <= {bound}")));
        }
        self.enough(&format!("{name} <= {bound}"), share, valid)
    }

    fn max(&self, limit: Duration) -> Result<(), BudgetFailure> {
        let bound = format!("max <= {}", seconds(limit.as_secs_f64()));
        match self.durations.above(nanos(limit)) {
            (0, 0) => Ok(()),
            (0, _) => Err(self.in_a_bucket(&bound)),
            (above, _) => Err(self
                .exceeded(&bound)
                .line("above", format!("{} operations", count(above)))),
        }
    }

    fn mean(&self, limit: Duration) -> Result<(), BudgetFailure> {
        let (mean, limit) = (
            self.durations.mean().unwrap_or_default(),
            limit.as_secs_f64(),
        );
        let bound = format!("mean <= {}", seconds(limit));
        match self.durations.mean_interval(ALPHA) {
            Some((low, high)) if mean > limit => {
                let (low, high, sure) = (seconds(low), seconds(high), percent(1.0 - ALPHA));
                let text = format!("{} ({low} to {high} with {sure} confidence)", seconds(mean));
                Err(self.exceeded(&bound).line("mean", text))
            }
            Some(_) => Ok(()),
            None => Err(self.too_few(&bound, 30)),
        }
    }

    fn error_ratio(&self, share: f64, name: &str, limit: f64) -> Result<(), BudgetFailure> {
        let (error, valid) = (self.outcomes.error, self.outcomes.valid());
        let relation = if name == "error ratio" { "<=" } else { ">=" };
        let bound = format!("{name} {relation} {}", percent(limit));
        if error as f64 / valid as f64 <= share {
            return self.enough(&bound, share, valid);
        }
        let failed = percent(error as f64 / valid as f64);
        let text = format!("{failed} failed, {} may", percent(share));
        Err(self.exceeded(&bound).line("share", text))
    }

    fn throughput(&self, limit: f64, uptime: f64) -> Result<(), BudgetFailure> {
        let bound = format!("throughput >= {}/s", digits(limit));
        if uptime <= 0.0 {
            return Err(self.undecided(&format!(
                "{bound}: no time has passed since the instance was built: advance its clock"
            )));
        }
        let valid = self.outcomes.valid();
        if valid as f64 / uptime >= limit {
            return Ok(());
        }
        let (low, high) = intervals::events(valid, ALPHA);
        let text = format!(
            "{}/s in {} ({} to {} with {} confidence, if they come independently)",
            digits(valid as f64 / uptime),
            seconds(uptime),
            digits(low / uptime),
            digits(high / uptime),
            percent(1.0 - ALPHA)
        );
        Err(self.exceeded(&bound).line("throughput", text))
    }

    /// Too few for faultless ones to show that at most `share` are bad.
    fn enough(&self, claim: &str, share: f64, valid: u64) -> Result<(), BudgetFailure> {
        let needed = intervals::needed(share, ALPHA);
        match valid >= needed {
            true => Ok(()),
            false => Err(self.too_few(claim, needed)),
        }
    }

    fn too_few(&self, claim: &str, needed: u64) -> BudgetFailure {
        self.undecided(&format!(
            "{claim}: too few operations to tell, it takes {}",
            count(needed)
        ))
    }

    fn in_a_bucket(&self, claim: &str) -> BudgetFailure {
        self.undecided(&format!(
            "{claim}: the limit lies inside a bucket of operations that decide: declare a budget, whose limits are exact, \
             or move it by 1.1 %"
        ))
    }

    fn undecided(&self, why: &str) -> BudgetFailure {
        let text = format!("{}: cannot tell: {why}", self.name);
        BudgetFailure::undecided(text).recorded(self.outcomes, self.durations)
    }

    fn exceeded(&self, claim: &str) -> BudgetFailure {
        let text = format!("{}: {claim} does not hold", self.name);
        BudgetFailure::exceeded(text).recorded(self.outcomes, self.durations)
    }
}

/// 0.05 for 1 − 0.95, not 0.050000000000000044.
fn without_noise(share: f64) -> f64 {
    (share * 1e12).round() / 1e12
}
