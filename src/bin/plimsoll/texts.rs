//! `plimsoll rules`, `alertmanager`, `prometheus` and `metrics`: one text each.

use clap::ValueEnum;
use plimsoll::expr::Dialect;
use plimsoll::generate::{RuleDialect, RuleOptions, RuleScope};

use crate::Verdict;
use crate::failure::Failure;
use crate::output::Output;
use crate::scope::Scope;
use crate::source::Source;

/// A declaration, and where its text goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: plimsoll rules shop.toml --output rules.yml")]
pub(crate) struct RulesArgs {
    #[command(flatten)]
    args: Args,
    /// Whose names the recordings and alerts of SLOs have
    #[arg(long, value_enum, default_value_t = Names::Plimsoll)]
    dialect: Names,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Names {
    Plimsoll,
    Sloth,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: plimsoll prometheus shop.toml --version 2.53 --output prometheus.yml"
)]
pub(crate) struct PrometheusArgs {
    #[command(flatten)]
    args: Args,
    /// The Prometheus that reads it
    #[arg(long, value_enum, default_value_t = Version::V3)]
    version: Version,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Version {
    #[value(name = "2.42")]
    V2_42,
    #[value(name = "2.53")]
    V2_53,
    #[value(name = "3")]
    V3,
}

pub(crate) fn rules(args: &RulesArgs) -> Result<Verdict, Failure> {
    let dialect = match args.dialect {
        Names::Plimsoll => RuleDialect::Plimsoll,
        Names::Sloth => RuleDialect::Sloth,
    };
    let scope = args.scope.of_rules();
    if (dialect, scope) == (RuleDialect::Sloth, RuleScope::Instance) {
        return Err(Failure::new(
            "--scope instance: sloth's names are of the fleet only: write --scope fleet, or leave --dialect out",
        ));
    }
    let options = RuleOptions::new().dialect(dialect).scope(scope);
    let text = args.args.source.read()?.rules(options).to_string();
    args.args.output.write(&text)
}

pub(crate) fn alertmanager(args: &Args) -> Result<Verdict, Failure> {
    args.output.write(&args.source.read()?.alertmanager())
}

pub(crate) fn metrics(args: &Args) -> Result<Verdict, Failure> {
    args.output.write(&args.source.read()?.catalogue())
}

pub(crate) fn prometheus(args: &PrometheusArgs) -> Result<Verdict, Failure> {
    let version = match args.version {
        Version::V2_42 => Dialect::V2_42,
        Version::V2_53 => Dialect::V2_53,
        Version::V3 => Dialect::V3,
    };
    let declaration = args.args.source.read()?;
    args.args.output.write(&declaration.prometheus(version))
}
