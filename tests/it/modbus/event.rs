//! The first value after trouble is a structured event.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::new;
use super::pipe::pipe;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspect_value_is_an_event() {
    // With a single dispatcher in the process, `tracing` asks the thread that meets an event first whether anybody wants
    // it, and that may be a worker of another test. With two it asks them all.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time();
    let subscriber = subscriber.with_writer(move || written.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let (_plimsoll, device) = new();
    let (open, mut far) = pipe();
    let device = device.request_timeout(Duration::from_millis(100));
    let device = device.tcp_with(open).unwrap();
    let peer = async {
        far.tcp().await;
        far.accept().await;
        for word in [1, 2] {
            let (transaction, unit) = far.tcp().await;
            far.answer_tcp(transaction, unit, word).await;
        }
    };
    let reads = async {
        assert!(device.read_holding_registers(7, 1).await.is_err());
        for word in [1, 2] {
            let read = device.read_holding_registers(7, 1).await;
            assert_eq!(read.unwrap().unwrap(), [word]);
        }
    };
    tokio::join!(peer, reads);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let expected = " WARN plimsoll::modbus: the first value after trouble is suspect device=\"press-3\" unit=1\n";
    assert_eq!(text, expected);
}
