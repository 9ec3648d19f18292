//! What there is to generate from.

use std::path::Path;

use crate::Plimsoll;
use crate::budget::Budget;
use crate::config::BuildError;
use crate::naming::Naming;
use crate::rule::RuleFile;
use crate::slo::Slo;

/// Everything that was promised, free of mistakes.
///
/// ```
/// use plimsoll::generate::Declaration;
///
/// let declaration = Declaration::parse("service = \"shop\"")?;
/// assert_eq!(declaration.service(), "shop");
/// # Ok::<(), plimsoll::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Declaration {
    pub(crate) service: String,
    pub(crate) naming: Naming,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) slos: Vec<Slo>,
    /// Rule files that are judged as they stand.
    pub(crate) rules: Vec<RuleFile>,
    /// `job` and `instance`, where they are known.
    pub(crate) target: Option<[String; 2]>,
    pub(crate) extras: Extras,
}

/// What a file says that only generated files need.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {}

impl Declaration {
    /// Reads the TOML of a service.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake.
    pub fn parse(toml: &str) -> Result<Self, BuildError> {
        Plimsoll::builder().toml(toml).declaration()
    }

    /// Reads a TOML file; files that it names are looked for beside it.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake, or why the file cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, BuildError> {
        Plimsoll::builder().toml_file(path).declaration()
    }

    /// The name of the service.
    pub fn service(&self) -> &str {
        &self.service
    }
}
