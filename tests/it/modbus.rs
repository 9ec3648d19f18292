//! The `modbus` room: right values or an error, and every request counted once.

mod budgets;
mod line;
mod peer;
mod pymodbus;
mod server;
mod tcp;
mod wrap;

use std::time::Duration;

use plimsoll::modbus::Device;
use plimsoll::{OperationStats, Plimsoll};
use tokio_modbus::Error;

fn new() -> (Plimsoll, Device) {
    let plimsoll = Plimsoll::builder().build().unwrap();
    let device = plimsoll.modbus("press-3").unwrap();
    (plimsoll, device)
}

/// Count, errors, cancelled, in flight of one operation of any kind.
fn counts(plimsoll: &Plimsoll, kind: &str, labels: [&str; 2]) -> [u64; 4] {
    let wanted = |line: &&OperationStats| {
        line.kind == kind && line.labels.iter().map(|(_, value)| &**value).eq(labels)
    };
    let operations = plimsoll.stats().operations;
    let line = operations.iter().find(wanted);
    let line = line.unwrap_or_else(|| panic!("no {kind} {labels:?}"));
    [line.count, line.errors, line.cancelled, line.in_flight]
}

fn reads(plimsoll: &Plimsoll) -> [u64; 4] {
    counts(plimsoll, "modbus", ["press-3", "read"])
}

fn writes(plimsoll: &Plimsoll) -> [u64; 4] {
    counts(plimsoll, "modbus", ["press-3", "write"])
}

fn connects(plimsoll: &Plimsoll) -> [u64; 4] {
    counts(plimsoll, "connect", ["modbus", "press-3"])
}

/// Fails a test that hangs, and asserts nothing else about time.
async fn bounded<F: Future>(future: F) -> F::Output {
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, future).await.expect("it hung")
}

/// The I/O error that a call ended in.
fn transport<T: std::fmt::Debug>(result: tokio_modbus::Result<T>) -> std::io::Error {
    match result {
        Err(Error::Transport(error)) => error,
        other => panic!("not a transport error: {other:?}"),
    }
}

#[test]
fn handles_can_be_shared_and_contexts_sent() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn sent<T: Send + 'static>(_: T) {}
    let (_, device) = new();
    shared(&device);
    sent(device.tcp("127.0.0.1:9".parse().unwrap(), tokio_modbus::Slave(1)));
}

#[test]
fn a_new_device_stands_at_zero() {
    let (plimsoll, _device) = new();
    assert_eq!(reads(&plimsoll), [0, 0, 0, 0]);
    assert_eq!(writes(&plimsoll), [0, 0, 0, 0]);
    assert_eq!(connects(&plimsoll), [0, 0, 0, 0]);
}
