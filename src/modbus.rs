//! Why it exists: a Modbus client that gave up on a slow reply may take that reply for the answer to its next
//! question, and a register that is wrong is worse than one that is missing.
//!
//! A [`Device`] measures one device and, where you let it, keeps its connection honest. Both doors return an ordinary
//! [`tokio_modbus::client::Context`], so the code that reads and writes stays as it is:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use plimsoll::Plimsoll;
//! use tokio_modbus::prelude::*;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let plimsoll = Plimsoll::builder().build()?;
//! let press = plimsoll.modbus("press-3")?.request_timeout(Duration::from_millis(500));
//! let mut context = press.tcp("192.0.2.7:502".parse()?, Slave(1));
//! let registers = context.read_holding_registers(0, 10).await??;
//! # let _ = registers;
//! # Ok(())
//! # }
//! ```
//!
//! # `wrap` or `tcp`
//!
//! [`wrap`](Device::wrap) measures a context of yours and changes nothing: no timeout, no reconnect, every error as it
//! was. It cannot cure the stale replies above.
//!
//! [`tcp`](Device::tcp) owns the connection. It connects at the first call and sets `TCP_NODELAY`; each attempt to
//! connect and each exchange has a timeout. A connection is kept only after a clean exchange, a Modbus exception
//! included. After a timeout, a transport or protocol error, a reply with another number of values than were asked for,
//! or a future dropped on its way, it is closed, a late reply goes with it, and the next call connects anew. So it does
//! when the device has closed an idle connection. **Nothing is ever sent twice**: a write that timed out may have been
//! carried out, and only the caller knows whether it may be repeated.
//!
//! # What is counted
//!
//! | what | labels | |
//! |---|---|---|
//! | requests | `device`, `operation` | `read`, `write` (0x17 and 0x16 too) or, for custom function codes, `other` |
//! | attempts to connect | `protocol`, `device` | by `tcp` only |
//! | `device_connected`, `device_state` | `device` (`state`) | see [`Health`] |
//! | `device_unit_connected` | `device`, `unit` | where a device has several units |
//! | `last_success_timestamp_seconds` | `device` | Unix time of the last good reply |
//! | `connections_active` | `protocol`, `device` | connections held; a wrapped context is one until a transport error |
//! | `data_points_processed_total` | `device` | registers and coils that good replies carry or confirm; of 0x17 those read |
//!
//! A request is an error when it ends in a Modbus exception, a timeout, a transport or a protocol error; a failed
//! attempt to connect makes the request that needed it an error, once. A request dropped before its end is cancelled.
//! Its duration includes connecting.
//!
//! # Limits
//!
//! One context is one connection with one request at a time. Gateways that stamp a late reply with the newest
//! transaction id are harmless to `tcp`, which never listens on after a timeout. Broadcasts (slave 0) are not answered
//! and so end in a timeout. Timeouts need a tokio runtime with I/O and time enabled; without one a call panics. The
//! address is in error messages and never in a label.

mod cycle;
mod health;
mod link;
mod meters;
mod quality;
mod values;
mod wrap;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_modbus::Slave;
use tokio_modbus::client::{Client, Context};

use crate::instance::Plimsoll;
use crate::registry::InstrumentError;
use health::Settings;
use link::Link;
use meters::Meters;
use wrap::Measured;

pub use cycle::{Cycle, CycleError, Round};
pub use health::{Cause, Health};
pub use quality::{Point, Rejected, Rules, RulesError, WordOrder};

impl Plimsoll {
    /// Measures a Modbus device under the label `device` = `name`.
    ///
    /// Its counts stand at 0 from here on and are not subject to the cap on label sets. Asked twice for one name, it
    /// counts into the same series.
    ///
    /// # Errors
    ///
    /// [`InstrumentError`] when one of the three instruments above, with the configured prefix, was registered before
    /// as something else.
    pub fn modbus(&self, name: &str) -> Result<Device, InstrumentError> {
        Ok(Device {
            meters: Arc::new(Meters::new(self, name)?),
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(1),
            health: Settings::default(),
            plimsoll: self.clone(),
        })
    }
}

/// One device: what is counted about it, and how long it may take. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Device {
    meters: Arc<Meters>,
    connect_timeout: Duration,
    request_timeout: Duration,
    health: Settings,
    plimsoll: Plimsoll,
}

impl Device {
    /// How long an attempt to connect may take; 2 s unless told. Concerns [`tcp`](Self::tcp) only.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the reply to a request may take, once connected; 1 s unless told. Concerns [`tcp`](Self::tcp) only.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How long a request may take at worst.
    fn longest(&self) -> Duration {
        self.request_timeout
    }

    /// How old the last good reply may be before the device counts as degraded; as old as it likes unless told.
    #[must_use]
    pub fn stale_after(mut self, age: Duration) -> Self {
        self.health.stale_after = Some(age);
        self.meters.health.set(self.health);
        self
    }

    /// How many requests in a row must go without an answer before their unit counts as down; 3 unless told, at least 1.
    #[must_use]
    pub fn down_after(mut self, requests: u32) -> Self {
        self.health.down_after = requests.max(1);
        self.meters.health.set(self.health);
        self
    }

    /// Where the device stands now. Cost: a lock and a look at the clock.
    pub fn health(&self) -> Health {
        self.meters.health.health()
    }

    /// Where a unit on the device's line stands now; [`Health::Unknown`] if nobody asked it anything.
    pub fn unit_health(&self, unit: Slave) -> Health {
        self.meters.health.unit_health(unit.0)
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
        self.meters.health.watch()
    }

    /// The same of a unit on the device's line.
    pub fn watch_unit(&self, unit: Slave) -> watch::Receiver<Health> {
        self.meters.health.watch_unit(unit.0)
    }

    /// How long ago the last good reply came; `None` before the first one. Exceptions are no good replies.
    pub fn last_success_age(&self) -> Option<Duration> {
        self.meters.health.age()
    }

    /// Measures a context and changes nothing about it: no timeout, no reconnect, the same replies and errors.
    ///
    /// Cost per request: one boxed future, as in every layer of tokio-modbus, and two readings of the clock.
    #[must_use]
    pub fn wrap(&self, context: Context) -> Context {
        let client: Box<dyn Client> = Box::new(Measured::new(context, self.meters.clone()));
        client.into()
    }

    /// A context that connects by itself, at the first call and after each loss, and never hands out a stale reply.
    ///
    /// Its calls end in [`Error::Transport`](tokio_modbus::Error::Transport), naming device and address, when there is
    /// no connection (the kind of the cause, or `TimedOut`), no reply in time (`TimedOut`), when the device closes the
    /// connection (`UnexpectedEof`), or when a reply has another number of values than were asked for (`InvalidData`).
    /// Replies to other requests end in [`Error::Protocol`](tokio_modbus::Error::Protocol).
    ///
    /// Cost per request, beside the exchange: as [`wrap`](Self::wrap), a timer, and one system call that looks whether
    /// the idle connection is still clean.
    #[must_use]
    pub fn tcp(&self, addr: SocketAddr, slave: Slave) -> Context {
        let client: Box<dyn Client> = Box::new(Link::new(self.clone(), addr, slave));
        client.into()
    }
}

#[cfg(test)]
mod tests;
