//! A service under load with faults, judged in the process and by a real Prometheus with the rules that it prints: what one says
//! the other says. All durations are a 60th of the usual ones: windows of a minute for an hour, `for` of 2 s, evaluations every
//! second.

mod compare;
mod load;
mod observed;
mod promises;
mod service;
mod stands;

use std::time::Duration;

use plimsoll::expr::Dialect;
use plimsoll::{Plimsoll, Sampling};

use compare::{Leads, Tally};
use load::{Fault, Load};
use observed::Observer;
use service::{Reader, Served};
use stands::Stand;

/// How long faults come and go.
const LENGTH: Duration = Duration::from_secs(88);
const SECOND: Duration = Duration::from_secs(1);
/// A tick that is a tenth of a scrape interval: by default it is a fifteenth to a sixtieth of what Prometheus usually has.
const SHORT: Duration = Duration::from_millis(100);

/// What came of a run.
#[derive(Debug, Default)]
struct Report {
    /// Sampled at the scrape: the engine itself against Prometheus.
    engine: Tally,
    /// The evaluator over what Prometheus kept, against Prometheus, at either sampling.
    evaluator: Tally,
    /// Values of pages against what Prometheus kept of them.
    values: usize,
    /// Sampled at ticks as long as a scrape interval.
    leads: Leads,
    /// Sampled at short ones.
    short: Leads,
}

fn prometheus3() -> String {
    std::env::var("PLIMSOLL_PROMETHEUS3").expect("set by tests/run")
}

/// The same load on three instances: one that samples at the scrape, with a Prometheus of its own, and two that sample at the
/// tick, of which one is scraped by another Prometheus.
fn run(fault: Fault, binary_of_ticks: &str, dialect_of_ticks: Dialect) -> Report {
    let scraped = Served::start(Sampling::Scrape, Reader::Pinned);
    let ticking = Served::start(Sampling::Tick, Reader::Real);
    let short = ticking.double(SHORT);
    let (exact, early) = std::thread::scope(|scope| {
        let exact = scope.spawn(|| Observer::start(&prometheus3(), &scraped));
        let early = scope.spawn(|| Observer::start(binary_of_ticks, &ticking));
        (exact.join().unwrap(), early.join().unwrap())
    });
    // Not before the first scrape: what came earlier would be known to the process alone.
    let load = Load::start(
        fault,
        &[&scraped.plimsoll, &ticking.plimsoll, &short.plimsoll],
    );
    let (at_scrapes, at_ticks, at_short) = std::thread::scope(|scope| {
        let at_scrapes = scope.spawn(|| follow(&scraped.plimsoll, SECOND, |nth| exact.next(nth)));
        let ticks = |served, interval| {
            let next = move |_| service::next(interval);
            // Where a tick is between two evaluations is another in each run.
            let phase = Duration::from_millis(333) * fault as u32;
            scope.spawn(move || {
                std::thread::sleep(phase);
                follow(served, interval, next)
            })
        };
        let at_ticks = ticks(&ticking.plimsoll, SECOND);
        let at_short = ticks(&short.plimsoll, SHORT);
        let joined = (at_scrapes.join(), at_ticks.join(), at_short.join());
        (joined.0.unwrap(), joined.1.unwrap(), joined.2.unwrap())
    });
    drop(load);
    let (exact, early) = (exact.take(), early.take());
    let mut report = Report {
        values: compare::pages(&scraped.pages(), &exact),
        ..Report::default()
    };
    report.engine.all(&at_scrapes, &exact);
    let judged = compare::judged(&exact, Dialect::V3, &[]);
    report.evaluator.all(&judged, &exact);
    let judged = compare::judged(&early, dialect_of_ticks, &early.down());
    report.evaluator.all(&judged, &early);
    report.leads.find(&at_ticks, &early);
    report.short.find(&at_short, &early);
    report
}

/// Ticks for the length of the run, and tells where everything stood at each.
fn follow(
    plimsoll: &Plimsoll,
    interval: Duration,
    moment: impl Fn(i64) -> service::Moment,
) -> Vec<Stand> {
    let ticks = LENGTH.as_millis() / interval.as_millis();
    (0..ticks as i64)
        .map(|nth| {
            let moment = moment(nth);
            let at_ms = moment.tick(plimsoll);
            Stand::of(plimsoll, at_ms, moment.executed_ms)
        })
        .collect()
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn a_live_prometheus_says_the_same() {
    let binary = prometheus3();
    let runs = [
        (Fault::Errors, &*binary, Dialect::V3),
        (Fault::Latency, "prometheus", Dialect::V2_42),
        (Fault::Outage, &*binary, Dialect::V3),
    ];
    let reports = std::thread::scope(|scope| {
        let runs = runs.map(|(fault, binary, dialect)| {
            scope.spawn(move || (fault, run(fault, binary, dialect)))
        });
        runs.map(|run| run.join().unwrap())
    });
    let (mut leads, mut short) = (Leads::default(), Leads::default());
    for (fault, report) in &reports {
        eprintln!(
            "{fault:?}: {} values of pages are those that Prometheus has",
            report.values
        );
        eprintln!("{fault:?}, the engine: {}", report.engine);
        eprintln!("{fault:?}, the evaluator: {}", report.evaluator);
        eprintln!(
            "{fault:?}, how much earlier at ticks of 1 s: {}",
            report.leads
        );
        eprintln!(
            "{fault:?}, how much earlier at ticks of 100 ms: {}",
            report.short
        );
        leads.join(&report.leads);
        short.join(&report.short);
    }
    eprintln!("all runs, how much earlier at ticks of 1 s: {leads}");
    eprintln!("all runs, how much earlier at ticks of 100 ms: {short}");
    for (fault, report) in &reports {
        assert!(report.values > 2_000, "{fault:?}: {}", report.values);
        report.engine.check();
        report.evaluator.check();
        report.leads.check();
        report.short.check();
        let learned = match fault {
            Fault::Errors => "learned-errors",
            Fault::Latency => "learned-p95",
            Fault::Outage => "learned-rate",
        };
        assert!(report.engine.saw_firing(learned), "{learned}");
    }
}
