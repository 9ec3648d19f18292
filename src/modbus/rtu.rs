//! Frames of Modbus RTU: the unit, the data, a checksum. Nothing says which request a reply belongs to, and nothing but
//! silence where it ends.

use std::ops::Range;

use super::pdu::{Expected, Size};

/// No frame is longer.
pub(super) const MAX_FRAME: usize = 256;

pub(super) fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(pdu.len() + 3);
    frame.push(unit);
    frame.extend_from_slice(pdu);
    let sum = checksum(&frame);
    frame.extend(sum.to_le_bytes());
    frame
}

/// CRC-16/MODBUS.
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum, &byte| {
        (0..8).fold(sum ^ u16::from(byte), |sum, _| {
            (sum >> 1) ^ ((sum & 1) * 0xA001)
        })
    })
}

/// Whether the frame ends in its checksum.
fn is_sound(frame: &[u8]) -> bool {
    let (body, sum) = frame.split_at(frame.len() - 2);
    checksum(body).to_le_bytes() == *sum
}

/// What the bytes that came hold of one reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing yet, or a part of it.
    Nothing,
    /// It, damaged: it begins as it must, as far as to the number of values, and is all there.
    Damaged,
    /// It; the range of its data.
    Frame(Range<usize>),
}

/// Looks for the reply of `unit`, wherever it begins: noise may come before it, and late replies to other requests.
pub(super) fn find(bytes: &[u8], unit: u8, expected: &Expected) -> Seen {
    let mut seen = Seen::Nothing;
    for at in 0..bytes.len() {
        match at_start(&bytes[at..], unit, expected) {
            Seen::Frame(pdu) => return Seen::Frame(at + pdu.start..at + pdu.end),
            Seen::Damaged => seen = Seen::Damaged,
            Seen::Nothing => {}
        }
    }
    seen
}

fn at_start(bytes: &[u8], unit: u8, expected: &Expected) -> Seen {
    let [first, pdu @ ..] = bytes else {
        return Seen::Nothing;
    };
    if *first != unit {
        return Seen::Nothing;
    }
    let whole = |size: usize| bytes.get(..size + 3);
    if pdu.first() == Some(&expected.exception()) {
        return match whole(2) {
            Some(frame) if is_sound(frame) => Seen::Frame(1..3),
            _ => Seen::Nothing,
        };
    }
    let head = expected.head();
    if !pdu.starts_with(head) {
        return Seen::Nothing;
    }
    let size = match expected.size() {
        Size::Exactly(size) => Some(size),
        Size::Counted => pdu.get(1).map(|&count| 2 + usize::from(count)),
        Size::Any => bytes.len().checked_sub(3).filter(|size| *size > 0),
    };
    match size.and_then(whole) {
        Some(frame) if is_sound(frame) => Seen::Frame(1..frame.len() - 2),
        // Two bytes may be noise that looks like one; of what has no size of its own, more may come.
        Some(_) if head.len() > 1 && expected.size() != Size::Any => Seen::Damaged,
        _ => Seen::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use tokio_modbus::Request;

    use super::super::pdu::encode;
    use super::*;

    fn expected(request: &Request<'_>) -> Expected {
        Expected::of(request, &encode(request))
    }

    const READ: Request<'static> = Request::ReadHoldingRegisters(0, 2);
    const REPLY: [u8; 6] = [3, 4, 0, 7, 0, 8];

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        // The request of the serial line guide's examples: unit 2, function 7.
        assert_eq!(frame(2, &[7]), [2, 7, 0x41, 0x12]);
    }

    #[test]
    fn a_reply_is_found_behind_noise_and_behind_other_replies() {
        let reply = frame(9, &REPLY);
        let others = [
            frame(8, &REPLY),
            frame(9, &[3, 2, 0, 1]),
            frame(9, &[4, 4, 0, 1, 0, 2]),
        ];
        for before in [&[][..], &[0], &[9, 3], &others.concat()] {
            let bytes = [before, &reply, &[0, 0]].concat();
            let pdu = before.len() + 1..before.len() + 7;
            assert_eq!(find(&bytes, 9, &expected(&READ)), Seen::Frame(pdu));
        }
    }

    #[test]
    fn a_reply_cut_anywhere_is_nothing() {
        let reply = frame(9, &REPLY);
        for cut in 0..reply.len() {
            assert_eq!(find(&reply[..cut], 9, &expected(&READ)), Seen::Nothing);
        }
    }

    #[test]
    fn a_flipped_bit_never_makes_a_reply() {
        let reply = frame(9, &REPLY);
        for bit in 0..reply.len() * 8 {
            let mut bytes = reply.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // The head tells that it was the reply: unit, function, number of bytes.
            let told = if bit < 24 {
                Seen::Nothing
            } else {
                Seen::Damaged
            };
            assert_eq!(find(&bytes, 9, &expected(&READ)), told);
        }
    }

    #[test]
    fn exceptions_and_replies_without_a_size_are_found() {
        assert_eq!(
            find(&frame(9, &[0x83, 2]), 9, &expected(&READ)),
            Seen::Frame(1..3)
        );
        let custom = expected(&Request::Custom(0x41, vec![].into()));
        let reply = frame(9, &[0x41, 1, 2, 3]);
        assert_eq!(find(&reply, 9, &custom), Seen::Frame(1..5));
        assert_eq!(find(&reply[..5], 9, &custom), Seen::Nothing);
        let identity = expected(&Request::ReportServerId);
        let reply = frame(9, &[0x11, 2, 5, 0xFF]);
        assert_eq!(find(&reply, 9, &identity), Seen::Frame(1..5));
        assert_eq!(find(&reply[..5], 9, &identity), Seen::Nothing);
    }
}
