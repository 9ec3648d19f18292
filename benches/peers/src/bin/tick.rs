//! What does a tick cost over 10,000 series that budgets watch? And beside its peers, which have no tick: what does it
//! cost to have the p99 of a window of 60 slots?

use std::sync::Mutex;
use std::time::Duration;

use histogram::Histogram as Buckets;
use plimsoll::{ManualClock, Outcome, Plimsoll, Select, Watch};
use plimsoll_peers::queries::Queries;
use plimsoll_peers::recorders::{hdr, p99};
use plimsoll_peers::rounds::{Job, Samples, find, interleave, median};
use plimsoll_peers::{P99, table, values};

const STILL: &str = "none recorded into";
const BETWEEN: &str = "none recorded into, other work in between: the caches hold other things";
const BUSY: &str = "100 values in ten octaves recorded into each of 1,000";
const SERIES: usize = 10_000;
const ACTIVE: usize = 1_000;
/// Records into an active series between two ticks; also into a slot.
const EACH: usize = 100;
const SLOTS: usize = 60;
/// It is open to the left: 61 samples are 60 differences.
const WINDOW: Duration = Duration::from_secs(SLOTS as u64 + 1);

fn main() {
    let nanos = values::ten_octaves(1 << 16);
    let nanos: &'static [u64] = nanos.leak();
    let [still, busy]: [&Queries; 2] = [0, 1].map(|_| &*Box::leak(Box::new(filled(nanos))));
    let job = |name, queries: &'static Queries, active| {
        let tick = || queries.plimsoll().tick();
        let prepare = move || {
            if active {
                write(queries, SERIES / ACTIVE, EACH, nanos);
            }
            queries.pass();
        };
        Job::call(name, tick).prepare(prepare).single()
    };
    let mut ticks = interleave(&[job(STILL, still, false)], 1);
    ticks.extend(interleave(
        &[job(BETWEEN, still, false), job(BUSY, busy, true)],
        1,
    ));
    table::heading(
        "tick: 10,000 series; p95 and error ratio budgets over all of them and on each of ten",
    );
    println!("| since the last tick | ms | ns for each series |\n|---|---:|---:|");
    for samples in &ticks {
        let ns = median(&samples.ns);
        let [ms, each] = [ns / 1e6, ns / SERIES as f64].map(table::figure);
        println!("| {} | {ms} | {each} |", samples.name);
    }

    table::heading("tick: the p99 of a window of 60 slots, 100 values in each");
    table::compare(&windows(nanos));

    table::targets();
    table::at_most(
        "tick, an untouched series, caches warm, ns",
        median(&find(&ticks, STILL).ns) / SERIES as f64,
        30.0,
    );
    table::at_most(
        "tick, 10,000 series, 1,000 of them active, ms",
        median(&find(&ticks, BUSY).ns) / 1e6,
        6.0,
    );
}

/// Every series was written to, and that was looked at.
fn filled(nanos: &[u64]) -> Queries {
    let queries = Queries::new(SERIES);
    for _ in 0..2 {
        write(&queries, 1, EACH / 10, nanos);
        queries.pass();
        queries.plimsoll().tick();
    }
    queries
}

/// Records `each` values into every `step`th series.
fn write(queries: &Queries, step: usize, each: usize, nanos: &[u64]) {
    let values = nanos.chunks_exact(each).cycle();
    for (at, values) in (0..SERIES).step_by(step).zip(values) {
        values.iter().for_each(|&ns| queries.record(at, ns));
    }
}

fn windows(nanos: &[u64]) -> Vec<Samples> {
    let slots = || nanos.chunks_exact(EACH).cycle();
    let clock = ManualClock::new();
    let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
    let watch = Watch::new("work", Select::operation("work")).over(WINDOW);
    let plimsoll = builder.watch(watch).build().expect("no mistakes");
    let operation = plimsoll.operation("work");
    let next = Mutex::new(slots());
    let fill = || {
        let values = next.lock().expect("no panic").next();
        for &ns in values.expect("it never ends") {
            operation.record(Outcome::Ok, Duration::from_nanos(ns));
        }
        clock.advance(Duration::from_secs(1));
    };
    for _ in 0..=SLOTS {
        fill();
        plimsoll.tick();
    }
    let digits: Vec<_> = slots().take(SLOTS).map(hdr_of).collect();
    let buckets: Vec<_> = slots().take(SLOTS).map(buckets_of).collect();
    let buckets: Vec<&Buckets> = buckets.iter().collect();
    let jobs = [
        Job::call("plimsoll: a tick, the window's reading, its p99", || {
            plimsoll.tick();
            let reading = plimsoll.window("work", WINDOW).expect("it is watched");
            assert_eq!(reading.count, (SLOTS * EACH) as u64);
            reading.quantile(P99)
        })
        .prepare(fill)
        .single(),
        Job::call("histogram 1.6.4: `checked_sum` of 60, p99", || {
            p99(&Buckets::checked_sum(&buckets).expect("of one kind"))
        }),
        Job::call("hdrhistogram 7.6.0: `add` of 60, p99", || {
            let mut sum = hdr();
            for slot in &digits {
                sum.add(slot).expect("of one kind");
            }
            sum.value_at_quantile(P99)
        }),
    ];
    interleave(&jobs, 1)
}

fn hdr_of(nanos: &[u64]) -> hdrhistogram::Histogram<u64> {
    let mut slot = hdr();
    nanos.iter().for_each(|&ns| slot.saturating_record(ns));
    slot
}

fn buckets_of(nanos: &[u64]) -> Buckets {
    let mut slot = Buckets::new(7, 42).expect("valid powers");
    for &ns in nanos {
        slot.increment(ns).expect("in range");
    }
    slot
}
