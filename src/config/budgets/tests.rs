//! What is written in TOML is what would be written in Rust.

#[cfg(feature = "promql")]
mod conditions;
mod key_figures;
mod learned;
mod levels;
mod mistakes;
mod page;

use std::time::Duration;

use crate::budget::Budget;
use crate::config::parse_toml;

const MS: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);

fn parse(text: &str) -> (Vec<Budget>, String) {
    let mut problems = Vec::new();
    let settings = parse_toml(text, std::path::Path::new("."), &mut problems);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    (settings.budgets, problems.join("\n"))
}

fn says(text: &str, expected: impl IntoIterator<Item = Budget>) {
    let (budgets, problems) = parse(text);
    assert_eq!(problems, "");
    assert_eq!(budgets, Vec::from_iter(expected));
}
