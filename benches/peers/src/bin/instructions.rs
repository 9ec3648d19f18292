//! Records as often as it is told to, for callgrind to count: `instructions <number of the contender> <records>`.
//!
//! Without arguments it lists the contenders.

use plimsoll_peers::recorders::{self, Contender};

fn main() {
    let contenders = recorders::plain();
    let arguments: Vec<usize> = std::env::args().skip(1).map(|text| number(&text)).collect();
    match arguments[..] {
        [contender, records] => measured(&contenders[contender], records),
        _ => contenders
            .iter()
            .for_each(|contender| println!("{}", contender.name)),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a whole number")
}

/// Callgrind counts what happens in here: its name is in `callgrind.sh`.
#[unsafe(no_mangle)]
#[inline(never)]
extern "Rust" fn measured(contender: &Contender, records: usize) {
    contender.record(0, records);
}
