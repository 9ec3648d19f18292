//! What else a promise can say, judged tick by tick.

use std::time::Duration;

use plimsoll::expr::Offset;
use plimsoll::{
    AlertState, Budget, BudgetReading, EventKind, Hours, Level, Limit, ManualClock, Outcome,
    Plimsoll, Schedule, Select, Selector, Subscription,
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
    events: Subscription,
}

impl Bench {
    fn new(budget: Budget) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let builder = builder.expect_family("backup_timestamp_seconds");
        let plimsoll = builder.budget(budget).build().unwrap();
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

    /// Ticks after so long, and returns what was announced.
    fn tick_after(&self, duration: Duration) -> Vec<(EventKind, Level)> {
        self.clock.advance(duration);
        self.plimsoll.tick();
        let next = || self.events.try_recv();
        std::iter::from_fn(next)
            .map(|event| (event.kind, event.level))
            .collect()
    }

    fn tick(&self) -> Vec<(EventKind, Level)> {
        self.tick_after(SECOND)
    }

    fn reading(&self, level: Level) -> BudgetReading {
        let readings = self.plimsoll.budgets().into_iter();
        readings
            .into_iter()
            .find(|reading| reading.level == level)
            .unwrap()
    }

    fn shows(&self, line: &str) -> bool {
        self.plimsoll.render().lines().any(|known| known == line)
    }
}

fn work() -> Select {
    Select::operation("work")
}

fn errors() -> Budget {
    Budget::error_ratio("b", work())
        .at_most(0.001)
        .over(5 * SECOND)
}

use EventKind::{Breach, Recovery};
use Level::{Absent, Critical, Target, Warning};

#[test]
fn the_gravest_level_is_told_of_and_every_breach_has_its_recovery() {
    let bench = Bench::new(errors().warning(0.1).critical(0.5));
    bench.record(100, Outcome::Ok, MS);
    bench.tick();
    bench.record(5, Outcome::Error, MS);
    assert_eq!(bench.tick(), [(Breach, Target)]);
    bench.record(1000, Outcome::Error, MS);
    assert_eq!(bench.tick(), [(Breach, Critical)]);
    let folded = bench.reading(Warning);
    assert!(folded.folded && folded.state == AlertState::Firing);
    assert!(!bench.reading(Critical).folded);
    // 300 of 1300 are beyond the warning, of which nobody was told.
    bench.record(100, Outcome::Ok, MS);
    let mut announced = Vec::new();
    for _ in 0..12 {
        bench.record(2000, Outcome::Ok, MS);
        announced.extend(bench.tick());
    }
    let of = |level| -> Vec<EventKind> {
        let events = announced.iter().filter(|event| event.1 == level);
        events.map(|event| event.0).collect()
    };
    assert_eq!((of(Critical), of(Target)), (vec![Recovery], vec![Recovery]));
    assert!(
        of(Warning) == [Breach, Recovery] || of(Warning).is_empty(),
        "{announced:?}"
    );
    assert!(
        bench.shows(
            "plimsoll_budget_breach_duration_seconds_count{budget=\"b\",level=\"critical\"} 1"
        )
    );
}

#[test]
fn what_was_folded_is_told_once_it_is_the_gravest() {
    let critical = Limit::from(0.5).over(2 * SECOND);
    let bench = Bench::new(errors().over(10 * SECOND).critical(critical));
    bench.record(10, Outcome::Error, MS);
    assert_eq!(bench.tick(), [(Breach, Critical)], "both fire");
    bench.record(100, Outcome::Ok, MS);
    let announced = bench.tick();
    assert_eq!(announced, [(Breach, Target), (Recovery, Critical)]);
    assert_eq!(bench.reading(Target).state, AlertState::Firing);
}

#[test]
fn a_level_has_its_own_window_and_its_own_patience() {
    let critical = Limit::from(0.5).over(2 * SECOND).sustained(2 * SECOND);
    let bench = Bench::new(errors().over(60 * SECOND).critical(critical));
    let announced: Vec<_> = (0..4)
        .flat_map(|_| {
            bench.record(1, Outcome::Error, MS);
            bench.tick()
        })
        .collect();
    assert_eq!(announced, [(Breach, Target), (Breach, Critical)]);
}

#[test]
fn freshness_counts_from_the_last_success() {
    let budget = Budget::freshness("b", work()).at_most(30 * SECOND);
    let bench = Bench::new(budget);
    assert_eq!(bench.tick_after(30 * SECOND), []);
    assert_eq!(bench.tick(), [(Breach, Target)], "none since the beginning");
    bench.record(1, Outcome::Error, MS);
    assert_eq!(bench.tick(), [], "a failure is none");
    bench.record(1, Outcome::Ok, MS);
    assert_eq!(bench.tick(), [(Recovery, Target)]);
    assert_eq!(bench.reading(Target).value, Some(0.0));
    bench.tick_after(20 * SECOND);
    let reading = bench.reading(Target);
    assert_eq!(
        (reading.value, reading.unit, reading.limit),
        (Some(20.0), "s", 30.0)
    );
    let family = "plimsoll_sli_last_good_timestamp_seconds";
    assert!(bench.shows(&format!("# TYPE {family} gauge")));
}

#[test]
fn a_gauge_with_a_time_has_an_age() {
    let budget = Budget::age("b", Selector::new("backup_timestamp_seconds")).at_most(60 * SECOND);
    let bench = Bench::new(budget);
    let backup = bench
        .plimsoll
        .gauge("backup_timestamp_seconds")
        .register()
        .unwrap();
    let now = bench.clock_seconds();
    backup.set(now);
    assert_eq!(bench.tick_after(60 * SECOND), []);
    assert_eq!(bench.tick(), [(Breach, Target)]);
    assert_eq!(bench.reading(Target).value, Some(61.0));
}

impl Bench {
    /// Unix time.
    fn clock_seconds(&self) -> f64 {
        use plimsoll::Clock;
        let since = self
            .clock
            .system_time()
            .duration_since(std::time::SystemTime::UNIX_EPOCH);
        since.unwrap().as_secs_f64()
    }
}

#[test]
fn absent_data_is_told_and_is_no_breach_of_the_budget() {
    let bench = Bench::new(errors().absent_after(10 * SECOND));
    bench.record(1, Outcome::Ok, MS);
    let mut announced = Vec::new();
    for _ in 0..20 {
        announced.extend(bench.tick());
    }
    assert_eq!(announced, [(Breach, Absent)]);
    let state = bench.plimsoll.budget_state("b").unwrap();
    assert!(
        !state.is_breached(),
        "whoever sheds would never see data again"
    );
    assert!(
        bench
            .plimsoll
            .level_state("b", Absent)
            .unwrap()
            .is_breached()
    );
    bench.record(10, Outcome::Error, MS);
    let announced = bench.tick();
    assert!(announced.contains(&(Recovery, Absent)) && announced.contains(&(Breach, Target)));
}

#[test]
fn a_schedule_changes_the_limit_in_force() {
    let schedule = Schedule::at(Offset::UTC)
        .period("morning", Hours::daily(0, 12), 1.0)
        .otherwise("afternoon", 3.0);
    let budget = Budget::quantile("b", work(), 0.95)
        .at_most(100 * MS)
        .over(5 * SECOND)
        .schedule(schedule);
    let bench = Bench::new(budget);
    let until = |hour: f64| {
        let of_day = bench.clock_seconds().rem_euclid(86_400.0);
        Duration::from_secs_f64((hour * 3_600.0 - of_day).rem_euclid(86_400.0))
    };
    bench.tick_after(until(1.0));
    bench.record(10, Outcome::Ok, 200 * MS);
    assert_eq!(bench.tick(), [(Breach, Target)]);
    assert_eq!(bench.reading(Target).limit, 0.1);
    bench.tick_after(until(13.0));
    bench.record(10, Outcome::Ok, 200 * MS);
    bench.tick();
    let reading = bench.reading(Target);
    assert_eq!((reading.limit, reading.state), (0.3, AlertState::Inactive));
    bench.record(10, Outcome::Ok, 400 * MS);
    assert_eq!(bench.tick(), [(Breach, Target)]);
}

#[test]
fn so_few_are_no_evidence() {
    let sure = Budget::error_ratio("b", work())
        .at_most(0.2)
        .over(5 * SECOND);
    let bench = Bench::new(sure.confidence(0.95));
    bench.record(2, Outcome::Ok, MS);
    bench.record(1, Outcome::Error, MS);
    assert_eq!(bench.tick(), [], "one of three");
    bench.record(200, Outcome::Ok, MS);
    bench.record(100, Outcome::Error, MS);
    assert_eq!(
        bench.tick(),
        [(Breach, Target)],
        "a hundred of three hundred"
    );
}

#[test]
fn a_breach_is_timed_until_its_recovery() {
    let bench = Bench::new(errors());
    bench.record(1, Outcome::Error, MS);
    bench.tick();
    let count = "plimsoll_budget_breach_duration_seconds_count{budget=\"b\",level=\"target\"}";
    assert!(
        bench.shows(&format!("{count} 0")),
        "born at 0 with the first breach"
    );
    let lasted = (1..20)
        .find(|_| bench.tick() == [(Recovery, Target)])
        .unwrap();
    assert!(bench.shows(&format!("{count} 1")));
    let sum = "plimsoll_budget_breach_duration_seconds_sum{budget=\"b\",level=\"target\"}";
    assert!(
        bench.shows(&format!("{sum} {lasted}.0")),
        "{}",
        bench.plimsoll.render()
    );
}

#[test]
fn recovery_is_a_budget_over_how_long_breaches_lasted() {
    let clock = ManualClock::new();
    let recovery = Budget::recovery("recovery", 30 * SECOND).over(120 * SECOND);
    let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
    let builder = builder.budget(errors().over(2 * SECOND)).budget(recovery);
    let plimsoll = builder.build().unwrap();
    let events = plimsoll.subscribe();
    let work = plimsoll.operation("work");
    // Announced of it so far.
    let after = |seconds: u32, outcome: Outcome| -> Vec<EventKind> {
        for _ in 0..seconds {
            work.record(outcome, MS);
            clock.advance(SECOND);
            plimsoll.tick();
        }
        let events = std::iter::from_fn(|| events.try_recv());
        let of_it = events.filter(|event| &*event.budget == "recovery");
        of_it.map(|event| event.kind).collect()
    };
    assert_eq!(after(10, Outcome::Error), []);
    assert_eq!(after(20, Outcome::Ok), [], "it was over in time");
    assert_eq!(
        after(40, Outcome::Error),
        [],
        "nobody knows yet when it ends"
    );
    assert_eq!(after(20, Outcome::Ok), [Breach], "one of two was late");
    assert_eq!(plimsoll.budgets()[1].value, Some(0.5));
    // Its own breach lasts as long as its window, and is none of those that it judges.
    assert_eq!(after(300, Outcome::Ok), [Recovery]);
    let of_it = "plimsoll_budget_breach_duration_seconds_count{budget=\"recovery\"";
    assert!(!plimsoll.render().contains(of_it));
}

#[test]
fn what_contradicts_itself_is_refused_and_the_others_stay() {
    let bench = Bench::new(errors());
    let budget = |name: &str| Budget::error_ratio(name, work());
    for (refused, expected) in [
        (
            budget("c").at_most(0.1).critical(0.01),
            "critical 0.01 is milder than the target 0.1",
        ),
        (
            budget("c").at_most(99.9),
            "99.9 is not a ratio between 0 and 1: write 0.999 for 99.9 %",
        ),
        (budget("c").at_most(1.0), "1 can never be exceeded"),
        (
            Budget::success_ratio("c", work()).at_least(0.0),
            "0 is always kept",
        ),
        (
            Budget::success_ratio("c", work())
                .at_least(0.9)
                .critical(0.99),
            "critical 0.99 is milder than the target 0.9: set it at or below that",
        ),
        (
            budget("c").at_most(Limit::from(0.1).clear(0.2)),
            "not milder than its limit",
        ),
        (
            budget("c").at_most(Limit::from(0.1).over(MS)),
            "1ms is not a window",
        ),
        (
            budget("c").at_most(0.1).confidence(95.0),
            "95 is not from 0.5 to 0.9999",
        ),
        (
            budget("c").warning(plimsoll::Multiple(2.0)),
            "is a multiple of the target, which is missing",
        ),
        (
            Budget::throughput("c", work()).at_least(1.0).min_bad(3),
            "min_bad is only for quantiles and ratios",
        ),
        (
            budget("c")
                .at_most(0.1)
                .schedule(Schedule::at(Offset::UTC).otherwise("x", 20.0)),
            "in period \"x\" of the schedule: 2 is not a ratio",
        ),
        (
            Budget::freshness("c", work()).at_least(SECOND),
            "this SLI is promised with at_most",
        ),
    ] {
        let error = bench.plimsoll.add_budget(refused).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} should say {expected}");
        assert!(error.contains("budget \"c\""), "{error}");
    }
    assert_eq!(bench.plimsoll.budgets().len(), 1);
    bench.record(1, Outcome::Error, MS);
    assert_eq!(bench.tick(), [(Breach, Target)]);
}
