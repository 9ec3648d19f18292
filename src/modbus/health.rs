//! Why it exists: a request that failed says little; whether the device is there, since when not, and why, is what an
//! operator asks.
//!
//! Every request and every attempt to connect tells the device's [`Health`] what came of it; the table is in the
//! documentation of [`modbus`](super#health).

mod line;
mod monitor;

pub(super) use line::Settings;
pub(super) use monitor::Monitor;

use std::fmt;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio_modbus::Slave;

use super::device::Device;
use super::failure::Failure;
use super::wrap::Meter;

impl Device {
    /// Where the device stands now. Cost: a lock and a look at the clock.
    pub fn health(&self) -> Health {
        self.ledger().health.health()
    }

    /// Where a unit on the device's line stands now; [`Health::Unknown`] if nobody asked it anything.
    pub fn unit_health(&self, unit: Slave) -> Health {
        self.ledger().health.unit_health(unit.0)
    }

    /// The same to be waited for: each change is seen at once, stale data at the next tick. A receiver that is slow sees the
    /// latest state and not each one in between; when the last handle of the device is gone, waiting is an error.
    ///
    /// ```no_run
    /// # async fn run(press: plimsoll::modbus::Device) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut health = press.watch_health();
    /// health.wait_for(|health| health.is_connected()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch_health(&self) -> watch::Receiver<Health> {
        self.ledger().health.watch()
    }

    /// The same of a unit on the device's line.
    pub fn watch_unit(&self, unit: Slave) -> watch::Receiver<Health> {
        self.ledger().health.watch_unit(unit.0)
    }

    /// How long ago the last good reply came, of whichever unit; `None` before the first one. Exceptions are no good replies.
    pub fn last_success_age(&self) -> Option<Duration> {
        self.ledger().health.age()
    }
}

impl Meter {
    /// As [`Device::health`].
    pub fn health(&self) -> Health {
        self.ledger.health.health()
    }

    /// As [`Device::unit_health`]. A context that was made for a unit does not show it: until the next `set_slave` its unit
    /// goes by 255, tokio-modbus' own default.
    pub fn unit_health(&self, unit: Slave) -> Health {
        self.ledger.health.unit_health(unit.0)
    }

    /// As [`Device::watch_health`].
    pub fn watch_health(&self) -> watch::Receiver<Health> {
        self.ledger.health.watch()
    }

    /// As [`Device::watch_unit`].
    pub fn watch_unit(&self, unit: Slave) -> watch::Receiver<Health> {
        self.ledger.health.watch_unit(unit.0)
    }

    /// As [`Device::last_success_age`].
    pub fn last_success_age(&self) -> Option<Duration> {
        self.ledger.health.age()
    }
}

/// Where a device, or a unit on its line, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// No answer came yet, and nothing failed.
    Unknown,
    /// It answers.
    Connected {
        /// Since when, by the clock of the instance.
        since: SystemTime,
    },
    /// It is there, and something is wrong with it.
    Degraded {
        /// What was found last.
        cause: Cause,
        /// Since when something is.
        since: SystemTime,
    },
    /// It is not there.
    Down {
        /// What was found last.
        cause: Cause,
        /// Since when.
        since: SystemTime,
    },
}

impl Health {
    /// Every value of the label `state`.
    pub(super) const STATES: [&'static str; 4] = ["unknown", "connected", "degraded", "down"];

    /// `unknown`, `connected`, `degraded` or `down`: the value of the label `state`.
    pub fn as_str(self) -> &'static str {
        Self::STATES[match self {
            Self::Unknown => 0,
            Self::Connected { .. } => 1,
            Self::Degraded { .. } => 2,
            Self::Down { .. } => 3,
        }]
    }

    /// Whether it is there: connected or degraded. The value of `device_connected`.
    pub fn is_connected(self) -> bool {
        matches!(self, Self::Connected { .. } | Self::Degraded { .. })
    }

    /// What is wrong; `None` where nothing is.
    pub fn cause(self) -> Option<Cause> {
        match self {
            Self::Degraded { cause, .. } | Self::Down { cause, .. } => Some(cause),
            Self::Unknown | Self::Connected { .. } => None,
        }
    }

    /// Since when it stands there; `None` where nothing is known.
    pub fn since(self) -> Option<SystemTime> {
        match self {
            Self::Connected { since } | Self::Degraded { since, .. } | Self::Down { since, .. } => {
                Some(since)
            }
            Self::Unknown => None,
        }
    }
}

/// `down since 2026-11-21T10:00:00Z: connect_timeout`
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        if let Some(since) = self.since() {
            write!(f, " since {}", humantime::format_rfc3339_millis(since))?;
        }
        match self.cause() {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

/// Why a device or a unit is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// A request or an attempt to connect failed: so it was with the latest.
    Failure(Failure),
    /// This unit, and not all of them.
    Unit(u8),
    /// The last good reply is too long ago.
    Stale,
}

impl Cause {
    /// A word for logs, from a closed list: `connect_timeout`, `gateway_target`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failure(failure) => failure.as_str(),
            Self::Unit(_) => "unit",
            Self::Stale => "stale",
        }
    }
}

impl From<Failure> for Cause {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => write!(f, "unit {unit}"),
            cause => f.write_str(cause.as_str()),
        }
    }
}

#[cfg(test)]
mod tests;
