//! What does reading cost: a snapshot of what two threads wrote, its p99, and a quantile of a snapshot that is held?

use std::sync::Barrier;

use histogram::Histogram as Buckets;
use parking_lot::Mutex;
use plimsoll_peers::recorders::{hdr, histogram};
use plimsoll_peers::rounds::{Job, Samples, interleave, median};
use plimsoll_peers::{BOUNDS, table, values};
use prometheus::core::Collector;

const SNAPSHOT: &str = "plimsoll: snapshot + p99";
const P99: f64 = 0.99;

fn main() {
    let nanos = values::log_normal(1 << 16);
    table::heading("read: a snapshot of what 2 threads wrote, and its p99");
    let fresh = fresh(&nanos);
    table::compare(&fresh);
    table::heading("read: p99 of a snapshot that is held");
    table::compare(&interleave(&held(&nanos), 1));
    table::targets();
    table::at_most(
        "snapshot of 2 shards + p99, ns",
        of(&fresh, SNAPSHOT),
        600.0,
    );
}

fn of(all: &[Samples], name: &str) -> f64 {
    let found = all.iter().find(|samples| samples.name == name);
    median(&found.expect("measured above").ns)
}

fn fresh(nanos: &[u64]) -> Vec<Samples> {
    let ours = histogram(&BOUNDS);
    let sharded = metriken::ShardedCounterHistogram::new(7, 42);
    let atomic = histogram::AtomicHistogram::new(7, 42).expect("valid powers");
    let mutex = Mutex::new(hdr());
    let options = prometheus::HistogramOpts::new("seconds", "Durations.").buckets(BOUNDS.to_vec());
    let prometheus = prometheus::Histogram::with_opts(options).expect("valid options");
    by_two_threads(nanos, |ns| {
        ours.record(ns);
        sharded.increment(ns).expect("in range");
        atomic.increment(ns).expect("in range");
        mutex.lock().saturating_record(ns);
        prometheus.observe(ns as f64 / 1e9);
    });
    assert_eq!(ours.count(), 2 * nanos.len() as u64);
    let jobs = [
        Job::call(SNAPSHOT, || ours.snapshot().quantile(P99)),
        Job::call("metriken 0.11.5: load + p99", || {
            p99(&sharded.load().expect("written"))
        }),
        Job::call("histogram 1.6.4, one shard: load + p99", || {
            p99(&atomic.load())
        }),
        Job::call("hdrhistogram 7.6.0, one shard: lock, clone, p99", || {
            let copy = mutex.lock().clone();
            copy.value_at_quantile(P99)
        }),
        Job::call(
            "prometheus 0.14.0, 11 buckets: collect, no quantile",
            || prometheus.collect(),
        ),
    ];
    interleave(&jobs, 1)
}

/// Both threads live at once, so that a sharded histogram has two shards.
fn by_two_threads(nanos: &[u64], record: impl Fn(u64) + Sync) {
    let both = Barrier::new(2);
    let write = || {
        both.wait();
        nanos.iter().for_each(|&ns| record(ns));
        both.wait();
    };
    std::thread::scope(|scope| {
        scope.spawn(write);
        scope.spawn(write);
    });
}

fn p99(buckets: &Buckets) -> u64 {
    let bucket = buckets.quantile_bucket(P99).expect("a valid quantile");
    bucket.expect("not empty").end()
}

fn held(nanos: &[u64]) -> Vec<Job<'static>> {
    let ours = histogram(&BOUNDS);
    let mut buckets = Buckets::new(7, 42).expect("valid powers");
    let mut hdr = hdr();
    for &ns in nanos {
        ours.record(ns);
        buckets.increment(ns).expect("in range");
        hdr.saturating_record(ns);
    }
    let snapshot = ours.snapshot();
    vec![
        Job::call("plimsoll", move || snapshot.quantile(P99)),
        Job::call("histogram 1.6.4", move || p99(&buckets)),
        Job::call("hdrhistogram 7.6.0", move || hdr.value_at_quantile(P99)),
    ]
}
