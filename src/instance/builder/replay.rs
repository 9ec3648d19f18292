//! The instance that a declaration is about, under somebody else's clock.

use std::time::Duration;

use super::Builder;
use crate::clock::ManualClock;
use crate::config::BuildError;
use crate::generate::Declaration;
use crate::instance::Plimsoll;

impl Declaration {
    /// Starts what was declared: it ticks when it is told to.
    pub(crate) fn start(&self, clock: ManualClock, tick: Duration) -> Result<Plimsoll, BuildError> {
        let mut builder = Builder::default()
            .service(&self.service)
            .naming(self.naming.clone())
            .tick(tick)
            .clock(clock)
            .manual_tick()
            .budgets(self.budgets.iter().cloned());
        builder.code.slos.extend(self.slos.iter().cloned());
        builder.code.rules.extend(self.rules.iter().cloned());
        builder.code.expected.extend(self.expected.iter().cloned());
        builder.target.clone_from(&self.target);
        builder.build()
    }
}
