//! Devices by other implementations whose registers say where they are: no value can pass for another one.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plimsoll::modbus::{Cause, Health};
use tokio::net::TcpListener;
use tokio_modbus::client::Context;
use tokio_modbus::prelude::*;

use super::{bounded, new, reads, writes};

/// The tables of a device, by the function that reads them.
const COILS: u16 = 1;
const DISCRETE: u16 = 2;
const HOLDING: u16 = 3;
const INPUT: u16 = 4;

/// The first address that is kept as it was written, and those that are special: see `tests/peers/modbus_line.c`.
const KEPT: u16 = 3_000;
const EXCEPTION: u16 = 3_100;
const DELAY: u16 = 3_400;
const SILENCE: u16 = 3_900;
const CLOSE: u16 = 3_901;

const SHORT: Duration = Duration::from_millis(300);

/// What a register holds, or the word that a bit is the parity of; as in `tests/peers/modbus_line.c`.
fn word(unit: u8, table: u16, address: u16) -> u16 {
    let salt = [0, 0x1111, 0x2222, 0, 0x4444][usize::from(table)];
    let place = address.wrapping_mul(31);
    place.wrapping_add(u16::from(unit) * 7).wrapping_add(salt)
}

fn words(unit: u8, table: u16, address: u16, count: u16) -> Vec<u16> {
    let each = address..address + count;
    each.map(|address| word(unit, table, address)).collect()
}

fn bits(unit: u8, table: u16, address: u16, count: u16) -> Vec<bool> {
    let words = words(unit, table, address, count);
    let odd = |word: u16| word.count_ones() % 2 == 1;
    words.into_iter().map(odd).collect()
}

/// Ends the server, whichever way the test ends.
struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that is told its port last and says `ready`.
async fn start(mut command: Command) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let command = command.arg(addr.port().to_string());
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut server = Server { child, addr };
    let stdout = server.child.stdout.take().unwrap();
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready");
    server
}

async fn pymodbus() -> Server {
    let python = std::env::var("PLIMSOLL_PYTHON").unwrap_or_else(|_| "python3".into());
    let mut command = Command::new(python);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/pymodbus_line.py");
    command.args([script, "tcp"]);
    start(command).await
}

async fn libmodbus() -> Server {
    let built = std::env::var("PLIMSOLL_MODBUS_LINE").expect("tests/run builds it");
    let mut command = Command::new(built);
    command.arg("tcp");
    start(command).await
}

/// Reads from all four tables and insists on the right values.
async fn read_all(context: &mut Context, unit: u8, address: u16) {
    context.set_slave(Slave(unit));
    let read = context.read_coils(address, 9).await.unwrap().unwrap();
    assert_eq!(read, bits(unit, COILS, address, 9));
    let read = context.read_discrete_inputs(address, 9).await;
    assert_eq!(read.unwrap().unwrap(), bits(unit, DISCRETE, address, 9));
    let read = context.read_holding_registers(address, 9).await;
    assert_eq!(read.unwrap().unwrap(), words(unit, HOLDING, address, 9));
    let read = context.read_input_registers(address, 9).await;
    assert_eq!(read.unwrap().unwrap(), words(unit, INPUT, address, 9));
}

async fn write_all(context: &mut Context) {
    context.set_slave(Slave(2));
    let written = context.write_single_coil(KEPT, true).await;
    written.unwrap().unwrap();
    let written = context.write_multiple_coils(KEPT + 1, &[false, true]).await;
    written.unwrap().unwrap();
    let read = context.read_coils(KEPT, 3).await.unwrap().unwrap();
    assert_eq!(read, [true, false, true]);
    let written = context.write_single_register(KEPT, 0x12).await;
    written.unwrap().unwrap();
    let written = context.masked_write_register(KEPT, 0xF2, 0x25).await;
    written.unwrap().unwrap();
    let written = context.write_multiple_registers(KEPT + 1, &[7, 8]).await;
    written.unwrap().unwrap();
    let read = context.read_write_multiple_registers(KEPT, 4, KEPT + 3, &[9]);
    assert_eq!(read.await.unwrap().unwrap(), [0x17, 7, 8, 9]);
    // Nothing of it is another unit's.
    context.set_slave(Slave(1));
    let read = context.read_holding_registers(KEPT, 3).await;
    assert_eq!(read.unwrap().unwrap(), words(1, HOLDING, KEPT, 3));
}

/// Lets requests fail; none of those that succeed meanwhile may give a wrong value.
async fn provoke(context: &mut Context, hasty: &mut Context) {
    context.set_slave(Slave(1));
    let mut holding = async |address| context.read_holding_registers(address, 1).await;
    let busy = holding(EXCEPTION + 6).await.unwrap();
    assert_eq!(busy, Err(ExceptionCode::ServerDeviceBusy));
    let late = holding(DELAY + 2).await.unwrap().unwrap();
    assert_eq!(late, words(1, HOLDING, DELAY + 2, 1));
    assert!(holding(CLOSE).await.is_err());
    for address in [SILENCE, DELAY + 60] {
        let given_up = hasty.read_holding_registers(address, 1).await;
        assert!(given_up.is_err());
        for address in 1..20 {
            let read = holding(address).await.unwrap().unwrap();
            assert_eq!(read, words(1, HOLDING, address, 1));
            // On a busy machine it may give up here as well.
            if let Ok(read) = hasty.read_holding_registers(address, 1).await {
                assert_eq!(read.unwrap(), words(1, HOLDING, address, 1));
            }
        }
    }
}

async fn no_value_is_wrong(server: &Server) {
    let (plimsoll, device) = new();
    let device = device.request_timeout(Duration::from_secs(30));
    let device = device.tcp(server.addr).unwrap();
    let mut context = device.context(Slave(1));
    for unit in [1, 2, 247, 255] {
        for address in [0, 17, 2_000, 2_990] {
            bounded(read_all(&mut context, unit, address)).await;
        }
    }
    assert_eq!(reads(&plimsoll), [64, 0, 0, 0]);
    bounded(write_all(&mut context)).await;
    assert_eq!(writes(&plimsoll), [6, 0, 0, 0]);
    assert!(matches!(device.health(), Health::Connected { .. }));
    let hasty = plimsoll.modbus("hasty").request_timeout(SHORT);
    let mut hasty = hasty.tcp(server.addr).unwrap().context(Slave(1));
    bounded(provoke(&mut context, &mut hasty)).await;
    let read = bounded(context.read_holding_registers(1, 1)).await;
    assert_eq!(read.unwrap().unwrap(), words(1, HOLDING, 1, 1));
    context.set_slave(Slave(247));
    let refused = bounded(context.read_holding_registers(EXCEPTION + 11, 1)).await;
    assert_eq!(refused.unwrap(), Err(ExceptionCode::GatewayTargetDevice));
    assert_eq!(device.health().cause(), Some(Cause::Unit(247)));
    assert!(device.unit_health(Slave(2)).is_connected());
    let gauge = "device_unit_connected{device=\"press-3\",unit=\"247\"} 0.0\n";
    assert!(plimsoll.render().contains(gauge));
}

/// Another client sees the same.
fn mbpoll_agrees(server: &Server) {
    let port = server.addr.port().to_string();
    let mut mbpoll = Command::new("mbpoll");
    mbpoll.args(["-m", "tcp", "-p", &port, "-0", "-1", "-q", "-t", "4:hex"]);
    mbpoll.args(["-a", "247", "-r", "17", "-c", "3", "127.0.0.1"]);
    let output = mbpoll.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for (address, word) in (17..).zip(words(247, HOLDING, 17, 3)) {
        let line = format!("[{address}]: \t0x{word:04X}");
        assert!(text.contains(&line), "no {line:?} in\n{text}");
    }
}

#[tokio::test]
#[ignore = "needs pymodbus and mbpoll: tests/run"]
async fn pymodbus_never_gives_a_wrong_value() {
    let server = pymodbus().await;
    mbpoll_agrees(&server);
    no_value_is_wrong(&server).await;
}

#[tokio::test]
#[ignore = "needs libmodbus and mbpoll: tests/run"]
async fn libmodbus_never_gives_a_wrong_value() {
    let server = libmodbus().await;
    mbpoll_agrees(&server);
    no_value_is_wrong(&server).await;
}
