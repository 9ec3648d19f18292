//! `plimsoll explain`.

use plimsoll::explain::Explanation;

use crate::Verdict;
use crate::failure::Failure;
use crate::output::Output;
use crate::source::Source;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: plimsoll explain shop.toml checkout-errors")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// The budget or SLO
    name: String,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let declaration = args.source.read()?;
    let explanation = Explanation::new(&declaration, &args.name)
        .map_err(|error| Failure::new(format!("{}: {error}", args.source.path().display())))?;
    args.output.write(&explanation.to_string())
}
