//! What does reading cost: a snapshot of what two threads wrote, its p99, a quantile of one that is held, and of a window?

use std::sync::Barrier;
use std::time::Duration;

use histogram::Histogram as Buckets;
use parking_lot::Mutex;
use plimsoll::{ManualClock, Outcome, Plimsoll, Select, Watch, WindowReading};
use plimsoll_peers::recorders::{hdr, histogram, p99};
use plimsoll_peers::rounds::{Job, Samples, find, interleave, median};
use plimsoll_peers::{BOUNDS, P99, table, values};
use prometheus::core::Collector;

const SNAPSHOT: &str = "plimsoll: snapshot + p99";
const IN_WINDOW: &str = "plimsoll: p99";
/// The differences that a window holds; one more second, for it is open to the left.
const SLOTS: u64 = 60;

fn main() {
    let nanos = values::log_normal(1 << 16);
    table::heading("read: a snapshot of what 2 threads wrote, and its p99");
    let fresh = fresh(&nanos);
    table::compare(&fresh);
    table::heading("read: p99 of a snapshot that is held");
    table::compare(&interleave(&held(&nanos), 1));
    table::heading(
        "read: p99 of a window of 60 slots whose reading is held, and what fetching the reading takes",
    );
    let windows = windows(&nanos);
    table::compare(&windows);
    table::targets();
    let ns = |all: &[Samples], name| median(&find(all, name).ns);
    table::at_most(
        "snapshot of 2 shards + p99, ns",
        ns(&fresh, SNAPSHOT),
        600.0,
    );
    table::at_most(
        "p99 of a 60-slot window, held, ns",
        ns(&windows, IN_WINDOW),
        100.0,
    );
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

/// The copy of the distribution is made when the reading is fetched; a quantile only reads it.
fn windows(nanos: &[u64]) -> Vec<Samples> {
    let clock = ManualClock::new();
    let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
    let over = Duration::from_secs(SLOTS + 1);
    let watch = Watch::new("work", Select::operation("work")).over(over);
    let plimsoll = builder.watch(watch).build().expect("no mistakes");
    let operation = plimsoll.operation("work");
    let each = nanos.len() / SLOTS as usize;
    // What grew before the first tick was counted before the window began.
    for nanos in std::iter::once(&nanos[..0]).chain(nanos.chunks_exact(each)) {
        for &ns in nanos {
            operation.record(Outcome::Ok, Duration::from_nanos(ns));
        }
        clock.advance(Duration::from_secs(1));
        plimsoll.tick();
    }
    let fetch = || -> WindowReading { plimsoll.window("work", over).expect("it is watched") };
    let held = fetch();
    assert_eq!(held.count, SLOTS * each as u64);
    let jobs = [
        Job::call(IN_WINDOW, || held.quantile(P99)),
        Job::call("plimsoll: fetching the reading", fetch),
    ];
    interleave(&jobs, 1)
}
