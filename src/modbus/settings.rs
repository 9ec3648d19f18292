//! How long a device may take, and what happens when it takes longer.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::health;
use crate::registry::InstrumentError;

/// What becomes of a connection with MBAP frames when the reply to a request is missing: it did not come in time, or
/// nobody waited for it any more. Serial lines settle the reply that is owed instead, whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Resync {
    /// It is closed, and a late reply goes with it. The next request connects anew.
    #[default]
    Reconnect,
    /// It is kept, and the late reply is told by its transaction id and discarded. When another reply is missing before
    /// that one came, the connection is closed. For devices with few connections, or slow to accept one.
    ///
    /// A gateway that stamps late replies with the newest id defeats this: its late reply is taken for the next one if
    /// unit, function and quantity are the same. With such gateways stay with [`Reconnect`](Self::Reconnect).
    KeepConnection,
}

/// How frames look on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// With a transaction id.
    Mbap,
    /// With a checksum.
    Rtu,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    pub(super) wait_timeout: Duration,
    pub(super) nodelay: bool,
    pub(super) backoff: RangeInclusive<Duration>,
    pub(super) pause_after_connect: Duration,
    pub(super) gap: Option<Duration>,
    pub(super) busy_retries: u32,
    pub(super) busy_pause: Duration,
    pub(super) resync: Resync,
    pub(super) late_window: Option<Duration>,
    pub(super) broadcast: bool,
    pub(super) units_apart: bool,
    pub(super) turnaround: Duration,
    pub(super) connections: usize,
    pub(super) health: health::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(1),
            wait_timeout: Duration::from_secs(10),
            nodelay: true,
            backoff: Duration::from_millis(200)..=Duration::from_secs(10),
            pause_after_connect: Duration::ZERO,
            gap: None,
            busy_retries: 0,
            busy_pause: Duration::ZERO,
            resync: Resync::Reconnect,
            late_window: None,
            broadcast: false,
            units_apart: false,
            turnaround: Duration::from_millis(100),
            connections: 1,
            health: health::Settings::default(),
        }
    }
}

/// More than 3.5 characters at 9600 baud.
const RTU_GAP: Duration = Duration::from_millis(5);
/// Whatever is longer was meant in another unit.
const LONGEST: Duration = Duration::from_secs(86_400);
/// Serial adapters hand on what came every 16 ms.
const SILENCE: Duration = Duration::from_millis(20);

impl Settings {
    pub(super) fn gap(&self, framing: Framing) -> Duration {
        self.gap.unwrap_or(match framing {
            Framing::Mbap => Duration::ZERO,
            Framing::Rtu => RTU_GAP,
        })
    }

    /// How long after a request its reply is still reckoned with on a serial line.
    pub(super) fn late_window(&self) -> Duration {
        self.late_window
            .unwrap_or(self.request_timeout.saturating_mul(4))
    }

    /// How long a request takes that is not answered, once connected, and answered with "busy" as often as may be before.
    pub(super) fn longest(&self) -> Duration {
        let times = self.busy_retries.saturating_add(1);
        let asking = self.request_timeout.saturating_mul(times);
        asking.saturating_add(self.busy_pause.saturating_mul(self.busy_retries))
    }

    /// How long nothing must have come on a serial line for a frame to be over.
    pub(super) fn silence(&self) -> Duration {
        self.gap(Framing::Rtu).max(SILENCE)
    }

    /// The first mistake in what every device has, a wrapped one included.
    pub(super) fn check_health(&self) -> Result<(), Mistake> {
        if self.health.stale_after == Some(Duration::ZERO) {
            return Err(Mistake::Zero("stale_after"));
        }
        if self.health.down_after == 0 {
            return Err(Mistake::Zero("down_after"));
        }
        Ok(())
    }

    /// The first other mistake.
    pub(super) fn check(&self, framing: Framing) -> Result<(), Mistake> {
        self.check_durations(framing)?;
        if self.connections == 0 {
            return Err(Mistake::Zero("connections"));
        }
        if self.connections > 1 && framing == Framing::Rtu {
            return Err(Mistake::OneLine(self.connections));
        }
        if self.backoff.is_empty() {
            return Err(Mistake::Backoff(self.backoff.clone()));
        }
        if self.late_window() < self.request_timeout {
            return Err(Mistake::LateWindow(self.late_window()));
        }
        Ok(())
    }

    fn check_durations(&self, framing: Framing) -> Result<(), Mistake> {
        for (setting, value) in [
            ("connect_timeout", self.connect_timeout),
            ("request_timeout", self.request_timeout),
            ("wait_timeout", self.wait_timeout),
        ] {
            if value.is_zero() {
                return Err(Mistake::Zero(setting));
            }
        }
        for (setting, value) in [
            ("connect_timeout", self.connect_timeout),
            ("request_timeout", self.request_timeout),
            ("wait_timeout", self.wait_timeout),
            ("backoff", *self.backoff.end()),
            ("pause_after_connect", self.pause_after_connect),
            ("gap", self.gap(framing)),
            ("busy_retries", self.busy_pause),
            ("late_window", self.late_window.unwrap_or_default()),
            ("turnaround", self.turnaround),
        ] {
            if value > LONGEST {
                return Err(Mistake::TooLong(setting));
            }
        }
        Ok(())
    }
}

/// A mistake in how a device was set up, named when it is built.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SetupError {
    /// The name of the device.
    pub device: String,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What can be wrong with the set-up of a device.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Mistake {
    /// A device needs a name.
    NoName,
    /// Another device of this instance has the name.
    NameTaken,
    /// A setting that must not be 0.
    Zero(&'static str),
    /// A setting of more than a day.
    TooLong(&'static str),
    /// An address that is neither `host:port` nor an IP address with a port.
    Address(String),
    /// A range of pauses whose end is before its beginning.
    Backoff(RangeInclusive<Duration>),
    /// A late window that is over before the request is.
    LateWindow(Duration),
    /// So many connections to a serial line, which has one.
    OneLine(usize),
    /// An instrument of the device cannot be registered.
    Instrument(InstrumentError),
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => write!(f, "the name is empty: give it one, it becomes a label"),
            Self::NameTaken => write!(
                f,
                "the name is taken by another device of this instance: choose another one, or share that device by \
                 cloning it"
            ),
            Self::Zero(setting) => write!(f, "{setting} is 0: it must be at least 1"),
            Self::TooLong(setting) => write!(
                f,
                "{setting} is longer than a day: it must not be, look at its unit"
            ),
            Self::Address(address) => write!(
                f,
                "address {address:?} is not host:port: write it like plc.example:502, 192.0.2.7:502 or [2001:db8::7]:502"
            ),
            Self::Backoff(range) => write!(
                f,
                "backoff from {:?} to {:?} ends before it begins: put the shorter pause first",
                range.start(),
                range.end()
            ),
            Self::LateWindow(window) => write!(
                f,
                "late_window {window:?} is shorter than request_timeout: it counts from the request and must outlast it"
            ),
            Self::OneLine(connections) => write!(
                f,
                "connections is {connections}, but a serial line is one: leave it at 1"
            ),
            Self::Instrument(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "modbus device {:?}: {}", self.device, self.mistake)
    }
}

impl std::error::Error for SetupError {}

impl From<InstrumentError> for Mistake {
    fn from(error: InstrumentError) -> Self {
        Self::Instrument(error)
    }
}
