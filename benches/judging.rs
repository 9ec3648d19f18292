//! What judging costs beside the time of a tick: memory, and what whoever records feels of it.
//!
//! 500 SLOs with the usual burn alerts, each over two series with seven windows, from five minutes to three days.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll::{ManualClock, Outcome, Plimsoll, Select, Slo};

const SLOS: usize = 500;
/// Counters of bad and of valid operations.
const SERIES: usize = 2 * SLOS;
const ROUNDS: usize = 41;
const RECORDS: u32 = 2_000_000;
/// A hundred times as often as by default.
const TICK: Duration = Duration::from_millis(10);

/// An instance whose windows are full, as dense with age as ticks of a second are kept.
fn full(clock: &ManualClock) -> Plimsoll {
    let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
    let slo = |number| {
        let select = Select::operation(format!("work-{number}"));
        Slo::availability(format!("slo-{number}"), select).objective(0.999)
    };
    let builder = (0..SLOS).fold(builder, |builder, number| builder.slo(slo(number)));
    let plimsoll = builder.build().expect("no mistakes");
    let mut left = 4 * 86_400;
    while left > 0 {
        let length = (left / 600).max(1);
        for number in 0..SLOS {
            let operation = plimsoll.operation(&format!("work-{number}"));
            operation.record(Outcome::Ok, Duration::from_millis(1));
        }
        clock.advance(Duration::from_secs(length));
        plimsoll.tick();
        left -= length;
    }
    plimsoll
}

/// A field of a file of Linux' about this process or thread.
fn field(path: &str, index: usize) -> u64 {
    let text = std::fs::read_to_string(path).expect("Linux");
    let field = text.split_whitespace().nth(index).expect("a field");
    field.parse().expect("a number")
}

fn resident() -> u64 {
    field("/proc/self/statm", 1) * 4096
}

/// Processor time that this thread has used.
fn used_ns() -> u64 {
    // What the kernel has not yet put to account is there behind a switch.
    std::thread::yield_now();
    field("/proc/thread-self/schedstat", 0)
}

/// Nanoseconds of processor time of a record.
fn record(plimsoll: &Plimsoll) -> f64 {
    let operation = plimsoll.operation("work-0");
    let before = used_ns();
    for number in 0..RECORDS {
        operation.record(
            Outcome::Ok,
            Duration::from_nanos(u64::from(number % 65_536) * 1_000),
        );
    }
    (used_ns() - before) as f64 / f64::from(RECORDS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let clock = ManualClock::new();
    let before = resident();
    let plimsoll = full(&clock);
    let grown = resident().saturating_sub(before);
    println!(
        "resident: {grown} bytes for {SERIES} series, {} each",
        grown / SERIES as u64
    );
    let (stop, judging) = (AtomicBool::new(false), AtomicBool::new(false));
    let (mut quiet, mut judged, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let ticks = std::thread::scope(|scope| {
        let ticker = scope.spawn(|| {
            let mut ticks = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                if judging.load(Ordering::Relaxed) {
                    clock.advance(TICK);
                    let begun_ns = used_ns();
                    plimsoll.tick();
                    ticks.push((used_ns() - begun_ns) as f64 / 1e3);
                }
                std::thread::sleep(TICK);
            }
            ticks
        });
        record(&plimsoll);
        for round in 0..ROUNDS {
            let mut of = [0.0; 2];
            for turn in [round % 2, 1 - round % 2] {
                judging.store(turn == 1, Ordering::Relaxed);
                of[turn] = record(&plimsoll);
            }
            quiet.push(of[0]);
            judged.push(of[1]);
            ratios.push(of[1] / of[0]);
        }
        stop.store(true, Ordering::Relaxed);
        ticker.join().expect("no panic")
    });
    println!(
        "record: {:.2} ns, {:.2} ns beside {} ticks of {:.0} µs; ratio {:.3}",
        median(quiet),
        median(judged),
        ticks.len(),
        median(ticks),
        median(ratios)
    );
}
