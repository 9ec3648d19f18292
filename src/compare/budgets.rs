//! Whether a declared budget is kept, in the engine's words.

use super::baseline::gather;
use super::failure::{ALPHA, BudgetFailure};
use super::table::{count, digits, percent, seconds};
use super::{Distribution, Measure, Outcomes, intervals};
use crate::budget::{Budget, SLI_BAD, SLI_VALID, Sli};
use crate::engine::{AlertState, BudgetReading, Judge};
use crate::expr::{Expr, Selector};
use crate::instance::Plimsoll;

/// Whether a declared budget is kept: all of its levels, of all parts that it is kept by, as the engine sees them now.
///
/// Ticks the instance if its clock has moved since the latest tick; breaches are announced as at any tick. A
/// [`ManualClock`](crate::ManualClock) has to be advanced between what is recorded and this.
///
/// # Errors
///
/// [`BudgetFailure`] if a level is pending or firing, if there is no such budget, or if nobody can tell: the window holds
/// nothing, or fewer operations than [`min_events`](Budget::min_events) asks for; the instance still
/// [warms up](Budget::warm_up); the condition of [`when`](Budget::when) does not hold; something was recorded after the
/// latest tick at the same time.
pub fn check_budget(plimsoll: &Plimsoll, name: &str) -> Result<(), BudgetFailure> {
    let engine = &plimsoll.inner().engine;
    let latest_ns = engine.look(Judge::latest_ns);
    let stands_still = plimsoll.registry().clock().now_ns() <= latest_ns;
    if !stands_still {
        // A second tick at the same time would take the place of the first, and what grew in between would be lost.
        plimsoll.tick();
    }
    engine.look(|judge| {
        let Some((budget, operations)) = judge.declared(plimsoll.registry(), name) else {
            return Err(unknown(judge, name));
        };
        let set = budget
            .select()
            .map(|select| plimsoll.registry().set(select.domain));
        let (outcomes, durations) =
            set.map_or_else(Default::default, |set| gather(set, &operations));
        let hearing = Hearing {
            judge,
            budget,
            stands_still,
            uptime: engine.uptime(),
            outcomes,
            durations,
        };
        let of_budget = |reading: &&BudgetReading| reading.budget == name;
        let readings: Vec<_> = judge.readings().filter(of_budget).collect();
        if readings.is_empty() {
            let text = format!("budget {name:?}: cannot tell: none of its operations was seen yet");
            return Err(BudgetFailure::undecided(text));
        }
        let failures = readings
            .into_iter()
            .filter_map(|reading| hearing.failure(reading));
        BudgetFailure::all(failures.collect())
    })
}

fn unknown(judge: &Judge, name: &str) -> BudgetFailure {
    let mut known: Vec<_> = judge.readings().map(|reading| &*reading.budget).collect();
    known.dedup();
    let known = match known.is_empty() {
        true => "none is declared".to_owned(),
        false => format!("there are {}", known.join(", ")),
    };
    BudgetFailure::undecided(format!("budget {name:?} is not declared: {known}"))
}

/// A budget before the judge.
struct Hearing<'a> {
    judge: &'a Judge,
    budget: &'a Budget,
    stands_still: bool,
    uptime: f64,
    outcomes: Outcomes,
    durations: Distribution,
}

impl Hearing<'_> {
    fn failure(&self, reading: &BudgetReading) -> Option<BudgetFailure> {
        let state = match reading.state {
            AlertState::Inactive => {
                let why = self.silence(reading)?;
                let text = format!("{}: cannot tell: {why}", self.title(reading));
                return Some(self.told(BudgetFailure::undecided(text), reading));
            }
            AlertState::Pending => {
                "is exceeded, though not yet for as long as `sustained` asks for"
            }
            _ => "is not kept",
        };
        let text = format!("{} {state}", self.title(reading));
        Some(self.told(BudgetFailure::exceeded(text), reading))
    }

    /// Why no breach does not mean that all is well.
    fn silence(&self, reading: &BudgetReading) -> Option<String> {
        let budget = self.budget;
        if self.uptime < budget.warm_up.as_secs_f64() {
            let (uptime, warm_up) = (self.uptime, budget.warm_up);
            return Some(format!(
                "the instance warms up for {warm_up:?}, and runs for {uptime} s"
            ));
        }
        if reading.limit.is_nan() {
            return Some("its limit is learned, and it has learned too little to have one".into());
        }
        let holds = |condition| self.judge.evaluate(condition).is_some();
        if budget.when.as_ref().is_some_and(|when| !holds(when)) {
            return Some(
                "it is judged only `when` a condition holds that does not hold now".into(),
            );
        }
        if self.is_unseen(reading) {
            let advice = "advance the clock after recording";
            return Some(format!(
                "operations ended after the latest tick at the same time: {advice}"
            ));
        }
        if reading.value.is_none() {
            let over = budget.over;
            let advice = "record something, advance a ManualClock, and tick more often than the window is long";
            return Some(format!("the window of {over:?} holds nothing: {advice}"));
        }
        let needed = match budget.sli {
            Sli::Throughput(_) => return None,
            _ => budget.min_events,
        };
        let events = budget.select().map(|_| self.events(reading, SLI_VALID))?;
        let enough = events.is_some_and(|events| events >= needed as f64);
        let held = digits(events.unwrap_or_default());
        let over = budget.over;
        (!enough).then(|| {
            format!("too few operations: the window of {over:?} holds {held}, min_events asks for {needed}")
        })
    }

    /// Whether something was recorded that no tick can have seen.
    fn is_unseen(&self, reading: &BudgetReading) -> bool {
        let mut counts = self.judge.sli_counts();
        let of_level = counts.find(|count| {
            *count.budget == *reading.budget
                && count.level == self.budget.counting(reading.level)
                && count.labels == reading.labels
        });
        let sampled = self
            .judge
            .evaluate(&Expr::select(self.counter(reading, SLI_VALID)).sum());
        let seen = |valid: u64| sampled.is_some_and(|sampled| sampled == valid as f64);
        self.stands_still && of_level.is_some_and(|count| !seen(count.valid))
    }

    /// How much one of its counters grew in the window, as its rule sees it.
    fn events(&self, reading: &BudgetReading, name: &str) -> Option<f64> {
        let increase = Expr::increase(self.counter(reading, name), self.budget.over);
        self.judge.evaluate(&increase)
    }

    /// One of the counters that a level is judged by.
    fn counter(&self, reading: &BudgetReading, name: &str) -> Selector {
        let level = self.budget.counting(reading.level);
        let of_budget = Selector::new(name)
            .label("budget", reading.budget.as_str())
            .label("level", level.as_str());
        let labels = reading.labels.iter();
        labels.fold(of_budget, |counter, label| {
            counter.label(label.0, label.1.as_str())
        })
    }

    fn title(&self, reading: &BudgetReading) -> String {
        let label = |(key, value): &(&str, String)| format!(" {key}={value:?}");
        let labels: String = reading.labels.iter().map(label).collect();
        format!("budget {:?}{labels} ({})", reading.budget, reading.level)
    }

    fn told(&self, failure: BudgetFailure, reading: &BudgetReading) -> BudgetFailure {
        let show = |value: f64| match reading.unit {
            "s" => seconds(value),
            "1/s" => format!("{}/s", digits(value)),
            _ => digits(value),
        };
        let measured = match &self.budget.sli {
            Sli::Quantile(_, q) => Measure::Quantile(*q).to_string(),
            Sli::ErrorRatio(_) => "error ratio".to_owned(),
            Sli::SuccessRatio(_) => "success ratio".to_owned(),
            Sli::Throughput(_) => "throughput".to_owned(),
            _ => "value".to_owned(),
        };
        let value = reading.value.map_or("nothing".to_owned(), show);
        let limit = show(reading.limit);
        let bound = if self.budget.floor {
            "at least"
        } else {
            "at most"
        };
        let over = self.budget.over;
        let failure = failure.line(
            "value",
            format!("{measured} {value} in the window of {over:?}, promised is {bound} {limit}"),
        );
        let failure = match self.confidence(reading) {
            Some(sure) => failure.line("confidence", sure),
            None => failure,
        };
        match self.budget.select() {
            Some(_) => failure.recorded(&self.outcomes, &self.durations),
            None => failure,
        }
    }

    /// How sure the value is.
    fn confidence(&self, reading: &BudgetReading) -> Option<String> {
        let valid = self
            .events(reading, SLI_VALID)
            .filter(|valid| *valid > 0.0)?;
        let sure = percent(1.0 - ALPHA);
        if let Sli::Throughput(_) = self.budget.sli {
            let (low, high) = intervals::events(valid.round() as u64, ALPHA);
            let [low, high] = [low, high].map(|end| digits(end / self.budget.over.as_secs_f64()));
            return Some(format!(
                "{low} to {high}/s with {sure}, if they come independently"
            ));
        }
        let bad = self.events(reading, SLI_BAD)?.min(valid);
        let (low, high) = intervals::ratio(bad, valid, ALPHA);
        let what = match self.budget.sli {
            // What is above a limit that is learned is not counted.
            Sli::Quantile(..) if self.budget.is_learned(reading.level) => return None,
            Sli::Quantile(..) => format!("above {}", seconds(reading.limit)),
            _ => "failed".to_owned(),
        };
        let (bad, valid) = (count(bad.round() as u64), count(valid.round() as u64));
        let (low, high) = (percent(low), percent(high));
        Some(format!(
            "{bad} of {valid} in the window {what}: {low} to {high} with {sure}"
        ))
    }
}
