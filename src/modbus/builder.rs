//! A device in the making.

use std::fmt::Display;
use std::future::Future;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_modbus::Slave;
use tokio_modbus::client::Context;

use super::backoff::Backoff;
use super::device::Device;
use super::ledger::Ledger;
use super::link::Line;
use super::links::Links;
use super::settings::{Framing, Mistake, Resync, Settings, SetupError};
use super::transport::{Opener, Target};
use super::wrap::Meter;
use crate::instance::Plimsoll;

impl Plimsoll {
    /// Measures a Modbus device under the label `device` = `name`.
    ///
    /// Its counts stand at 0 from when it is built on. Above [`max_series`](crate::Builder::max_series) devices, 1,000
    /// unless told otherwise, the rest are counted as one, `other`.
    pub fn modbus(&self, name: impl Into<String>) -> DeviceBuilder {
        DeviceBuilder {
            plimsoll: self.clone(),
            name: name.into(),
            unit: Slave(1),
            settings: Settings::default(),
        }
    }
}

/// A device in the making; made by [`Plimsoll::modbus`]. Ends in [`tcp`](Self::tcp), [`tcp_with`](Self::tcp_with),
/// [`rtu`](Self::rtu), [`rtu_over_tcp`](Self::rtu_over_tcp), or, to measure only, in [`wrap`](Self::wrap).
#[derive(Debug, Clone)]
#[must_use = "nothing is measured before it ends in a device or a context"]
pub struct DeviceBuilder {
    plimsoll: Plimsoll,
    name: String,
    unit: Slave,
    settings: Settings,
}

macro_rules! setters {
    ($($(#[$doc:meta])+ $name:ident: $type:ty,)+) => {
        $(
            $(#[$doc])+
            pub fn $name(mut self, $name: $type) -> Self {
                self.settings.$name = $name;
                self
            }
        )+
    };
}

impl DeviceBuilder {
    /// The unit that the device's own methods ask, 1 unless told; [`Device::unit`] is for others on the same line.
    pub fn unit(mut self, unit: Slave) -> Self {
        self.unit = unit;
        self
    }

    setters! {
        /// How long an attempt to connect may take, resolving a name included; 2 s unless told.
        connect_timeout: Duration,

        /// How long a request may take from its first byte out to its reply's last byte in; 1 s unless told. Connecting,
        /// and settling on a serial line, come before it.
        request_timeout: Duration,

        /// How long a request may wait for a connection that others use; 10 s unless told.
        wait_timeout: Duration,

        /// Whether TCP sends at once (`TCP_NODELAY`); yes unless told.
        nodelay: bool,

        /// The pauses between attempts to connect, 200 ms to 10 s unless told. Each is random between the shortest and
        /// three times the latest. Meanwhile calls fail at once with [`BackingOff`](super::Failure::BackingOff): handlers
        /// are not to queue up for a device that is not there. The first good reply ends it. A connection that the device
        /// closes before it answered once counts as an attempt that failed.
        backoff: RangeInclusive<Duration>,

        /// How long a connection rests before its first request; not at all unless told.
        pause_after_connect: Duration,

        /// What becomes of a connection whose reply is missing. Concerns MBAP only.
        resync: Resync,

        /// How long a broadcast takes to be carried out by all units, during which nothing is sent: the turnaround delay;
        /// 100 ms unless told.
        turnaround: Duration,

        /// How many connections to hold at most, each made when it is needed; 1 unless told. Many devices accept no more.
        /// A serial line is one.
        connections: usize,
    }

    /// How long a connection rests between a reply and the next request. Unless told, 5 ms on serial lines, which need 3.5
    /// characters of silence, and nothing elsewhere.
    pub fn gap(mut self, gap: Duration) -> Self {
        self.settings.gap = Some(gap);
        self
    }

    /// How long after a request its reply is still reckoned with on a serial line; four times the request timeout unless
    /// told. A unit whose reply is missing is not asked again before it came or this has passed; other units are. A reply
    /// that comes later still is taken for that to the next request of the same form.
    pub fn late_window(mut self, window: Duration) -> Self {
        self.settings.late_window = Some(window);
        self
    }

    /// How old the last good reply may be before the device counts as [degraded](super::Health); as old as it likes unless
    /// told.
    pub fn stale_after(mut self, age: Duration) -> Self {
        self.settings.health.stale_after = Some(age);
        self
    }

    /// How many requests in a row must go without an answer before their unit counts as [down](super::Health); 3 unless
    /// told.
    pub fn down_after(mut self, requests: u32) -> Self {
        self.settings.health.down_after = requests;
        self
    }

    /// Asks again, so often and after such a pause, when the device says that it is busy; not at all unless told. The
    /// connection is held meanwhile.
    ///
    /// Exception 06 (busy) says that the request was not carried out: it is repeated, whatever it was. Exception 05
    /// (acknowledge) says that it was accepted and takes its time: a read is repeated, a write is not, or else it would be
    /// carried out twice. Nothing else is ever sent twice.
    pub fn busy_retries(mut self, retries: u32, pause: Duration) -> Self {
        self.settings.busy_retries = retries;
        self.settings.busy_pause = pause;
        self
    }

    /// Takes unit 0 for the broadcast on MBAP as well, for gateways to serial lines: writes to it are sent and not waited
    /// for. Unless told it is the device itself, which answers. On serial lines it always is the broadcast.
    pub fn unit_zero_is_broadcast(mut self) -> Self {
        self.settings.broadcast = true;
        self
    }

    /// Asks other units on a serial line while one owes a reply; unless told, nobody is asked before it came or its
    /// [late window](Self::late_window) has passed, so that one silent unit slows down all the others. Safe with devices on
    /// a wire, which answer in their own name; not with gateways and simulators that stamp a late reply with the unit that was
    /// asked last.
    pub fn units_apart(mut self) -> Self {
        self.settings.units_apart = true;
        self
    }

    /// A device that speaks Modbus/TCP at `host:port`, a socket address included. A name is resolved at each attempt to
    /// connect. Connects at the first call.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when something about the set-up is wrong, the address above all.
    pub fn tcp(self, address: impl Display) -> Result<Device, SetupError> {
        self.at(&address.to_string(), Framing::Mbap)
    }

    /// A device that speaks Modbus/TCP over whatever `open` opens: TLS, a proxy, an in-memory pipe. It is called again
    /// after each loss.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when something about the set-up is wrong.
    pub fn tcp_with<F, S>(
        self,
        open: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Device, SetupError>
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.build(Framing::Mbap, Opener::new(open), "")
    }

    /// A serial line to one or more units, over whatever `open` opens: a port of tokio-serial's, a pipe. It is called again
    /// after each loss.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when something about the set-up is wrong.
    pub fn rtu<F, S>(
        self,
        open: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Device, SetupError>
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.build(Framing::Rtu, Opener::new(open), "on a serial line")
    }

    /// A serial line behind a device server that passes bytes on as they are, at `host:port`.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when something about the set-up is wrong, the address above all.
    pub fn rtu_over_tcp(self, address: impl Display) -> Result<Device, SetupError> {
        self.at(&address.to_string(), Framing::Rtu)
    }

    /// Measures a context and changes nothing about it: no timeout, no reconnect, the same replies and errors. Of the
    /// settings only [`stale_after`](Self::stale_after) and [`down_after`](Self::down_after) have a meaning here. For several
    /// contexts of one device see [`meter`](Self::meter).
    ///
    /// # Errors
    ///
    /// [`SetupError`] when the name is taken, or its instruments are, or one of the two settings is 0.
    pub fn wrap(self, context: Context) -> Result<Context, SetupError> {
        Ok(self.meter()?.wrap(context))
    }

    /// What [wraps](Meter::wrap) any number of contexts of one device.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when the name is taken, or its instruments are, or one of the two settings is 0.
    pub fn meter(self) -> Result<Meter, SetupError> {
        let meter = self.take();
        meter.map_err(|mistake| self.mistaken(mistake))
    }

    fn at(self, address: &str, framing: Framing) -> Result<Device, SetupError> {
        let nodelay = self.settings.nodelay;
        match Target::parse(address) {
            Some(target) => {
                let opener = Opener::tcp(target, nodelay);
                self.build(framing, opener, &format!("at {address}"))
            }
            None => Err(self.mistaken(Mistake::Address(address.to_owned()))),
        }
    }

    fn build(self, framing: Framing, opener: Opener, at: &str) -> Result<Device, SetupError> {
        match self.links(framing, opener, at) {
            Ok(links) => Ok(Device::new(links, self.unit)),
            Err(mistake) => Err(self.mistaken(mistake)),
        }
    }

    fn links(&self, framing: Framing, opener: Opener, at: &str) -> Result<Arc<Links>, Mistake> {
        self.settings.check(framing)?;
        let Meter { ledger, name } = self.take()?;
        let pool = self.plimsoll.pool(name.label())?;
        let line = Line {
            settings: self.settings.clone(),
            framing,
            opener,
            at: at.into(),
            ledger,
            backoff: Backoff::new(self.settings.backoff.clone()),
        };
        Ok(Links::new(line, pool, name))
    }

    fn take(&self) -> Result<Meter, Mistake> {
        self.settings.check_health()?;
        let inner = self.plimsoll.inner();
        let name = inner.devices.take(&self.name, &inner.registry)?;
        let health = self.settings.health;
        let ledger = Ledger::new(&self.plimsoll, &self.name, name.label(), health)?;
        Ok(Meter {
            ledger: Arc::new(ledger),
            name,
        })
    }

    fn mistaken(self, mistake: Mistake) -> SetupError {
        SetupError {
            device: self.name,
            mistake,
        }
    }
}
