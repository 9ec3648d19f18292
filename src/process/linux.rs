//! What only Linux tells, as text under `/proc`; elsewhere there are no such files, and nothing is shown.

use std::fs;

/// Bytes that went one way and the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes {
    /// Read, or received.
    pub(super) inward: u64,
    /// Written, or transmitted.
    pub(super) outward: u64,
}

/// What this process made the disks read and write, the page cache apart.
pub(super) fn disk() -> Option<Bytes> {
    parse_io(&fs::read_to_string("/proc/self/io").ok()?)
}

/// What the interfaces of the process' network namespace received and transmitted, loopback apart.
pub(super) fn network() -> Option<Bytes> {
    Some(parse_dev(&fs::read_to_string("/proc/self/net/dev").ok()?))
}

fn parse_io(text: &str) -> Option<Bytes> {
    let value = |key: &str| {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))?;
        value.trim().parse().ok()
    };
    Some(Bytes {
        inward: value("read_bytes")?,
        outward: value("write_bytes")?,
    })
}

/// Lines are `eth0: RECEIVED and seven more TRANSMITTED and seven more`, below two of headings without a colon.
fn parse_dev(text: &str) -> Bytes {
    let interfaces = text.lines().filter_map(|line| {
        let (name, figures) = line.split_once(':')?;
        let mut figures = figures.split_whitespace().map(str::parse);
        let inward = figures.next()?.ok()?;
        let outward = figures.nth(7)?.ok()?;
        (name.trim() != "lo").then_some(Bytes { inward, outward })
    });
    let nothing = Bytes {
        inward: 0,
        outward: 0,
    };
    interfaces.fold(nothing, |sum, bytes| Bytes {
        inward: sum.inward.saturating_add(bytes.inward),
        outward: sum.outward.saturating_add(bytes.outward),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_bytes_are_those_that_reached_a_disk() {
        let text =
            "rchar: 9\nwchar: 8\nread_bytes: 4096\nwrite_bytes: 12288\ncancelled_write_bytes: 1\n";
        let expected = Bytes {
            inward: 4096,
            outward: 12288,
        };
        assert_eq!(parse_io(text), Some(expected));
        assert_eq!(parse_io("rchar: 9\n"), None);
    }

    #[test]
    fn network_bytes_are_those_of_all_interfaces_but_loopback() {
        let text = "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  777     7    0    0    0     0          0         0  777     7    0    0    0     0       0          0
  eth0: 1000     9    0    0    0     0          0         0  200     8    0    0    0     0       0          0
 wlan0:  30      1    0    0    0     0          0         0    4     1    0    0    0     0       0          0
";
        let expected = Bytes {
            inward: 1030,
            outward: 204,
        };
        assert_eq!(parse_dev(text), expected);
    }
}
