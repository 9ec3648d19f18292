//! Many queries that budgets watch: two budgets over all of them, and two on each of ten.

use std::time::Duration;

use plimsoll::{Budget, Builder, ManualClock, Outcome, Plimsoll, Select};

/// An instance that counted queries, each under a label set of its own.
pub struct Queries {
    plimsoll: Plimsoll,
    clock: ManualClock,
    names: Vec<String>,
}

impl Queries {
    /// With names for `count` label sets, of which none was seen yet. No thread has to share for want of memory.
    pub fn new(count: usize) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let builder = builder.max_series(2 * count).shard_memory(1 << 30);
        Self {
            plimsoll: budgets(builder).build().expect("no mistakes"),
            clock,
            names: (0..count).map(|number| format!("query-{number}")).collect(),
        }
    }

    /// One more query of the label set `at`.
    pub fn record(&self, at: usize, ns: u64) {
        let duration = Duration::from_nanos(ns);
        self.plimsoll
            .track_db_query(&self.names[at], "orders", duration, Outcome::Ok);
    }

    /// Lets a second pass, so that a tick is due.
    pub fn pass(&self) {
        self.clock.advance(Duration::from_secs(1));
    }

    /// The instance.
    pub fn plimsoll(&self) -> &Plimsoll {
        &self.plimsoll
    }
}

fn budgets(builder: Builder) -> Builder {
    let one = |number| Select::db().label("operation", format!("query-{number}"));
    (0..10).fold(both(builder, "all", Select::db()), |builder, number| {
        both(builder, &number.to_string(), one(number))
    })
}

/// The p95 and the ratio of errors.
fn both(builder: Builder, name: &str, select: Select) -> Builder {
    let p95 = Budget::quantile(format!("p95-{name}"), select.clone(), 0.95);
    let errors = Budget::error_ratio(format!("errors-{name}"), select);
    builder
        .budget(p95.at_most(Duration::from_millis(200)))
        .budget(errors.at_most(0.001))
}
