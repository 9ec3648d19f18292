//! `plimsoll doctor`: why is a metric missing?

mod counted;
mod families;
mod named;
mod page;
mod rules;
mod spelling;
mod targets;

use std::collections::BTreeSet;

use plimsoll::generate::{Declaration, RuleOptions};
use plimsoll::rule::RuleGroup;

use crate::Verdict;
use crate::failure::Failure;
use crate::output::say;
use crate::prometheus::{Prometheus, Server, quoted};
use crate::scope::Scope;
use crate::source::Source;

/// What Prometheus makes itself.
const OWN: [&str; 3] = ["up", "ALERTS", "ALERTS_FOR_STATE"];

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: plimsoll doctor shop.toml --prometheus http://127.0.0.1:9090\n         \
                  plimsoll doctor shop.toml --prometheus http://127.0.0.1:9090 --metric http_server_request_duration_seconds"
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    scope: Scope,
    /// The family that is missed; without it all that rules and panels read
    #[arg(long, value_name = "NAME", value_parser = named::name)]
    metric: Option<String>,
    /// Asks the page of a process itself, such as http://127.0.0.1:9100/metrics, instead of Prometheus
    #[arg(long, value_name = "URL", conflicts_with = "prometheus")]
    target: Option<String>,
}

/// Something that is not as it has to be.
#[derive(Debug)]
struct Finding {
    what: String,
    /// What is to be done.
    mend: String,
}

impl Finding {
    fn new(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            mend: mend.into(),
        }
    }
}

/// What is examined.
#[derive(Debug)]
struct Patient<'a> {
    declaration: &'a Declaration,
    /// Its rules, of the scope that is used.
    rules: &'a [RuleGroup],
    /// The names that the declaration knows of.
    known: BTreeSet<String>,
    /// The families that are looked for.
    wanted: BTreeSet<String>,
}

impl<'a> Patient<'a> {
    /// All that rules and panels read is looked for, or one family.
    fn new(declaration: &'a Declaration, rules: &'a [RuleGroup], one: Option<&String>) -> Self {
        let read = families::read_by_generated(declaration, rules.to_vec());
        let mut known = declaration.families();
        known.extend(read.iter().cloned());
        Self {
            declaration,
            rules,
            known,
            wanted: one.map_or(read, |name| BTreeSet::from([name.clone()])),
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.known.contains(name) || self.known.contains(spelling::family(name))
    }

    /// What is looked for and no part of the declaration: one that was asked for by name.
    fn unknown(&self) -> Option<&str> {
        let mut wanted = self.wanted.iter().map(String::as_str);
        wanted.find(|name| !self.knows(name))
    }
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let declaration = args.source.read()?;
    let options = RuleOptions::new().scope(args.scope.of_rules());
    let rules = declaration.rules(options).into_groups();
    let patient = Patient::new(&declaration, &rules, args.metric.as_ref());
    let findings = match &args.target {
        Some(url) => families::missing(&patient, &page::names(url, &args.server)?),
        None => of_prometheus(&patient, &args.server)?,
    };
    for Finding { what, mend } in &findings {
        say(format!("{what}\n    {mend}"))?;
    }
    if !findings.is_empty() {
        return Ok(Verdict::Found);
    }
    say(format!("nothing is wrong: {}", there(&patient)))?;
    Ok(Verdict::Well)
}

/// That all is there.
fn there(patient: &Patient<'_>) -> String {
    match (
        patient.unknown(),
        patient.wanted.first(),
        patient.wanted.len(),
    ) {
        (Some(name), ..) => format!("{name} is there, though no part of the declaration"),
        (None, Some(name), 1) => format!("{name} is there"),
        (.., count) => format!("{count} families are there"),
    }
}

/// From the outside in: without a target nothing else of it is worth a word.
fn of_prometheus(patient: &Patient<'_>, server: &Server) -> Result<Vec<Finding>, Failure> {
    let prometheus = server.connect()?;
    let job = patient.declaration.job();
    let (mut findings, is_reached) = targets::examine(job, patient.rules, &prometheus)?;
    if is_reached {
        findings.extend(of_series(patient, &prometheus)?);
    } else if let Some(name) = patient.unknown() {
        findings.push(named::unknown(patient, name));
    }
    findings.extend(rules::examine(patient, &prometheus)?);
    Ok(findings)
}

fn of_series(patient: &Patient<'_>, prometheus: &Prometheus) -> Result<Vec<Finding>, Failure> {
    let job = patient.declaration.job();
    let there = names(job, prometheus)?;
    if there.is_empty() {
        return Ok(vec![Finding::new(
            format!("Prometheus reaches the job {job:?} and has no series of it"),
            "ask again after a scrape interval; then see whether `metric_relabel_configs` drop them, or `sample_limit` refuses them",
        )]);
    }
    let mut findings = match named::of_others(patient, &there, prometheus)? {
        Some(found) => vec![found],
        None => families::missing(patient, &there),
    };
    findings.extend(counted::examine(patient, prometheus)?);
    Ok(findings)
}

/// The names of all series that a job has now: Prometheus' list of names has those that it lost long ago as well.
fn names(job: &str, prometheus: &Prometheus) -> Result<BTreeSet<String>, Failure> {
    let now = format!("count by (__name__) ({{job={}}})", quoted(job));
    let samples = prometheus.query(&now)?;
    let names = samples.iter().map(|sample| sample.label("__name__"));
    Ok(names.map(str::to_owned).collect())
}
