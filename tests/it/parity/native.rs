//! Native histograms and stale markers, by remote write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plimsoll::expr::{
    Aggregation, Dialect, Function, Grouping, Labels, NativeHistogram, Op, Over, SampleValue,
    Samples,
};
use plimsoll::{Expr, Selector};

use super::remote::{STALE, Written, body};
use super::server::{Folder, Prometheus};
use super::trace::{END_MS, Random, START_MS, STEP_MS, Trace};
use super::{Count, expressions, ours};

type Written6h = Vec<(Labels, Vec<Written>)>;

const SCRAPE_MS: i64 = 15_000;

/// What a service records into one native histogram.
struct Recorded {
    schema: i8,
    zero_threshold: f64,
    /// Some values are below zero.
    mirrored: bool,
    values: NativeHistogram,
}

impl Recorded {
    fn new(schema: i8, zero_threshold: f64, mirrored: bool) -> Self {
        let values = NativeHistogram {
            schema,
            zero_threshold,
            ..NativeHistogram::default()
        };
        Self {
            schema,
            zero_threshold,
            mirrored,
            values,
        }
    }

    fn record(&mut self, value: f64) {
        let values = &mut self.values;
        values.count += 1.0;
        values.sum += value;
        if value.abs() <= self.zero_threshold {
            values.zero_count += 1.0;
            return;
        }
        let index = (value.abs().log2() * f64::from(self.schema).exp2()).ceil() as i32;
        let side = if value > 0.0 {
            &mut values.positive
        } else {
            &mut values.negative
        };
        match side.binary_search_by_key(&index, |bucket| bucket.0) {
            Ok(at) => side[at].1 += 1.0,
            Err(at) => side.insert(at, (index, 1.0)),
        }
    }

    /// One scrape's worth, or a restart, perhaps with another resolution.
    fn go_on(&mut self, random: &mut Random, busy: f64) {
        if random.below(120) == 0 {
            let schema = if random.below(3) == 0 {
                self.schema - 1
            } else {
                self.schema
            };
            *self = Self::new(schema.max(-1), self.zero_threshold, self.mirrored);
        }
        for _ in 0..(random.fraction() * 9.0 * busy) as u64 {
            let value = random.fraction() * random.fraction() * 4.0;
            let negative = self.mirrored && random.below(4) == 0;
            self.record(if negative { -value } else { value });
        }
    }
}

/// Six hours of native histograms, with idle hours, gaps that begin with a stale marker, and restarts.
fn histograms() -> Written6h {
    let random = &mut Random(5);
    let tiny = (-128_f64).exp2();
    let shapes = [
        ("a:1", "/", 3, tiny, false),
        ("a:1", "/order", 5, tiny, false),
        ("b:2", "/", 6, 0.01, false),
        ("b:2", "/order", 2, 0.3, true),
    ];
    let mut all = Vec::new();
    for (instance, route, schema, threshold, mirrored) in shapes {
        let mut recorded = Recorded::new(schema, threshold, mirrored);
        let (mut samples, mut gone) = (Vec::new(), false);
        for at_ms in (START_MS..END_MS).step_by(SCRAPE_MS as usize) {
            let minute = (at_ms - START_MS) / 60_000;
            let busy = if (180..230).contains(&minute) {
                0.0
            } else {
                1.0
            };
            recorded.go_on(random, busy);
            let lost = random.below(50) == 0 || (gone && random.below(4) > 0);
            if !lost || !gone {
                let mut values = recorded.values.clone();
                if lost {
                    values.sum = f64::from_bits(STALE);
                }
                let value = SampleValue::Histogram(Arc::new(values));
                samples.push(Written { at_ms, value });
            }
            gone = lost;
        }
        let labels = [
            ("__name__", "latency_seconds"),
            ("instance", instance),
            ("route", route),
        ];
        all.push((Labels::new(labels), samples));
    }
    all
}

/// The other trace, with a stale marker where a scrape found nothing.
fn with_markers() -> Written6h {
    let mut all = Vec::new();
    for (labels, values) in &Trace::new(11).series {
        let mut samples: Vec<Written> = Vec::new();
        for &(at_ms, value) in values {
            let missed = samples.last().map(|last| last.at_ms + 15_500);
            if let Some(missed) = missed.filter(|missed| missed + 1_000 < at_ms) {
                let value = SampleValue::Float(f64::from_bits(STALE));
                samples.push(Written {
                    at_ms: missed,
                    value,
                });
            }
            let value = SampleValue::Float(value);
            samples.push(Written { at_ms, value });
        }
        all.push((labels.clone(), samples));
    }
    all
}

fn given(all: &Written6h, dialect: Dialect) -> Samples {
    let mut samples = Samples::in_dialect(dialect);
    for (labels, written) in all {
        for Written { at_ms, value } in written {
            match value {
                SampleValue::Histogram(value) => {
                    samples
                        .insert_histogram(labels, *at_ms, (**value).clone())
                        .unwrap();
                }
                value => samples.insert(labels, *at_ms, value.as_float().unwrap()),
            }
        }
    }
    samples
}

/// A Prometheus that was sent all of it, minute by minute.
fn written(binary: &str, flags: &[&str], all: &Written6h, folder: Folder) -> Prometheus {
    let flags = [&["--web.enable-remote-write-receiver"], flags].concat();
    let prometheus = Prometheus::over(binary, &flags, "", folder);
    let mut all: BTreeMap<&Labels, &[Written]> = all
        .iter()
        .map(|(labels, samples)| (labels, &samples[..]))
        .collect();
    for until_ms in (START_MS..=END_MS + 600_000).step_by(600_000) {
        let batch = all.iter_mut().map(|(labels, samples)| {
            let (now, later) =
                samples.split_at(samples.partition_point(|one| one.at_ms < until_ms));
            *samples = later;
            (*labels, now)
        });
        let batch: Vec<_> = batch.filter(|batch| !batch.1.is_empty()).collect();
        prometheus.write(&body(batch.into_iter()));
    }
    assert!(all.values().all(|samples| samples.is_empty()));
    prometheus
}

fn compare(
    binary: &str,
    flags: &[&str],
    all: &Written6h,
    exprs: &[Expr],
    dialect: Dialect,
) -> Count {
    let step_ms = 3 * STEP_MS;
    let folder = Folder::new(&format!("written-{dialect:?}-{}", exprs.len()));
    let prometheus = written(binary, flags, all, folder);
    let samples = given(all, dialect);
    let mut count = Count::default();
    for expr in exprs {
        let theirs = prometheus.range(&expr.to_string(), START_MS, END_MS, step_ms);
        count.compare(expr, ours(expr, &samples, step_ms), theirs);
    }
    count.report(&format!("written, {dialect:?}"));
    count
}

fn natives() -> Vec<Expr> {
    let latency = || Selector::new("latency_seconds");
    // As they were stored some have empty buckets, by which Prometheus tells that there are values on both sides of zero.
    let positive = || latency().label("instance", "a:1");
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let mut all = vec![
        Expr::select(positive()),
        Expr::select(latency()).sum(),
        -Expr::rate(latency(), minutes(5)),
        Expr::select(latency()) * Expr::Number(3.0),
        Expr::select(latency()) / Expr::Number(7.0),
        Expr::select(latency()) + Expr::select(latency()),
        Expr::select(latency()).greater(1.0),
        Expr::select(positive()).binary(Op::Equal, Expr::select(positive())),
        Expr::select(latency()).aggregate(Aggregation::Avg, Grouping::default()),
        Expr::select(latency()).aggregate(Aggregation::Max, Grouping::default()),
        Expr::select(latency()).aggregate(Aggregation::Count, Grouping::by(["route"])),
        Expr::select(latency()).call(Function::Abs),
        Expr::select(latency()).absent(),
    ];
    for window in [1, 5, 20].map(minutes) {
        let rate = || Expr::rate(latency(), window);
        all.extend([
            rate(),
            Expr::increase(latency(), window),
            rate().sum(),
            rate().sum_by(["instance"]),
            rate().sum_by(["route"]),
            rate().aggregate(Aggregation::Avg, Grouping::by(["route"])),
            rate() - Expr::rate(latency(), minutes(10)),
        ]);
        for over in [Over::Sum, Over::Avg, Over::Count, Over::Last, Over::Max] {
            all.push(Expr::Over(over, positive(), window));
        }
    }
    let of = |expr: Expr| {
        let mut of = vec![
            expr.clone().call(Function::HistogramCount),
            expr.clone().call(Function::HistogramSum),
        ];
        of.extend([0.1, 0.5, 0.99].map(|q| expr.clone().histogram_quantile(q)));
        of
    };
    let mut all: Vec<Expr> = all.into_iter().flat_map(of).collect();
    let quantile = |q: f64| Expr::rate(latency(), minutes(5)).histogram_quantile(q);
    all.extend([-1.0, 0.0, 1.0, 2.0, f64::NAN].map(quantile));
    all
}

#[test]
#[ignore = "needs Prometheus 3: tests/run"]
fn native_histograms_are_those_of_3() {
    let binary = std::env::var("PLIMSOLL_PROMETHEUS3").expect("set by tests/run");
    let flags = ["--enable-feature=native-histograms"];
    let count = compare(&binary, &flags, &histograms(), &natives(), Dialect::V3);
    assert_eq!(count.differing, 0, "{}", count.examples.join("\n"));
    assert!(count.points > 50_000, "{}", count.points);
}

#[test]
#[ignore = "needs Prometheus 2.53 and 3: tests/run"]
fn series_end_as_in_every_version() {
    let variable = |name| std::env::var(name).expect("set by tests/run");
    let binaries = [
        ("prometheus".to_owned(), Dialect::V2_42),
        (variable("PLIMSOLL_PROMETHEUS2_53"), Dialect::V2_53),
        (variable("PLIMSOLL_PROMETHEUS3"), Dialect::V3),
    ];
    let all = with_markers();
    for (binary, dialect) in binaries {
        let count = compare(&binary, &[], &all, &expressions::by_hand(), dialect);
        assert_eq!(count.differing, 0, "{}", count.examples.join("\n"));
        assert!(count.points > 50_000, "{}", count.points);
    }
}
