//! What does it cost to time a query: a blocking one of 300 ns, one of many in a request, and one of sqlx?

use plimsoll_peers::counting::{Counting, allocated};
use plimsoll_peers::pools::{self, Way};
use plimsoll_peers::rounds::{Job, Ratio, Samples, find, interleave, interleave_figures};
use plimsoll_peers::selects::{self, Door};
use plimsoll_peers::{requests, table};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Queries of which allocations are counted; twice as many less as many, so that what only the first ones need cancels.
const COUNTED: usize = 1_000;
/// Queries of a sample of sqlx.
const QUERIES: usize = 200;

fn main() {
    blocking();
    in_requests();
    let around = pools::all();
    for way in Way::ALL {
        with_sqlx(&around, way);
    }
}

fn blocking() {
    let contenders = selects::all(selects::accounts());
    let jobs: Vec<Job<'_>> = contenders.iter().map(selects::Contender::job).collect();
    table::heading("db: what is added to a point select on an in-memory SQLite (rusqlite 0.39.0)");
    let added = added(&interleave(&jobs, 1));
    let calls: Vec<f64> = contenders
        .iter()
        .map(|contender| each(|queries| contender.query(queries)))
        .collect();
    let more = beyond_the_first(&calls);
    show(&added, &more, selects::HANDLES, "kept handles");
    table::targets();
    for (clock, _) in selects::clocks() {
        for door in Door::ALL {
            let name = door.name(clock);
            let at = added.iter().position(|samples| samples.name == name);
            let at = at.expect("a contender's");
            let ratio = |base| Ratio::of(&added[at], find(&added, base));
            table::ratio_at_most(
                &format!("{name}, ÷ kept handles"),
                ratio(selects::HANDLES),
                1.3,
            );
            table::ratio_at_most(&format!("{name}, ÷ macros"), ratio(selects::MACROS), 0.5);
            table::at_most(&format!("{name}, allocations"), more[at], 0.0);
        }
    }
}

fn in_requests() {
    for (clock, plimsoll) in selects::clocks() {
        let contenders = requests::all(selects::accounts(), &plimsoll);
        let jobs: Vec<Job<'_>> = contenders.iter().map(requests::Contender::job).collect();
        table::heading(&format!(
            "db, {clock}: what is added to each of eight queries that a request makes"
        ));
        let added = requests::added(&interleave(&jobs, 1));
        table::compare_to(&added, &added[0], "without a record");
    }
}

fn with_sqlx(contenders: &[pools::Contender], way: Way) {
    let names: Vec<&str> = contenders.iter().map(|contender| contender.name).collect();
    table::heading(&format!(
        "db: what is added to a query of sqlx 0.9.0, {}",
        way.name()
    ));
    let figures = interleave_figures(&names, |at| contenders[at].query(way, QUERIES));
    let added = added(&figures);
    let calls: Vec<f64> = contenders
        .iter()
        .map(|contender| each(|queries| _ = contender.query(way, queries)))
        .collect();
    let more = beyond_the_first(&calls);
    show(&added, &more, pools::OTEL, "sqlx-otel with an SDK");
    let bare = find(&figures, pools::BARE).interval();
    println!(
        "\nWithout anybody around it, polling takes {:.0} ns and {:.0} allocations.",
        bare.median, calls[0]
    );
    table::targets();
    for (ours, more) in added
        .iter()
        .zip(&more)
        .filter(|(ours, _)| ours.name.starts_with("plimsoll"))
    {
        let name = format!("sqlx {}, {}", way.name(), ours.name);
        let ratio = Ratio::of(ours, find(&added, pools::OTEL));
        table::ratio_at_most(&format!("{name}, added, ÷ sqlx-otel"), ratio, 0.2);
        table::at_most(&format!("{name}, allocations"), *more, 1.0);
    }
}

/// Every sample less that of the first contender, in the same round.
fn added(all: &[Samples]) -> Vec<Samples> {
    all[1..]
        .iter()
        .map(|samples| samples.less(&all[0]))
        .collect()
}

/// Allocations of each query, the least of some runs. Whole ones: now and then a page of a histogram is made, or a block of a
/// queue, and a reply that is there already needs nobody to be woken.
fn each(query: impl Fn(usize)) -> f64 {
    let calls = |queries| allocated(|| query(queries)).1.calls as f64;
    let each = |_| ((calls(2 * COUNTED) - calls(COUNTED)) / COUNTED as f64).round();
    (0..5).map(each).fold(f64::INFINITY, f64::min)
}

fn beyond_the_first(all: &[f64]) -> Vec<f64> {
    all[1..].iter().map(|calls| calls - all[0]).collect()
}

/// One line per contender: what it adds, beside `base`.
fn show(added: &[Samples], calls: &[f64], base: &str, title: &str) {
    println!(
        "| contender | added ns | ÷ {title} | 95 % of the ratio | put off, ns | allocations |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    let base = find(added, base);
    for (samples, calls) in added.iter().zip(calls) {
        let (line, put_off) = (table::line(samples, base), table::put_off(samples));
        println!("{line} {put_off} | {calls:.0} |");
    }
}
