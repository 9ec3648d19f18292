//! Time: ticks, slices, calendars and maintenance.

use super::*;

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
