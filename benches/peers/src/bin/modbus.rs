//! What does it cost to measure a Modbus request: in itself, and beside a round trip over loopback TCP?

use plimsoll_peers::contexts::{self, FLOOR};
use plimsoll_peers::counting::{Counting, allocated};
use plimsoll_peers::devices::{self, Fleet, Where};
use plimsoll_peers::rounds::{Job, Ratio, Samples, find, interleave, interleave_figures};
use plimsoll_peers::selects::clocks;
use plimsoll_peers::table;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Requests of which allocations are counted; twice as many less as many, so that what only the first ones need cancels.
const COUNTED: usize = 1_000;
/// Reads of a sample over TCP whose elapsed time is taken.
const READS: usize = 200;

fn main() {
    without_a_socket();
    processor_time();
    elapsed();
}

fn without_a_socket() {
    let contenders = contexts::all();
    let jobs: Vec<Job<'_>> = contenders.iter().map(contexts::Contender::job).collect();
    table::heading("modbus: what is added to a read from a client without a socket");
    let all = interleave(&jobs, 1);
    let added: Vec<Samples> = all[1..].iter().map(|one| one.less(&all[0])).collect();
    let calls: Vec<f64> = contenders
        .iter()
        .map(|contender| each(|reads| contender.read(reads)))
        .collect();
    println!("| contender | added ns | ÷ floor | 95 % of the ratio | put off, ns | allocations |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (samples, calls_of) in added.iter().zip(&calls[1..]) {
        let line = table::line(samples, find(&added, FLOOR));
        let more = calls_of - calls[0];
        println!("{line} {} | {more:.0} |", table::put_off(samples));
    }
    let bare = all[0].interval().median;
    println!(
        "\nThe read alone takes {bare:.0} ns and {:.0} allocations.",
        calls[0]
    );
    table::targets();
    let at = |name: &str| all.iter().position(|samples| samples.name == name);
    for (clock, _) in clocks() {
        let name = contexts::ours(clock);
        let ratio = Ratio::of(find(&added, &name), find(&added, FLOOR));
        table::ratio_at_most(&format!("modbus, {name}, added, ÷ floor"), ratio, 1.3);
        let [ours, floor] = [&*name, FLOOR].map(|name| calls[at(name).expect("a contender's")]);
        let what = format!("modbus, {name}, allocations beyond the floor's");
        table::at_most(&what, ours - floor, 0.0);
    }
}

/// With the device in the same thread a round trip is work and nothing else, and the thread's processor time is all of it.
fn processor_time() {
    let fleet = Fleet::new(Where::SameThread);
    table::heading(
        "modbus: processor time of a read over loopback TCP, the device's and the kernel's included",
    );
    let all = interleave(&fleet.jobs(), 1);
    table::compare_to(&all, find(&all, devices::BARE), "tokio-modbus");
    allocations(&fleet);
    targets("processor time", &all);
}

fn elapsed() {
    let fleet = Fleet::new(Where::OtherThread);
    table::heading(
        "modbus: elapsed time of a read over loopback TCP, the device in another thread",
    );
    let names: Vec<&str> = fleet.contenders.iter().map(|one| one.name).collect();
    let all = interleave_figures(&names, |at| fleet.median_ns(at, READS));
    table::compare_to(&all, find(&all, devices::BARE), "tokio-modbus");
    targets("elapsed", &all);
}

fn allocations(fleet: &Fleet) {
    let calls = |(at, contender): (usize, &devices::Contender)| {
        format!(
            "{} {:.0}",
            contender.name,
            each(|reads| fleet.read(at, reads))
        )
    };
    let all: Vec<String> = fleet.contenders.iter().enumerate().map(calls).collect();
    println!("\nAllocations of each read: {}.", all.join(", "));
}

/// A device gives up in time, so it stands beside a client that does; a wrapped context does not.
fn targets(time: &str, all: &[Samples]) {
    table::targets();
    for (name, base) in [
        (devices::WRAP, devices::BARE),
        (devices::DEVICE, devices::TIMEOUT),
        (devices::CONTEXT, devices::TIMEOUT),
    ] {
        let ratio = Ratio::of(find(all, name), find(all, base));
        let what = format!("modbus, {name}, {time} over TCP, ÷ {base}");
        table::bound_at_most(&what, ratio, 1.05);
    }
}

/// Allocations of each request, the least of some runs: now and then a page of a histogram is made.
fn each(read: impl Fn(usize)) -> f64 {
    let calls = |reads| allocated(|| read(reads)).1.calls as f64;
    let each = |_| ((calls(2 * COUNTED) - calls(COUNTED)) / COUNTED as f64).round();
    (0..5).map(each).fold(f64::INFINITY, f64::min)
}
