use super::*;

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
