//! `plimsoll check`.

use crate::Verdict;
use crate::failure::Failure;
use crate::output::say;
use crate::source::Source;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: plimsoll check shop.toml --strict")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Ends with 1 if there is a warning
    #[arg(long)]
    strict: bool,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let declaration = args.source.read()?;
    let warnings = declaration.warnings();
    for warning in warnings {
        say(args.source.placed(warning, "warning: "))?;
    }
    let and = match warnings.len() {
        0 => String::new(),
        1 => ", and 1 warning".to_owned(),
        count => format!(", and {count} warnings"),
    };
    let (path, service) = (args.source.path().display(), declaration.service());
    say(format!("{path}: {service} has no mistakes{and}"))?;
    Ok(match args.strict && !warnings.is_empty() {
        true => Verdict::Found,
        false => Verdict::Well,
    })
}
