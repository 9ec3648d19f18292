use std::time::Duration;

use super::*;
use crate::engine::reader::Reader;
use crate::family::{Distribution, Family as Shown, Kind, Sample, Value as Number};

const MINUTE: Duration = Duration::from_secs(60);

fn at(second: i64) -> Moment {
    Moment {
        at_ns: second as u64 * 1_000_000_000,
        at_ms: second * 1000,
        uptime: second as f64,
    }
}

/// A store that reads these expressions from second 0 on.
fn store(sampling: Sampling, exprs: &[Expr]) -> Store {
    let target = Some(["shop".to_owned(), "one:80".to_owned()]);
    let mut store = Store::new(sampling, target, SeriesMemory::default());
    store.add(exprs.iter(), &Slis::default(), at(0), Duration::ZERO);
    store
}

fn family(name: &str, kind: Kind, samples: &[(&[(&str, &str)], Number)]) -> Shown {
    let mut family = Shown::new(name, "", kind);
    family.samples.extend(samples.iter().map(|(labels, value)| {
        Sample {
            labels: labels
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect(),
            value: value.clone(),
            created: None,
        }
    }));
    family
}

fn jobs(done: &[(&str, u64)]) -> Shown {
    let labels: Vec<_> = done.iter().map(|(queue, _)| [("queue", *queue)]).collect();
    let samples = labels.iter().zip(done);
    let samples = samples.map(|(labels, (_, count))| (&labels[..], Number::Integer(*count)));
    family("jobs_total", Kind::Counter, &samples.collect::<Vec<_>>())
}

fn take(store: &mut Store, second: i64, page: &[Shown]) {
    store.take_page(&mut page.iter(), at(second), &|bound| format!("{bound:?}"));
    store.come_to(at(second));
}

fn value(store: &Store, expr: &Expr) -> Option<f64> {
    store.eval(expr, &[]).expect("well-formed").as_float()
}

#[test]
fn a_counter_that_is_new_begins_where_there_was_none() {
    let grown = Expr::increase(Selector::new("jobs_total"), MINUTE).sum();
    let [mut ticks, mut pages] = [Sampling::Tick, Sampling::Scrape]
        .map(|sampling| store(sampling, std::slice::from_ref(&grown)));
    for store in [&mut ticks, &mut pages] {
        take(store, 1, &[jobs(&[("a", 100)])]);
        take(store, 2, &[jobs(&[("a", 100), ("b", 3)])]);
    }
    assert_eq!(
        value(&ticks, &grown),
        Some(3.0),
        "what was there is no growth"
    );
    assert_eq!(
        value(&pages, &grown),
        Some(0.0),
        "Prometheus has seen it once"
    );
}

#[test]
fn a_series_that_ends_has_no_newest_value_and_comes_back() {
    let depth = Expr::select(Selector::new("depth"));
    let mut store = store(Sampling::Tick, std::slice::from_ref(&depth));
    let deep = |value| family("depth", Kind::Gauge, &[(&[], Number::Float(value))]);
    take(&mut store, 1, &[deep(4.0)]);
    assert_eq!(value(&store, &depth), Some(4.0));
    take(&mut store, 2, &[]);
    assert_eq!(value(&store, &depth), None);
    take(&mut store, 3, &[deep(5.0)]);
    assert_eq!(value(&store, &depth), Some(5.0));
}

#[test]
fn a_family_that_was_gone_for_long_comes_back() {
    let depth = Expr::select(Selector::new("depth"));
    let mut store = store(Sampling::Tick, std::slice::from_ref(&depth));
    let deep = |value| family("depth", Kind::Gauge, &[(&[], Number::Float(value))]);
    take(&mut store, 1, &[deep(4.0)]);
    for second in 2..400 {
        take(&mut store, second, &[]);
    }
    take(&mut store, 400, &[deep(5.0)]);
    assert_eq!(value(&store, &depth), Some(5.0));
}

#[test]
fn series_that_ended_long_ago_are_forgotten() {
    let rate = Expr::rate(Selector::new("jobs_total"), MINUTE).sum();
    let mut store = store(Sampling::Tick, &[rate]);
    for second in 1..1000 {
        let queue = second.to_string();
        take(&mut store, second, &[jobs(&[(&queue, 1)])]);
    }
    // Five minutes of them, and the one that is there.
    assert!(store.places.len() <= 303, "{}", store.places.len());
    assert_eq!(store.families["jobs_total"].known.len(), 302);
    assert_eq!(store.selections[0].places.len(), 302);
}

#[test]
fn a_histogram_is_series_at_its_bounds() {
    let bucket = |le| Expr::select(Selector::new("size_bucket").label("le", le)).sum();
    let select = |name| Expr::select(Selector::new(name)).sum();
    let all = [
        bucket("10.0"),
        bucket("inf"),
        select("size_sum"),
        select("size_count"),
    ];
    let mut store = store(Sampling::Tick, &all);
    let size = Distribution {
        buckets: vec![(1.0, 2), (10.0, 5)],
        sum: 40.5,
        count: 6,
        exemplars: Vec::new(),
        native: None,
    };
    let size = family("size", Kind::Histogram, &[(&[], Number::Histogram(size))]);
    take(&mut store, 1, &[size]);
    let values = all.map(|expr| value(&store, &expr));
    assert_eq!(values, [5.0, 6.0, 40.5, 6.0].map(Some));
    assert_eq!(store.places.len(), 4, "nobody reads the bucket at 1");
}

#[test]
fn labels_are_those_that_prometheus_has() {
    let all = Expr::select(Selector::new("up_to"));
    let mut store = store(Sampling::Tick, std::slice::from_ref(&all));
    let labels = [("job", "mine"), ("zone", "")];
    let page = family("up_to", Kind::Gauge, &[(&labels, Number::Integer(1))]);
    take(&mut store, 1, &[page]);
    let points = store.eval(&all, &[]).expect("well-formed").into_points();
    let expected = r#"{__name__="up_to", exported_job="mine", instance="one:80", job="shop"}"#;
    assert_eq!(points[0].labels.to_string(), expected);
}

#[test]
fn selectors_of_the_same_series_share_it_at_its_longest_range() {
    let hour = 60 * MINUTE;
    let [short, long] = [MINUTE, hour].map(|range| {
        let selector = Selector::new("jobs_total").label("queue", "a");
        Expr::increase(selector, range).sum()
    });
    let all = Expr::increase(Selector::new("jobs_total"), MINUTE).sum();
    let mut store = store(Sampling::Tick, &[short.clone(), long.clone(), all]);
    for second in 1..=3600 {
        take(&mut store, second, &[jobs(&[("a", second as u64)])]);
    }
    assert_eq!(store.places.len(), 1);
    assert_eq!(value(&store, &short), Some(60.0));
    let hour = value(&store, &long).expect("samples");
    assert!((hour - 3600.0).abs() < 3600.0 * 0.004, "{hour}");
}

#[test]
fn time_that_stands_still_loses_nothing() {
    let grown = Expr::increase(Selector::new("jobs_total"), MINUTE).sum();
    let mut store = store(Sampling::Tick, std::slice::from_ref(&grown));
    for count in [1, 2, 5] {
        take(&mut store, 1, &[jobs(&[("a", count)])]);
    }
    take(&mut store, 2, &[jobs(&[("a", 7)])]);
    let grown = value(&store, &grown).expect("two samples");
    assert!(grown >= 6.0, "{grown}");
}

/// 1,000 series with the windows of an SLO, at a tick of a second.
#[test]
fn a_thousand_series_of_three_days_fit_into_a_hundred_megabytes() {
    let mut series = Series::new(Duration::from_secs(3 * 86_400));
    let mut most = 0;
    for second in 0..3 * 86_400 {
        series.push(second * 1000, second as f64);
        most = most.max(series.bytes());
    }
    assert!(most <= 100_000, "{most} bytes");
}

#[test]
fn a_plan_finds_what_its_expression_does_whenever_that_is_known() {
    let total = |name: &str| Expr::increase(Selector::new(name), MINUTE).sum();
    let both = (total("jobs_total") / total("tries_total")).greater(0.1);
    let both = both.and(total("jobs_total").greater(0.0));
    let mut store = store(Sampling::Tick, &[total("jobs_total")]);
    let mut plan = Plan::default();
    for second in 0..4 {
        if second == 2 {
            store.add([&both].into_iter(), &Slis::default(), at(2), Duration::ZERO);
        }
        let tries = family(
            "tries_total",
            Kind::Counter,
            &[(&[], Number::Integer(3 * second as u64))],
        );
        take(&mut store, second, &[jobs(&[("a", second as u64)]), tries]);
        let expected = value(&store, &both);
        let reader = Reader {
            store: &store,
            rules: &[],
        };
        assert_eq!(plan.number(&both, reader), expected);
        assert_eq!(plan.holds(&both, reader), expected.is_some());
        assert_eq!(expected.is_some(), second == 3);
    }
}
