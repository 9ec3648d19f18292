//! The `modbus` room: right values or an error, and every request counted once.

mod budgets;
mod cut;
#[cfg(feature = "tracing")]
mod event;
mod faults;
mod health;
mod keep;
mod line;
mod mistakes;
mod outside;
mod peer;
mod pipe;
mod pymodbus;
mod rtu;
mod server;
mod sharing;
mod tcp;
mod trouble;
mod wrap;

use std::time::Duration;

use plimsoll::modbus::DeviceBuilder;
use plimsoll::{OperationStats, Plimsoll};
use tokio_modbus::Error;

fn new() -> (Plimsoll, DeviceBuilder) {
    let plimsoll = Plimsoll::builder().build().unwrap();
    let device = plimsoll.modbus("press-3");
    (plimsoll, device)
}

/// Count, errors, cancelled, in flight of one operation of any kind.
fn counts<const N: usize>(plimsoll: &Plimsoll, kind: &str, labels: [&str; N]) -> [u64; 4] {
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

/// A number of the device, as it is exported.
fn sample(plimsoll: &Plimsoll, family: &str) -> f64 {
    let line = format!(r#"{family}{{protocol="modbus",device="press-3"}} "#);
    number(plimsoll, &line)
}

fn number(plimsoll: &Plimsoll, beginning: &str) -> f64 {
    let page = plimsoll.render();
    let value = page.lines().find_map(|line| line.strip_prefix(beginning));
    let value = value.unwrap_or_else(|| panic!("no {beginning} in {page}"));
    value.parse().unwrap()
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
    let (_plimsoll, device) = new();
    let device = device.tcp("127.0.0.1:9").unwrap();
    shared(&device);
    sent(device.context(tokio_modbus::Slave(1)));
    sent(async move { device.read_coils(0, 1).await });
}

#[test]
fn a_new_device_stands_at_zero() {
    let (plimsoll, device) = new();
    let _device = device.tcp("127.0.0.1:9").unwrap();
    assert_eq!(reads(&plimsoll), [0, 0, 0, 0]);
    assert_eq!(writes(&plimsoll), [0, 0, 0, 0]);
    assert_eq!(connects(&plimsoll), [0, 0, 0, 0]);
}
