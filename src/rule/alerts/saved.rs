//! Alerts that outlive the process.

use super::{Alert, AlertRule, Alerts};
use crate::rule::SavedAlert;

impl Alert {
    /// `None` for one that is neither pending nor firing.
    pub(in crate::rule) fn save(&self) -> Option<SavedAlert> {
        Some(SavedAlert {
            labels: self.labels.clone(),
            timer: self.machine.timer()?,
            active_at_ms: self.active_at_ms,
        })
    }
}

impl Alerts {
    /// Goes on with these.
    pub(in crate::rule) fn resume(&mut self, rule: &AlertRule, saved: Vec<SavedAlert>) {
        for saved in saved {
            let mut alert = Alert::new(saved.labels.clone(), rule, saved.active_at_ms);
            alert.machine.resume(saved.timer);
            self.active.insert(saved.labels, alert);
        }
    }
}
