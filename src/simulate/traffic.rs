//! Operations that are made up for what is promised.

use std::sync::Arc;
use std::time::Duration;

use super::SimulatedStep;
use super::counters::Spread;
use crate::budget::{Budget, Pattern, Select};
use crate::histogram::nanos;
use crate::instance::Plimsoll;
use crate::registry::{Domain, Operation, Outcome};

/// What happens at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Load {
    /// Operations per second of each kind.
    pub(crate) rate: f64,
    /// The share of them that fail.
    pub(crate) errors: f64,
    /// The share of them that take longer than every limit.
    pub(crate) slow: f64,
    /// How long the others take, if not less than every limit.
    pub(crate) lasting: Option<Duration>,
}

impl Load {
    /// So many operations per second, none of which fails or is slow.
    pub(crate) fn good(rate: f64) -> Self {
        Self {
            rate,
            errors: 0.0,
            slow: 0.0,
            lasting: None,
        }
    }
}

/// One operation, again and again.
#[derive(Debug)]
pub(super) struct Stream {
    /// The budgets and SLOs that speak of it.
    of: Vec<String>,
    domain: Domain,
    operation: Arc<Operation>,
    fast_ns: u64,
    slow_ns: u64,
    spread: Spread,
}

/// One stream for each kind of operation that is spoken of; those that speak of more than one take what there is.
pub(super) fn streams(plimsoll: &Plimsoll, budgets: &[Budget], seed: Option<u64>) -> Vec<Stream> {
    let mut selects: Vec<&Select> = budgets.iter().filter_map(Budget::select).collect();
    selects.sort_by_key(|select| std::cmp::Reverse(select.labels.len()));
    let mut streams: Vec<Stream> = Vec::new();
    for select in selects {
        if !streams.iter().any(|stream| stream.is_of(select)) {
            let spread = Spread::new(seed.map(|seed| seed.wrapping_add(streams.len() as u64)));
            streams.push(Stream::new(plimsoll, select, budgets, spread));
        }
    }
    for stream in &mut streams {
        let speak = |budget: &&Budget| budget.select().is_some_and(|select| stream.is_of(select));
        let of = budgets.iter().filter(speak);
        stream.of = of.map(|budget| budget.name.clone()).collect();
    }
    streams
}

impl Stream {
    fn new(plimsoll: &Plimsoll, select: &Select, budgets: &[Budget], spread: Spread) -> Self {
        let set = plimsoll.registry().set(select.domain);
        let values: Vec<String> = set.keys().iter().map(|key| value(select, key)).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let of_domain = budgets.iter().filter(|budget| {
            budget
                .select()
                .is_some_and(|other| other.domain == select.domain)
        });
        let limits: Vec<f64> = of_domain.flat_map(Budget::thresholds).collect();
        let least = limits.iter().copied().fold(0.02, f64::min);
        let most = limits.iter().copied().fold(0.5, f64::max);
        let timed = |seconds: f64| match select.domain.is_timed() {
            true => nanos(Duration::from_secs_f64(seconds.clamp(0.0, 3_600.0))),
            false => 0,
        };
        Self {
            of: Vec::new(),
            domain: select.domain,
            operation: set.declare(&values).clone(),
            fast_ns: timed(least / 2.0),
            slow_ns: timed(most * 2.0),
            spread,
        }
    }

    pub(super) fn domain(&self) -> Domain {
        self.domain
    }

    /// Whether it is spoken of.
    fn is_of(&self, select: &Select) -> bool {
        let value = |key: &String| {
            let keys = self.operation.keys();
            let at = keys.iter().position(|known| known == key);
            at.map_or("", |at| &*self.operation.labels()[at])
        };
        let fits = |(key, pattern): &(String, String)| Pattern::new(pattern).matches(value(key));
        self.domain == select.domain
            && select.labels.iter().all(fits)
            && !select.except.iter().any(fits)
    }

    /// Records what happens in so long a time.
    pub(super) fn record(
        &mut self,
        length: Duration,
        load: impl Fn(&[String]) -> Load,
        into: &mut SimulatedStep,
    ) {
        let load = load(&self.of);
        let fast_ns = load.lasting.map_or(self.fast_ns, nanos);
        let drawn = self.spread.draw(length, load);
        // The first ones fail, the last ones are slow.
        let fast = drawn.all - drawn.slow;
        let both = drawn.errors.min(fast);
        for (outcome, duration_ns, times) in [
            (Outcome::Error, fast_ns, both),
            (Outcome::Error, self.slow_ns, drawn.errors - both),
            (Outcome::Ok, fast_ns, fast - both),
            (
                Outcome::Ok,
                self.slow_ns,
                drawn.all - drawn.errors.max(fast),
            ),
        ] {
            if times > 0 {
                let series = self.operation.series(outcome);
                series.histogram.record_times(duration_ns, times);
            }
        }
        into.operations += drawn.all;
        into.errors += drawn.errors;
        into.slow += drawn.slow;
    }

    /// `http{method="GET", route="/example"}`
    pub(super) fn name(&self) -> String {
        let labels = self.operation.keys().iter().zip(self.operation.labels());
        let labels: Vec<_> = labels
            .map(|(key, value)| format!("{key}={value:?}"))
            .collect();
        format!("{}{{{}}}", self.domain.as_str(), labels.join(", "))
    }
}

/// A value of a label that is spoken of.
fn value(select: &Select, key: &str) -> String {
    let asked = select.labels.iter().find(|label| label.0 == key);
    match asked {
        // A star stands for any text; that of a template such as `{*path}` for itself.
        Some((_, value)) => value
            .replace("{*", "{\0")
            .replace('*', "example")
            .replace('\0', "*"),
        None => usual(key).to_owned(),
    }
}

fn usual(key: &str) -> &'static str {
    match key {
        "method" => "GET",
        "route" => "/example",
        "protocol" => "tcp",
        "check" => "connected",
        _ => "example",
    }
}
