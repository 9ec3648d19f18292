//! Whom rules speak of.

use clap::ValueEnum;
use plimsoll::generate::RuleScope;

/// `--scope`.
#[derive(Debug, clap::Args)]
pub(crate) struct Scope {
    /// Whom rules speak of: each process by itself, all of them together, or both
    #[arg(long, value_enum, default_value_t = Whom::Both)]
    scope: Whom,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Whom {
    Instance,
    Fleet,
    Both,
}

impl Scope {
    pub(crate) fn of_rules(&self) -> RuleScope {
        match self.scope {
            Whom::Instance => RuleScope::Instance,
            Whom::Fleet => RuleScope::Fleet,
            Whom::Both => RuleScope::Both,
        }
    }
}
