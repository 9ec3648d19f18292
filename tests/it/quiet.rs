//! What it does not do unless it is told to: it opens no port, and writes nothing anywhere.

use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use plimsoll::band::{Dynamic, Method};
use plimsoll::{Budget, ManualClock, Outcome, Plimsoll, Select, Slo};

use crate::alone::is_alone;

/// What this process has open (sockets, files, pipes), and how many bytes it has written to whatever it was.
#[derive(Debug, PartialEq)]
struct Footprint {
    open: Vec<String>,
    written: u64,
}

impl Footprint {
    fn now() -> Self {
        let entries = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let mut open: Vec<String> = entries
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .map(|target| target.display().to_string())
            .collect();
        open.sort();
        let io = fs::read_to_string("/proc/self/io").unwrap();
        let written = io.lines().find_map(|line| line.strip_prefix("wchar: "));
        Self {
            open,
            written: written.unwrap().parse().unwrap(),
        }
    }
}

/// A service that breaches and recovers, judged by every kind of promise.
fn live() {
    let work = || Select::operation("work");
    let dynamic = Dynamic::new(Method::HourOfWeek);
    let (clock, (send, heard)) = (ManualClock::new(), mpsc::channel());
    let recovered = send.clone();
    let plimsoll = Plimsoll::builder()
        .service("quiet")
        .budget(Budget::error_ratio("errors", work()).at_most(0.1))
        .budget(Budget::quantile("slow", work(), 0.95).dynamic(dynamic))
        .slo(
            Slo::availability("kept", work())
                .objective(0.99)
                .rolling(30),
        )
        .on_breach(move |_| send.send("breach").unwrap())
        .on_recovery(move |_| recovered.send("recovery").unwrap())
        .clock(clock.clone())
        .manual_tick()
        .build()
        .unwrap();
    for second in 0..600 {
        let outcome = if (200..300).contains(&second) {
            Outcome::Error
        } else {
            Outcome::Ok
        };
        let operation = plimsoll.operation("work");
        operation.record(outcome, Duration::from_millis(second));
        clock.advance(Duration::from_secs(1));
        plimsoll.tick();
        plimsoll.render();
    }
    let next = || heard.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(next(), "breach");
    while next() != "recovery" {}
    // Ticked by a thread of its own.
    let plimsoll = Plimsoll::builder().build().unwrap();
    plimsoll
        .operation("work")
        .record(Outcome::Ok, Duration::ZERO);
    assert!(!plimsoll.render().is_empty());
}

/// Everything that can be generated.
#[cfg(feature = "generate")]
fn generate() {
    use plimsoll::expr::Dialect;
    use plimsoll::generate::{Declaration, RuleOptions};

    let text = include_str!("../../examples/declarations/api.toml");
    let declaration = Declaration::parse(text).unwrap();
    assert!(!declaration.rules(RuleOptions::new()).groups().is_empty());
    assert!(!declaration.dashboards().is_empty());
    assert!(!declaration.alertmanager().is_empty());
    assert!(!declaration.prometheus(Dialect::default()).is_empty());
    assert!(!declaration.runbook().is_empty());
    assert!(!declaration.catalogue().is_empty());
}

#[test]
fn no_port_is_opened_and_nothing_is_written_unless_it_is_asked_for() {
    if !is_alone("quiet::no_port_is_opened_and_nothing_is_written_unless_it_is_asked_for") {
        return;
    }
    let before = Footprint::now();
    live();
    #[cfg(feature = "generate")]
    generate();
    assert_eq!(Footprint::now(), before);

    let file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut &file, b"seen").unwrap();
    let after = Footprint::now();
    assert_eq!(after.open.len(), before.open.len() + 1);
    assert_eq!(after.written, before.written + 4);
}
