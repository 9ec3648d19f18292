//! The service's own figures.

use std::time::Duration;

use plimsoll::{InstrumentError, Layout, Naming, Outcome, Plimsoll};

fn plimsoll() -> Plimsoll {
    Plimsoll::builder()
        .naming(Naming::classic().prefix("app_"))
        .manual_tick()
        .build()
        .unwrap()
}

#[test]
fn counters_gauges_and_histograms_are_on_the_page() {
    let plimsoll = plimsoll();
    let counter = plimsoll
        .counter("jobs_total")
        .help("Jobs taken on.")
        .label("queue", "a\"b\n")
        .register()
        .unwrap();
    counter.increment();
    counter.clone().add(4);
    assert_eq!(counter.value(), 5);
    let gauge = plimsoll
        .gauge("depth")
        .help("Jobs waiting.")
        .register()
        .unwrap();
    gauge.set(3.0);
    gauge.add(-0.5);
    assert_eq!(gauge.value(), 2.5);
    plimsoll.gauge("observed").observe(|| Some(7.0)).unwrap();
    plimsoll.gauge("unknown").observe(|| None).unwrap();
    let sizes = plimsoll
        .histogram("batch_size", Layout::counts(), &[10.0, 100.0])
        .register()
        .unwrap();
    [0, 10, 11, 1000]
        .into_iter()
        .for_each(|size| sizes.record(size));
    let page = plimsoll.render();
    for line in [
        "# HELP app_observed A gauge of the service's own.",
        "# HELP app_jobs_total Jobs taken on.",
        "# TYPE app_jobs_total counter",
        "app_jobs_total{queue=\"a\\\"b\\n\"} 5",
        "app_depth 2.5",
        "app_observed 7.0",
        "app_batch_size_bucket{le=\"10.0\"} 2",
        "app_batch_size_bucket{le=\"100.0\"} 3",
        "app_batch_size_bucket{le=\"+Inf\"} 4",
        "app_batch_size_sum 1021.0",
        "app_batch_size_count 4",
    ] {
        assert!(
            page.lines().any(|found| found == line),
            "{line} is not in\n{page}"
        );
    }
    assert!(
        !page.contains("app_unknown "),
        "a gauge that knows nothing says nothing"
    );
}

#[test]
fn one_name_means_one_thing() {
    let plimsoll = plimsoll();
    let first = plimsoll.counter("jobs_total").register().unwrap();
    first.increment();
    assert_eq!(
        plimsoll.counter("jobs_total").register().unwrap().value(),
        1,
        "the same counter"
    );
    assert!(matches!(
        plimsoll.gauge("jobs_total").register(),
        Err(InstrumentError::Kind { .. })
    ));
    assert!(matches!(
        plimsoll.counter("jobs_total").label("a", "b").register(),
        Err(InstrumentError::Labels { .. })
    ));
    assert!(matches!(
        plimsoll.counter("jobs-total").register(),
        Err(InstrumentError::Name { .. })
    ));
    assert!(matches!(
        plimsoll.counter("requests_total").register(),
        Err(InstrumentError::Taken { .. })
    ));
    let histogram = plimsoll
        .histogram("sizes", Layout::counts(), &[f64::NAN])
        .register();
    let message = histogram.unwrap_err().to_string();
    assert!(
        message.contains("instrument sizes: bound NaN is not a number"),
        "{message}"
    );
}

#[tokio::test]
async fn operations_count_how_they_end() {
    let plimsoll = plimsoll();
    let publish = plimsoll.operation("kafka.publish");
    assert_eq!(publish.time(async { Ok::<_, ()>(7) }).await, Ok(7));
    assert_eq!(
        publish.time(async { Err::<(), _>("no broker") }).await,
        Err("no broker")
    );
    let endless = publish.time(std::future::pending::<Result<(), ()>>());
    assert!(
        tokio::time::timeout(Duration::from_millis(20), endless)
            .await
            .is_err()
    );
    assert_eq!(publish.time_sync(|| Ok::<_, ()>(1)), Ok(1));
    publish.start().finish(Outcome::Ok);
    drop(publish.start());
    let stats = &plimsoll.stats().operations[0];
    assert_eq!(
        (stats.count, stats.errors, stats.cancelled, stats.in_flight),
        (6, 1, 2, 0)
    );
}

#[test]
fn a_gauge_that_panics_ends_nothing() {
    let clock = plimsoll::ManualClock::new();
    let depth = plimsoll::Expr::select(plimsoll::Selector::new("depth")).sum();
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .expect_family("depth")
        .budget(plimsoll::Budget::value("depth", depth).at_most(1.0))
        .build()
        .unwrap();
    let broken = || std::panic::resume_unwind(Box::new("on purpose"));
    plimsoll
        .gauge("depth")
        .label("of", "broken")
        .observe(broken)
        .unwrap();
    plimsoll
        .gauge("depth")
        .label("of", "sound")
        .observe(|| Some(2.0))
        .unwrap();
    clock.advance(Duration::from_secs(1));
    plimsoll.tick();
    assert_eq!(plimsoll.budgets()[0].value, Some(2.0));
    let page = plimsoll.render();
    assert!(
        page.contains("depth{of=\"sound\"} 2.0") && !page.contains("depth{of=\"broken\"}"),
        "{page}"
    );
}
