//! The command `plimsoll`: what was declared in a file, checked, explained and turned into other files.
//!
//! It reads the TOML of a service, or a spec of its SLOs, and nothing else unless asked to; it writes to standard output unless `--output` says where.
//! It exits with 0 when all is well, with 1 when what was looked for is not there or a promise is broken, and with 2 when it
//! was told something that cannot be, or cannot reach or read or write what it needs.

mod check;
mod completions;
mod dashboards;
mod doctor;
mod explain;
mod export;
mod failure;
mod import;
mod options;
mod output;
mod prometheus;
mod query;
mod runbook;
mod scope;
mod simulate;
mod source;
mod specs;
mod texts;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Performance budgets and SLOs: checked, explained, and turned into what an operations team needs.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Finds every mistake of a declaration at once, each with its line
    Check(check::Args),
    /// Says what a budget or SLO promises, in words and PromQL, when it fires and how fast
    Explain(explain::Args),
    /// Makes up traffic and errors, and shows which alerts that leads to
    Simulate(simulate::Args),
    /// Prints recording and alerting rules for Prometheus
    Rules(texts::RulesArgs),
    /// Writes dashboards for Grafana into a folder
    Dashboards(dashboards::Args),
    /// Prints a configuration of Alertmanager, with receivers to fill in
    #[command(after_help = "Example: plimsoll alertmanager shop.toml --output alertmanager.yml")]
    Alertmanager(texts::Args),
    /// Prints a configuration of Prometheus
    Prometheus(texts::PrometheusArgs),
    /// Writes a runbook in Markdown, with a page for each alert
    Runbook(runbook::Args),
    /// Prints a catalogue of the metrics that the service shows, in Markdown
    #[command(after_help = "Example: plimsoll metrics shop.toml --output metrics.md")]
    Metrics(texts::Args),
    /// Turns specs of OpenSLO or sloth into the TOML that this crate reads
    Import(import::Args),
    /// Prints the SLOs as a spec of OpenSLO or sloth
    Export(export::Args),
    /// Finds out why a metric is missing
    Doctor(doctor::Args),
    /// Shows budgets and SLOs as a running Prometheus sees them
    Query(query::Args),
    /// Runs every rule and panel on a running Prometheus and says which return nothing
    Verify(verify::Args),
    /// Prints a script by which a shell completes this command
    Completions(completions::Args),
}

/// How it went, where nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Well,
    /// Something that was looked for is not there, or a promise is broken.
    Found,
}

fn run(command: Command) -> Result<Verdict, Failure> {
    match command {
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Dashboards(args) => dashboards::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Rules(args) => texts::rules(&args),
        Command::Alertmanager(args) => texts::alertmanager(&args),
        Command::Prometheus(args) => texts::prometheus(&args),
        Command::Runbook(args) => runbook::run(&args),
        Command::Metrics(args) => texts::metrics(&args),
        Command::Import(args) => import::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Query(args) => query::run(&args),
        Command::Verify(args) => verify::run(&args),
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => match options::mistake(&error) {
            Some(mistake) => {
                eprintln!("{mistake}");
                return ExitCode::from(2);
            }
            None => error.exit(),
        },
    };
    match run(cli.command) {
        Ok(Verdict::Well) => ExitCode::SUCCESS,
        Ok(Verdict::Found) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(2)
        }
    }
}
