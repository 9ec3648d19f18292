//! The families that every Prometheus client has, and the bytes of disks and network beside them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics_process::collector::collect;

use super::linux::{self, Bytes};
use super::{counter, gauge};
use crate::family::{Family, Value};

/// This process, as of when it was first looked at.
#[derive(Debug)]
pub(super) struct Process {
    since: SystemTime,
    /// What the network had carried by then: the namespace is older than the process.
    carried: Option<Bytes>,
}

impl Process {
    pub(super) fn new() -> Self {
        Self {
            since: SystemTime::now(),
            carried: linux::network(),
        }
    }

    pub(super) fn families(&self) -> Vec<Family> {
        let process = collect();
        let started = process.start_time_seconds;
        let started = started.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        let mut families = Vec::new();
        if let Some(seconds) = process.cpu_seconds_total {
            families.push(counter(
                "process_cpu_seconds_total",
                "CPU time that the process has spent, in user and kernel mode, of all its threads.",
                Value::Float(seconds),
                started,
            ));
        }
        let gauges = [
            (
                "process_open_fds",
                "File descriptors that the process has open.",
                process.open_fds.map(Value::Integer),
            ),
            (
                "process_max_fds",
                "File descriptors that the process may have open; +Inf without a limit.",
                process.max_fds.map(limit),
            ),
            (
                "process_virtual_memory_bytes",
                "Address space of the process.",
                process.virtual_memory_bytes.map(Value::Integer),
            ),
            (
                "process_virtual_memory_max_bytes",
                "Address space that the process may have; +Inf without a limit.",
                process.virtual_memory_max_bytes.map(limit),
            ),
            (
                "process_resident_memory_bytes",
                "Memory of the process that is in RAM.",
                process.resident_memory_bytes.map(Value::Integer),
            ),
            (
                "process_start_time_seconds",
                "When the process began, as Unix time.",
                process.start_time_seconds.map(Value::Integer),
            ),
            (
                "process_threads",
                "Threads of the process.",
                process.threads.map(Value::Integer),
            ),
        ];
        let known = gauges.into_iter();
        families.extend(known.filter_map(|(name, help, value)| Some(gauge(name, help, value?))));
        families.extend(disk(started));
        families.extend(self.network().into_iter().flatten());
        families
    }

    fn network(&self) -> Option<[Family; 2]> {
        let (now, then) = (linux::network()?, self.carried?);
        let counter = |name, help, now: u64, then| {
            // An interface that is gone takes its count along: that looks like a restart, as with any counter.
            let value = Value::Integer(now.saturating_sub(then));
            counter(name, help, value, Some(self.since))
        };
        Some([
            counter(
                "process_network_receive_bytes_total",
                "Bytes that the interfaces of the process' network namespace received since it is observed, loopback apart.",
                now.inward,
                then.inward,
            ),
            counter(
                "process_network_transmit_bytes_total",
                "Bytes that the interfaces of the process' network namespace transmitted since it is observed, loopback apart.",
                now.outward,
                then.outward,
            ),
        ])
    }
}

fn disk(started: Option<SystemTime>) -> impl Iterator<Item = Family> {
    let counters = linux::disk().map(|bytes| {
        [
            counter(
                "process_disk_read_bytes_total",
                "Bytes that disks read for the process; what was in the page cache is not among them.",
                Value::Integer(bytes.inward),
                started,
            ),
            counter(
                "process_disk_written_bytes_total",
                "Bytes that the process had disks write, or will have when the page cache is written back.",
                Value::Integer(bytes.outward),
                started,
            ),
        ]
    });
    counters.into_iter().flatten()
}

/// 0 stands for none.
fn limit(most: u64) -> Value {
    match most {
        0 => Value::Float(f64::INFINITY),
        most => Value::Integer(most),
    }
}
