//! A second client: what a device wrote, mbpoll reads, and the other way round.

use std::process::Command;

use tokio_modbus::Slave;

use super::super::{bounded, new};
use super::place::{KEPT, Place, Table};
use super::site::{Site, Way};

/// Runs mbpoll on the table `t` of a unit, from an address on: it writes the values, or reads so many.
fn mbpoll(way: &Way, unit: u8, t: &str, address: u16, count: usize, values: &[&str]) -> String {
    let mut command = Command::new("mbpoll");
    let (unit, address) = (unit.to_string(), address.to_string());
    command.args(["-0", "-1", "-q", "-t", t, "-a", &unit, "-r", &address]);
    if values.is_empty() {
        command.args(["-c", &count.to_string()]);
    }
    match way {
        Way::Tcp(addr) => command
            .args(["-m", "tcp", "-p", &addr.port().to_string()])
            .arg(addr.ip().to_string()),
        Way::Serial(path) => command
            .args(["-m", "rtu", "-b", "115200", "-P", "none"])
            .arg(path),
        Way::RtuOverTcp(_) => panic!("mbpoll does not know it"),
    };
    let output = command
        .args(values)
        .output()
        .expect("mbpoll: see tests/run");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

fn reads(way: &Way, unit: u8, t: &str, address: u16, values: &[String]) {
    let text = mbpoll(way, unit, t, address, values.len(), &[]);
    for (address, value) in (address..).zip(values) {
        let line = format!("[{address}]: \t{value}");
        assert!(text.contains(&line), "no {line:?} in\n{text}");
    }
}

fn words(words: &[u16]) -> Vec<String> {
    words.iter().map(|word| format!("0x{word:04X}")).collect()
}

fn bits(bits: &[bool]) -> Vec<String> {
    let digits = bits.iter().map(|&bit| u8::from(bit).to_string());
    digits.collect()
}

async fn agrees(site: &Site, unit: u8) {
    let (_plimsoll, device) = new();
    let device = site.way.device(device).unit(Slave(unit));
    for (table, t) in Table::ALL.into_iter().zip(["0", "1", "4:hex", "3:hex"]) {
        let place = Place {
            unit,
            table,
            address: 17,
            count: 20,
        };
        match table {
            Table::Coils | Table::Discrete => reads(&site.way, unit, t, 17, &bits(&place.bits())),
            Table::Holding | Table::Input => reads(&site.way, unit, t, 17, &words(&place.words())),
        }
    }
    bounded(async {
        let done = device.write_multiple_registers(KEPT, &[1, 0xFFFF, 3]).await;
        done.unwrap().unwrap();
        let done = device.masked_write_register(KEPT, 0, 0xABCD).await;
        done.unwrap().unwrap();
        let done = device
            .write_multiple_coils(KEPT, &[true, false, true])
            .await;
        done.unwrap().unwrap();
        // A serial port is one client's at a time.
        device.disconnect().await.unwrap();
        reads(&site.way, unit, "4:hex", KEPT, &words(&[0xABCD, 0xFFFF, 3]));
        reads(&site.way, unit, "0", KEPT, &bits(&[true, false, true]));

        mbpoll(&site.way, unit, "4", KEPT, 3, &["11", "22", "65535"]);
        mbpoll(&site.way, unit, "0", KEPT, 2, &["0", "1"]);
        let read = device.read_holding_registers(KEPT, 3).await;
        assert_eq!(read.unwrap().unwrap(), [11, 22, 65_535]);
        let read = device.read_coils(KEPT, 3).await;
        assert_eq!(read.unwrap().unwrap(), [false, true, true]);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs pymodbus and mbpoll: tests/run"]
async fn mbpoll_agrees_about_pymodbus_over_tcp() {
    let site = Site::pymodbus_tcp();
    for unit in [1, 247] {
        agrees(&site, unit).await;
    }
}

#[tokio::test]
#[ignore = "needs pymodbus, socat and mbpoll: tests/run"]
async fn mbpoll_agrees_about_pymodbus_on_a_serial_line() {
    let site = Site::pymodbus_serial();
    for unit in [1, 247] {
        agrees(&site, unit).await;
    }
}

#[tokio::test]
#[ignore = "needs libmodbus and mbpoll: tests/run"]
async fn mbpoll_agrees_about_libmodbus_over_tcp() {
    let site = Site::libmodbus_tcp();
    for unit in [0, 1, 247] {
        agrees(&site, unit).await;
    }
}

#[tokio::test]
#[ignore = "needs libmodbus, socat and mbpoll: tests/run"]
async fn mbpoll_agrees_about_libmodbus_on_a_serial_line() {
    agrees(&Site::libmodbus_serial(1), 1).await;
}
