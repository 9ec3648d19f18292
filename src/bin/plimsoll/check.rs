//! `plimsoll check`.

use crate::Verdict;
use crate::failure::Failure;
use crate::source::Source;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: plimsoll check shop.toml")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let declaration = args.source.read()?;
    println!(
        "{}: {} has no mistakes",
        args.source.path().display(),
        declaration.service()
    );
    Ok(Verdict::Well)
}
