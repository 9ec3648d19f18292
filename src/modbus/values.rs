//! How many registers or coils a request asks for and a response carries.

use tokio_modbus::{Request, Response};

/// The number of values that a request wants to read; `None` where the reply carries none.
pub(super) fn asked(request: &Request<'_>) -> Option<usize> {
    match request {
        Request::ReadCoils(_, count)
        | Request::ReadDiscreteInputs(_, count)
        | Request::ReadInputRegisters(_, count)
        | Request::ReadHoldingRegisters(_, count)
        | Request::ReadWriteMultipleRegisters(_, count, _, _) => Some(usize::from(*count)),
        _ => None,
    }
}

/// Whether a response carries as many values as were asked for. Coils come in whole bytes.
pub(super) fn fits(asked: Option<usize>, response: &Response) -> bool {
    match response {
        Response::ReadCoils(coils) | Response::ReadDiscreteInputs(coils) => {
            asked.map(|count| count.div_ceil(8)) == Some(coils.len().div_ceil(8))
        }
        Response::ReadInputRegisters(words)
        | Response::ReadHoldingRegisters(words)
        | Response::ReadWriteMultipleRegisters(words) => asked == Some(words.len()),
        _ => true,
    }
}

/// The number of values that a response carries or confirms, without the bits that fill up the last byte of coils.
pub(super) fn carried(asked: Option<usize>, response: &Response) -> usize {
    match response {
        Response::ReadCoils(coils) | Response::ReadDiscreteInputs(coils) => {
            coils.len().min(asked.unwrap_or(usize::MAX))
        }
        Response::ReadInputRegisters(words)
        | Response::ReadHoldingRegisters(words)
        | Response::ReadWriteMultipleRegisters(words) => words.len(),
        Response::WriteSingleCoil(..)
        | Response::WriteSingleRegister(..)
        | Response::MaskWriteRegister(..) => 1,
        Response::WriteMultipleCoils(_, count) | Response::WriteMultipleRegisters(_, count) => {
            usize::from(*count)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coils_are_counted_without_their_padding() {
        let (request, response) = (Request::ReadCoils(0, 3), Response::ReadCoils(vec![true; 8]));
        let asked = asked(&request);
        assert!(fits(asked, &response));
        assert_eq!(carried(asked, &response), 3);
        assert!(!fits(asked, &Response::ReadCoils(vec![true; 16])));
    }

    #[test]
    fn registers_must_be_as_many_as_asked_for() {
        let asked = asked(&Request::ReadHoldingRegisters(0, 2));
        assert!(fits(asked, &Response::ReadHoldingRegisters(vec![1, 2])));
        assert!(!fits(asked, &Response::ReadHoldingRegisters(vec![1])));
        assert!(!fits(asked, &Response::ReadHoldingRegisters(vec![1, 2, 3])));
    }

    #[test]
    fn writes_count_what_the_device_confirms() {
        let confirmed = Response::WriteMultipleRegisters(0, 4);
        assert!(fits(None, &confirmed));
        assert_eq!(carried(None, &confirmed), 4);
        assert_eq!(carried(None, &Response::WriteSingleCoil(0, true)), 1);
        assert_eq!(carried(None, &Response::MaskWriteRegister(0, 1, 2)), 1);
    }
}
