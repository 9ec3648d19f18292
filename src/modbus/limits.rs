//! What the protocol does not carry is not sent.

use tokio_modbus::Request;

use super::settings::Framing;

/// Why a request cannot be sent, if it cannot.
pub(super) fn refuse(unit: u8, request: &Request<'_>, framing: Framing) -> Option<String> {
    if framing == Framing::Rtu && unit > 247 {
        return Some(format!(
            "unit {unit} does not exist on a serial line: use 1 to 247, or 0 to write to all"
        ));
    }
    match request {
        Request::ReadCoils(at, count) | Request::ReadDiscreteInputs(at, count) => {
            quantity("coils to read", usize::from(*count), 2_000).or_else(|| span(*at, *count))
        }
        Request::ReadInputRegisters(at, count) | Request::ReadHoldingRegisters(at, count) => {
            quantity("registers to read", usize::from(*count), 125).or_else(|| span(*at, *count))
        }
        Request::WriteMultipleCoils(at, coils) => {
            quantity("coils to write", coils.len(), 1_968).or_else(|| span(*at, coils.len() as u16))
        }
        Request::WriteMultipleRegisters(at, words) => {
            quantity("registers to write", words.len(), 123)
                .or_else(|| span(*at, words.len() as u16))
        }
        Request::ReadWriteMultipleRegisters(read_at, count, at, words) => {
            quantity("registers to read", usize::from(*count), 125)
                .or_else(|| quantity("registers to write", words.len(), 121))
                .or_else(|| span(*read_at, *count))
                .or_else(|| span(*at, words.len() as u16))
        }
        Request::Custom(code, _) if !(1..0x80).contains(code) => Some(format!(
            "function code {code:#04x} does not exist: use 0x01 to 0x7f"
        )),
        Request::Custom(_, data) if data.len() > 252 => Some(format!(
            "{} bytes of data: a request carries at most 252",
            data.len()
        )),
        _ => None,
    }
}

fn quantity(what: &str, asked: usize, most: usize) -> Option<String> {
    let fits = (1..=most).contains(&asked);
    (!fits).then(|| format!("{asked} {what}: a request carries 1 to {most}"))
}

/// Addresses end at 65535.
fn span(at: u16, count: u16) -> Option<String> {
    let last = u32::from(at) + u32::from(count) - 1;
    (last > 0xFFFF).then(|| format!("addresses {at} to {last}: the last one is 65535"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(request: &Request<'_>) -> Option<String> {
        refuse(1, request, Framing::Mbap)
    }

    #[test]
    fn quantities_are_those_of_the_specification() {
        for (least, most) in [
            (Request::ReadCoils(0, 1), Request::ReadCoils(0, 2_000)),
            (
                Request::ReadHoldingRegisters(65_535, 1),
                Request::ReadHoldingRegisters(0, 125),
            ),
        ] {
            assert_eq!([refused(&least), refused(&most)], [None, None]);
        }
        let words = |count| Request::WriteMultipleRegisters(0, vec![0; count].into());
        let coils = |count| Request::WriteMultipleCoils(0, vec![true; count].into());
        let both =
            |read, write| Request::ReadWriteMultipleRegisters(0, read, 0, vec![0; write].into());
        for good in [
            words(1),
            words(123),
            coils(1),
            coils(1_968),
            both(1, 1),
            both(125, 121),
        ] {
            assert_eq!(refused(&good), None);
        }
        for bad in [
            Request::ReadCoils(0, 0),
            Request::ReadDiscreteInputs(0, 2_001),
            Request::ReadInputRegisters(0, 0),
            Request::ReadHoldingRegisters(0, 126),
            Request::ReadHoldingRegisters(65_535, 2),
            words(0),
            words(124),
            coils(0),
            coils(1_969),
            both(0, 1),
            both(126, 1),
            both(1, 0),
            both(1, 122),
            Request::Custom(0, vec![].into()),
            Request::Custom(0x80, vec![].into()),
            Request::Custom(0x41, vec![0; 253].into()),
        ] {
            assert!(refused(&bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn serial_lines_have_fewer_units() {
        let read = Request::ReadCoils(0, 1);
        assert_eq!(refuse(255, &read, Framing::Mbap), None);
        assert_eq!(refuse(247, &read, Framing::Rtu), None);
        let refusal = refuse(248, &read, Framing::Rtu).expect("refused");
        assert!(refusal.contains("unit 248 does not exist"), "{refusal}");
    }
}
