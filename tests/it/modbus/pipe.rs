//! The far end of a device's connections, moved by hand.

use std::future::{Ready, ready};
use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;

use super::faults::sound;

/// Opens in-memory connections, whose far ends come out of the receiver.
pub(super) fn pipe() -> (
    impl Fn() -> Ready<io::Result<DuplexStream>> + Send + Sync + 'static,
    Far,
) {
    let (opened, ends) = mpsc::unbounded_channel();
    let open = move || {
        let (near, far) = duplex(4_096);
        let gone = |_| io::Error::from(io::ErrorKind::NotFound);
        ready(opened.send(far).map(|()| near).map_err(gone))
    };
    (open, Far { ends, end: None })
}

pub(super) struct Far {
    ends: mpsc::UnboundedReceiver<DuplexStream>,
    end: Option<DuplexStream>,
}

impl Far {
    /// Waits for a connection and talks to that one from now on.
    pub(super) async fn accept(&mut self) {
        self.end = Some(self.ends.recv().await.unwrap());
    }

    /// Whether another connection is waiting.
    pub(super) fn is_asked(&mut self) -> bool {
        !self.ends.is_empty()
    }

    /// The next bytes.
    pub(super) async fn bytes<const N: usize>(&mut self) -> [u8; N] {
        if self.end.is_none() {
            self.accept().await;
        }
        let mut bytes = [0; N];
        let end = self.end.as_mut().unwrap();
        end.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.end.as_mut().unwrap().write_all(bytes).await.unwrap();
    }

    /// The next serial request: unit and data.
    pub(super) async fn serial(&mut self) -> (u8, [u8; 5]) {
        let frame: [u8; 8] = self.bytes().await;
        assert_eq!(sound(&frame[..6]), frame);
        (frame[0], frame[1..6].try_into().unwrap())
    }

    /// A serial reply with one register.
    pub(super) async fn answer_serially(&mut self, unit: u8, word: u16) {
        let [high, low] = word.to_be_bytes();
        self.send(&sound(&[unit, 3, 2, high, low])).await;
    }

    /// The next Modbus/TCP request of 12 bytes: transaction, unit.
    pub(super) async fn tcp(&mut self) -> (u16, u8) {
        let frame: [u8; 12] = self.bytes().await;
        (u16::from_be_bytes([frame[0], frame[1]]), frame[6])
    }

    /// A reply with one register.
    pub(super) async fn answer_tcp(&mut self, transaction: u16, unit: u8, word: u16) {
        let ([t0, t1], [high, low]) = (transaction.to_be_bytes(), word.to_be_bytes());
        self.send(&[t0, t1, 0, 0, 0, 5, unit, 3, 2, high, low])
            .await;
    }

    /// An exception to function 3 or 6.
    pub(super) async fn refuse_tcp(&mut self, transaction: u16, function: u8, code: u8) {
        let [t0, t1] = transaction.to_be_bytes();
        self.send(&[t0, t1, 0, 0, 0, 3, 1, function | 0x80, code])
            .await;
    }

    /// Lets go of the connection.
    pub(super) fn unplug(&mut self) -> Option<DuplexStream> {
        self.end.take()
    }

    /// Whether the near end was closed.
    pub(super) async fn is_closed(&mut self) -> bool {
        let end = self.end.as_mut().unwrap();
        end.read(&mut [0]).await.is_ok_and(|count| count == 0)
    }
}
