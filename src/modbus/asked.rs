//! A request that may be sent, and what may be done with it.

use tokio_modbus::{ExceptionCode, Request, Response};

use super::failure::{Failure, Fault};
use super::limits;
use super::link::Line;
use super::pdu::{self, Expected};
use super::settings::Framing;

/// A request ready to be sent.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) unit: u8,
    pub(super) pdu: Vec<u8>,
    pub(super) expected: Expected,
    /// What is returned in place of a reply: to a broadcast there is none.
    pub(super) unanswered: Option<Response>,
    /// Whether it changes nothing, however often it is carried out.
    is_read: bool,
}

impl Asked {
    pub(super) fn new(unit: u8, request: &Request<'_>, line: &Line) -> Result<Self, Fault> {
        if let Some(text) = limits::refuse(unit, request, line.framing) {
            return Err(Fault::new(Failure::InvalidRequest, text));
        }
        let pdu = pdu::encode(request);
        let expected = Expected::of(request, &pdu);
        let broadcast = unit == 0 && (line.framing == Framing::Rtu || line.settings.broadcast);
        let unanswered = expected.echo().filter(|_| broadcast);
        if broadcast && unanswered.is_none() {
            let text = "nobody answers to unit 0, the broadcast: only writes can be sent to it";
            return Err(Fault::new(Failure::InvalidRequest, text));
        }
        Ok(Self {
            unit,
            pdu,
            is_read: expected.is_read(),
            expected,
            unanswered,
        })
    }

    /// Whether it may be sent again after this exception. Busy (06) says that it was not carried out. Acknowledge (05)
    /// says that it was accepted: a read may be asked for again, a write would be carried out twice.
    pub(super) fn may_repeat(&self, code: ExceptionCode) -> bool {
        match code {
            ExceptionCode::ServerDeviceBusy => true,
            ExceptionCode::Acknowledge => self.is_read,
            _ => false,
        }
    }
}
