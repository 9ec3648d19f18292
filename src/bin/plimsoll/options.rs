//! Options that cannot be, said as every other mistake is: a line that names the option and says what to write.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What is wrong; `None` where somebody asked for help or the version, or gave nothing at all.
pub(crate) fn mistake(error: &clap::Error) -> Option<String> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => None,
        ErrorKind::ValueValidation => {
            let option = context(ContextKind::InvalidArg).unwrap_or_default();
            let option = option.split(' ').next().unwrap_or_default();
            let value = context(ContextKind::InvalidValue).unwrap_or_default();
            let why = std::error::Error::source(error).map(ToString::to_string);
            Some(match why.unwrap_or_default() {
                why if why.starts_with("is ") => format!("{option} {value} {why}"),
                why => format!("{option}: {why}"),
            })
        }
        _ => Some(rendered(error)),
    }
}

/// What clap says of it, without the usage and the word of `--help`, on one line: what is wrong; then each of its tips.
fn rendered(error: &clap::Error) -> String {
    let text = error.to_string();
    let ends = ["\nUsage:", "\nFor more information"];
    let end = ends.iter().filter_map(|end| text.find(end)).min();
    let said = &text[..end.unwrap_or(text.len())];
    let sentences = said.trim_start_matches("error:").split("\n  tip:");
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    sentences.map(one_line).collect::<Vec<_>>().join("; ")
}
