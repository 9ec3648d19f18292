//! What does a whole timing cost: start, stop, record?

use std::hint::black_box;
use std::time::{Duration, Instant};

use plimsoll::{Builder, Clock, MonotonicClock, Operation, Outcome, Plimsoll, TscClock};
use plimsoll_peers::BOUNDS;
use plimsoll_peers::recorders::{exporter_recorder, handle, histogram};
use plimsoll_peers::rounds::{Job, Ratio, find, interleave};
use plimsoll_peers::table;

const OURS: &str = "plimsoll `Histogram` + time-stamp counter pair";
const THEIRS: &str = "metriken 0.11.5 + time-stamp counter pair";

/// plimsoll under each clock that the crate has; another one is another line.
fn clocks() -> Vec<(&'static str, Builder)> {
    let instant = Plimsoll::builder().clock(MonotonicClock::new());
    let mut clocks = vec![("plimsoll `operation`, `Instant`", instant)];
    if TscClock::new().is_some() {
        let counter = Plimsoll::builder();
        clocks.push(("plimsoll `operation`, time-stamp counter", counter));
    }
    clocks
}

fn main() {
    let operations: Vec<(&str, Operation)> = clocks().into_iter().map(operation).collect();
    let mut jobs: Vec<Job<'_>> = operations
        .iter()
        .map(|(name, of)| guard(name, of))
        .collect();
    jobs.extend(peers());
    table::heading("clock: start, stop and record, one thread");
    let samples = interleave(&jobs, 1);
    table::compare(&samples);
    if TscClock::new().is_some() {
        let ratio = Ratio::of(find(&samples, OURS), find(&samples, THEIRS));
        table::targets();
        table::ratio_at_most("whole timing with the counter, ÷ metriken", ratio, 1.25);
    }
}

fn operation((name, builder): (&'static str, Builder)) -> (&'static str, Operation) {
    let plimsoll = builder.manual_tick().build().expect("no mistakes");
    (name, plimsoll.operation("work"))
}

/// In flight, outcome and duration, cancelled if it is dropped: more than the peers count.
fn guard<'a>(name: &'a str, operation: &'a Operation) -> Job<'a> {
    Job::call(name, || operation.start().finish(black_box(Outcome::Ok)))
}

fn peers() -> Vec<Job<'static>> {
    let bare = histogram(&BOUNDS);
    let sharded = metriken::ShardedCounterHistogram::new(7, 42);
    let options = prometheus::HistogramOpts::new("seconds", "Durations.").buckets(BOUNDS.to_vec());
    let prometheus = prometheus::Histogram::with_opts(options).expect("valid options");
    let exporter = exporter_recorder();
    let page = exporter.handle();
    let kept = handle(&exporter, "timing_seconds");
    let exporter_job = Job::call(
        "metrics 0.24.6 + exporter 0.18.3, handle + `Instant` pair",
        move || {
            let start = Instant::now();
            kept.record(start.elapsed());
        },
    );
    let mut counted = Vec::new();
    if let Some(clock) = TscClock::new() {
        let (bare, sharded) = (
            histogram(&BOUNDS),
            metriken::ShardedCounterHistogram::new(7, 42),
        );
        let (ours, theirs) = (clock.clone(), clock);
        counted.push(Job::call(OURS, move || {
            let start = ours.now_ns();
            bare.record(ours.now_ns() - black_box(start));
        }));
        counted.push(Job::call(THEIRS, move || {
            let start = theirs.now_ns();
            sharded.increment(theirs.now_ns() - black_box(start))
        }));
    }
    let mut jobs = vec![
        Job::call("two readings of `Instant`, nothing recorded", || {
            elapsed_since(Instant::now())
        }),
        Job::call("plimsoll `Histogram` + `Instant` pair", move || {
            bare.record(nanos(elapsed_since(Instant::now())));
        }),
        Job::call("metriken 0.11.5 + `Instant` pair", move || {
            sharded.increment(nanos(elapsed_since(Instant::now())))
        }),
        Job::call("prometheus 0.14.0 `start_timer`", move || {
            prometheus.start_timer().observe_duration();
        }),
        exporter_job.drain(move || page.run_upkeep()),
    ];
    jobs.extend(counted);
    jobs
}

fn elapsed_since(start: Instant) -> Duration {
    black_box(start).elapsed()
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}
