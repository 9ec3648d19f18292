//! The `metrics` facade, both ways.

use std::collections::HashMap;
use std::time::Duration;

use metrics::{Unit, counter, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use plimsoll::{Budget, ManualClock, Naming, Outcome, Plimsoll, Select};

fn plimsoll() -> Plimsoll {
    let builder = Plimsoll::builder().naming(Naming::classic()).manual_tick();
    builder.clock(ManualClock::new()).build().unwrap()
}

/// What the page shows after `record` has run under the recorder.
fn page(plimsoll: &Plimsoll, record: impl FnOnce()) -> String {
    metrics::with_local_recorder(&plimsoll.metrics_recorder(), record);
    plimsoll.render()
}

fn assert_lines(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            page.lines().any(|it| it == *line),
            "{line} is not in\n{page}"
        );
    }
}

#[test]
fn a_histogram_is_shown_in_the_unit_that_is_recorded() {
    let page = page(&plimsoll(), || {
        histogram!("wait_ms").record(7.5);
        histogram!("step_us").record(0.25);
        histogram!("body_bytes").record(5_000_000.0);
        histogram!("hit_ratio").record(0.5);
        histogram!("batch_size").record(17.0);
        histogram!("anything").record(5_000_000.0);
        histogram!("anything").record(0.25);
    });
    assert_lines(
        &page,
        &[
            "wait_ms_sum 7.5",
            r#"wait_ms_bucket{le="5.0"} 0"#,
            r#"wait_ms_bucket{le="10.0"} 1"#,
            "step_us_sum 0.25",
            r#"step_us_bucket{le="1.0"} 1"#,
            "body_bytes_sum 5e+06",
            r#"body_bytes_bucket{le="4.194304e+06"} 0"#,
            r#"body_bytes_bucket{le="1.6777216e+07"} 1"#,
            "hit_ratio_sum 0.5",
            "batch_size_sum 17.0",
            r#"batch_size_bucket{le="25.0"} 1"#,
            "anything_sum 5.00000025e+06",
            r#"anything_bucket{le="0.25"} 1"#,
            r#"plimsoll_values_saturated_total{kind="instrument"} 0"#,
        ],
    );
}

#[test]
fn a_described_unit_decides_and_the_first_use_settles_it() {
    let page = page(&plimsoll(), || {
        describe_histogram!("pause", Unit::Milliseconds, "Pauses.");
        histogram!("pause", "gc" => "young").record(1.5);
        describe_histogram!("pause", Unit::Bytes, "Too late.");
        histogram!("pause", "gc" => "old").record(2.5);
        describe_histogram!("disk", Unit::Gibibytes, "Disk space.");
        histogram!("disk").record(1.5);
        describe_histogram!("load", Unit::Percent, "Load.");
        histogram!("load").record(99.5);
        describe_histogram!("line", Unit::BitsPerSecond, "Speed.");
        histogram!("line").record(9.6e9);
    });
    assert_lines(
        &page,
        &[
            "# HELP pause Pauses.",
            r#"pause_sum{gc="young"} 1.5"#,
            r#"pause_sum{gc="old"} 2.5"#,
            r#"pause_bucket{gc="old",le="5.0"} 1"#,
            "disk_sum 1.5",
            r#"disk_bucket{le="4.0"} 1"#,
            "load_sum 99.5",
            r#"load_bucket{le="99.0"} 0"#,
            r#"load_bucket{le="100.0"} 1"#,
            "line_sum 9.6e+09",
            "plimsoll_families_dropped_total 0",
        ],
    );
}

#[test]
fn bounds_are_configured_by_name_or_suffix() {
    let builder = Plimsoll::builder()
        .manual_tick()
        .facade_bounds("_ms", &[2.0, 4.0])
        .facade_bounds("poll_ms", &[3.0, 7_200_000.0]);
    let page = page(&builder.build().unwrap(), || {
        histogram!("wait_ms").record(3.0);
        histogram!("poll_ms").record(3.0);
    });
    let bounds = |name: &str| page.matches(&format!("{name}_bucket{{")).count();
    assert_eq!((bounds("wait_ms"), bounds("poll_ms")), (3, 2));
    assert_lines(
        &page,
        &[
            r#"wait_ms_bucket{le="4.0"} 1"#,
            r#"poll_ms_bucket{le="3.0"} 1"#,
            // Two hours are out of range.
            "plimsoll_families_dropped_total 1",
        ],
    );
    let error = Plimsoll::builder().facade_bounds("_ms", &[-1.0]).build();
    let message = error.unwrap_err().to_string();
    assert!(
        message.contains(r#"facade_bounds "_ms""#) && message.contains("-1"),
        "{message}"
    );
}

#[test]
fn what_is_no_measurement_is_counted_and_does_no_harm() {
    let page = page(&plimsoll(), || {
        let wait = histogram!("wait_seconds");
        wait.record_many(f64::NAN, 3);
        let negative = [-0.0, -1e-12, -5.0, f64::NEG_INFINITY];
        let absurd = [f64::INFINITY, f64::MAX, 1e300, 3601.0];
        let sound = [f64::MIN_POSITIVE, 2.0];
        for value in [&negative[..], &absurd, &sound].concat() {
            wait.record(value);
        }
    });
    assert_lines(
        &page,
        &[
            "wait_seconds_count 10",
            "wait_seconds_sum 14402.0",
            r#"wait_seconds_bucket{le="0.005"} 5"#,
            r#"plimsoll_values_invalid_total{reason="nan"} 3"#,
            r#"plimsoll_values_invalid_total{reason="negative"} 3"#,
            r#"plimsoll_values_saturated_total{kind="instrument"} 4"#,
        ],
    );
}

#[test]
fn one_name_with_two_types_or_schemas_is_settled_and_counted() {
    let plimsoll = plimsoll();
    let page = page(&plimsoll, || {
        counter!("a").increment(1);
        gauge!("a").set(2.0);
        histogram!("b_seconds").record(1.0);
        counter!("b_seconds").increment(3);
        gauge!("b_seconds_sum").set(4.0);
        histogram!("c_seconds", "x" => "1").record(1.0);
        histogram!("c_seconds", "y" => "1").record(1.0);
        counter!("d_total", "x" => "1").increment(5);
        counter!("d_total", "y" => "1", "z" => "2").increment(6);
        counter!("e_total").increment(7);
    });
    assert_lines(
        &page,
        &[
            "b_seconds_count 1",
            r#"c_seconds_count{x="1"} 1"#,
            r#"d_total{x="1"} 5"#,
            r#"d_total{y="1",z="2"} 6"#,
            "e_total 7",
            "plimsoll_families_dropped_total 4",
        ],
    );
    let types = page.lines().filter(|line| line.starts_with("# TYPE a "));
    assert_eq!(types.count(), 1, "{page}");
    assert!(!page.contains(r#"c_seconds_count{y="#), "{page}");
    assert_eq!(page, plimsoll.render(), "once is enough");
}

#[test]
fn invented_label_sets_are_capped_and_none_is_lost() {
    let builder = Plimsoll::builder().max_series(100).manual_tick();
    let page = page(&builder.build().unwrap(), || {
        for i in 0..12_000_u32 {
            histogram!("wait_ms", "who" => i.to_string()).record(1.0);
            histogram!("wait_ms", "who" => "7").record(1.0);
        }
    });
    let counts = page
        .lines()
        .filter(|line| line.starts_with("wait_ms_count"));
    let values: Vec<u64> = counts
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!((values.len(), values.iter().sum()), (101, 24_000));
    assert_lines(&page, &[r#"wait_ms_count{who="7"} 12001"#]);
}

#[test]
fn invented_label_sets_of_counters_and_gauges_share_one() {
    let builder = Plimsoll::builder().max_series(100).manual_tick();
    let page = page(&builder.build().unwrap(), || {
        for i in 0..5_000_u32 {
            counter!("jobs_total", "who" => i.to_string(), "shop" => "north").increment(1);
            counter!("jobs_total", "who" => "7", "shop" => "north").increment(1);
            gauge!("depth", "who" => i.to_string()).set(f64::from(i));
            counter!("plain_total").increment(1);
        }
    });
    let jobs = page.lines().filter(|line| line.starts_with("jobs_total{"));
    let values: Vec<u64> = jobs
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!((values.len(), values.iter().sum()), (101, 10_000));
    assert_lines(
        &page,
        &[
            r#"jobs_total{shop="north",who="7"} 5001"#,
            r#"jobs_total{shop="other",who="other"} 4900"#,
            r#"depth{who="other"} 4999"#,
            "plain_total 5000",
            r#"plimsoll_series_overflow_total{kind="instrument"} 9800"#,
        ],
    );
}

/// Every counter and gauge that the recorder holds, by kind, name and labels.
fn debugged(snapshotter: &Snapshotter) -> HashMap<String, f64> {
    let samples = snapshotter.snapshot().into_vec().into_iter();
    let number = |value| match value {
        DebugValue::Counter(value) => value as f64,
        DebugValue::Gauge(value) => value.0,
        DebugValue::Histogram(values) => panic!("{values:?}"),
    };
    samples
        .map(|(key, _, _, value)| {
            let labels = key.key().labels();
            let labels: Vec<_> = labels
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let (kind, name) = (key.kind(), key.key().name());
            let name = format!("{kind:?} {name}{{{}}}", labels.join(","));
            (name, number(value))
        })
        .collect()
}

#[test]
fn a_publisher_tells_another_recorder_everything() {
    let budget = Budget::quantile("import-p95", Select::operation("import"), 0.95);
    let plimsoll = Plimsoll::builder()
        .naming(Naming::classic().prefix("shop_"))
        .clock(ManualClock::new())
        .manual_tick()
        .budget(budget.at_most(Duration::from_millis(200)))
        .build()
        .unwrap();
    let jobs = plimsoll.counter("jobs_total").label("queue", "a");
    let jobs = jobs.register().unwrap();
    plimsoll.gauge("depth").register().unwrap().set(2.5);
    // Recorded through the facade: the other recorder has it from there.
    page(&plimsoll, || histogram!("facade_seconds").record(1.0));

    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let publisher = plimsoll.publish_to(recorder);
    jobs.add(3);
    let import = plimsoll.operation("import");
    import.record(Outcome::Ok, Duration::from_millis(250));
    publisher.publish();
    jobs.add(1);
    import.record(Outcome::Ok, Duration::from_millis(250));
    publisher.publish();

    let held = debugged(&snapshotter);
    let import = "{operation=import,outcome=ok}";
    let budget = "{budget=import-p95,level=target}";
    for (name, value) in [
        ("Counter shop_jobs_total{queue=a}", 4.0),
        ("Gauge shop_depth{}", 2.5),
        (
            &format!("Counter shop_operation_duration_seconds_count{import}"),
            2.0,
        ),
        (
            &format!("Gauge shop_operation_duration_seconds_sum{import}"),
            0.5,
        ),
        (&format!("Gauge plimsoll_budget_limit{budget}"), 0.2),
        (&format!("Gauge plimsoll_budget_state{budget}"), 0.0),
        (&format!("Counter plimsoll_sli_bad_total{budget}"), 2.0),
    ] {
        assert_eq!(held.get(name), Some(&value), "{name} of {held:?}");
    }
    assert!(held.keys().all(|name| !name.contains("facade")), "{held:?}");
}

#[test]
fn a_gauge_that_knows_nothing_any_more_is_published_as_nan() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let plimsoll = plimsoll();
    let known = Arc::new(AtomicBool::new(true));
    let read = known.clone();
    let level = plimsoll.gauge("level");
    level
        .observe(move || read.load(Ordering::SeqCst).then_some(1.0))
        .unwrap();
    let other = PrometheusBuilder::new().build_recorder();
    let page = other.handle();
    let publisher = plimsoll.publish_to(other);
    publisher.publish();
    assert_lines(&page.render(), &["level 1"]);
    known.store(false, Ordering::SeqCst);
    publisher.publish();
    assert_lines(&page.render(), &["level NaN"]);
}

#[test]
fn nothing_is_published_into_a_recorder_of_ours() {
    let (one, other) = (plimsoll(), plimsoll());
    one.counter("jobs_total").register().unwrap().add(3);
    let before = other.render();
    let direct = one.publish_to(one.metrics_recorder());
    let boxed: Box<dyn metrics::Recorder + Send + Sync> = Box::new(one.metrics_recorder());
    let wrapped = one.publish_to(boxed);
    let another = one.publish_to(other.metrics_recorder());
    for publisher in [direct, wrapped, another] {
        publisher.publish();
        publisher.publish();
    }
    let page = one.render();
    assert_lines(
        &page,
        &["jobs_total 3", "plimsoll_families_dropped_total 0"],
    );
    assert_eq!(before, other.render());
}
