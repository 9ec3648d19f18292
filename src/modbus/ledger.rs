//! What is counted about one device, by whichever of its connections. The end of each request is told in one place
//! ([`Running`]), each change of a connection in another ([`Ledger::connection`]).

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use tokio_modbus::FunctionCode;

use super::device::Quality;
use super::failure::Failure;
use super::health::{self, Monitor};
use super::trace;
use crate::instance::Plimsoll;
use crate::instrument::{Counter, Gauge};
use crate::registry::{Domain, InFlight, InstrumentError, Operation, Outcome};

const PROTOCOL: &str = "modbus";
/// Failures that somebody surely asks for: they stand at 0 from the start.
const USUAL: [Failure; 4] = [
    Failure::ConnectRefused,
    Failure::ConnectTimeout,
    Failure::RequestTimeout,
    Failure::Closed,
];

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) device: Arc<str>,
    /// The device's name, or what it shares with those above the cap.
    pub(super) label: Box<str>,
    pub(super) plimsoll: Plimsoll,
    pub(super) health: Arc<Monitor>,
    connect: Arc<Operation>,
    read: Arc<Operation>,
    write: Arc<Operation>,
    active: Gauge,
    /// The same without what others of one label hold. Relaxed: an independent value.
    held: AtomicUsize,
    points: Counter,
    suspects: Counter,
    reconnects: Counter,
    stale_replies: Counter,
    stale_bytes: Counter,
    pub(super) bytes_in: Counter,
    pub(super) bytes_out: Counter,
    failures: [OnceLock<Option<Counter>>; Failure::ALL.len()],
}

/// What happened to a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// One was made; `again` if it takes the place of an earlier one.
    Opened { again: bool },
    /// One was handed over, and nothing is known of it.
    Given,
    /// One is gone.
    Closed,
    /// None came about.
    Failed(Failure),
}

impl Ledger {
    pub(super) fn new(
        plimsoll: &Plimsoll,
        device: &str,
        label: &str,
        patience: health::Settings,
    ) -> Result<Self, InstrumentError> {
        let counter = |name: &str, help: &str| {
            let labels = [("protocol", PROTOCOL), ("device", label)];
            Counter::declare(plimsoll, name, help, &labels)
        };
        let bytes = |direction| {
            let labels = [
                ("protocol", PROTOCOL),
                ("device", label),
                ("direction", direction),
            ];
            let help = "Bytes that went to devices and came from them.";
            Counter::declare(plimsoll, "bytes_total", help, &labels)
        };
        let ledger = Self {
            device: device.into(),
            label: label.into(),
            connect: operation(plimsoll, Domain::Connect, &[PROTOCOL, label]).clone(),
            read: operation(plimsoll, Domain::Modbus, &[label, "read"]).clone(),
            write: operation(plimsoll, Domain::Modbus, &[label, "write"]).clone(),
            health: Monitor::new(plimsoll, label, patience)?,
            active: Gauge::declare(
                plimsoll,
                "connections_active",
                "Connections held.",
                &[("protocol", PROTOCOL), ("device", label)],
            )?,
            held: AtomicUsize::new(0),
            points: Counter::declare(
                plimsoll,
                "data_points_processed_total",
                "Values that good replies of the device carried or confirmed.",
                &[("device", label)],
            )?,
            suspects: counter(
                "suspect_replies_total",
                "Good replies that were the first one after trouble.",
            )?,
            reconnects: counter(
                "reconnects_total",
                "Connections made in the place of an earlier one.",
            )?,
            stale_replies: counter(
                "stale_replies_total",
                "Replies that came too late and were discarded.",
            )?,
            stale_bytes: counter(
                "stale_bytes_total",
                "Bytes that belonged to no request and were discarded, late replies included.",
            )?,
            bytes_in: bytes("in")?,
            bytes_out: bytes("out")?,
            failures: [const { OnceLock::new() }; Failure::ALL.len()],
            plimsoll: plimsoll.clone(),
        };
        for failure in USUAL {
            let counter = ledger.failure_counter(failure)?;
            // Nobody else has this ledger yet, so the place is free.
            let _ = ledger.failures[failure as usize].set(Some(counter));
        }
        Ok(ledger)
    }

    /// Counts a request as begun, to a unit that is to answer or to nobody in particular.
    #[inline]
    pub(super) fn begin(&self, unit: Option<u8>, code: FunctionCode) -> Running<'_> {
        Running {
            ledger: self,
            unit,
            counted: InFlight::begin(self.counted(code)),
        }
    }

    /// Where requests of this function are counted. What both reads and writes changes the device: it is a write.
    #[inline]
    fn counted(&self, code: FunctionCode) -> &Operation {
        match code {
            FunctionCode::WriteSingleCoil
            | FunctionCode::WriteSingleRegister
            | FunctionCode::WriteMultipleCoils
            | FunctionCode::WriteMultipleRegisters
            | FunctionCode::WriteFileRecord
            | FunctionCode::MaskWriteRegister
            | FunctionCode::ReadWriteMultipleRegisters => &self.write,
            FunctionCode::Custom(_) => {
                operation(&self.plimsoll, Domain::Modbus, &[&self.label, "other"])
            }
            _ => &self.read,
        }
    }

    /// A request ended in so many values, at a time by the instance's clock.
    #[inline]
    fn answered(&self, unit: Option<u8>, at_ns: u64, points: usize, quality: Quality) {
        self.points.add(points as u64);
        let Some(unit) = unit else { return };
        if quality == Quality::Suspect {
            self.suspects.increment();
            trace::suspect(&self.device, unit);
        }
        self.health.replied(unit, at_ns);
    }

    /// A request ended in a failure, which may say something of the device's health.
    fn failed(&self, unit: Option<u8>, failure: Failure) {
        self.count_failure(failure);
        let health = &self.health;
        match unit {
            _ if failure.is_loss() => health.lost(failure, self.held()),
            Some(unit) if failure.is_exception() => health.exception(unit, failure),
            Some(unit) if failure.is_silence() => health.failed(unit, failure),
            // Attempts to connect tell for themselves, and the rest was never out or nobody waited for it.
            _ => {}
        }
    }

    /// How many connections the device holds.
    fn held(&self) -> usize {
        self.held.load(Relaxed)
    }

    fn hold(&self) {
        self.active.add(1.0);
        self.held.fetch_add(1, Relaxed);
    }

    /// Something happened to a connection.
    pub(super) fn connection(&self, change: Change) {
        match change {
            Change::Opened { again } => {
                self.hold();
                self.reconnects.add(u64::from(again));
            }
            Change::Given => self.hold(),
            Change::Closed => {
                self.active.add(-1.0);
                self.held.fetch_sub(1, Relaxed);
            }
            Change::Failed(failure) => self.health.connect_failed(failure, self.held()),
        }
    }

    /// Counts an attempt to connect as begun.
    pub(super) fn begin_connect(&self) -> InFlight {
        self.connect.start()
    }

    /// Bytes were discarded that no request is owed.
    pub(super) fn stale_bytes(&self, bytes: usize) {
        self.stale_bytes.add(bytes as u64);
    }

    /// A late reply was discarded.
    pub(super) fn stale_reply(&self) {
        self.stale_replies.increment();
    }

    fn count_failure(&self, failure: Failure) {
        let make = || self.failure_counter(failure).ok();
        if let Some(counter) = self.failures[failure as usize].get_or_init(make) {
            counter.increment();
        }
    }

    fn failure_counter(&self, failure: Failure) -> Result<Counter, InstrumentError> {
        let labels = [
            ("protocol", PROTOCOL),
            ("device", &*self.label),
            ("kind", failure.as_str()),
        ];
        let help = "Requests that did not end in values, by why.";
        Counter::declare(&self.plimsoll, "request_failures_total", help, &labels)
    }
}

/// A request under way. Dropped before its end it is told as cancelled.
#[derive(Debug)]
pub(super) struct Running<'a> {
    ledger: &'a Ledger,
    unit: Option<u8>,
    counted: InFlight<&'a Operation>,
}

impl Running<'_> {
    /// It ended in so many values.
    #[inline]
    pub(super) fn succeed(&mut self, points: usize, quality: Quality) {
        let at_ns = self.counted.end_at(Outcome::Ok);
        self.ledger.answered(self.unit, at_ns, points, quality);
    }

    /// It ended in a failure.
    #[cold]
    pub(super) fn fail(&mut self, failure: Failure) {
        self.counted.end(Outcome::Error);
        self.ledger.failed(self.unit, failure);
    }
}

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        // What is counted is still to be dropped, which tells a panic from a future that nobody waited for.
        if self.counted.operation_mut().is_some() {
            self.ledger.failed(self.unit, Failure::Cancelled);
        }
    }
}

/// A connection, counted for as long as it is held.
#[derive(Debug)]
pub(super) struct Held(Arc<Ledger>);

impl Held {
    /// `how` it came about.
    pub(super) fn new(ledger: &Arc<Ledger>, how: Change) -> Self {
        ledger.connection(how);
        Self(ledger.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.connection(Change::Closed);
    }
}

/// An operation that stands at 0 from now on.
fn operation<'a>(plimsoll: &'a Plimsoll, domain: Domain, labels: &[&str]) -> &'a Arc<Operation> {
    let operation = plimsoll.registry().set(domain).declare(labels);
    operation.series(Outcome::Ok);
    operation.series(Outcome::Error);
    operation
}
