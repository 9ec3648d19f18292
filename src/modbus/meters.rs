//! What is counted about one device, by whichever of its connections.

use std::sync::Arc;

use tokio_modbus::{FunctionCode, Request, Response, Result, Slave};

use super::health::{Cause, Monitor, Settings};
use super::values::carried;
use crate::instance::Plimsoll;
use crate::instrument::{Counter, Gauge};
use crate::registry::{Domain, InFlight, InstrumentError, Operation, Outcome, Registry};

const PROTOCOL: &str = "modbus";

#[derive(Debug)]
pub(super) struct Meters {
    pub(super) device: String,
    pub(super) connect: Arc<Operation>,
    registry: Arc<Registry>,
    read: Arc<Operation>,
    write: Arc<Operation>,
    pub(super) health: Arc<Monitor>,
    active: Gauge,
    points: Counter,
}

impl Meters {
    pub(super) fn new(
        plimsoll: &Plimsoll,
        device: &str,
    ) -> std::result::Result<Self, InstrumentError> {
        let gauge = |name: &str, help: &str| plimsoll.gauge(name).help(help);
        let active = gauge("connections_active", "Connections held.").label("protocol", PROTOCOL);
        let points = plimsoll
            .counter("data_points_processed_total")
            .help("Values that good replies of the device carried or confirmed.");
        let declare = |domain, labels: &[&str]| declare(plimsoll.registry(), domain, labels);
        Ok(Self {
            device: device.to_owned(),
            connect: declare(Domain::Connect, &[PROTOCOL, device]),
            registry: plimsoll.registry().clone(),
            read: declare(Domain::Modbus, &[device, "read"]),
            write: declare(Domain::Modbus, &[device, "write"]),
            health: Monitor::new(plimsoll, device, Settings::default())?,
            active: active.label("device", device).register()?,
            points: points.label("device", device).register()?,
        })
    }

    /// Counts a request as begun.
    pub(super) fn begin(&self, request: &Request<'_>) -> InFlight {
        match word(request.function_code()) {
            "read" => self.read.start(),
            "write" => self.write.start(),
            other => declare(&self.registry, Domain::Modbus, &[&self.device, other]).start(),
        }
    }

    /// Counts the end of a request to `unit` for `asked` values.
    pub(super) fn end(
        &self,
        request: InFlight,
        unit: Slave,
        asked: Option<usize>,
        result: &Result<Response>,
    ) {
        let outcome = match result {
            Ok(Ok(_)) => Outcome::Ok,
            Ok(Err(_)) | Err(_) => Outcome::Error,
        };
        let at_ns = request.finish_at(outcome);
        match result {
            Ok(Ok(response)) => {
                self.health.replied(unit.0, at_ns);
                self.points.add(carried(asked, response) as u64);
            }
            Ok(Err(code)) => self.health.exception(unit.0, *code),
            Err(_) => {}
        }
    }

    /// A connection that was counted as held is dead; other ones to the same device still speak for it.
    pub(super) fn lost(&self, cause: Cause) {
        let others = (self.active.value() - 1.0).max(0.0);
        self.health.lost(cause, others as usize);
    }

    /// A connection could not be made.
    pub(super) fn connect_failed(&self, cause: Cause) {
        self.health
            .connect_failed(cause, self.active.value() as usize);
    }
}

/// A connection, counted for as long as it is held.
#[derive(Debug)]
pub(super) struct Held(Arc<Meters>);

impl Held {
    pub(super) fn new(meters: &Arc<Meters>) -> Self {
        meters.active.add(1.0);
        Self(meters.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.active.add(-1.0);
    }
}

/// The label value of a function code. What both reads and writes changes the device: it is a write.
fn word(code: FunctionCode) -> &'static str {
    match code {
        FunctionCode::WriteSingleCoil
        | FunctionCode::WriteSingleRegister
        | FunctionCode::WriteMultipleCoils
        | FunctionCode::WriteMultipleRegisters
        | FunctionCode::WriteFileRecord
        | FunctionCode::MaskWriteRegister
        | FunctionCode::ReadWriteMultipleRegisters => "write",
        FunctionCode::Custom(_) => "other",
        _ => "read",
    }
}

/// An operation that stands at 0 from now on.
fn declare(registry: &Registry, domain: Domain, labels: &[&str]) -> Arc<Operation> {
    let operation = registry.set(domain).declare(labels);
    operation.series(Outcome::Ok);
    operation.series(Outcome::Error);
    operation.clone()
}
