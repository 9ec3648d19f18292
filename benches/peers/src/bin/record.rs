//! What does counting one duration cost, on one thread and on two that share a histogram?

use plimsoll_peers::recorders::{self, *};
use plimsoll_peers::rounds::{Job, Ratio, Samples, find, interleave};
use plimsoll_peers::table;

fn main() {
    let contenders = recorders::all();
    let jobs: Vec<Job<'_>> = contenders.iter().map(Contender::job).collect();
    let measure = |threads, question| {
        table::heading(question);
        let samples = interleave(&jobs, threads);
        table::compare(&samples);
        samples
    };
    let one = measure(1, "record: one duration, one thread");
    let two = measure(2, "record: one duration, two threads on the same histogram");
    table::targets();
    targets_of_one(&one);
    targets_of_two(&two);
}

fn targets_of_one(one: &[Samples]) {
    let ratio = |this, base| Ratio::of(find(one, this), find(one, base));
    table::ratio_at_most(
        "record, 1 thread, ÷ metriken",
        ratio(PLIMSOLL, METRIKEN),
        0.95,
    );
    table::ratio_at_most(
        "record, 1 thread, ÷ no bounds",
        ratio(PLIMSOLL, UNBOUNDED),
        1.10,
    );
    table::ratio_at_least("exporter's handle ÷ record", ratio(EXPORTER, PLIMSOLL), 8.0);
    table::ratio_at_least(
        "exporter's macro ÷ record",
        ratio(EXPORTER_MACRO, PLIMSOLL),
        55.0,
    );
    table::ratio_at_most(
        "behind the facade ÷ exporter's handle",
        ratio(FACADE, EXPORTER),
        0.5,
    );
}

fn targets_of_two(two: &[Samples]) {
    let ratio = |base| Ratio::of(find(two, PLIMSOLL), find(two, base));
    table::ratio_at_most("record, 2 threads, ÷ metriken", ratio(METRIKEN), 0.95);
    table::ratio_at_most("record, 2 threads, ÷ `AtomicHistogram`", ratio(ATOMIC), 0.2);
}
