use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::expr::{Offset, Op};
use crate::{
    AlertState, Builder, BurnAlert, Calendar, Clock, EventKind, Expr, Level, Maintenance,
    ManualClock, Outcome, Plimsoll, Select, Selector, Severity, Slo, SloReading, SloState,
    Subscription,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
    events: Subscription,
}

impl Bench {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let later = [
            "points_total",
            "refused_total",
            "gets_total",
            "hits_total",
            "ratio",
            "line_up",
        ];
        let builder = later.into_iter().fold(builder, Builder::expect_family);
        let plimsoll = configure(builder).build().expect("no mistakes");
        let events = plimsoll.subscribe();
        Self {
            plimsoll,
            clock,
            events,
        }
    }

    /// Ticks `times` times, every `gap`, with so many good and bad operations before each.
    fn run(&self, times: u32, gap: Duration, good: u32, bad: u32) {
        let work = self.plimsoll.operation("work");
        for _ in 0..times {
            (0..good).for_each(|_| work.record(Outcome::Ok, SECOND / 100));
            (0..bad).for_each(|_| work.record(Outcome::Error, SECOND / 2));
            self.clock.advance(gap);
            self.plimsoll.tick();
        }
    }

    fn reading(&self) -> SloReading {
        self.plimsoll.slos().remove(0)
    }

    fn named(&self, slo: &str) -> SloReading {
        let mut slos = self.plimsoll.slos().into_iter();
        slos.find(|reading| reading.slo == slo).expect("its SLO")
    }

    fn sample(&self, line: &str) -> Option<f64> {
        let page = self.plimsoll.render();
        let mut lines = page.lines();
        let value = lines.find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
        value.map(|value| value.parse().expect("a number"))
    }
}

fn work() -> Select {
    Select::operation("work")
}

fn api() -> Slo {
    Slo::availability("api", work())
        .objective(0.999)
        .rolling(30)
}

fn counts(reading: &SloReading) -> (f64, f64, f64) {
    (reading.valid, reading.bad, reading.excluded)
}

#[test]
fn a_complete_outage_pages_within_52_seconds() {
    let bench = Bench::new(|builder| builder.slo(api()));
    bench.run(7200, SECOND, 1, 0);
    assert_eq!(bench.reading().state, SloState::Ok);
    let mut seconds = 0;
    let breach = loop {
        bench.run(1, SECOND, 0, 1);
        seconds += 1;
        // Those over longer windows come earlier: of a day, or of six hours, two hours are known.
        let mut events = std::iter::from_fn(|| bench.events.try_recv());
        let page = events.find(|event| event.labels[1].1 == "1h");
        if let Some(page) = page {
            break page;
        }
    };
    // 1 h · 14.4 · 0.001 = 51.84 s of errors only.
    assert_eq!(seconds, 52);
    assert_eq!(
        (breach.kind, &*breach.budget, breach.level),
        (EventKind::Breach, "api", Level::Critical)
    );
    let labels: Vec<_> = breach
        .labels
        .iter()
        .map(|label| (label.0, &*label.1))
        .collect();
    assert_eq!(
        labels,
        [("severity", "page"), ("long", "1h"), ("short", "5m")]
    );
    assert_eq!(breach.limit, 14.4);
    let reading = bench.reading();
    assert_eq!(
        (reading.state, counts(&reading)),
        (SloState::Breached, (7252.0, 52.0, 0.0))
    );
    let page = &reading.alerts[0];
    assert_eq!(
        (page.severity, page.state),
        (Severity::Page, AlertState::Firing)
    );
    assert!(
        bench
            .plimsoll
            .budget_state("api")
            .expect("it is there")
            .is_breached()
    );
    // Ten minutes later the short window says that it is over.
    bench.run(600, SECOND, 1, 0);
    assert_eq!(bench.reading().alerts[0].state, AlertState::Inactive);
    // Half an hour later that of six hours does so too.
    bench.run(1800, SECOND, 1, 0);
    assert!(
        !bench
            .plimsoll
            .budget_state("api")
            .expect("it is there")
            .is_breached()
    );
}

#[test]
fn what_is_exported_is_what_is_read() {
    let bench = Bench::new(|builder| builder.slo(api()));
    bench.run(600, SECOND, 99, 1);
    let reading = bench.reading();
    assert_eq!(reading.error_ratio, Some(0.01));
    assert_eq!(reading.error_budget.remaining, 1.0 - 0.01 / 0.001);
    assert_eq!(
        bench.sample(r#"plimsoll_slo_objective{slo="api"}"#),
        Some(0.999)
    );
    let remaining = bench.sample(r#"plimsoll_slo_error_budget_remaining{slo="api"}"#);
    assert_eq!(remaining, Some(reading.error_budget.remaining));
    let coverage = bench.sample(r#"plimsoll_slo_coverage{slo="api"}"#);
    assert_eq!(coverage, Some(600.0 / (30.0 * 86_400.0)));
    for burn in &reading.burn_rates {
        let exported = bench.sample(&format!(
            r#"plimsoll_slo_burn_rate{{slo="api",window="{}"}}"#,
            burn.window
        ));
        assert_eq!(exported, burn.rate);
        assert!((burn.rate.expect("events") - 10.0).abs() < 0.2, "{burn:?}");
    }
    assert_eq!(
        bench.sample(r#"plimsoll_sli_bad_total{budget="api",level="target"}"#),
        Some(600.0)
    );
    assert_eq!(
        bench.sample(r#"plimsoll_sli_excluded_total{budget="api",level="target"}"#),
        Some(0.0)
    );
    // It is no budget: nobody shows a limit of it.
    assert_eq!(bench.plimsoll.budgets(), []);
    assert!(
        !bench
            .plimsoll
            .render()
            .contains("plimsoll_budget_state{budget=\"api\"")
    );
}

#[test]
fn latency_counts_what_is_above_the_threshold() {
    let fast = Slo::latency("fast", work(), Duration::from_millis(137)).objective(0.95);
    let bench = Bench::new(|builder| builder.slo(fast));
    let work = bench.plimsoll.operation("work");
    for ms in [1, 136, 137, 138, 5_000] {
        work.record(Outcome::Ok, Duration::from_millis(ms));
    }
    bench.run(1, SECOND, 0, 0);
    assert_eq!(counts(&bench.reading()), (5.0, 2.0, 0.0));
}

#[test]
fn parts_have_error_budgets_of_their_own() {
    let each = Slo::availability("each", Select::db())
        .objective(0.9)
        .per("operation")
        .reachable_burn_alerts();
    let bench = Bench::new(|builder| builder.slo(each));
    for (operation, outcome) in [
        ("read", Outcome::Ok),
        ("write", Outcome::Error),
        ("write", Outcome::Ok),
    ] {
        let set = bench.plimsoll.registry().set(crate::registry::Domain::Db);
        let labels = [operation, "m", "q"];
        set.declare(&labels).series(outcome).histogram.record(1_000);
    }
    bench.run(1, SECOND, 0, 0);
    let mut found: Vec<_> = bench
        .plimsoll
        .slos()
        .into_iter()
        .map(|slo| (slo.labels[0].1.clone(), slo.valid, slo.bad))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        found,
        [
            ("read".to_owned(), 1.0, 0.0),
            ("write".to_owned(), 2.0, 1.0)
        ]
    );
    let line = r#"plimsoll_slo_error_budget_remaining{slo="each",operation="write"}"#;
    assert_eq!(bench.sample(line), Some(-4.0));
}

#[test]
fn maintenance_is_left_out_and_listed() {
    let update = Maintenance::new(
        UNIX_EPOCH + 100 * SECOND,
        UNIX_EPOCH + 200 * SECOND,
        "update",
    );
    let bench = Bench::new(|builder| builder.slo(api().maintenance(update)));
    bench.run(50, SECOND, 1, 0);
    assert_eq!(bench.reading().maintenance, [], "it has not begun");
    bench.run(50, SECOND, 1, 0);
    bench.run(100, SECOND, 0, 7);
    let reading = bench.reading();
    assert_eq!(counts(&reading), (100.0, 0.0, 700.0));
    let listed: Vec<_> = reading
        .maintenance
        .iter()
        .map(|time| (time.start, time.end, &*time.reason))
        .collect();
    assert_eq!(
        listed,
        [(
            UNIX_EPOCH + 100 * SECOND,
            UNIX_EPOCH + 200 * SECOND,
            "update"
        )]
    );
    assert_eq!(bench.events.try_recv(), None);
    assert_eq!(
        bench.sample(r#"plimsoll_sli_excluded_total{budget="api",level="target"}"#),
        Some(700.0)
    );
    bench.run(1, SECOND, 0, 7);
    assert_eq!(counts(&bench.reading()), (107.0, 7.0, 700.0));
    assert_eq!(bench.reading().maintenance.len(), 1, "still listed");
}

#[test]
fn a_scrape_at_the_edge_of_maintenance_leaves_nothing_out_that_counts() {
    let update = Maintenance::new(UNIX_EPOCH + 10 * SECOND, UNIX_EPOCH + 20 * SECOND, "update");
    let bench = Bench::new(|builder| builder.slo(api().maintenance(update)));
    bench.run(8, SECOND, 1, 0);
    let work = bench.plimsoll.operation("work");
    work.record(Outcome::Error, SECOND);
    bench.clock.advance(3 * SECOND); // 11 s: it lies on both sides of the edge
    bench.plimsoll.render();
    work.record(Outcome::Error, SECOND);
    bench.clock.advance(SECOND);
    bench.plimsoll.tick();
    assert_eq!(counts(&bench.reading()), (9.0, 1.0, 1.0));
}

#[test]
fn time_is_counted_in_ticks_at_which_there_is_something_to_tell() {
    let state = || Expr::select(Selector::new("line_up"));
    let up = Slo::time_based("up", state().binary(Op::Equal, Expr::Number(1.0)))
        .objective(0.9)
        .reachable_burn_alerts();
    let bench = Bench::new(|builder| builder.slo(up.rolling(1)));
    bench.run(10, SECOND, 0, 0);
    assert_eq!(bench.reading().state, SloState::InsufficientData);
    let gauge = bench
        .plimsoll
        .gauge("line_up")
        .help("h")
        .register()
        .expect("a name");
    gauge.set(1.0);
    bench.run(90, SECOND, 0, 0);
    gauge.set(0.0);
    bench.run(10, SECOND, 0, 0);
    let reading = bench.reading();
    assert_eq!(
        (reading.unit, reading.valid, reading.bad),
        ("ticks", 100.0, 10.0)
    );
    assert_eq!(reading.error_budget.remaining, 0.0);
    assert_eq!(
        reading.period.coverage,
        100.0 / 86_400.0,
        "not the first ten seconds"
    );
    // An hour without ticks is one look, and no hour of data.
    bench.run(1, HOUR, 0, 0);
    let reading = bench.reading();
    assert_eq!(reading.valid, 101.0);
    assert_eq!(reading.period.coverage, 102.0 / 86_400.0);
}

#[test]
fn slices_are_judged_at_their_end() {
    let gauge = |name: &str| Expr::select(Selector::new(name));
    let slices = Slo::time_slice("slices", gauge("ratio").less(0.5), MINUTE)
        .objective(0.5)
        .burn_alerts([]);
    let ratios = Slo::ratio_time_slices("ratios", gauge("ratio"), MINUTE)
        .objective(0.5)
        .burn_alerts([]);
    let bench = Bench::new(|builder| builder.slo(slices).slo(ratios));
    let ratio = bench
        .plimsoll
        .gauge("ratio")
        .help("h")
        .register()
        .expect("a name");
    for value in [0.0, 0.25, 0.75, 1.5] {
        ratio.set(value);
        bench.run(60, SECOND, 0, 0);
    }
    // The first tick is at one second: the first minute was not lived through.
    let slices = bench.named("slices");
    assert_eq!(
        (slices.unit, slices.valid, slices.bad),
        ("slices", 3.0, 2.0)
    );
    let ratios = bench.named("ratios");
    assert_eq!((ratios.valid, ratios.bad), (2.0, 1.0), "1.5 is no ratio");
    assert_eq!(ratios.error_ratio, Some(0.5));
    let of_both = [slices.period.coverage, ratios.period.coverage];
    assert_eq!(
        of_both.map(|share| (share * 28.0 * 86_400.0).round()),
        [180.0, 120.0]
    );
}

#[test]
fn a_composite_was_looked_at_as_long_as_the_least_of_its_parts() {
    let line = Slo::time_based("line", Expr::select(Selector::new("line_up")));
    let line = line.objective(0.9).rolling(30).burn_alerts([]);
    let api = api().burn_alerts([]);
    let shop = Slo::weighted("shop", [(&api, 1.0), (&line, 1.0)]).objective(0.9);
    let shop = shop.rolling(30).burn_alerts([]);
    let bench = Bench::new(|builder| builder.slo(api).slo(line).slo(shop));
    bench.run(60, SECOND, 1, 0);
    let line_up = bench.plimsoll.gauge("line_up").register();
    line_up.expect("a name").set(1.0);
    bench.run(60, SECOND, 1, 0);
    let coverage = |name: &str| bench.named(name).period.coverage;
    assert!(coverage("line") < coverage("api"));
    assert_eq!(coverage("shop"), coverage("line"));
}

#[test]
fn nobody_is_told_of_a_ticket_while_a_page_fires() {
    let page = BurnAlert::new(Severity::Page, 0.02, HOUR);
    let ticket = BurnAlert::new(Severity::Ticket, 0.1, HOUR);
    let bench = Bench::new(|builder| builder.slo(api().burn_alerts([page, ticket])));
    bench.run(3600, SECOND, 1, 0);
    bench.run(400, SECOND, 0, 1);
    let alerts = bench.reading().alerts;
    assert!(alerts.iter().all(|alert| alert.state == AlertState::Firing));
    let events = std::iter::from_fn(|| bench.events.try_recv());
    let told: Vec<_> = events.map(|event| (event.kind, event.level)).collect();
    assert_eq!(told, [(EventKind::Breach, Level::Critical)]);
}

#[test]
fn a_pending_page_is_no_warning() {
    let page = BurnAlert::new(Severity::Page, 0.001, HOUR);
    let slow = Slo::availability("slow", work()).objective(0.9).rolling(1);
    let slow = slow.burn_alerts([page]).sustained_half_window();
    let bench = Bench::new(|builder| builder.slo(slow));
    bench.run(60, MINUTE, 100, 0);
    // 20 of 6,000 are more than the limit of 0.24 %, and little of the error budget.
    bench.run(1, MINUTE, 80, 20);
    let pending = bench.reading();
    assert_eq!(pending.alerts[0].state, AlertState::Pending);
    let ok = (SloState::Ok, UNIX_EPOCH + MINUTE);
    assert_eq!((pending.state, pending.since), ok);
}

/// A wall clock that is set.
#[derive(Debug, Clone)]
struct SetClock {
    steady: ManualClock,
    ahead_s: Arc<AtomicU64>,
}

impl Clock for SetClock {
    fn now_ns(&self) -> u64 {
        self.steady.now_ns()
    }

    fn system_time(&self) -> SystemTime {
        let ahead_s = self.ahead_s.load(Ordering::Relaxed);
        self.steady.system_time() + Duration::from_secs(ahead_s)
    }
}

#[test]
fn the_calendar_goes_by_the_wall_clock_and_a_rolling_period_does_not() {
    let clock = SetClock {
        steady: ManualClock::new(),
        ahead_s: Arc::default(),
    };
    let slo = |name: &str| {
        let slo = Slo::availability(name, work()).objective(0.9);
        slo.burn_alerts([])
    };
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .slo(slo("day").calendar(Calendar::Day, Offset::UTC))
        .slo(slo("rolling").rolling(1))
        .build()
        .expect("no mistakes");
    for ahead in [0, 26] {
        clock.ahead_s.store(ahead * 3600, Ordering::Relaxed);
        for _ in 0..10 {
            plimsoll.operation("work").record(Outcome::Ok, SECOND);
            clock.steady.advance(SECOND);
            plimsoll.tick();
        }
    }
    let valid: Vec<f64> = plimsoll.slos().iter().map(|slo| slo.valid).collect();
    assert_eq!(valid, [10.0, 20.0]);
}

#[test]
fn a_slice_may_be_all_good_or_all_bad() {
    let ratio = Expr::select(Selector::new("ratio"));
    let slices = Slo::ratio_time_slices("ratios", ratio, MINUTE).objective(0.5);
    let bench = Bench::new(|builder| builder.slo(slices.burn_alerts([])));
    let ratio = bench.plimsoll.gauge("ratio").register().expect("a name");
    for value in [0.5, 0.0, 1.0] {
        ratio.set(value);
        bench.run(60, SECOND, 0, 0);
    }
    assert_eq!(counts(&bench.reading()), (2.0, 1.0, 0.0));
}

#[test]
fn what_begins_anew_is_counted_on() {
    let select = |name: &str| Selector::new(name);
    let slo = Slo::bad_ratio("b", select("ratio"), select("line_up")).objective(0.9);
    let bench = Bench::new(|builder| builder.slo(slo.burn_alerts([])));
    let gauge = |name: &str| bench.plimsoll.gauge(name).register().expect("a name");
    let (bad, valid) = (gauge("ratio"), gauge("line_up"));
    for (of_valid, of_bad, counted) in [
        (10.0, 3.0, (10.0, 3.0, 0.0)),
        (10.0, 3.0, (10.0, 3.0, 0.0)),
        (4.0, 1.0, (14.0, 4.0, 0.0)),
    ] {
        valid.set(of_valid);
        bad.set(of_bad);
        bench.run(1, SECOND, 0, 0);
        assert_eq!(counts(&bench.reading()), counted);
    }
}

#[test]
fn counters_of_the_service_count() {
    let select = |name: &str| Selector::new(name);
    let refused =
        Slo::bad_ratio("refused", select("refused_total"), select("points_total")).objective(0.9);
    let hits = Slo::good_ratio("hits", select("hits_total"), select("gets_total")).objective(0.9);
    let bench = Bench::new(|builder| {
        builder
            .slo(refused.burn_alerts([]))
            .slo(hits.burn_alerts([]))
    });
    let counter = |name: &str| {
        bench
            .plimsoll
            .counter(name)
            .help("h")
            .register()
            .expect("a name")
    };
    let points = counter("points_total");
    points.add(10);
    bench.run(2, SECOND, 0, 0);
    assert_eq!(
        bench.named("refused").valid,
        0.0,
        "not before both are there"
    );
    let (refused, hits, gets) = (
        counter("refused_total"),
        counter("hits_total"),
        counter("gets_total"),
    );
    refused.add(3);
    hits.add(8);
    gets.add(10);
    bench.run(2, SECOND, 0, 0);
    assert_eq!(counts(&bench.named("refused")), (10.0, 3.0, 0.0));
    assert_eq!(counts(&bench.named("hits")), (10.0, 2.0, 0.0));
    hits.add(9);
    gets.add(10);
    bench.run(1, SECOND, 0, 0);
    assert_eq!(counts(&bench.named("hits")), (20.0, 3.0, 0.0));
    hits.add(30);
    bench.run(1, SECOND, 0, 0);
    let ahead = bench.named("hits");
    assert_eq!(counts(&ahead), (20.0, 3.0, 0.0), "good ones came first");
}

#[test]
fn composites_follow_their_parts() {
    let of = |name: &str| {
        Slo::availability(name, Select::operation(name))
            .objective(0.9)
            .burn_alerts([])
    };
    let (a, b) = (of("a"), of("b"));
    let mean = Slo::weighted("mean", [(&a, 3.0), (&b, 1.0)])
        .objective(0.9)
        .burn_alerts([]);
    let both = Slo::all_of("both", [&a, &b]).objective(0.9).burn_alerts([]);
    let bench = Bench::new(|builder| builder.slo(mean).slo(both).slo(a).slo(b));
    let run = |name: &str, good: u32, bad: u32| {
        let operation = bench.plimsoll.operation(name);
        (0..good).for_each(|_| operation.record(Outcome::Ok, SECOND));
        (0..bad).for_each(|_| operation.record(Outcome::Error, SECOND));
    };
    run("a", 9, 1);
    bench.run(2, SECOND, 0, 0);
    assert_eq!(bench.named("mean").error_ratio, None, "b has no events");
    assert_eq!(bench.named("both").valid, 0.0);
    run("b", 1, 1);
    bench.run(2, SECOND, 0, 0);
    let mean = bench.named("mean");
    assert!(
        (mean.error_ratio.expect("both have") - 0.2).abs() < 1e-12,
        "(3 · 0.1 + 0.5) / 4"
    );
    assert_eq!((mean.unit, mean.error_budget.events), ("", None));
    assert_eq!(
        counts(&bench.named("both")),
        (2.0, 2.0, 0.0),
        "b is worse than 10 %"
    );
    run("b", 98, 0);
    bench.run(1, SECOND, 0, 0);
    assert_eq!(counts(&bench.named("both")), (3.0, 2.0, 0.0));
}

#[test]
fn what_is_left_out_is_neither_valid_nor_bad() {
    let except = Select::db().except("operation", "health*");
    let bench = Bench::new(|builder| builder.slo(Slo::availability("db", except).objective(0.999)));
    let set = bench.plimsoll.registry().set(crate::registry::Domain::Db);
    for operation in ["read", "health", "healthz"] {
        let labels = [operation, "m", "q"];
        set.declare(&labels)
            .series(Outcome::Error)
            .histogram
            .record(1_000);
    }
    bench.run(1, SECOND, 0, 0);
    assert_eq!(counts(&bench.reading()), (1.0, 1.0, 0.0));
}

#[test]
fn low_traffic_pages_nobody_if_that_is_asked_for() {
    let named = |name: &str| Slo::availability(name, work()).objective(0.999);
    let bench = Bench::new(|builder| {
        builder
            .slo(named("plain"))
            .slo(named("guarded").min_events(100))
            .slo(named("certain").confidence(0.95))
    });
    bench.run(67, MINUTE, 1, 0);
    bench.run(1, MINUTE, 0, 1);
    bench.run(1, MINUTE, 1, 0);
    let fires = |slo: &str| bench.named(slo).alerts[0].state == AlertState::Firing;
    assert!(
        fires("plain"),
        "one error in some 60 requests is more than 1.34 %"
    );
    assert!(!fires("guarded") && !fires("certain"));
    bench.run(5, MINUTE, 0, 1);
    assert!(
        fires("certain") && !fires("guarded"),
        "six of sixty are certain, and still few"
    );
}

#[test]
fn silence_is_a_ticket() {
    let bench = Bench::new(|builder| builder.slo(api().burn_alerts([]).absent_after(10 * MINUTE)));
    bench.run(600, SECOND, 1, 0);
    let state = || bench.reading().alerts[0].state;
    assert_eq!(state(), AlertState::Inactive);
    bench.run(598, SECOND, 0, 0);
    assert_ne!(state(), AlertState::Firing);
    bench.run(2, SECOND, 0, 0);
    assert_eq!(state(), AlertState::Firing);
    bench.run(2, SECOND, 1, 0);
    assert_eq!(state(), AlertState::Inactive);
}

/// In ticks of a minute.
#[test]
fn months_are_their_own_length_and_nothing_drifts() {
    let slo = |name: &str| {
        Slo::availability(name, work())
            .objective(0.999)
            .burn_alerts([])
    };
    let month = slo("month").calendar(Calendar::Month, Offset::UTC);
    let rolling = slo("rolling").rolling(30);
    let bench = Bench::new(|builder| builder.slo(month).slo(rolling));
    let minutes = |days: u32| days * 1440;
    for (days, budget) in [(31, 44.64), (28, 40.32), (31, 44.64), (30, 43.2)] {
        bench.run(minutes(days) - 1440, MINUTE, 1, 0);
        bench.run(720, MINUTE, 1, 1);
        bench.run(720, MINUTE, 1, 0);
        let reading = bench.named("month");
        let valid = f64::from(minutes(days) + 720);
        assert_eq!(counts(&reading), (valid, 720.0, 0.0));
        assert_eq!(
            (reading.period.length, reading.period.coverage),
            (days * DAY, 1.0)
        );
        assert_eq!(reading.error_budget.minutes, budget);
        assert_eq!(reading.error_budget.remaining, 1.0 - 720.0 / valid / 0.001);
    }
    let reading = bench.named("rolling");
    assert_eq!(reading.period.length, 30 * DAY);
    assert_eq!(counts(&reading), (f64::from(minutes(30) + 720), 720.0, 0.0));
    assert_eq!(reading.period.end, UNIX_EPOCH + 120 * DAY);
    assert_eq!(reading.period.start, UNIX_EPOCH + 90 * DAY);
}

#[test]
fn an_slo_that_nobody_could_keep_is_refused_with_its_name() {
    let twice = || Slo::availability("api", work());
    let alert = BurnAlert::new(Severity::Page, 0.5, HOUR);
    let builder = Plimsoll::builder()
        .manual_tick()
        .slo(twice().objective(99.9))
        .slo(twice().objective(0.99).burn_alerts([alert]));
    let error = builder.build().expect_err("mistakes").to_string();
    for part in [
        r#"slo "api": objective 99.9 is a percentage: write 0.999"#,
        r#"slo "api": name is that of another SLO"#,
        "can never fire",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
