//! What is known of a device's connection and of the units behind it: pure bookkeeping, time comes with the questions.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Cause, Failure};
use crate::histogram::nanos;

/// What decides how soon something is wrong.
#[derive(Debug, Clone, Copy)]
pub(in crate::modbus) struct Settings {
    /// How old the last good reply may be.
    pub(in crate::modbus) stale_after: Option<Duration>,
    /// So many requests in a row without an answer, and a unit is down; at least 1.
    pub(in crate::modbus) down_after: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            stale_after: None,
            down_after: 3,
        }
    }
}

/// [`Health`](super::Health) without a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Unknown,
    Connected,
    Degraded(Cause),
    Down(Cause),
}

impl Standing {
    /// Whether only the cause differs, if anything does.
    pub(super) fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// A unit that was asked something.
#[derive(Debug, Default)]
struct Unit {
    /// What was found last, and how many requests in a row found something.
    trouble: Option<(Cause, u32)>,
}

#[derive(Debug)]
pub(super) struct Line {
    settings: Settings,
    /// No connection was left or could be made, and nothing came since; what was found last.
    down: Option<Cause>,
    /// A connection was lost or refused while others were there, and nothing came since.
    shaken: Option<Cause>,
    units: BTreeMap<u8, Unit>,
    /// When something was tried first.
    begun_ns: Option<u64>,
}

impl Line {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            down: None,
            shaken: None,
            units: BTreeMap::new(),
            begun_ns: None,
        }
    }

    pub(super) fn begin(&mut self, now_ns: u64) {
        self.begun_ns.get_or_insert(now_ns);
    }

    /// An attempt failed, or a connection was lost; `left` others are open.
    pub(super) fn broke(&mut self, cause: Cause, left: usize) {
        if left == 0 {
            self.down = Some(cause);
        } else {
            self.shaken = Some(cause);
        }
    }

    pub(super) fn answered(&mut self, unit: u8) {
        (self.down, self.shaken) = (None, None);
        self.unit(unit).trouble = None;
    }

    /// The gateway answered in place of the unit.
    pub(super) fn unreachable(&mut self, unit: u8, cause: Cause) {
        (self.down, self.shaken) = (None, None);
        self.unit(unit).trouble = Some((cause, 1));
    }

    pub(super) fn failed(&mut self, unit: u8, cause: Cause) {
        let trouble = &mut self.unit(unit).trouble;
        let before = trouble.map_or(0, |trouble| trouble.1);
        *trouble = Some((cause, before.saturating_add(1)));
        // There is a connection again, and that is all.
        self.down = self.down.and(Some(cause));
    }

    fn unit(&mut self, unit: u8) -> &mut Unit {
        self.units.entry(unit).or_default()
    }

    pub(super) fn units(&self) -> impl ExactSizeIterator<Item = u8> {
        self.units.keys().copied()
    }

    /// Whether the data is too old, the last good reply having come at `good_ns`; `None` while nobody can tell.
    pub(super) fn is_stale(&self, now_ns: u64, good_ns: Option<u64>) -> Option<bool> {
        let since_ns = good_ns.or(self.begun_ns)?;
        let allowed_ns = nanos(self.settings.stale_after?);
        Some(now_ns.saturating_sub(since_ns) > allowed_ns)
    }

    /// Where a unit stands.
    pub(super) fn unit_standing(&self, unit: u8) -> Standing {
        match (self.units.get(&unit), self.down) {
            (None, _) => Standing::Unknown,
            (Some(_), Some(cause)) => Standing::Down(cause),
            (Some(unit), None) => self.standing_of(unit),
        }
    }

    /// The same of a unit, whatever the connection.
    fn standing_of(&self, unit: &Unit) -> Standing {
        match unit.trouble {
            None => Standing::Connected,
            Some((cause, times)) if is_gateways(cause) || times >= self.settings.down_after => {
                Standing::Down(cause)
            }
            Some((cause, _)) => Standing::Degraded(cause),
        }
    }

    /// Where the device stands.
    pub(super) fn standing(&self, now_ns: u64, good_ns: Option<u64>) -> Standing {
        match self.down {
            Some(cause) => Standing::Down(cause),
            None if self.units.is_empty() => Standing::Unknown,
            None => match self.of_units() {
                Standing::Connected if self.is_stale(now_ns, good_ns) == Some(true) => {
                    Standing::Degraded(Cause::Stale)
                }
                standing => standing,
            },
        }
    }

    /// What the units say of the device: it is down when all of them are, unless a gateway answers in their place.
    fn of_units(&self) -> Standing {
        let mut worse = (self.units.iter())
            .map(|(id, unit)| (*id, self.standing_of(unit)))
            .filter(|unit| unit.1 != Standing::Connected);
        let Some((id, first)) = worse.next() else {
            return (self.shaken).map_or(Standing::Connected, Standing::Degraded);
        };
        let mut others = vec![first];
        others.extend(worse.map(|unit| unit.1));
        let is_silent =
            |standing: &Standing| matches!(standing, Standing::Down(cause) if !is_gateways(*cause));
        match first {
            _ if others.len() < self.units.len() => Standing::Degraded(Cause::Unit(id)),
            silent if others.iter().all(is_silent) => silent,
            Standing::Degraded(cause) | Standing::Down(cause) => Standing::Degraded(cause),
            Standing::Unknown | Standing::Connected => first,
        }
    }
}

/// Whether it is a gateway that says so.
fn is_gateways(cause: Cause) -> bool {
    let Cause::Failure(failure) = cause else {
        return false;
    };
    matches!(failure, Failure::GatewayPath | Failure::GatewayTarget)
}
