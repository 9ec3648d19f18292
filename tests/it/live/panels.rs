//! Everything that is generated from the declarations that come with the crate, asked of two versions of Prometheus that
//! scrape the demonstration services: each panel of each dashboard and each rule by `plimsoll verify`, and what runbooks ask.

mod load;
mod runbook;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use plimsoll::expr::Dialect;
use plimsoll::generate::{Declaration, Operations, RuleOptions};
use plimsoll::rule::RuleFile;
use serde_json::Value;

use super::prometheus::Prometheus;
use super::{gateway, get, start};
use load::Load;

const SECOND: Duration = Duration::from_secs(1);
/// Each declaration, the service that keeps its promises, how many dashboards it has, those of its SLOs included.
const ALL: [(&str, &str, usize); 5] = [
    ("gateway", "gateway", 5),
    ("api", "api", 1),
    ("router", "router", 3),
    ("board", "platform", 1),
    ("services", "platform", 3),
];

/// Rules that read what comes into being with the trouble that they tell of.
const QUIET: [(&str, &str); 1] = [("recovery", "nothing was broken and mended yet")];

/// The program of each version, what it is called here, and whose configuration it takes.
fn versions() -> [(String, &'static str, Dialect); 2] {
    let prometheus3 = std::env::var("PLIMSOLL_PROMETHEUS3").expect("set by tests/run");
    [
        (prometheus3, "3", Dialect::V3),
        ("prometheus".to_owned(), "2.42", Dialect::V2_42),
    ]
}

/// A Prometheus with the generated configuration and rules; the folder holds the rules.
fn prometheus(
    declaration: &Declaration,
    address: &str,
    (binary, _, dialect): &(String, &str, Dialect),
) -> (Prometheus, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    let operations = Operations::new()
        .targets([address])
        .scrape_interval(SECOND)
        .evaluation_interval(SECOND)
        .rule_files([file.to_str().unwrap()])
        .alertmanagers([] as [&str; 0]);
    let declaration = declaration.clone().operations(operations).unwrap();
    // What changes slowly is recorded every two minutes, which is longer than there is time for.
    let groups = declaration.rules(RuleOptions::new()).into_groups();
    let groups = groups.into_iter().map(|group| group.every(SECOND));
    std::fs::write(file, RuleFile::new(groups).to_string()).unwrap();
    let config = declaration.prometheus(*dialect);
    (Prometheus::start(binary, &[], &config), folder)
}

/// What the command says of every expression, once they all return something or after a while.
fn verified(declaration: &Path, prometheus: &Prometheus) -> Vec<Value> {
    let mut verify = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    verify
        .arg("verify")
        .arg(declaration)
        .args([
            "--json",
            "--wait",
            "90s",
            "--timeout",
            "60s",
            "--prometheus",
        ])
        .arg(format!("http://{}", prometheus.address()));
    let output = verify.output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// What each version says of one declaration, and what is wrong with it.
fn asked(name: &str, program: &str, dashboards: usize) -> (String, Vec<String>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = path.join(format!("examples/declarations/{name}.toml"));
    let declaration = Declaration::read(&path).unwrap();
    let promises = path.to_str().unwrap();
    let program = gateway().with_file_name(program);
    let (_service, address, _said) = start(program, &["--promises", promises]);
    let _load = (name == "gateway").then(|| Load::on(&address));
    let (mut matrix, mut wrong) = (String::new(), Vec::new());
    // One after the other: each is kept busy by hundreds of rules a second.
    for version in versions() {
        let (prometheus, _rules) = prometheus(&declaration, &address, &version);
        let asked = verified(&path, &prometheus);
        let at = format!("Prometheus {}: {name}", version.1);
        matrix += &tell(&at, &asked, &mut wrong);
        let mut places: Vec<_> = panels(&asked).map(|one| one["place"].as_str()).collect();
        places.dedup();
        assert_eq!(places.len(), dashboards, "{at}: {places:?}");
        matrix += &runbook::tell(&at, &declaration, &prometheus, &mut wrong);
    }
    (matrix, wrong)
}

fn panels(asked: &[Value]) -> impl Iterator<Item = &Value> {
    asked.iter().filter(|one| one["kind"] == "panel")
}

/// The matrix of panels and how many rules there are; whatever is not green comes into `wrong`.
fn tell(at: &str, asked: &[Value], wrong: &mut Vec<String>) -> String {
    let mut matrix = String::new();
    for one in asked {
        let [kind, place, name, answer, note, expr] =
            ["kind", "place", "name", "answer", "note", "expr"]
                .map(|key| one[key].as_str().unwrap());
        if kind == "panel" {
            matrix += &format!("{at:<22} {place:<26} {name:<50} {answer:<8} {note}\n");
        }
        let quiet = QUIET.iter().find(|(rule, _)| name.starts_with(rule));
        if let (true, Some((_, why)), "empty") = (kind == "alert", quiet, answer) {
            matrix += &format!("{at:<22} {place:<26} {name:<50} silent: {why}\n");
        } else if answer != "green" {
            wrong.push(format!("{at}: {place}: {name}: {answer} {note}: {expr}"));
        }
    }
    let rules = asked.len() - panels(asked).count();
    assert!(rules > 0);
    matrix + &format!("{at}: {rules} rules\n")
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn every_panel_rule_and_runbook_query_returns_something() {
    let all = std::thread::scope(|scope| {
        let running = ALL.map(|(name, program, dashboards)| {
            scope.spawn(move || asked(name, program, dashboards))
        });
        running.map(|one| one.join().unwrap())
    });
    let mut wrong = Vec::new();
    for (matrix, its) in all {
        eprint!("{matrix}");
        wrong.extend(its);
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
