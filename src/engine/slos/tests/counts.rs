//! What is valid, what is bad, and of what.

use super::*;

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
