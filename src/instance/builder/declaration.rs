//! What was configured, for those who generate from it.

use super::Builder;
use super::build::refuse;
use crate::config::{BuildError, UNNAMED};
use crate::generate::Declaration;

impl Builder {
    /// Checks everything as [`build`](Self::build) does, and starts nothing: what [`generate`](crate::generate) makes
    /// rules, dashboards and configurations from.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake, each naming its field and how to mend it.
    pub fn declaration(mut self) -> Result<Declaration, BuildError> {
        let checked = self.check()?;
        let settings = checked.settings;
        let mut declaration = Declaration {
            service: settings.service.unwrap_or_else(|| UNNAMED.to_owned()),
            naming: checked.naming,
            tick: checked.tick,
            expected: settings.expected,
            budgets: settings.budgets,
            slos: settings.slos,
            rules: settings.rules,
            target: self.target,
            remembers: settings.state.0.is_some(),
            warnings: Vec::new(),
            extras: settings.extras,
        };
        refuse(Vec::new(), declaration.problems(), self.locate.as_ref())?;
        declaration.advise();
        if let Some(locate) = &self.locate {
            locate(&mut declaration.warnings);
        }
        Ok(declaration)
    }
}
