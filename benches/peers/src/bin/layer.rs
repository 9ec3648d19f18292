//! What does a layer that measures requests cost them, beyond the bare axum router of the same round?

use plimsoll_peers::counting::{Counting, allocated};
use plimsoll_peers::layers::{self, *};
use plimsoll_peers::rounds::{Job, Ratio, Samples, interleave, interleave_by_cpu};
use plimsoll_peers::table;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let contenders = layers::all();
    let requests: Vec<Job<'_>> = contenders.iter().map(Contender::requests).collect();

    table::heading("layer: what a request costs beyond the bare router, one thread");
    let one = added(&interleave(&requests, 1));
    let calls = allocations(&contenders);
    beside_the_floor(&one, &calls);

    table::heading("layer: what a second thread on the same route adds to each request");
    let two = added(&interleave_by_cpu(&requests, 2));
    let penalty = beyond(&two, &one);
    penalties(&penalty);

    table::heading("layer: a new connection to a router of 100 routes");
    let connections: Vec<Job<'_>> = contenders.iter().map(Contender::connections).collect();
    let connections = interleave(&connections, 1);
    table::compare_to(
        &connections,
        find(&connections, NOOP),
        "the layer that does nothing",
    );

    table::targets();
    for (name, floors, share) in [(TSC, 1.25, 1.0 / 6.0), (INSTANT, 1.6, 1.0 / 5.0)] {
        if contenders.iter().any(|contender| contender.name == name) {
            targets_of(name, floors, share, &one, &calls);
        }
    }
    let ours = find(&penalty, INSTANT);
    table::ratio_at_most(
        "second thread, ÷ prometheus-axum-middleware",
        Ratio::of(ours, find(&penalty, PROMETHEUS)),
        0.25,
    );
    table::ratio_at_most(
        "a new connection, ÷ a layer that does nothing",
        Ratio::of(find(&connections, INSTANT), find(&connections, NOOP)),
        1.2,
    );
}

fn targets_of(name: &str, floors: f64, share: f64, one: &[Samples], calls: &[(&str, f64)]) {
    let ratio = |base| Ratio::of(find(one, name), find(one, base));
    table::ratio_at_most(&format!("{name}, added, ÷ floor"), ratio(FLOOR), floors);
    table::ratio_at_most(
        &format!("{name}, added, ÷ axum-prometheus"),
        ratio(AXUM_PROMETHEUS),
        share,
    );
    let calls = calls.iter().find(|(contender, _)| *contender == name);
    let calls = calls.expect("every name is a contender's").1;
    table::at_most(
        &format!("{name}, allocations beyond the router"),
        calls,
        3.0,
    );
}

/// Every sample less the bare router's of the same round.
fn added(all: &[Samples]) -> Vec<Samples> {
    let bare = find(all, BARE);
    let layers = all.iter().filter(|samples| samples.name != BARE);
    layers.map(|samples| samples.less(bare)).collect()
}

/// Every sample of `two` less the same contender's of `one`.
fn beyond(two: &[Samples], one: &[Samples]) -> Vec<Samples> {
    two.iter()
        .zip(one)
        .map(|(two, one)| two.less(one))
        .collect()
}

/// Calls of the allocator by each request, beyond the bare router's.
fn allocations(contenders: &[Contender]) -> Vec<(&str, f64)> {
    const REQUESTS: usize = 1_000;
    let calls = |contender: &Contender| {
        // The difference of two runs, so that the connection cancels, and the least of them, for now and then a
        // duration that was not seen before makes room for itself.
        let each = |_| {
            let few = allocated(|| contender.answer(REQUESTS)).1.calls as f64;
            let many = allocated(|| contender.answer(2 * REQUESTS)).1.calls as f64;
            (many - few) / REQUESTS as f64
        };
        (0..5).map(each).fold(f64::INFINITY, f64::min)
    };
    let bare = calls(&contenders[0]);
    let layers = contenders.iter().skip(1);
    layers
        .map(|layer| (layer.name, calls(layer) - bare))
        .collect()
}

fn beside_the_floor(added: &[Samples], calls: &[(&str, f64)]) {
    println!("| contender | added ns | ÷ floor | 95 % of the ratio | allocations |");
    println!("|---|---:|---:|---:|---:|");
    let floor = find(added, FLOOR);
    for (samples, (_, calls)) in added.iter().zip(calls) {
        println!("{} {calls:.2} |", table::line(samples, floor));
    }
}

fn penalties(penalty: &[Samples]) {
    println!("| contender | ns of CPU | 95 % |");
    println!("|---|---:|---:|");
    for samples in penalty {
        let ns = samples.interval();
        let (name, median) = (&samples.name, ns.median);
        println!("| {name} | {median:.1} | {:.1}–{:.1} |", ns.low, ns.high);
    }
}

fn find<'a>(all: &'a [Samples], name: &str) -> &'a Samples {
    let found = all.iter().find(|samples| samples.name == name);
    found.expect("every name is a contender's")
}
