//! `plimsoll export`.

use clap::ValueEnum;
use plimsoll::generate::spec;

use crate::Verdict;
use crate::failure::Failure;
use crate::output::Output;
use crate::source::Source;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: plimsoll export shop.toml --format openslo --output slos.yaml")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Whose spec
    #[arg(long, value_enum)]
    format: Format,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Openslo,
    Sloth,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let declaration = args.source.read()?;
    let path = args.source.path().display();
    if declaration.slos().is_empty() {
        return Err(Failure::new(format!(
            "{path}: declares no SLO, and budgets are not part of these specs: add an [[slo]]"
        )));
    }
    let export = match args.format {
        Format::Openslo => spec::to_openslo(&declaration),
        Format::Sloth => spec::to_sloth(&declaration),
    };
    for note in &export.notes {
        eprintln!("{path}: {note}");
    }
    args.output.write(&export.text)
}
