//! `plimsoll import`.

use std::path::PathBuf;

use plimsoll::generate::spec;

use crate::Verdict;
use crate::failure::Failure;
use crate::output::Output;
use crate::{source, specs};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: plimsoll import slos.yaml --output shop.toml")]
pub(crate) struct Args {
    /// Specs in YAML, of OpenSLO v1 or of sloth, which may refer to each other; - is standard input
    #[arg(value_name = "SPEC", required = true)]
    specs: Vec<PathBuf>,
    /// The service whose SLOs are wanted, where the specs are about several
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The TOML with the SLOs whose own counters (plimsoll_sli_*) the specs read
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let known = args.known.as_deref().map(source::declared).transpose()?;
    let known = known.as_ref().map_or(&[][..], |known| known.slos());
    let declaration = specs::declaration(&args.specs, known, args.service.as_deref())?;
    let text = spec::to_toml(&declaration).map_err(|error| {
        let problems = error.problems().iter();
        Failure::all(problems.map(ToString::to_string))
    })?;
    args.output.write(&text)
}
