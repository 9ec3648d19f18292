//! SLOs that come once the instance runs, and maintenance that nobody knew of beforehand.

use std::time::{Duration, UNIX_EPOCH};

use plimsoll::{
    AlertState, Budget, Maintenance, ManualClock, Outcome, Plimsoll, Select, Selector, Slo,
    SloReading,
};

const SECOND: Duration = Duration::from_secs(1);
const DAY: f64 = 86_400.0;

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
}

impl Bench {
    fn new(slos: impl IntoIterator<Item = Slo>) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let builder = slos
            .into_iter()
            .fold(builder, |builder, slo| builder.slo(slo));
        Self {
            plimsoll: builder.build().unwrap(),
            clock,
        }
    }

    fn record(&self, count: u32, outcome: Outcome) {
        let work = self.plimsoll.operation("work");
        (0..count).for_each(|_| work.record(outcome, SECOND));
    }

    /// Ticks once a second, after so many errors each.
    fn run(&self, seconds: u32, errors: u32) {
        for _ in 0..seconds {
            self.record(errors, Outcome::Error);
            self.clock.advance(SECOND);
            self.plimsoll.tick();
        }
    }

    fn reading(&self, slo: &str) -> SloReading {
        let mut slos = self.plimsoll.slos().into_iter();
        slos.find(|reading| reading.slo == slo).unwrap()
    }

    /// Valid, bad and excluded.
    fn counts(&self, slo: &str) -> (f64, f64, f64) {
        let reading = self.reading(slo);
        (reading.valid, reading.bad, reading.excluded)
    }

    /// From when to when in seconds, and why.
    fn maintenance(&self, slo: &str) -> Vec<(f64, f64, String)> {
        let seconds = |time: std::time::SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).unwrap();
            since.as_secs_f64()
        };
        let listed = self.reading(slo).maintenance.into_iter();
        listed
            .map(|time| (seconds(time.start), seconds(time.end), time.reason))
            .collect()
    }
}

fn work() -> Select {
    Select::operation("work")
}

fn slo(name: &str) -> Slo {
    Slo::availability(name, work()).objective(0.99).rolling(1)
}

/// From one second of the clock to another.
fn maintenance(start: u32, end: u32, reason: &str) -> Maintenance {
    Maintenance::new(
        UNIX_EPOCH + start * SECOND,
        UNIX_EPOCH + end * SECOND,
        reason,
    )
}

#[test]
fn it_counts_from_then_on_and_its_coverage_says_so() {
    let bench = Bench::new([slo("early")]);
    bench.run(100, 1);
    bench.clock.advance(SECOND / 2);
    bench.record(7, Outcome::Error);
    bench.plimsoll.add_slo(slo("late")).unwrap();
    bench.clock.advance(SECOND / 2);
    bench.plimsoll.tick();
    assert_eq!(
        bench.counts("late"),
        (0.0, 0.0, 0.0),
        "what was before is not its own"
    );
    assert_eq!(bench.counts("early"), (107.0, 107.0, 0.0));
    assert_eq!(bench.reading("late").period.coverage, 0.5 / DAY);
    assert_eq!(bench.reading("early").period.coverage, 101.0 / DAY);
    bench.run(10, 2);
    assert_eq!(bench.counts("late"), (20.0, 20.0, 0.0));
    let late = bench.reading("late");
    assert_eq!(late.period.coverage, 10.5 / DAY);
    assert_eq!(late.alerts[0].state, AlertState::Firing);
    let page = bench.plimsoll.render();
    for line in [
        r#"plimsoll_sli_bad_total{budget="late",level="target"} 20"#,
        r#"plimsoll_slo_objective{slo="late"} 0.99"#,
    ] {
        assert!(
            page.lines().any(|known| known.starts_with(line)),
            "{line}\n{page}"
        );
    }
    let state = bench.plimsoll.budget_state("late").unwrap();
    assert!(state.is_breached());
}

#[test]
fn each_label_value_has_its_part_and_new_ones_come() {
    let bench = Bench::new([]);
    bench.record(5, Outcome::Error);
    let each = Slo::availability("each", Select::operation("*")).objective(0.99);
    bench.plimsoll.add_slo(each.per("operation")).unwrap();
    bench.run(3, 1);
    bench
        .plimsoll
        .operation("write")
        .record(Outcome::Ok, SECOND);
    bench.run(1, 0);
    let slos = bench.plimsoll.slos();
    let parts: Vec<_> = slos
        .iter()
        .map(|slo| (&*slo.labels[0].1, slo.valid, slo.bad))
        .collect();
    assert_eq!(parts, [("work", 3.0, 3.0), ("write", 1.0, 0.0)]);
}

#[test]
fn counters_of_the_service_begin_where_they_are() {
    let bench = Bench::new([]);
    let counter = |name: &str| {
        let counter = bench.plimsoll.counter(name).help("h");
        counter.register().unwrap()
    };
    let (refused, points) = (counter("refused_total"), counter("points_total"));
    refused.add(30);
    points.add(100);
    bench.run(2, 0);
    let bad = Slo::bad_ratio(
        "points",
        Selector::new("refused_total"),
        Selector::new("points_total"),
    );
    refused.add(3);
    points.add(10);
    bench.plimsoll.add_slo(bad.objective(0.99)).unwrap();
    refused.add(1);
    points.add(50);
    bench.run(2, 0);
    assert_eq!(bench.counts("points"), (50.0, 1.0, 0.0));
}

#[test]
fn a_composite_reads_those_that_are_there() {
    let bench = Bench::new([slo("a").objective(0.9).reachable_burn_alerts(), slo("b")]);
    // Whoever makes it may know other objectives than those that are kept.
    let all = Slo::all_of("all", [&slo("a"), &slo("b")]).objective(0.99);
    bench.plimsoll.add_slo(all).unwrap();
    let mean = Slo::weighted("mean", [(&slo("a"), 1.0), (&slo("b"), 3.0)]);
    bench
        .plimsoll
        .add_slo(mean.objective(0.99).rolling(1))
        .unwrap();
    bench.record(95, Outcome::Ok);
    bench.record(5, Outcome::Error);
    bench.run(3, 0);
    assert_eq!(bench.reading("mean").error_ratio, Some(0.05));
    let (valid, bad, _) = bench.counts("all");
    assert!(
        valid > 0.0 && bad == valid,
        "b is not kept: {bad} of {valid}"
    );
}

#[test]
fn every_mistake_is_named_and_the_others_go_on() {
    let bench = Bench::new([slo("api")]);
    let refused = |slo: Slo| bench.plimsoll.add_slo(slo).unwrap_err().to_string();
    let slow = Slo::latency("api", work(), Duration::from_millis(123)).objective(99.0);
    let error = refused(slow.maintenance(maintenance(9, 3, "x")));
    for expected in [
        r#"slo "api": objective 99 is a percentage"#,
        r#"slo "api": threshold 0.123 s is no bound of operation"#,
        r#"slo "api": maintenance 1 ends before it begins"#,
        r#"slo "api": name is that of another SLO or budget"#,
    ] {
        assert!(error.contains(expected), "{expected}\n{error}");
    }
    let lost = Slo::all_of("lost", [&slo("nobody")]).objective(0.9);
    assert!(refused(lost).contains(r#"slo "lost": all_of "nobody" is no SLO"#));
    let unread = Slo::bad_ratio("bad", Selector::new("a_total"), Selector::new("b_total"));
    let error = refused(unread.objective(0.99));
    assert!(error.contains(r#"slo "bad": bad names a_total"#), "{error}");
    let budget = Budget::error_ratio("errors", work()).at_most(0.1);
    bench.plimsoll.add_budget(budget).unwrap();
    assert!(refused(slo("errors")).contains("is that of another SLO or budget"));
    bench.run(2, 3);
    assert_eq!(
        (bench.counts("api"), bench.plimsoll.slos().len()),
        ((6.0, 6.0, 0.0), 1)
    );
}

#[test]
fn maintenance_begins_and_ends_to_the_event() {
    let bench = Bench::new([slo("api")]);
    bench.run(10, 1);
    bench.record(2, Outcome::Error);
    // It was to have begun five seconds ago, which are counted already.
    bench
        .plimsoll
        .add_maintenance("api", maintenance(5, 100, "moving"))
        .unwrap();
    bench.run(10, 10);
    assert_eq!(bench.counts("api"), (12.0, 12.0, 100.0));
    assert_eq!(
        bench.maintenance("api"),
        [(10.0, 100.0, "moving".to_owned())]
    );
    bench.record(5, Outcome::Error);
    bench.plimsoll.end_maintenance("api", "moving").unwrap();
    bench.run(2, 1);
    assert_eq!(bench.counts("api"), (14.0, 14.0, 105.0));
    assert_eq!(
        bench.maintenance("api"),
        [(10.0, 20.0, "moving".to_owned())]
    );
    let line = r#"plimsoll_sli_excluded_total{budget="api",level="target"} 105"#;
    assert!(bench.plimsoll.render().contains(line));
}

#[test]
fn what_is_left_out_for_two_reasons_goes_on_for_the_other() {
    let bench = Bench::new([slo("api").maintenance(maintenance(0, 50, "backup"))]);
    bench
        .plimsoll
        .add_maintenance("api", maintenance(3, 80, "moving"))
        .unwrap();
    bench.run(10, 1);
    bench.plimsoll.end_maintenance("api", "backup").unwrap();
    bench.run(10, 1);
    assert_eq!(bench.counts("api"), (0.0, 0.0, 20.0));
    let expected = [
        (0.0, 10.0, "backup".to_owned()),
        (3.0, 80.0, "moving".to_owned()),
    ];
    assert_eq!(bench.maintenance("api"), expected);
}

#[test]
fn maintenance_that_cannot_be_meant_is_refused_and_nothing_is_left_out() {
    let mean = Slo::weighted("mean", [(&slo("api"), 1.0)])
        .objective(0.99)
        .rolling(1);
    let bench = Bench::new([slo("api"), mean]);
    bench.run(10, 1);
    for (slo, refused, expected) in [
        (
            "app",
            maintenance(0, 50, "x"),
            r#"slo "app": maintenance is of no SLO"#,
        ),
        ("mean", maintenance(0, 50, "x"), "is not for a weighted SLO"),
        (
            "api",
            maintenance(0, 10, "x"),
            "is over already, and what was counted stays counted",
        ),
        ("api", maintenance(20, 15, "x"), "ends before it begins"),
        ("api", maintenance(0, 50, ""), "has no reason"),
    ] {
        let error = bench.plimsoll.add_maintenance(slo, refused).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    bench
        .plimsoll
        .add_maintenance("api", maintenance(90, 99, "later"))
        .unwrap();
    let error = bench.plimsoll.end_maintenance("api", "later").unwrap_err();
    assert!(
        error
            .to_string()
            .contains(r#"slo "api": maintenance "later" is not under way"#)
    );
    assert!(bench.plimsoll.end_maintenance("app", "later").is_err());
    bench.run(10, 1);
    assert_eq!(
        (bench.counts("api"), bench.maintenance("api")),
        ((20.0, 20.0, 0.0), vec![])
    );
}
