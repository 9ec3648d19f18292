//! Requests as bytes, and what a reply to them must look like.
//!
//! Of tokio-modbus come the types and the decoder of replies; it does not show its encoder.

use tokio_modbus::bytes::Bytes;
use tokio_modbus::{ExceptionCode, Request, Response};

use super::failure::Failure;

/// The protocol data unit: function code and data.
pub(super) fn encode(request: &Request<'_>) -> Vec<u8> {
    let mut pdu = vec![request.function_code().value()];
    match request {
        Request::ReadCoils(at, count)
        | Request::ReadDiscreteInputs(at, count)
        | Request::ReadInputRegisters(at, count)
        | Request::ReadHoldingRegisters(at, count) => put(&mut pdu, &[*at, *count]),
        Request::WriteSingleCoil(at, coil) => put(&mut pdu, &[*at, u16::from(*coil) * 0xFF00]),
        Request::WriteSingleRegister(at, word) => put(&mut pdu, &[*at, *word]),
        Request::MaskWriteRegister(at, and, or) => put(&mut pdu, &[*at, *and, *or]),
        Request::WriteMultipleCoils(at, coils) => {
            put(&mut pdu, &[*at, coils.len() as u16]);
            pdu.push(coils.len().div_ceil(8) as u8);
            let packed = |byte: &[bool]| {
                let bits = byte.iter().enumerate();
                bits.fold(0, |packed, (bit, &coil)| packed | u8::from(coil) << bit)
            };
            pdu.extend(coils.chunks(8).map(packed));
        }
        Request::WriteMultipleRegisters(at, words) => {
            put(&mut pdu, &[*at, words.len() as u16]);
            pdu.push(words.len() as u8 * 2);
            put(&mut pdu, words);
        }
        Request::ReadWriteMultipleRegisters(read_at, count, at, words) => {
            put(&mut pdu, &[*read_at, *count, *at, words.len() as u16]);
            pdu.push(words.len() as u8 * 2);
            put(&mut pdu, words);
        }
        Request::ReadDeviceIdentification(code, object) => {
            pdu.extend([IDENTIFICATION, code.value(), *object]);
        }
        Request::ReportServerId => {}
        Request::Custom(_, data) => pdu.extend_from_slice(data),
    }
    pdu
}

/// The type of a request for device identification within function 2B.
const IDENTIFICATION: u8 = 0x0E;

fn put(pdu: &mut Vec<u8>, words: &[u16]) {
    pdu.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

/// What a good reply to one request looks like.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    /// How it begins: the function code, then the number of bytes or whatever the device repeats.
    head: Vec<u8>,
    size: Size,
    custom: bool,
}

/// How long a reply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Exactly(usize),
    /// The second byte says how many follow it.
    Counted,
    /// Only the transport can tell where it ends.
    Any,
}

impl Expected {
    /// To `request`, which is encoded as `pdu`.
    pub(super) fn of(request: &Request<'_>, pdu: &[u8]) -> Self {
        let values = |bytes: usize| (vec![pdu[0], bytes as u8], Size::Exactly(2 + bytes));
        let echo = |len: usize| (pdu[..len].to_vec(), Size::Exactly(len));
        let (head, size) = match request {
            Request::ReadCoils(_, count) | Request::ReadDiscreteInputs(_, count) => {
                values(usize::from(*count).div_ceil(8))
            }
            Request::ReadInputRegisters(_, count)
            | Request::ReadHoldingRegisters(_, count)
            | Request::ReadWriteMultipleRegisters(_, count, _, _) => {
                values(usize::from(*count) * 2)
            }
            Request::WriteSingleCoil(..)
            | Request::WriteSingleRegister(..)
            | Request::WriteMultipleCoils(..)
            | Request::WriteMultipleRegisters(..) => echo(5),
            Request::MaskWriteRegister(..) => echo(7),
            Request::ReadDeviceIdentification(..) => (pdu[..3].to_vec(), Size::Any),
            Request::ReportServerId => (vec![pdu[0]], Size::Counted),
            Request::Custom(..) => (vec![pdu[0]], Size::Any),
        };
        Self {
            head,
            size,
            custom: matches!(request, Request::Custom(..)),
        }
    }

    /// Whether it changes nothing in the device. Of functions that only the caller knows nobody can tell.
    pub(super) fn is_read(&self) -> bool {
        !self.custom && matches!(self.head[0], 1..=4 | 0x11 | 0x2B)
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// The function code of an exception.
    pub(super) fn exception(&self) -> u8 {
        self.head[0] | 0x80
    }

    /// The whole reply, if it only repeats the request: that of a write.
    pub(super) fn echo(&self) -> Option<Response> {
        let whole = self.size == Size::Exactly(self.head.len());
        whole.then(|| self.decode(&self.head).ok()).flatten()
    }

    /// What a reply says, if it is one to this request.
    pub(super) fn judge(
        &self,
        pdu: &[u8],
    ) -> Result<Result<Response, ExceptionCode>, (Failure, &'static str)> {
        if let [function, code] = *pdu
            && function == self.exception()
        {
            return Ok(Err(ExceptionCode::new(code)));
        }
        if pdu[0] != self.head[0] {
            let text = "the reply has another function code than the request";
            return Err((Failure::FunctionMismatch, text));
        }
        if !pdu.starts_with(&self.head) || !self.fits(pdu) {
            let text = if self.size == Size::Exactly(self.head.len()) {
                "the reply confirms something else than was written"
            } else {
                "the reply has another number of values than were asked for"
            };
            return Err((Failure::ReplyMismatch, text));
        }
        let text = "the reply has a content that cannot be";
        self.decode(pdu)
            .map(Ok)
            .map_err(|_| (Failure::FrameError, text))
    }

    fn fits(&self, pdu: &[u8]) -> bool {
        match self.size {
            Size::Exactly(size) => pdu.len() == size,
            Size::Counted => pdu.get(1).is_some_and(|&n| pdu.len() == 2 + usize::from(n)),
            Size::Any => true,
        }
    }

    fn decode(&self, pdu: &[u8]) -> std::io::Result<Response> {
        let bytes = Bytes::copy_from_slice(pdu);
        if self.custom {
            Ok(Response::Custom(pdu[0], bytes.slice(1..)))
        } else {
            Response::try_from(bytes)
        }
    }
}

/// The number of values that a good reply to `request` carries or confirms, without the bits that fill up the last
/// byte of coils.
pub(super) fn points(request: &Request<'_>) -> usize {
    match request {
        Request::ReadCoils(_, count)
        | Request::ReadDiscreteInputs(_, count)
        | Request::ReadInputRegisters(_, count)
        | Request::ReadHoldingRegisters(_, count)
        | Request::ReadWriteMultipleRegisters(_, count, _, _) => usize::from(*count),
        Request::WriteSingleCoil(..)
        | Request::WriteSingleRegister(..)
        | Request::MaskWriteRegister(..) => 1,
        Request::WriteMultipleCoils(_, coils) => coils.len(),
        Request::WriteMultipleRegisters(_, words) => words.len(),
        Request::ReadDeviceIdentification(..) | Request::ReportServerId | Request::Custom(..) => 0,
    }
}

#[cfg(test)]
mod tests;
