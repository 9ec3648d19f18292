//! Bad input: found when a device is built where it can be, and otherwise refused before anything is sent.

use std::time::Duration;

use plimsoll::Plimsoll;
use plimsoll::modbus::{Device, DeviceBuilder, Failure, Mistake, SetupError};
use tokio_modbus::{Request, Slave};

use super::pipe::pipe;
use super::{new, number, reads, transport, writes};

fn mistake(result: Result<Device, SetupError>) -> Mistake {
    result.unwrap_err().mistake
}

#[test]
fn settings_that_cannot_be_are_named() {
    type Set = fn(DeviceBuilder) -> DeviceBuilder;
    let cases: [(Set, &str); 9] = [
        (
            |device| device.gap(Duration::MAX),
            "gap is longer than a day",
        ),
        (
            |device| device.connect_timeout(Duration::ZERO),
            "connect_timeout is 0",
        ),
        (
            |device| device.request_timeout(Duration::ZERO),
            "request_timeout is 0",
        ),
        (
            |device| device.wait_timeout(Duration::ZERO),
            "wait_timeout is 0",
        ),
        (|device| device.connections(0), "connections is 0"),
        (
            |device| device.stale_after(Duration::ZERO),
            "stale_after is 0",
        ),
        (|device| device.down_after(0), "down_after is 0"),
        (
            |device| device.backoff(Duration::from_secs(2)..=Duration::from_secs(1)),
            "backoff from 2s to 1s ends before it begins",
        ),
        (
            |device| device.late_window(Duration::from_millis(999)),
            "late_window 999ms is shorter than request_timeout",
        ),
    ];
    for (set, text) in cases {
        let (_plimsoll, device) = new();
        let error = set(device).tcp("192.0.2.7:502").unwrap_err().to_string();
        let beginning = format!("modbus device \"press-3\": {text}");
        assert!(error.starts_with(&beginning), "{error}");
    }
    let (_plimsoll, device) = new();
    let never = device.clone().down_after(0).meter().unwrap_err().mistake;
    assert_eq!(never, Mistake::Zero("down_after"));
    let two = device.connections(2).rtu(pipe().0);
    assert_eq!(mistake(two), Mistake::OneLine(2));
}

#[test]
fn an_address_is_looked_at_before_anybody_connects() {
    for address in ["plc", "plc:0", ":502", "modbus://plc:502"] {
        let (_plimsoll, device) = new();
        let expected = Mistake::Address(address.to_owned());
        assert_eq!(mistake(device.clone().tcp(address)), expected);
        assert_eq!(mistake(device.rtu_over_tcp(address)), expected);
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_by_the_call() {
    let (plimsoll, device) = new();
    let device = device.tcp("no-such-host.invalid:502").unwrap();
    let error = transport(super::bounded(device.read_coils(0, 1)).await);
    let text = error.to_string();
    let beginning = "modbus device press-3 at no-such-host.invalid:502: ";
    assert!(text.starts_with(beginning), "{text}");
    assert_eq!(reads(&plimsoll), [1, 1, 0, 0]);
}

#[test]
fn two_devices_have_two_names() {
    let plimsoll = Plimsoll::builder().build().unwrap();
    let build = |name: &str| plimsoll.modbus(name).tcp("192.0.2.7:502");
    assert_eq!(mistake(build("")), Mistake::NoName);
    let first = build("press-3").unwrap();
    let unit = first.unit(Slave(2));
    assert_eq!(mistake(build("press-3")), Mistake::NameTaken);
    drop(first);
    assert_eq!(mistake(build("press-3")), Mistake::NameTaken);
    drop(unit);
    let again = build("press-3").unwrap();
    let other = Plimsoll::builder().build().unwrap();
    other.modbus("press-3").tcp("192.0.2.7:502").unwrap();
    drop(again);
}

#[test]
fn a_device_that_was_not_built_leaves_its_name_free() {
    let (_plimsoll, device) = new();
    let broken = device.clone().request_timeout(Duration::ZERO);
    assert!(broken.tcp("192.0.2.7:502").is_err());
    assert!(device.clone().tcp("plc").is_err());
    device.tcp("192.0.2.7:502").unwrap();
}

#[test]
fn above_the_cap_devices_are_one() {
    let plimsoll = Plimsoll::builder().max_series(2).build().unwrap();
    let devices: Vec<_> = (1..=4)
        .map(|n| {
            plimsoll
                .modbus(format!("press-{n}"))
                .tcp("192.0.2.7:502")
                .unwrap()
        })
        .collect();
    let page = plimsoll.render();
    let lines = page.lines().filter(|line| line.starts_with("bytes_total{"));
    let labels: Vec<&str> = lines.filter_map(|line| line.split('"').nth(3)).collect();
    assert_eq!(
        labels,
        ["other", "other", "press-1", "press-1", "press-2", "press-2"]
    );
    let build = |name: &str| plimsoll.modbus(name).tcp("192.0.2.7:502");
    assert_eq!(mistake(build("press-4")), Mistake::NameTaken);
    drop(devices);
    build("press-4").unwrap();
}

#[tokio::test]
async fn what_the_protocol_does_not_carry_is_not_sent() {
    let (plimsoll, device) = new();
    // Would answer nothing: nobody is asked.
    let (open, mut far) = pipe();
    let device = device.rtu(open).unwrap();
    let failures = [
        device.read_holding_registers(0, 0).await.map(drop),
        device.read_holding_registers(0, 126).await.map(drop),
        device.read_coils(65_535, 2).await.map(drop),
        device.unit(Slave(248)).read_coils(0, 1).await.map(drop),
        device
            .write_multiple_registers(0, &[0; 124])
            .await
            .map(drop),
        device
            .call(Request::Custom(0x80, vec![].into()))
            .await
            .map(drop),
    ];
    for failure in failures {
        let failure = failure.map(Ok);
        assert_eq!(
            Failure::of(failure.as_ref().unwrap_err()),
            Failure::InvalidRequest
        );
        assert_eq!(transport(failure).kind(), std::io::ErrorKind::InvalidInput);
    }
    assert!(!far.is_asked());
    assert_eq!(reads(&plimsoll), [4, 4, 0, 0]);
    assert_eq!(writes(&plimsoll), [1, 1, 0, 0]);
    let refused =
        r#"request_failures_total{protocol="modbus",device="press-3",kind="invalid_request"} "#;
    assert_eq!(number(&plimsoll, refused), 6.0);
}
