use std::thread;
use std::time::Duration;

use crate::{
    Budget, Builder, Expr, Layout, Level, ManualClock, Outcome, Plimsoll, Select, Selector, Watch,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const MS: Duration = Duration::from_millis(1);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
}

impl Bench {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let plimsoll = configure(builder).build().expect("no mistakes");
        Self { plimsoll, clock }
    }

    fn record(&self, operation: &str, times: usize, duration: Duration) {
        let operation = self.plimsoll.operation(operation);
        (0..times).for_each(|_| operation.record(Outcome::Ok, duration));
    }

    fn tick(&self) {
        self.clock.advance(SECOND);
        self.plimsoll.tick();
    }

    /// (valid, bad) of a budget's target.
    fn sli(&self, budget: &str) -> (u64, u64) {
        let mut found = None;
        self.plimsoll.inner().engine.look(|judge| {
            let mut counts = judge.sli_counts();
            let target = counts.find(|sli| &*sli.budget == budget && sli.level == Level::Target);
            found = target.map(|sli| (sli.valid, sli.bad));
        });
        found.expect("its budget")
    }

    /// How many operations a window of a watch holds, and for how long.
    fn window(&self, watch: &str, over: Duration) -> (u64, Duration) {
        let reading = self.plimsoll.window(watch, over).expect("it was named");
        (reading.count, reading.covered)
    }

    fn value(&self, budget: &str) -> Option<f64> {
        let mut readings = self.plimsoll.budgets().into_iter();
        let reading = readings.find(|reading| reading.budget == budget);
        reading.expect("its budget").value
    }
}

fn work() -> Select {
    Select::operation("work")
}

fn slow() -> Budget {
    Budget::quantile("slow", work(), 0.95).at_most(100 * MS)
}

#[test]
fn what_two_writers_record_during_a_hundred_ticks_is_counted_once() {
    const EACH: u64 = 50_000;
    let bench = Bench::new(|builder| {
        builder
            .budget(slow())
            .budget(Budget::error_ratio("errors", work()).at_most(0.1))
            .watch(Watch::new("work", work()).over(200 * SECOND))
    });
    let write = || {
        let operation = bench.plimsoll.operation("work");
        for nth in 0..EACH {
            let outcome = if nth % 10 == 0 {
                Outcome::Error
            } else {
                Outcome::Ok
            };
            operation.record(outcome, MS * (1 + nth as u32 % 200));
        }
    };
    thread::scope(|scope| {
        let writers = [scope.spawn(write), scope.spawn(write)];
        let mut before = (0, 0);
        for _ in 0..98 {
            let now = bench.sli("slow");
            assert!(now.0 >= before.0 && now.1 >= before.1, "{before:?} {now:?}");
            before = now;
            bench.tick();
        }
        for writer in writers {
            writer.join().expect("it only records");
        }
    });
    (0..2).for_each(|_| bench.tick());
    assert_eq!(bench.sli("slow"), (2 * EACH, EACH));
    assert_eq!(bench.sli("errors"), (2 * EACH, EACH / 5));
    let reading = bench.plimsoll.window("work", 200 * SECOND);
    let reading = reading.expect("it was named");
    assert_eq!(
        (reading.count, reading.covered),
        (2 * EACH, 100 * SECOND),
        "the first sample is that of the start"
    );
    assert_eq!(reading.distribution().above(0.1), Some(EACH));
    let mean = reading.mean.expect("it holds some");
    assert!((mean - 0.1005).abs() < 1e-9, "{mean}: the sum is exact");
}

#[test]
fn budgets_that_come_while_others_record_take_nothing_from_earlier_ones() {
    const EACH: u64 = 10_000;
    const LATE: u32 = 20;
    let bench = Bench::new(|builder| {
        builder.budget(Budget::error_ratio("errors", Select::operation("work-*")).at_most(0.1))
    });
    let name = |number: u32| format!("work-{number}");
    let write = || {
        let operations: Vec<_> = (0..LATE)
            .map(|number| bench.plimsoll.operation(&name(number)))
            .collect();
        for _ in 0..EACH {
            for operation in &operations {
                operation.record(Outcome::Error, 200 * MS);
            }
        }
    };
    let late = |number: u32| {
        let slow = Budget::quantile(
            format!("slow-{number}"),
            Select::operation(name(number)),
            0.95,
        );
        let slow = slow.at_most(100 * MS).over(200 * SECOND);
        bench.plimsoll.add_budget(slow).expect("a bound");
    };
    (0..LATE).for_each(|number| bench.record(&name(number), 1, MS));
    bench.tick();
    thread::scope(|scope| {
        let writers = [scope.spawn(write), scope.spawn(write)];
        for number in 0..LATE {
            late(number);
            bench.tick();
        }
        for writer in writers {
            writer.join().expect("it only records");
        }
    });
    bench.tick();
    let failed = 2 * EACH * u64::from(LATE);
    assert_eq!(bench.sli("errors"), (failed + u64::from(LATE), failed));
    for number in 0..LATE {
        let (valid, bad) = bench.sli(&format!("slow-{number}"));
        assert!(valid == bad && valid <= 2 * EACH, "{valid} {bad}");
    }
}

#[test]
fn a_late_budget_begins_at_nothing() {
    let bench =
        Bench::new(|builder| builder.budget(Budget::error_ratio("errors", work()).at_most(0.1)));
    bench.record("work", 100, 500 * MS);
    bench.tick();
    bench.record("work", 100, 500 * MS);
    bench.plimsoll.add_budget(slow()).expect("a bound");
    assert_eq!(bench.sli("slow"), (0, 0));
    bench.record("work", 3, 200 * MS);
    assert_eq!(bench.sli("slow"), (3, 3));
    bench.tick();
    assert_eq!(bench.sli("errors"), (203, 0));
    assert!((bench.value("slow").expect("it holds some") - 0.2).abs() < 0.2 * 0.0055);
}

#[test]
fn a_rule_over_counters_learns_of_parts_that_come_later() {
    let selector = Selector::new("plimsoll_sli_valid_total").label("budget", "each");
    let all = Expr::increase(selector, 10 * SECOND).sum();
    let bench = Bench::new(|builder| {
        let each = Budget::error_ratio("each", Select::operation("job-*")).at_most(0.5);
        builder
            .budget(each.per("operation"))
            .budget(Budget::value("all", all).at_most(1e9))
    });
    bench.tick();
    assert_eq!(bench.value("all"), None, "there is no counter yet");
    bench.record("job-a", 5, MS);
    bench.tick();
    bench.record("job-b", 7, MS);
    bench.record("other-job", 100, MS);
    bench.tick();
    // From the sample of the tick at which there was none of them.
    let grown = bench.value("all").expect("there are two");
    assert!((7.0..=14.0).contains(&grown), "{grown}");
    assert_eq!(bench.plimsoll.budgets().len(), 3);
}

#[test]
fn a_histogram_that_a_late_budget_reads_counts_from_then_on() {
    let bench = Bench::new(|builder| builder);
    let sizes = bench
        .plimsoll
        .histogram("size_seconds", Layout::durations(), &[1.0, 2.0, 4.0]);
    let size = sizes.register().expect("fine bounds");
    (0..100).for_each(|_| size.record(4_000_000_000));
    let p50 = Expr::quantile(0.5, Selector::new("size_seconds"), MINUTE);
    let budget = Budget::value("size", p50).at_most(100.0);
    bench.plimsoll.add_budget(budget).expect("no mistakes");
    bench.tick();
    size.record(500_000_000);
    bench.tick();
    // One in the first bucket, which began at 0; the others, which did not, are extrapolated by half a gap to 1.25.
    assert_eq!(bench.value("size"), Some(0.625), "half of 1.25, of 1");
}

#[test]
fn what_a_scrape_saw_between_two_ticks_enters_the_windows_at_the_next() {
    let watch = Watch::new("work", work()).over(MINUTE);
    let bench = Bench::new(|builder| builder.budget(slow()).watch(watch));
    bench.record("work", 7, 500 * MS);
    assert_eq!(bench.sli("slow"), (7, 7));
    assert_eq!(bench.window("work", MINUTE), (0, Duration::ZERO));
    bench.record("work", 3, MS);
    assert_eq!(bench.sli("slow"), (10, 7));
    bench.tick();
    assert_eq!(bench.window("work", MINUTE), (10, SECOND));
    assert_eq!(bench.sli("slow"), (10, 7));
}

#[test]
fn what_is_not_touched_changes_nothing_but_grows_old() {
    let over = 5 * SECOND;
    let watch = Watch::new("work", work()).over(over);
    let bench = Bench::new(|builder| builder.budget(slow()).watch(watch));
    bench.record("work", 7, 500 * MS);
    for second in 1..=4_u32 {
        bench.tick();
        assert_eq!(bench.sli("slow"), (7, 7));
        let held = (7, SECOND * second);
        assert_eq!(bench.window("work", over), held);
    }
    bench.tick();
    assert_eq!(bench.window("work", over), (0, 4 * SECOND));
    assert_eq!(bench.sli("slow"), (7, 7));
}

#[test]
fn a_missed_tick_makes_one_long_step() {
    let over = 10 * SECOND;
    let watch = Watch::new("work", work()).over(over);
    let bench = Bench::new(|builder| builder.watch(watch));
    bench.record("work", 1, MS);
    bench.tick();
    bench.record("work", 20, MS);
    bench.clock.advance(4 * SECOND);
    bench.tick();
    assert_eq!(bench.window("work", over), (21, 6 * SECOND));
    (0..4).for_each(|_| bench.tick());
    assert_eq!(bench.window("work", over), (20, 9 * SECOND));
    // The long step leaves as a whole, with the sample at its beginning.
    (0..5).for_each(|_| bench.tick());
    assert_eq!(bench.window("work", over), (0, 9 * SECOND));
}

#[test]
fn the_windows_of_one_selection_are_those_of_whoever_named_them() {
    let bench = Bench::new(|builder| {
        builder
            .budget(slow().over(MINUTE))
            .watch(Watch::new("short", work()).over(10 * SECOND))
            .watch(Watch::new("long", work()).over(3600 * SECOND))
    });
    for _ in 0..30 {
        bench.record("work", 1, MS);
        bench.tick();
    }
    assert_eq!(bench.window("short", 10 * SECOND), (9, 9 * SECOND));
    assert_eq!(bench.window("long", 3600 * SECOND), (30, 30 * SECOND));
    assert!(bench.plimsoll.window("short", MINUTE).is_none());
    assert!((bench.value("slow").expect("it holds some") - 0.001).abs() < 0.001 * 0.0055);
}

#[cfg(feature = "db")]
#[test]
fn whatever_appears_between_two_ticks_is_counted_from_its_birth() {
    let bench = Bench::new(|builder| {
        let errors = Budget::error_ratio("errors", Select::db().label("model", "orders"));
        builder
            .max_series(3)
            .budget(errors.at_most(0.1))
            .watch(Watch::new("all", Select::db()).over(MINUTE))
    });
    let record = |model, operation: &str, outcome| {
        let plimsoll = &bench.plimsoll;
        plimsoll.track_db_query(operation, model, MS, outcome);
    };
    bench.tick();
    record("orders", "insert", Outcome::Ok);
    record("users", "insert", Outcome::Error);
    bench.tick();
    assert_eq!(bench.window("all", MINUTE), (2, 2 * SECOND));
    assert_eq!(bench.sli("errors"), (1, 0));
    // A further series of an operation that is known, and a further operation.
    record("orders", "insert", Outcome::Error);
    record("orders", "select", Outcome::Ok);
    bench.tick();
    assert_eq!(bench.window("all", MINUTE), (4, 3 * SECOND));
    assert_eq!(bench.sli("errors"), (3, 1));
    // Beyond the cap: `other` belongs to no model. A declared operation is exempt from it.
    (0..5).for_each(|nth| record("orders", &format!("late-{nth}"), Outcome::Ok));
    bench.plimsoll.db("orders").declare(["declared"]);
    record("orders", "declared", Outcome::Error);
    bench.tick();
    assert_eq!(bench.window("all", MINUTE), (10, 4 * SECOND));
    assert_eq!(bench.sli("errors"), (4, 2));
    record("orders", "late-5", Outcome::Ok);
    bench.tick();
    assert_eq!(bench.window("all", MINUTE), (11, 5 * SECOND));
}

#[test]
fn instruments_that_come_later_are_found() {
    let depth = || Expr::select(Selector::new("depth")).sum();
    let p50 = Expr::quantile(0.5, Selector::new("size_seconds"), MINUTE);
    let bench = Bench::new(|builder| {
        builder
            .expect_family("depth")
            .expect_family("size_seconds")
            .budget(Budget::value("depth", depth()).at_most(100.0))
            .budget(Budget::value("size", p50).at_most(100.0))
    });
    let observe = |queue: &str, value| {
        let gauge = bench.plimsoll.gauge("depth").label("queue", queue);
        gauge.observe(move || Some(value)).expect("a fine gauge");
    };
    let size = |part: &str| {
        let bounds = [1.0, 2.0, 4.0];
        let sizes = bench
            .plimsoll
            .histogram("size_seconds", Layout::durations(), &bounds);
        sizes.label("part", part).register().expect("fine bounds")
    };
    bench.tick();
    assert_eq!((bench.value("depth"), bench.value("size")), (None, None));
    observe("a", 2.0);
    let second = size("b");
    bench.tick();
    assert_eq!(
        (bench.value("depth"), bench.value("size")),
        (Some(2.0), None)
    );
    observe("b", 3.0);
    second.record(3_000_000_000);
    bench.tick();
    assert_eq!(
        (bench.value("depth"), bench.value("size")),
        (Some(5.0), Some(3.0))
    );
    // Replaced; and one that comes before the other in the order of the labels.
    observe("a", 10.0);
    let first = size("a");
    (0..3).for_each(|_| first.record(500_000_000));
    bench.tick();
    let expected = 0.5 * 4.0 / 3.0;
    assert_eq!(bench.value("depth"), Some(13.0));
    let size = bench.value("size").expect("it holds some");
    assert!((size - expected).abs() < 1e-12, "{size}: 2 of 3, of 4");
}
