//! Maintenance of an SLO that is kept already.

use super::problems::WEIGHTED_MAINTENANCE;
use super::{Maintenance, Sli, Slo};

impl Slo {
    /// Leaves out what comes from now on, as far as it lies within; else what is wrong and how to mend it.
    pub(crate) fn announce(&mut self, maintenance: Maintenance, now_ms: i64) -> Result<(), String> {
        if matches!(self.sli, Sli::Weighted(_)) {
            return Err(WEIGHTED_MAINTENANCE.to_owned());
        }
        if let Some(problem) = maintenance.problem() {
            return Err(problem);
        }
        let over =
            "is over already, and what was counted stays counted: give it an end that is to come";
        let announced = maintenance.announced(now_ms);
        self.maintenance.push(announced.ok_or(over)?);
        Ok(())
    }

    /// Counts again from now on what is left out for this reason; else what is wrong and how to mend it.
    pub(crate) fn end_maintenance(&mut self, reason: &str, now_ms: i64) -> Result<(), String> {
        let of_reason = self.maintenance.iter_mut();
        let of_reason = of_reason.filter(|known| known.reason() == reason);
        let ended = of_reason.filter_map(|known| known.end(now_ms).then_some(()));
        if ended.count() > 0 {
            return Ok(());
        }
        Err(format!(
            "{reason:?} is not under way: name the reason of one that is"
        ))
    }
}
