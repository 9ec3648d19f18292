//! What does a layer cost a server on a real socket under load: CPU time for each request, beside the bare server's?
//!
//! `socket --serve NAME` is one of the servers.

use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use plimsoll_peers::rounds::{Ratio, Samples, median};
use plimsoll_peers::servers::{
    self, BARE, CONNECTIONS, DEFAULT, EVERYTHING, Load, SERVERS, Server,
};
use plimsoll_peers::table;

/// Processes of each server, one after the other: where each has its memory is chance.
const FLEETS: usize = 5;
/// Rounds with the same processes.
const ROUNDS: usize = 6;
/// How long a load lasts; `wrk` knows whole seconds only.
const SECONDS: u32 = 1;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => compare(),
        ["--serve", name] => servers::serve(name),
        _ => Err(io::Error::other("socket [--serve NAME]")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> io::Result<()> {
    let mut all: Vec<Served> = SERVERS.iter().map(|kind| Served::new(kind.title)).collect();
    for _ in 0..FLEETS {
        fleet(&mut all)?;
    }
    table::heading(&format!(
        "socket: CPU time of the server for each request, wrk -t2 -c{CONNECTIONS}, {} rounds",
        FLEETS * ROUNDS
    ));
    print(&all);
    targets(&all);
    Ok(())
}

/// What one kind of server took and answered, round by round.
struct Served {
    cpu: Samples,
    per_second: Vec<f64>,
}

impl Served {
    fn new(title: &str) -> Self {
        Self {
            cpu: Samples::of(title),
            per_second: Vec::new(),
        }
    }
}

/// One process of each server; they take turns.
fn fleet(all: &mut [Served]) -> io::Result<()> {
    let running: io::Result<Vec<Running>> = SERVERS.iter().map(Running::start).collect();
    let mut running = running?;
    for round in 0..ROUNDS {
        for at in order(round) {
            running[at].sample(&mut all[at])?;
        }
    }
    running.iter().try_for_each(Running::check)
}

/// Rotates, and turns round every other time: nobody always follows the same one.
fn order(round: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..SERVERS.len()).collect();
    order.rotate_left(round % SERVERS.len());
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// A process and what is known of it.
struct Running {
    server: Server,
    /// Its CPU time when its last turn ended.
    cpu_ns: f64,
    /// Answers that `wrk` saw.
    requests: u64,
}

impl Running {
    /// Starts and warms up.
    fn start(kind: &servers::Kind) -> io::Result<Self> {
        let server = Server::start(*kind)?;
        let requests = load(&server)?.requests;
        Ok(Self {
            cpu_ns: server.cpu_ns(),
            server,
            requests,
        })
    }

    /// Its turn: what it takes for each request, and what it took since its last turn, unasked.
    fn sample(&mut self, served: &mut Served) -> io::Result<()> {
        let before = self.server.cpu_ns();
        let load = load(&self.server)?;
        let after = self.server.cpu_ns();
        let requests = load.requests as f64;
        served.cpu.ns.push((after - before) / requests);
        served.cpu.drain_ns.push((before - self.cpu_ns) / requests);
        served.per_second.push(load.per_second);
        self.requests += load.requests;
        self.cpu_ns = after;
        Ok(())
    }

    /// Whoever counts must have counted what `wrk` saw, and at most one more for each connection that it hung up.
    fn check(&self) -> io::Result<()> {
        let Some(counted) = self.server.counted()? else {
            return Ok(());
        };
        let late = CONNECTIONS * (ROUNDS as u64 + 1);
        let (name, seen) = (self.server.kind.name, self.requests);
        if (seen..=seen + late).contains(&counted) {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "{name} counted {counted} requests, wrk {seen}"
        )))
    }
}

/// One load; the server that has everything on is scraped meanwhile, once a second.
fn load(server: &Server) -> io::Result<Load> {
    thread::scope(|scope| {
        let scraped = (server.kind.name == EVERYTHING).then(|| {
            scope.spawn(|| {
                thread::sleep(Duration::from_secs(u64::from(SECONDS)) / 2);
                server.page()
            })
        });
        let load = servers::wrk(&server.url("/users/7"), SECONDS)?;
        if let Some(page) = scraped {
            page.join().expect("no panic")?;
        }
        Ok(load)
    })
}

fn print(all: &[Served]) {
    println!(
        "| server | µs of CPU | ÷ no layer | 95 % of the ratio | between its turns, µs | requests/s |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for served in all {
        let cpu = &served.cpu;
        let ratio = Ratio::of(cpu, &all[0].cpu);
        println!(
            "| {} | {:.2} | {:.3} | {:.3}–{:.3} | {:.2} | {} |",
            cpu.name,
            median(&cpu.ns) / 1e3,
            ratio.median,
            ratio.low,
            ratio.high,
            median(&cpu.drain_ns) / 1e3,
            table::thousands(median(&served.per_second)),
        );
    }
}

fn targets(all: &[Served]) {
    let served = |name| {
        let at = SERVERS.iter().position(|kind| kind.name == name);
        &all[at.expect("every name is a server's")]
    };
    table::targets();
    let ratio = Ratio::of(&served(DEFAULT).cpu, &served(BARE).cpu);
    table::bound_at_most("socket, CPU for each request, ÷ no layer", ratio, 1.03);
    let per_second = median(&served(EVERYTHING).per_second);
    table::at_least("socket, everything on, requests/s", per_second, 10_000.0);
}
