//! Another implementation at the other end.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use tokio::net::TcpListener;
use tokio_modbus::prelude::*;

use super::{bounded, new, reads, writes};

/// Ends the server, whichever way the test ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts the server and waits for its `ready`.
    fn start(addr: SocketAddr) -> Self {
        let python = std::env::var("PLIMSOLL_PYTHON").unwrap_or_else(|_| "python3".into());
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/peers/pymodbus_server.py"
        );
        let mut command = Command::new(python);
        command
            .args([script, &addr.port().to_string()])
            .stdout(Stdio::piped());
        let mut server = Self(command.spawn().unwrap());
        let mut line = String::new();
        let stdout = server.0.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
        server
    }
}

async fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
#[ignore = "needs pymodbus: tests/run"]
async fn pymodbus_reads_writes_and_refuses() {
    let addr = free_port().await;
    let _server = Server::start(addr);
    let (plimsoll, device) = new();
    let mut context = device.tcp(addr).unwrap().context(Slave(1));
    bounded(async {
        let read = context.read_holding_registers(3, 4).await;
        assert_eq!(read.unwrap().unwrap(), [3, 4, 5, 6]);
        context
            .write_multiple_registers(4, &[44, 55])
            .await
            .unwrap()
            .unwrap();
        let read = context.read_holding_registers(3, 4).await;
        assert_eq!(read.unwrap().unwrap(), [3, 44, 55, 6]);
        let outside = context.read_holding_registers(500, 1).await.unwrap();
        assert_eq!(outside, Err(ExceptionCode::IllegalDataAddress));
    })
    .await;
    assert_eq!(reads(&plimsoll), [3, 1, 0, 0]);
    assert_eq!(writes(&plimsoll), [1, 0, 0, 0]);
}
