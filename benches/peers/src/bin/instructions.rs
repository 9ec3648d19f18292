//! Does one thing as often as it is told to, for callgrind to count:
//! `instructions <record, layer, query, select, pool or connection> <number of the contender> <times>`.
//!
//! Without the last two arguments it lists the contenders.

use plimsoll_peers::{layers, pools, recorders, repeats, selects};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["record", ref rest @ ..] => {
            let all = recorders::plain();
            let names: Vec<&str> = all.iter().map(|contender| contender.name).collect();
            count(rest, &names, &|at, times| all[at].record(0, times));
        }
        ["layer", ref rest @ ..] => {
            let all = layers::all();
            let names: Vec<&str> = all.iter().map(|contender| contender.name).collect();
            count(rest, &names, &|at, times| all[at].answer(times));
        }
        ["query", ref rest @ ..] => {
            let all = repeats::all();
            let names: Vec<&str> = all.iter().map(|contender| contender.name).collect();
            count(rest, &names, &|at, times| all[at].query(times));
        }
        ["select", ref rest @ ..] => {
            let all = selects::all(selects::accounts());
            let names: Vec<&str> = all.iter().map(|contender| &*contender.name).collect();
            count(rest, &names, &|at, times| all[at].query(times));
        }
        [question @ ("pool" | "connection"), ref rest @ ..] => {
            let all = pools::all();
            let names: Vec<&str> = all.iter().map(|contender| contender.name).collect();
            let way = match question {
                "pool" => pools::Way::ThroughPool,
                _ => pools::Way::OnConnection,
            };
            count(rest, &names, &|at, times| {
                all[at].query(way, times);
            });
        }
        _ => eprintln!("say what to count: record, layer, query, select, pool or connection"),
    }
}

fn count(arguments: &[&str], names: &[&str], run: &dyn Fn(usize, usize)) {
    match arguments {
        [contender, times] => measured(run, number(contender), number(times)),
        _ => names.iter().for_each(|name| println!("{name}")),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a whole number")
}

/// Callgrind counts what happens in here: its name is in `callgrind.sh`.
#[unsafe(no_mangle)]
#[inline(never)]
extern "Rust" fn measured(run: &dyn Fn(usize, usize), contender: usize, times: usize) {
    run(contender, times);
}
