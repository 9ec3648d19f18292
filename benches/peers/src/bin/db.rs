//! What does it cost to time a query: a blocking one of 300 ns, and one of sqlx?

use plimsoll_peers::counting::{Counting, allocated};
use plimsoll_peers::rounds::{Job, Samples, find, interleave, interleave_figures};
use plimsoll_peers::selects::{self, Contender};
use plimsoll_peers::pools::{self, Way};
use plimsoll_peers::table;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    if std::env::args().len() < 2 {
        blocking();
    }
    sqlx();
}

fn blocking() {
    let contenders = selects::all();
    let jobs: Vec<Job<'_>> = contenders.iter().map(Contender::job).collect();
    table::heading("db: what is added to a point select on an in-memory SQLite (rusqlite 0.39.0)");
    let all = interleave(&jobs, 1);
    let bare = find(&all, selects::BARE);
    println!("{:?}", bare.interval());
    let added: Vec<Samples> = all[1..].iter().map(|samples| samples.less(bare)).collect();
    table::compare_to(&added, find(&added, selects::HANDLES), "kept handles");
    for c in &contenders {
        let a = allocated(|| c.query(1000)).1.calls;
        println!("{} {a}", c.name);
    }
}
fn sqlx() {
    let contenders = pools::all();
    let names: Vec<&str> = contenders.iter().map(|contender| contender.name).collect();
    for way in [Way::ThroughPool, Way::OnConnection] {
        table::heading("db: sqlx");
        let all = interleave_figures(&names, |at| contenders[at].query(way, 200));
        let bare = find(&all, pools::BARE);
        println!("{:?}", bare.interval());
        let added: Vec<Samples> = all[1..].iter().map(|samples| samples.less(bare)).collect();
        table::compare_to(&added, find(&added, pools::OTEL), "otel");
        for c in &contenders {
            let a = |n| allocated(|| c.query(way, n)).1.calls;
            println!("{} {}", c.name, (a(2000) - a(1000)) as f64 / 1000.0);
        }
    }
}
