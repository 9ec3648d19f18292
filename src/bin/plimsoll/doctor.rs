//! `plimsoll doctor`: why is a metric missing?

mod counted;
mod families;
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
use crate::prometheus::{Prometheus, Server, encoded, quoted};
use crate::scope::Scope;
use crate::source::Source;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    scope: Scope,
    /// The family that is missed; without it all that rules and panels read
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Asks the page of a process itself, such as http://127.0.0.1:9100/metrics, instead of Prometheus
    #[arg(long, value_name = "URL")]
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
    prometheus: &'a Prometheus,
    /// The names of all series of its job.
    names: BTreeSet<String>,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let declaration = args.source.read()?;
    let options = RuleOptions::new().scope(args.scope.of_rules());
    let rules = declaration.rules(options).into_groups();
    let wanted = match &args.metric {
        Some(name) => BTreeSet::from([name.clone()]),
        None => families::read_by_generated(&declaration, rules.clone()),
    };
    let findings = match &args.target {
        Some(url) => families::missing(&declaration, &wanted, &page::names(url, &args.server)?),
        None => of_prometheus(&declaration, &rules, &args.server, &wanted)?,
    };
    for Finding { what, mend } in &findings {
        say(format!("{what}\n    {mend}"))?;
    }
    Ok(match findings.is_empty() {
        true => {
            let count = wanted.len();
            say(format!("nothing is wrong: {count} families are there"))?;
            Verdict::Well
        }
        false => Verdict::Found,
    })
}

/// From the outside in: without a target nothing else is worth a word.
fn of_prometheus(
    declaration: &Declaration,
    rules: &[RuleGroup],
    server: &Server,
    wanted: &BTreeSet<String>,
) -> Result<Vec<Finding>, Failure> {
    let prometheus = server.connect()?;
    let mut findings = targets::examine(declaration.job(), rules, &prometheus)?;
    let patient = Patient {
        declaration,
        rules,
        prometheus: &prometheus,
        names: names(declaration.job(), &prometheus)?,
    };
    if !patient.names.is_empty() {
        findings.extend(families::missing(declaration, wanted, &patient.names));
        findings.extend(counted::examine(&patient)?);
    }
    findings.extend(rules::examine(&patient)?);
    Ok(findings)
}

fn names(job: &str, prometheus: &Prometheus) -> Result<BTreeSet<String>, Failure> {
    let selector = encoded(&format!("{{job={}}}", quoted(job)));
    let data = prometheus.data(&format!("label/__name__/values?match[]={selector}"))?;
    let names = data.as_array().into_iter().flatten();
    Ok(names
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect())
}
