//! Three instances under one quantile.

use super::*;

/// Few, so that most buckets hold one value or none, once with quantiles that fall between two values; and plenty.
const COUNTS: [usize; 4] = [200, 255, 100_255, 1_000_255];
/// Half of a bucket's width: with at least 100,000 values in all, most buckets hold enough of them to tell where in the
/// bucket a quantile is. That is no law: the 0.999 quantile has a handful in its bucket, or one, and other numbers than these
/// come to 0.8 %.
const HALF: f64 = 0.0055;

type Shape = (&'static str, fn(&mut Random) -> u64);

const SHAPES: [Shape; 3] = [
    ("log-normal", |random| random.log_normal(2e6, 1.2)),
    ("bimodal", |random| {
        let fast = random.uniform() < 0.7;
        random.log_normal(if fast { 1e6 } else { 50e6 }, 0.2)
    }),
    // Without a variance, all but without a mean.
    ("pareto", |random| {
        (0.5e6 * random.uniform().powf(-1.0 / 1.1)) as u64
    }),
];

/// An operation's name and its durations in nanoseconds.
type Durations = (String, Vec<u64>);

/// Of every shape and count.
fn durations() -> Vec<Durations> {
    let mut random = Random(7);
    let mut of = |(shape, next): Shape, count: usize| {
        let values = (0..count).map(|_| next(&mut random)).collect();
        (format!("{shape} {count}"), values)
    };
    let both = SHAPES
        .into_iter()
        .flat_map(|shape| COUNTS.map(|count| (shape, count)));
    both.map(|(shape, count)| of(shape, count)).collect()
}

/// Each instance records its own third of this fifth of `all`, as many times faster as `divided` says.
fn record(instances: &[Plimsoll], all: &[Durations], divided: u64, fifth: usize) {
    std::thread::scope(|scope| {
        for (at, instance) in instances.iter().enumerate() {
            scope.spawn(move || {
                for (name, values) in all {
                    let operation = instance.operation(name);
                    let range = values.len() * fifth / 5..values.len() * (fifth + 1) / 5;
                    for value in values[range].iter().skip(at).step_by(instances.len()) {
                        operation.record(Outcome::Ok, Duration::from_nanos(value / divided));
                    }
                }
            });
        }
    });
}

/// The schema's bucket that a value is in, by the index of its upper bound.
fn bucket(value: u64) -> f64 {
    ((value as f64 / 1e9).log2() * 64.0).ceil()
}

/// Asserts that `asked` is `q` of `values`, which ascend.
fn check(name: &str, values: &[u64], q: f64, asked: f64) {
    let exact = nearest_rank(values, q);
    let error = (asked / exact - 1.0).abs();
    // A quantile between two values may be either, and what rate() extrapolates differs by a hair between instances.
    let rank = q * values.len() as f64;
    let [low, high] =
        [rank - 0.05, rank + 0.05].map(|rank| bucket(values[rank.ceil() as usize - 1]));
    let sharing = values
        .iter()
        .filter(|&&value| (low..=high).contains(&bucket(value)));
    eprintln!(
        "{name}, quantile {q}: {asked:.9} for {exact:.9}, off by {:.3} %, {} in its bucket",
        error * 100.0,
        sharing.count()
    );
    let edges = [low - 1.0, high].map(|index| (index / 64.0).exp2());
    let hair = 1e-9 * asked;
    assert!(
        (edges[0] - hair..=edges[1] + hair).contains(&asked),
        "{name}, quantile {q}: {asked} is not in {edges:?}"
    );
    let most = match values.len() {
        100_000.. => HALF,
        _ if low == high => WIDTH,
        _ => edges[1] / edges[0] - 1.0,
    };
    assert!(error <= most, "{name}, quantile {q}: {asked} for {exact}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prometheus 3: tests/run"]
async fn a_quantile_of_three_instances_is_that_of_all_their_operations() {
    let mut instances = Vec::new();
    let mut listeners = Vec::new();
    for _ in 0..3 {
        let plimsoll = Plimsoll::builder().build().unwrap();
        listeners.push(listen(&plimsoll, "127.0.0.1:0").await.unwrap());
        instances.push(plimsoll);
    }
    let addresses: Vec<String> = listeners
        .iter()
        .map(|listener| listener.local_addr().to_string())
        .collect();
    let mut all = durations();
    let total: usize = all.iter().map(|(_, values)| values.len()).sum();
    // What was before the range must not count.
    for fifth in 0..5 {
        record(&instances, &all, 3, fifth);
    }
    let jobs = [job("merged", "PrometheusProto", &addresses)];
    let prometheus = prometheus3("native-histograms", &jobs);

    // The range begins after a scrape of all instances, and goes on until after another one.
    let counted = "sum(histogram_count(operation_duration_seconds))";
    let scraped = "min(timestamp(operation_duration_seconds))";
    let later = |samples: &[Sample], than: f64| matches!(samples, [(_, at)] if *at > than);
    let reached =
        |samples: &[Sample], count: usize| matches!(samples, [(_, it)] if *it == count as f64);
    once(&prometheus, counted, |samples| reached(samples, total)).await;
    let start = now();
    once(&prometheus, scraped, |samples| later(samples, start)).await;
    for fifth in 0..5 {
        record(&instances, &all, 1, fifth);
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    once(&prometheus, counted, |samples| reached(samples, 2 * total)).await;
    let range = (now() - start).ceil().max(15.0);
    let end = start + range;
    once(&prometheus, scraped, |samples| later(samples, end)).await;

    let scrapes = format!(
        "count_over_time(operation_duration_seconds{{operation=\"pareto 255\"}}[{range}s])"
    );
    let scrapes: Vec<f64> = prometheus
        .query_at(end, &scrapes)
        .iter()
        .map(|sample| sample.1)
        .collect();
    eprintln!("scrapes of each instance in {range} s: {scrapes:?}");
    for (name, values) in &mut all {
        values.sort_unstable();
        for q in QUANTILES {
            let query = format!(
                "histogram_quantile({q}, sum(rate(operation_duration_seconds{{operation=\"{name}\"}}[{range}s])))"
            );
            let samples = prometheus.query_at(end, &query);
            let [(_, asked)] = samples[..] else {
                panic!("{query}: {samples:?}")
            };
            check(name, values, q, asked);
        }
    }
    assert_eq!(prometheus.targets_up(), 3);
}
