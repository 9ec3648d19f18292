//! `plimsoll runbook`: a folder of pages.

use std::path::PathBuf;

use crate::Verdict;
use crate::failure::Failure;
use crate::output::write_folder;
use crate::source::Source;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: plimsoll runbook shop.toml --output docs/runbook")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// The folder for the pages, made where it is missing; other files in it stay
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    write_folder(&args.output, args.source.read()?.runbook())?;
    Ok(Verdict::Well)
}
