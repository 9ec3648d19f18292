//! Every panel of every dashboard, asked of a real Prometheus that scrapes the demonstration services: what
//! `plimsoll verify` says of each declaration that comes with the crate.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll::expr::Dialect;
use plimsoll::generate::{Declaration, Operations, RuleOptions};
use serde_json::Value;

use super::prometheus::Prometheus;
use super::{gateway, get, start};

const SECOND: Duration = Duration::from_secs(1);
/// Each declaration, the service that keeps its promises, how many dashboards it has, those of its SLOs included.
const ALL: [(&str, &str, usize); 5] = [
    ("gateway", "gateway", 5),
    ("api", "api", 1),
    ("router", "router", 3),
    ("board", "platform", 1),
    ("services", "platform", 3),
];

/// A Prometheus with the generated configuration and rules; the folder holds the rules.
fn prometheus(declaration: &Path, address: &str) -> (Prometheus, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yml");
    let operations = Operations::new()
        .targets([address])
        .scrape_interval(SECOND)
        .evaluation_interval(SECOND)
        .rule_files([rules.to_str().unwrap()])
        .alertmanagers([] as [&str; 0]);
    let declaration = Declaration::read(declaration).unwrap();
    let declaration = declaration.operations(operations).unwrap();
    let text = declaration.rules(RuleOptions::new()).to_string();
    std::fs::write(rules, text).unwrap();
    let binary = std::env::var("PLIMSOLL_PROMETHEUS3").expect("set by tests/run");
    let config = declaration.prometheus(Dialect::V3);
    (Prometheus::start(&binary, &[], &config), folder)
}

/// Requests that the gateway does not make of itself while it serves.
fn load(address: &str, over: &AtomicBool) {
    let write = "POST /api/devices/press-1/registers HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: 6\r\n\r\n[15,7]";
    while !over.load(Ordering::Relaxed) {
        get(address, "/api/devices");
        get(address, "/api/devices/press-1/registers");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(write.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What the command says of every expression, once they all return something or after a while.
fn verified(name: &str, program: &str) -> Vec<Value> {
    let file = format!("{name}.toml");
    let declaration = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/declarations");
    let declaration = declaration.join(file);
    let promises = declaration.to_str().unwrap();
    let program = gateway().with_file_name(program);
    let (_service, address, _said) = start(program, &["--promises", promises]);
    let (prometheus, _rules) = prometheus(&declaration, &address);
    let over = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        if name == "gateway" {
            scope.spawn(|| load(&address, &over));
        }
        let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args([
                "verify",
                promises,
                "--json",
                "--wait",
                "50s",
                "--prometheus",
            ])
            .arg(format!("http://{}", prometheus.address()))
            .output();
        over.store(true, Ordering::Relaxed);
        output.unwrap()
    });
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{name}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn every_panel_of_every_dashboard_returns_what_its_legend_names() {
    let all = std::thread::scope(|scope| {
        let running = ALL.map(|(name, program, _)| scope.spawn(|| verified(name, program)));
        running.map(|one| one.join().unwrap())
    });
    let mut wrong = Vec::new();
    for ((name, _, dashboards), asked) in ALL.into_iter().zip(&all) {
        let (panels, rules): (Vec<_>, Vec<_>) =
            asked.iter().partition(|one| one["kind"] == "panel");
        for one in &panels {
            let [place, panel, answer, note] =
                ["place", "name", "answer", "note"].map(|key| one[key].as_str().unwrap());
            eprintln!("{place:<26} {panel:<50} {answer:<8} {note}");
            if answer != "green" {
                wrong.push(format!(
                    "{place}: {panel}: {answer} {note}: {}",
                    one["expr"]
                ));
            }
        }
        let mut places: Vec<_> = panels.iter().map(|one| one["place"].as_str()).collect();
        places.dedup();
        assert_eq!(places.len(), dashboards, "{name}: {places:?}");
        let quiet = rules.iter().filter(|one| one["answer"] != "green");
        let quiet: Vec<_> = quiet.collect();
        eprintln!(
            "{name}: {} of {} rules have what they read",
            rules.len() - quiet.len(),
            rules.len()
        );
        for one in quiet {
            eprintln!("    {}: {} {}", one["name"], one["answer"], one["note"]);
            if one["answer"] == "error" {
                wrong.push(one.to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
