//! What is promised, judged tick by tick under a clock that stands still in between.

use std::time::{Duration, UNIX_EPOCH};

use plimsoll::{
    AlertState, Budget, Builder, EventKind, Expr, Layout, Level, ManualClock, Outcome, Plimsoll,
    Select, Selector, Subscription,
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
    events: Subscription,
}

impl Bench {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let plimsoll = configure(Plimsoll::builder().clock(clock.clone()).manual_tick())
            .build()
            .unwrap();
        let events = plimsoll.subscribe();
        Self {
            plimsoll,
            clock,
            events,
        }
    }

    fn record(&self, count: usize, outcome: Outcome, duration: Duration) {
        let operation = self.plimsoll.operation("work");
        (0..count).for_each(|_| operation.record(outcome, duration));
    }

    /// Moves on by a second, ticks, and returns what was announced as (kind, budget, level).
    fn tick(&self) -> Vec<(EventKind, String, Level)> {
        self.clock.advance(SECOND);
        self.plimsoll.tick();
        let next = || self.events.try_recv();
        std::iter::from_fn(next)
            .map(|event| (event.kind, event.budget.to_string(), event.level))
            .collect()
    }

    fn state(&self, budget: &str) -> AlertState {
        self.plimsoll
            .budgets()
            .into_iter()
            .find(|reading| reading.budget == budget)
            .unwrap()
            .state
    }
}

fn breach(budget: &str) -> Vec<(EventKind, String, Level)> {
    vec![(EventKind::Breach, budget.to_owned(), Level::Target)]
}

fn recovery(budget: &str) -> Vec<(EventKind, String, Level)> {
    vec![(EventKind::Recovery, budget.to_owned(), Level::Target)]
}

fn latency() -> Budget {
    Budget::quantile("latency", Select::operation("work"), 0.95)
        .at_most(200 * MS)
        .over(5 * SECOND)
}

fn errors() -> Budget {
    Budget::error_ratio("errors", Select::operation("work"))
        .at_most(0.001)
        .over(5 * SECOND)
}

#[test]
fn latency_breaches_at_the_next_tick_and_recovers_when_the_window_is_clean() {
    let bench = Bench::new(|builder| builder.budget(latency()));
    for _ in 0..10 {
        bench.record(100, Outcome::Ok, 50 * MS);
        assert_eq!(bench.tick(), []);
    }
    // 40 of 500 above the limit are 8 %.
    bench.record(60, Outcome::Ok, 50 * MS);
    bench.record(40, Outcome::Ok, 201 * MS);
    assert_eq!(bench.tick(), breach("latency"));
    let mut announced = Vec::new();
    for second in 1..=8 {
        bench.record(100, Outcome::Ok, 50 * MS);
        for event in bench.tick() {
            announced.push((second, event.0));
        }
    }
    // The slow second leaves the window (t-5s, t] with its fifth successor at the latest.
    assert_eq!(announced.len(), 1, "{announced:?}");
    assert!(
        announced[0].0 <= 5 && announced[0].1 == EventKind::Recovery,
        "{announced:?}"
    );
}

#[test]
fn the_threshold_is_exact() {
    let bench = Bench::new(|builder| builder.budget(latency()));
    bench.record(95, Outcome::Ok, 50 * MS);
    bench.record(5, Outcome::Ok, 200 * MS + Duration::from_nanos(1));
    assert_eq!(bench.tick(), [], "5 % above the limit is what p95 allows");
    bench.record(93, Outcome::Ok, 200 * MS);
    bench.record(7, Outcome::Ok, 200 * MS + Duration::from_nanos(1));
    assert_eq!(bench.tick(), breach("latency"), "12 of 200 is more");
}

#[test]
fn the_first_error_of_a_fresh_operation_breaches_once() {
    let bench = Bench::new(|builder| builder.budget(errors()));
    for _ in 0..3 {
        assert_eq!(bench.tick(), []);
    }
    bench.record(1, Outcome::Error, MS);
    assert_eq!(bench.tick(), breach("errors"));
    let reading = &bench.plimsoll.budgets()[0];
    assert_eq!(
        (reading.state, reading.value, reading.limit),
        (AlertState::Firing, Some(1.0), 0.001)
    );
    let later: Vec<_> = (0..10).flat_map(|_| bench.tick()).collect();
    assert_eq!(later, recovery("errors"), "never twice for one edge");
}

#[test]
fn cancelled_operations_are_valid_and_not_failed() {
    let bench = Bench::new(|builder| builder.budget(errors()).budget(latency()));
    bench.record(10, Outcome::Cancelled, 300 * MS);
    assert_eq!(
        bench.tick(),
        breach("latency"),
        "they were too slow, and that is all"
    );
}

#[test]
fn a_breach_can_have_to_last_and_a_recovery_too() {
    let lasting = errors().sustained(2 * SECOND).keep_firing(3 * SECOND);
    let bench = Bench::new(|builder| builder.budget(lasting));
    let mut seen = Vec::new();
    for second in 0..16 {
        if second < 5 {
            bench.record(1, Outcome::Error, MS);
        }
        let events = bench.tick();
        seen.push((bench.state("errors"), events.len()));
    }
    use AlertState::{Firing, Inactive, Pending};
    assert_eq!(seen[..3], [(Pending, 0), (Pending, 0), (Firing, 1)]);
    let ended = seen.iter().rposition(|step| step.1 == 1).unwrap();
    assert_eq!(seen[ended].0, Inactive);
    // The last error comes in second 4 and has left the window by second 9; then three more seconds.
    assert!((11..=12).contains(&ended), "{ended}");
    assert_eq!(seen.iter().map(|step| step.1).sum::<usize>(), 2);
}

#[test]
fn it_is_exceeded_since_the_first_tick_at_which_it_was() {
    let lasting = errors().sustained(2 * SECOND);
    let bench = Bench::new(|builder| builder.budget(lasting));
    let since = || bench.plimsoll.budgets()[0].since;
    bench.tick();
    assert_eq!(since(), None);
    for state in [AlertState::Pending, AlertState::Pending, AlertState::Firing] {
        bench.record(1, Outcome::Error, MS);
        bench.tick();
        let first = UNIX_EPOCH + 2 * SECOND;
        assert_eq!((bench.state("errors"), since()), (state, Some(first)));
    }
}

#[test]
fn min_events_keeps_one_slow_call_at_night_from_being_an_incident() {
    let bench = Bench::new(|builder| builder.budget(errors().min_events(20)));
    bench.record(1, Outcome::Error, MS);
    assert_eq!(bench.tick(), []);
    bench.record(30, Outcome::Error, MS);
    assert_eq!(bench.tick(), breach("errors"));
}

#[test]
fn every_level_has_its_own_edge() {
    let levels = latency().warning(300 * MS).critical(400 * MS);
    let bench = Bench::new(|builder| builder.budget(levels));
    bench.record(100, Outcome::Ok, 350 * MS);
    let levels = |events: Vec<(EventKind, String, Level)>| {
        events.into_iter().map(|event| event.2).collect::<Vec<_>>()
    };
    assert_eq!(
        levels(bench.tick()),
        [Level::Warning],
        "which folds the target"
    );
    bench.record(100, Outcome::Ok, 500 * MS);
    assert_eq!(levels(bench.tick()), [Level::Critical]);
}

#[test]
fn a_throughput_floor_waits_for_warm_up_and_for_load() {
    let running = Expr::select(Selector::new("load_running"))
        .sum()
        .greater(0.0);
    let floor = Budget::throughput("floor", Select::operation("work"))
        .at_least(10.0)
        .over(5 * SECOND)
        .warm_up(8 * SECOND)
        .when(running);
    let bench = Bench::new(|builder| builder.expect_family("load_running").budget(floor));
    let load = bench.plimsoll.gauge("load_running").register().unwrap();
    load.set(1.0);
    for _ in 0..7 {
        assert_eq!(bench.tick(), [], "warming up");
    }
    assert_eq!(bench.tick(), breach("floor"));
    load.set(0.0);
    assert_eq!(bench.tick(), recovery("floor"));
    load.set(1.0);
    for _ in 0..6 {
        bench.record(20, Outcome::Ok, MS);
        bench.tick();
    }
    assert_eq!(bench.state("floor"), AlertState::Inactive);
    assert_eq!(bench.plimsoll.budgets()[0].value, Some(20.0));
}

#[test]
fn gauges_counters_and_histograms_carry_budgets_too() {
    let depth =
        Budget::value("depth", Expr::select(Selector::new("queue_depth")).sum()).at_most(100.0);
    let drops = Budget::value(
        "drops",
        Expr::rate(Selector::new("drops_total").label("queue", "a"), 5 * SECOND).sum(),
    );
    let batch = Budget::value(
        "batch",
        Expr::quantile(0.5, Selector::new("batch_size"), 5 * SECOND),
    );
    let bench = Bench::new(|builder| {
        builder
            .expect_family("queue_depth")
            .expect_family("drops_total")
            .expect_family("batch_size")
            .budget(depth)
            .budget(drops.at_most(2.0))
            .budget(batch.at_most(50.0).over(5 * SECOND))
    });
    let queue = bench.plimsoll.gauge("queue_depth").register().unwrap();
    let dropped = bench
        .plimsoll
        .counter("drops_total")
        .label("queue", "a")
        .register()
        .unwrap();
    let other = bench
        .plimsoll
        .counter("drops_total")
        .label("queue", "b")
        .register()
        .unwrap();
    let sizes = bench
        .plimsoll
        .histogram("batch_size", Layout::counts(), &[10.0, 50.0, 100.0])
        .register()
        .unwrap();
    sizes.record(5);
    assert_eq!(bench.tick(), []);
    queue.set(101.0);
    assert_eq!(bench.tick(), breach("depth"));
    queue.set(100.0);
    other.add(1000);
    assert_eq!(bench.tick(), recovery("depth"));
    dropped.add(20);
    assert_eq!(bench.tick(), breach("drops"));
    (0..10).for_each(|_| sizes.record(80));
    assert_eq!(bench.tick(), breach("batch"));
}

#[test]
fn a_budget_on_one_label_value_ignores_the_others() {
    let one = Budget::error_ratio("one", Select::operation("precious"))
        .at_most(0.0)
        .over(5 * SECOND);
    let bench = Bench::new(|builder| builder.budget(one));
    bench.record(10, Outcome::Error, MS);
    assert_eq!(bench.tick(), []);
    bench
        .plimsoll
        .operation("precious")
        .record(Outcome::Error, MS);
    assert_eq!(bench.tick(), breach("one"));
}

#[test]
fn a_missed_tick_loses_nothing() {
    let bench = Bench::new(|builder| builder.budget(errors()));
    bench.tick();
    bench.record(1, Outcome::Error, MS);
    bench.clock.advance(3 * SECOND);
    assert_eq!(bench.tick(), breach("errors"));
}

#[test]
fn the_shown_quantile_is_within_its_error() {
    let bench = Bench::new(|builder| builder.budget(latency()));
    for ms in 1..=100_u32 {
        bench.record(1, Outcome::Ok, ms * MS);
    }
    bench.tick();
    let value = bench.plimsoll.budgets()[0].value.unwrap();
    assert!((value - 0.095).abs() <= 0.095 * 0.0055, "{value}");
}

#[test]
fn a_state_cell_follows_the_tick_for_as_long_as_somebody_judges() {
    let bench = Bench::new(|builder| builder.budget(errors().warning(0.9)));
    let state = bench.plimsoll.budget_state("errors").unwrap();
    let level = |level| bench.plimsoll.level_state("errors", level);
    let warning = level(Level::Warning).unwrap();
    assert!(level(Level::Critical).is_none());
    assert!(bench.plimsoll.budget_state("none").is_none());
    let never = (AlertState::Inactive, None);
    assert_eq!((state.state(), state.recovered_for()), never);

    bench.record(1, Outcome::Ok, MS);
    bench.record(1, Outcome::Error, MS);
    assert_eq!((state.state(), state.recovered_for()), never, "no tick yet");
    assert_eq!(bench.tick(), breach("errors"));
    assert!(state.is_breached() && !warning.is_breached());
    assert_eq!(state.recovered_for(), None);
    while state.is_breached() {
        bench.tick();
    }
    assert_eq!(state.recovered_for(), Some(Duration::ZERO));
    bench.tick();
    assert_eq!(state.recovered_for(), Some(SECOND));
    assert_eq!(warning.recovered_for(), None, "it never was breached");

    bench.record(1, Outcome::Ok, MS);
    bench.record(1, Outcome::Error, MS);
    bench.tick();
    assert!(state.is_breached());
    drop(bench);
    assert_eq!((state.state(), state.recovered_for()), never);
}
