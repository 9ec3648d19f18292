//! Maintenance that was announced, or ended early, while a process ran, for the next one.

use std::time::Duration;

use super::super::period::time_of_millis;
use super::super::{Sli, Slo};
use super::{Maintenance, millis_since_1970};

/// All that there is to say of one, in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SavedMaintenance {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    pub(crate) reason: String,
    pub(crate) every_ms: Option<i64>,
    /// `None` for one that was declared.
    pub(crate) announced_ms: Option<i64>,
    pub(crate) ended_ms: Vec<i64>,
}

impl Maintenance {
    fn save(&self) -> SavedMaintenance {
        SavedMaintenance {
            start_ms: millis_since_1970(self.start),
            end_ms: millis_since_1970(self.end),
            reason: self.reason.clone(),
            every_ms: self.every.map(|every| every.as_millis() as i64),
            announced_ms: (self.announced_ms != i64::MIN).then_some(self.announced_ms),
            ended_ms: self.ended_ms.clone(),
        }
    }

    fn restore(saved: SavedMaintenance) -> Self {
        let every_ms = saved.every_ms.and_then(|every| u64::try_from(every).ok());
        Self {
            start: time_of_millis(saved.start_ms),
            end: time_of_millis(saved.end_ms),
            reason: saved.reason,
            every: every_ms.map(Duration::from_millis),
            announced_ms: saved.announced_ms.unwrap_or(i64::MIN),
            ended_ms: saved.ended_ms,
        }
    }

    /// Whether the declaration says nothing of it.
    fn was_told(&self) -> bool {
        self.announced_ms != i64::MIN || !self.ended_ms.is_empty()
    }

    fn is_like(&self, saved: &SavedMaintenance) -> bool {
        let own = self.save();
        (own.start_ms, own.end_ms, &own.reason, own.every_ms)
            == (saved.start_ms, saved.end_ms, &saved.reason, saved.every_ms)
    }
}

impl Slo {
    /// What was told of its maintenance while the process ran, but for what was over before a moment.
    pub(crate) fn told_maintenance(&self, oldest_ms: i64) -> Vec<SavedMaintenance> {
        let told = self.maintenance.iter().filter(|known| known.was_told());
        let told = told.map(Maintenance::save);
        told.filter(|saved| saved.every_ms.is_some() || saved.end_ms >= oldest_ms)
            .collect()
    }

    /// Goes on with it; what is declared by now is as it is declared, and as far as it was ended early it stays so.
    pub(crate) fn resume_maintenance(&mut self, saved: Vec<SavedMaintenance>) {
        if matches!(self.sli, Sli::Weighted(_)) {
            return;
        }
        for saved in saved {
            let mut known = self.maintenance.iter_mut();
            match known.find(|known| known.is_like(&saved)) {
                Some(known) => known.ended_ms.extend(saved.ended_ms),
                None if saved.announced_ms.is_some() => {
                    let restored = Maintenance::restore(saved);
                    if restored.problem().is_none() {
                        self.maintenance.push(restored);
                    }
                }
                // It was declared, and is not any more.
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Select;

    #[test]
    fn what_is_over_is_handed_on_until_it_is_too_old_and_what_comes_again_always() {
        let of = |seconds: u64, reason: &str| {
            let at = |ms: i64| time_of_millis(ms);
            Maintenance::new(at(0), at(seconds as i64 * 1_000), reason)
        };
        let mut slo = Slo::availability("api", Select::http()).maintenance(of(60, "declared"));
        slo.announce(of(60, "once"), 0).expect("to come");
        slo.announce(of(5, "daily").every(Duration::from_secs(86_400)), 0)
            .expect("to come");
        let reasons = |oldest_ms| -> Vec<String> {
            let told = slo.told_maintenance(oldest_ms).into_iter();
            told.map(|saved| saved.reason).collect()
        };
        assert_eq!(reasons(60_000), ["once", "daily"]);
        assert_eq!(reasons(60_001), ["daily"]);
    }
}
