//! `plimsoll completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::Output;
use crate::{Cli, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: plimsoll completions bash >> ~/.bash_completion")]
pub(crate) struct Args {
    /// The shell that completes
    shell: Shell,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "plimsoll", &mut script);
    args.output.write(&String::from_utf8_lossy(&script))
}
