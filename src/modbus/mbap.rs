//! Frames of Modbus/TCP: a transaction id, a zero, a length, the unit, the data.

use std::ops::Range;

const HEADER: usize = 7;
/// Unit and data: function code and 252 bytes at most.
const LENGTH: std::ops::RangeInclusive<usize> = 2..=254;

pub(super) fn frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = pdu.len() as u16 + 1;
    let mut frame = Vec::with_capacity(HEADER + pdu.len());
    for word in [transaction, 0, length] {
        frame.extend(word.to_be_bytes());
    }
    frame.push(unit);
    frame.extend_from_slice(pdu);
    frame
}

/// What stands at the beginning of the bytes that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A part of a frame.
    Part,
    Frame {
        transaction: u16,
        unit: u8,
        pdu: Range<usize>,
    },
    /// Nothing that could become a frame.
    Broken,
}

pub(super) fn parse(bytes: &[u8]) -> Seen {
    let Some((header, _)) = bytes.split_first_chunk::<HEADER>() else {
        return Seen::Part;
    };
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let length = usize::from(word(4));
    if word(2) != 0 || !LENGTH.contains(&length) {
        return Seen::Broken;
    }
    let end = HEADER + length - 1;
    if bytes.len() < end {
        return Seen::Part;
    }
    Seen::Frame {
        transaction: word(0),
        unit: header[6],
        pdu: HEADER..end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_cut_anywhere_is_a_part_and_then_whole() {
        let frame = frame(0x1234, 7, &[3, 2, 0, 9]);
        for cut in 0..frame.len() {
            assert_eq!(parse(&frame[..cut]), Seen::Part);
        }
        let whole = Seen::Frame {
            transaction: 0x1234,
            unit: 7,
            pdu: 7..11,
        };
        assert_eq!(parse(&frame), whole);
        assert_eq!(parse(&[&frame[..], &[1, 2, 3]].concat()), whole);
    }

    #[test]
    fn a_header_that_cannot_be_is_told_at_once() {
        assert_eq!(parse(&[0, 1, 0, 1, 0, 3, 1]), Seen::Broken);
        assert_eq!(parse(&[0, 1, 0, 0, 0, 1, 1]), Seen::Broken);
        assert_eq!(parse(&[0, 1, 0, 0, 1, 0, 1]), Seen::Broken);
    }
}
