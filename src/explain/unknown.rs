//! Names that nobody declared.

use std::error::Error;
use std::fmt;

use crate::config::BuildError;
use crate::generate::Declaration;

/// Why there is nothing to explain.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExplainError {
    /// No budget and no SLO has this name.
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Names that are alike, the most alike first.
        alike: Vec<String>,
    },
    /// It cannot be tried out.
    Build(BuildError),
}

impl ExplainError {
    pub(super) fn unknown(declaration: &Declaration, name: &str) -> Self {
        let budgets = declaration.budgets.iter().map(|budget| &budget.name);
        let slos = declaration.slos.iter().map(|slo| &slo.name);
        let known = budgets.chain(slos);
        let near = (name.chars().count() / 3).max(2);
        let mut alike: Vec<(usize, &String)> = known
            .map(|known| (distance(name, known), known))
            .filter(|(distance, known)| *distance <= near || known.contains(name))
            .collect();
        alike.sort();
        let alike = alike.into_iter().take(3).map(|(_, known)| known.clone());
        Self::Unknown {
            name: name.to_owned(),
            alike: alike.collect(),
        }
    }
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, alike } => {
                write!(f, "no budget or SLO is named {name:?}: ")?;
                let alike: Vec<_> = alike.iter().map(|name| format!("{name:?}")).collect();
                match alike.is_empty() {
                    true => f.write_str("take the name of one that the file declares"),
                    false => write!(f, "did you mean {}?", alike.join(" or ")),
                }
            }
            Self::Build(error) => error.fmt(f),
        }
    }
}

impl Error for ExplainError {}

impl From<BuildError> for ExplainError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

/// Levenshtein's, without regard to upper and lower case.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, right) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
