//! Names that nobody declared.

use std::error::Error;
use std::fmt;

use crate::generate::Declaration;
use crate::simulate::suggested;

/// Why there is nothing to explain.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExplainError {
    /// No budget and no SLO has this name.
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        declared: Vec<String>,
    },
}

impl ExplainError {
    pub(super) fn unknown(declaration: &Declaration, name: &str) -> Self {
        let budgets = declaration.budgets.iter().map(|budget| &budget.name);
        let slos = declaration.slos.iter().map(|slo| &slo.name);
        Self::Unknown {
            name: name.to_owned(),
            declared: budgets.chain(slos).cloned().collect(),
        }
    }
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, declared } => {
                let quoted = |name: &str| format!("{name:?}");
                let suggested = suggested(name, declared, quoted, "declared");
                write!(f, "no budget or SLO is named {name:?}: {suggested}")
            }
        }
    }
}

impl Error for ExplainError {}
