//! Peers that go away, or freeze, and come back.

use std::time::Duration;

use plimsoll::Plimsoll;
use plimsoll::modbus::{Device, Failure};
use tokio::time::sleep;

use super::super::{bounded, new, number, sample};
use super::place::{CLOSE, Place, Table};
use super::process::{Process, libmodbus, pymodbus};
use super::sequential;
use super::site::{Site, Way};

const TIMEOUT: Duration = Duration::from_millis(200);

fn device(site: &Site) -> (Plimsoll, Device) {
    let (plimsoll, device) = new();
    let pauses = Duration::from_millis(10)..=Duration::from_millis(50);
    let device = device.request_timeout(TIMEOUT).backoff(pauses);
    (plimsoll, site.way.device(device))
}

/// A read; what it returns is right.
async fn read(device: &Device, address: u16) -> Result<(), Failure> {
    let place = Place {
        unit: 1,
        table: Table::Holding,
        address,
        count: 5,
    };
    let words = device.read_holding_registers(address, 5).await;
    let words = words.map_err(|error| Failure::of(&error))?;
    assert_eq!(words.unwrap(), place.words());
    Ok(())
}

/// Reads until one is right.
async fn until_back(device: &Device) {
    for address in 0.. {
        if read(device, address % 1_000).await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

fn connected(plimsoll: &Plimsoll) -> f64 {
    number(plimsoll, r#"device_connected{device="press-3"} "#)
}

#[tokio::test]
#[ignore = "needs socat: tests/run"]
async fn a_serial_adapter_is_unplugged_and_back() {
    let mut site = Site::sequential();
    let (plimsoll, device) = device(&site);
    bounded(async {
        for round in 1..=2 {
            assert_eq!(read(&device, 7).await, Ok(()));
            assert_eq!(connected(&plimsoll), 1.0);
            site.cable.as_mut().unwrap().unplug();
            let failure = read(&device, 8).await.unwrap_err();
            assert_eq!(failure, Failure::ConnectFailed, "in round {round}");
            assert_eq!(connected(&plimsoll), 0.0);
            let cable = site.cable.as_mut().unwrap();
            cable.plug();
            sequential::serve(&cable.far());
            until_back(&device).await;
            assert_eq!(sample(&plimsoll, "reconnects_total"), f64::from(round));
        }
    })
    .await;
}

async fn is_gone_and_back(mut site: Site, start: impl Fn(&str) -> Process) {
    let Way::Tcp(addr) = site.way else {
        panic!("not over TCP")
    };
    let (plimsoll, device) = device(&site);
    bounded(async {
        assert_eq!(read(&device, 7).await, Ok(()));
        assert_eq!(read(&device, CLOSE).await, Err(Failure::Closed));
        assert_eq!(read(&device, 8).await, Ok(()));
        site.server = None;
        assert!(read(&device, 9).await.is_err());
        while read(&device, 9).await != Err(Failure::ConnectRefused) {
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(connected(&plimsoll), 0.0);
        site.server = Some(start(&addr.port().to_string()));
        until_back(&device).await;
    })
    .await;
    assert_eq!(connected(&plimsoll), 1.0);
    assert_eq!(sample(&plimsoll, "reconnects_total"), 2.0);
}

#[tokio::test]
#[ignore = "needs pymodbus: tests/run"]
async fn pymodbus_closes_and_is_gone_and_back() {
    is_gone_and_back(Site::pymodbus_tcp(), |port| {
        Process::ready(&mut pymodbus("tcp", port))
    })
    .await;
}

#[tokio::test]
#[ignore = "needs libmodbus: tests/run"]
async fn libmodbus_closes_and_is_gone_and_back() {
    is_gone_and_back(Site::libmodbus_tcp(), |port| {
        Process::ready(&mut libmodbus(["tcp", port]))
    })
    .await;
}

/// The peer is frozen, and the system still accepts for it: connections are half open, and nobody says so.
async fn freezes(site: Site) {
    let server = site.server.as_ref().unwrap();
    let (_plimsoll, device) = device(&site);
    bounded(async {
        assert_eq!(read(&device, 7).await, Ok(()));
        server.freeze();
        for address in [10, 20, 30] {
            assert_eq!(read(&device, address).await, Err(Failure::RequestTimeout));
        }
        server.thaw();
        until_back(&device).await;
        for address in 0..200 {
            assert_eq!(read(&device, address).await, Ok(()));
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs pymodbus: tests/run"]
async fn pymodbus_over_tcp_freezes_and_thaws() {
    freezes(Site::pymodbus_tcp()).await;
}

#[tokio::test]
#[ignore = "needs pymodbus: tests/run"]
async fn pymodbus_rtu_over_tcp_freezes_and_thaws() {
    freezes(Site::pymodbus_rtu_over_tcp()).await;
}
