//! `plimsoll check`.

use std::collections::HashMap;

use plimsoll::Problem;

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
    for warning in once(warnings) {
        say(args.source.placed(&warning, "warning: "))?;
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

/// Every warning at its line; of one that is said again only what is wrong, and where the whole of it stands.
fn once(warnings: &[Problem]) -> Vec<Problem> {
    let mut said = HashMap::new();
    let mut once = |warning: &Problem| {
        let mut warning = warning.clone();
        match said.get(&warning.message) {
            Some(first) => warning.message = format!("{}: {first}", wrong(&warning.message)),
            None => {
                let here = warning.line.map(|line| format!("see line {line}"));
                let here = here.unwrap_or_else(|| "see above".to_owned());
                said.insert(warning.message.clone(), here);
            }
        }
        warning
    };
    warnings.iter().map(&mut once).collect()
}

/// What a message says before its reason or remedy.
fn wrong(message: &str) -> &str {
    let is_quoted = |at: usize| message[..at].matches('"').count() % 2 == 1;
    let mut ends = message.match_indices(": ").map(|end| end.0);
    let end = ends.find(|end| !is_quoted(*end));
    &message[..end.unwrap_or(message.len())]
}
