//! Every function, every exception and the units at the edges, over each transport.

use plimsoll::modbus::{Device, Failure};
use tokio_modbus::client::Context;
use tokio_modbus::prelude::*;
use tokio_modbus::{Request, Response};

use super::super::{bounded, new, reads, transport, writes};
use super::place::{EXCEPTION, KEPT, Place, Table};
use super::site::Site;

/// Who is at the other end; for the functions that not all know.
#[derive(Clone, Copy)]
enum Peer {
    Pymodbus,
    Libmodbus,
    /// It does not answer to a function that it does not know, for it cannot tell where the request ends.
    LibmodbusSerial,
}

/// All methods of `Reader` and `Writer`, with values of one and of as many as a request carries.
async fn every_function(context: &mut Context, unit: u8, peer: Peer) {
    context.set_slave(Slave(unit));
    for table in Table::ALL {
        for (address, count) in [(0, 1), (17, 9), (1_000, table.most())] {
            let place = Place {
                unit,
                table,
                address,
                count,
            };
            read(context, place).await;
        }
    }
    write(context).await;
    identify(context, peer).await;
}

async fn read(context: &mut Context, place: Place) {
    let (at, count) = (place.address, place.count);
    match place.table {
        Table::Coils => {
            let bits = context.read_coils(at, count).await.unwrap().unwrap();
            assert_eq!(bits, place.bits(), "{place:?}");
        }
        Table::Discrete => {
            let bits = context.read_discrete_inputs(at, count).await;
            assert_eq!(bits.unwrap().unwrap(), place.bits(), "{place:?}");
        }
        Table::Holding => {
            let words = context.read_holding_registers(at, count).await;
            assert_eq!(words.unwrap().unwrap(), place.words(), "{place:?}");
        }
        Table::Input => {
            let words = context.read_input_registers(at, count).await;
            assert_eq!(words.unwrap().unwrap(), place.words(), "{place:?}");
        }
    }
}

async fn write(context: &mut Context) {
    let done = context.write_single_coil(KEPT, true).await;
    done.unwrap().unwrap();
    let done = context.write_multiple_coils(KEPT + 1, &[false, true]).await;
    done.unwrap().unwrap();
    let coils = context.read_coils(KEPT, 3).await.unwrap().unwrap();
    assert_eq!(coils, [true, false, true]);
    let done = context.write_single_register(KEPT, 0x12).await;
    done.unwrap().unwrap();
    let done = context.masked_write_register(KEPT, 0xF2, 0x25).await;
    done.unwrap().unwrap();
    let done = context.write_multiple_registers(KEPT + 1, &[7, 8]).await;
    done.unwrap().unwrap();
    let words = context.read_write_multiple_registers(KEPT, 4, KEPT + 3, &[9]);
    assert_eq!(words.await.unwrap().unwrap(), [0x17, 7, 8, 9]);
}

async fn identify(context: &mut Context, peer: Peer) {
    match peer {
        Peer::Pymodbus => {
            let told = context.read_device_identification(ReadCode::Basic, 0).await;
            let first = &told.unwrap().unwrap().device_id_objects[0];
            assert_eq!(first.value_as_str(), Some("Plimsoll"));
            // As a custom function: its number of the server is text, which tokio-modbus does not decode.
            let told = context.call(Request::Custom(0x11, vec![].into())).await;
            let Response::Custom(0x11, told) = told.unwrap().unwrap() else {
                panic!("another function")
            };
            assert_eq!(told[1..], *b"Plimsoll-line-1\xFF");
        }
        Peer::Libmodbus => {
            let told = context.read_device_identification(ReadCode::Basic, 0).await;
            assert_eq!(told.unwrap(), Err(ExceptionCode::IllegalFunction));
            names_itself(context).await;
        }
        Peer::LibmodbusSerial => names_itself(context).await,
    }
}

async fn names_itself(context: &mut Context) {
    let told = context.call(Request::ReportServerId).await;
    let Response::ReportServerId(_, true, told) = told.unwrap().unwrap() else {
        panic!("another function")
    };
    assert!(told.starts_with(b"LMB"), "{told:?}");
}

/// Those of the device and those of gateways, as they are to all functions that read.
async fn every_exception(device: &Device, unit: u8) {
    for code in [1, 2, 3, 4, 5, 6, 8, 10, 11] {
        for table in Table::ALL {
            let place = Place {
                unit,
                table,
                address: EXCEPTION + code,
                count: 1,
            };
            let refused = device.unit(Slave(unit)).call(place.request()).await;
            let expected = ExceptionCode::new(code as u8);
            assert_eq!(refused.unwrap(), Err(expected), "{place:?}");
        }
    }
}

/// On a serial line nobody answers to unit 0, and 255 does not exist.
async fn edges_of_a_line(device: &Device, unit: u8) {
    let all = device.unit(Slave(0));
    let sent = all.write_single_register(KEPT + 50, 0xB0).await;
    sent.unwrap().unwrap();
    let unit = device.unit(Slave(unit));
    let words = unit.read_holding_registers(KEPT + 50, 1).await;
    assert_eq!(words.unwrap().unwrap(), [0xB0]);
    let error = all.read_holding_registers(0, 1).await.unwrap_err();
    assert_eq!(Failure::of(&error), Failure::InvalidRequest);
    assert!(error.to_string().contains("the broadcast"), "{error}");
    let beyond = device.unit(Slave(255));
    let error = transport(beyond.read_holding_registers(0, 1).await);
    let text = "unit 255 does not exist on a serial line: use 1 to 247";
    assert!(error.to_string().contains(text), "{error}");
}

async fn speaks<const N: usize>(site: &Site, units: [u8; N], peer: Peer) {
    let (plimsoll, device) = new();
    let device = site.way.device(device);
    bounded(async {
        for unit in units {
            let mut context = device.context(Slave(unit));
            every_function(&mut context, unit, peer).await;
            every_exception(&device, unit).await;
        }
        if !site.way.is_tcp() {
            edges_of_a_line(&device, units[0]).await;
        }
    })
    .await;
    let line = u64::from(!site.way.is_tcp());
    assert_eq!(writes(&plimsoll), [N as u64 * 6 + line, 0, 0, 0]);
    let refused = reads(&plimsoll)[1];
    let unknown = if matches!(peer, Peer::Libmodbus) {
        N
    } else {
        0
    };
    assert_eq!(refused, (N * 36 + unknown) as u64 + line * 2);
}

#[tokio::test]
#[ignore = "needs pymodbus: tests/run"]
async fn pymodbus_over_tcp_speaks_every_function() {
    speaks(&Site::pymodbus_tcp(), [0, 1, 247, 255], Peer::Pymodbus).await;
}

#[tokio::test]
#[ignore = "needs pymodbus: tests/run"]
async fn pymodbus_rtu_over_tcp_speaks_every_function() {
    speaks(&Site::pymodbus_rtu_over_tcp(), [1, 247], Peer::Pymodbus).await;
}

#[tokio::test]
#[ignore = "needs pymodbus and socat: tests/run"]
async fn pymodbus_on_a_serial_line_speaks_every_function() {
    speaks(&Site::pymodbus_serial(), [1, 247], Peer::Pymodbus).await;
}

#[tokio::test]
#[ignore = "needs libmodbus: tests/run"]
async fn libmodbus_over_tcp_speaks_every_function() {
    speaks(&Site::libmodbus_tcp(), [0, 1, 247, 255], Peer::Libmodbus).await;
}

#[tokio::test]
#[ignore = "needs libmodbus and socat: tests/run"]
async fn libmodbus_on_a_serial_line_speaks_every_function() {
    for unit in [1, 247] {
        let site = Site::libmodbus_serial(unit);
        speaks(&site, [unit], Peer::LibmodbusSerial).await;
    }
}
