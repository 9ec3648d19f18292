//! `plimsoll runbook`: a folder of pages.

use std::fs;
use std::path::PathBuf;

use crate::Verdict;
use crate::failure::Failure;
use crate::output::replace;
use crate::source::Source;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// The folder for the pages, made where it is missing; other files in it stay
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let pages = args.source.read()?.runbook();
    for (path, text) in &pages {
        let path = args.output.join(path);
        let folder = path.parent().unwrap_or(&args.output);
        fs::create_dir_all(folder)
            .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
        replace(&path, text)?;
    }
    Ok(Verdict::Well)
}
