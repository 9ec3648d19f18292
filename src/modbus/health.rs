//! Why it exists: a request that failed says little; whether the device is there, since when not, and why, is what an
//! operator asks.
//!
//! Every request and every attempt to connect tells the device's [`Health`] what came of it:
//!
//! | what happened | the unit | the device |
//! |---|---|---|
//! | a good reply | connected | connected, if all its units are |
//! | a Modbus exception | connected: it answered | as above |
//! | exception 0A or 0B | down: a gateway says so | degraded: the gateway is there |
//! | no reply, or none that can be used | degraded, down after the third in a row | degraded, down when all its units are |
//! | no connection, or it is lost and none is left | down | down |
//! | no good reply for too long ([`stale_after`](super::Device::stale_after)) | – | degraded |
//!
//! A request that nobody waited for, and one to unit 0 (a broadcast, which nobody answers), say nothing. A connection
//! alone takes a device out of `down` only where the lack of one took it there: one that accepts and never answers stays
//! where it was.
//!
//! Silence is no event, so the engine's tick looks at the clock for those who wait for a change: they hear of stale data
//! at the next tick. Whoever asks for the present value needs no tick.

mod line;
mod monitor;

pub(super) use line::Settings;
pub(super) use monitor::Monitor;

use std::fmt;
use std::io;
use std::time::SystemTime;

/// Where a device, or a unit on its line, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Nothing was tried yet.
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

    /// Since when it stands there; `None` where nothing was tried yet.
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
    /// Nobody listens at its address, or the connection was refused.
    ConnectRefused,
    /// An attempt to connect took too long.
    ConnectTimeout,
    /// There is no way to its address, or the port cannot be opened.
    ConnectUnreachable,
    /// A reply did not come in time.
    RequestTimeout,
    /// The device closed the connection.
    Closed,
    /// Reading or writing failed.
    Io,
    /// What came was no reply to what was asked.
    Protocol,
    /// Exception 0A: the gateway has no way to the unit.
    GatewayPath,
    /// Exception 0B: the unit does not answer the gateway.
    GatewayTarget,
    /// This unit, and not all of them.
    Unit(u8),
    /// The last good reply is too long ago.
    Stale,
}

impl Cause {
    /// What an attempt to connect failed of.
    pub(super) fn of_connect(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::ConnectionRefused => Self::ConnectRefused,
            io::ErrorKind::TimedOut => Self::ConnectTimeout,
            _ => Self::ConnectUnreachable,
        }
    }

    /// A word for logs, from a closed list: `connect_timeout`, `gateway_target`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectUnreachable => "connect_unreachable",
            Self::RequestTimeout => "request_timeout",
            Self::Closed => "closed",
            Self::Io => "io",
            Self::Protocol => "protocol",
            Self::GatewayPath => "gateway_path",
            Self::GatewayTarget => "gateway_target",
            Self::Unit(_) => "unit",
            Self::Stale => "stale",
        }
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
