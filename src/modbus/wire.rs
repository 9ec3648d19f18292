//! An open connection: bytes that came and were not used yet, and whether anybody still waits for some.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::time::Instant;

use super::failure::{Failure, Fault};
use super::ledger::{Held, Ledger};
use super::transport::Stream;

/// The most that is looked at in one go; a device that never stops talking is one of whom the rest comes later.
const LOOK: usize = 4096;

/// A connection that nobody used for so long may have been closed by the device.
const IDLE: Duration = Duration::from_millis(10);

/// How far the latest request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    /// To its end.
    Nothing,
    /// It may have been cut.
    Sending,
    /// It is out, and its reply is not in.
    Reply,
}

pub(super) struct Wire {
    stream: Box<dyn Stream>,
    /// What came and was not used yet: here rather than in a future, which somebody may drop.
    pub(super) bytes: Vec<u8>,
    pub(super) pending: Pending,
    /// The latest transaction id.
    pub(super) transaction: u16,
    /// Whether a reply may still come that nobody waits for.
    pub(super) abandoned: bool,
    /// When the next request may go out.
    pub(super) rest_until: Instant,
    /// No reply came through it yet.
    pub(super) fresh: bool,
    /// When something came through it last.
    pub(super) heard: Option<Instant>,
    ledger: Arc<Ledger>,
    _held: Held,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>, ledger: &Arc<Ledger>, held: Held) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
            pending: Pending::Nothing,
            transaction: 0,
            abandoned: false,
            rest_until: Instant::now(),
            fresh: true,
            heard: None,
            ledger: ledger.clone(),
            _held: held,
        }
    }

    /// Takes in what has come by now; `false` if the connection is at its end.
    pub(super) async fn look(&mut self) -> bool {
        // Who yields goes on when the runtime has asked the system for news, and on a busy runtime that takes its time.
        if self.heard.is_none_or(|heard| heard.elapsed() > IDLE) {
            tokio::task::yield_now().await;
        }
        let mut chunk = [0; LOOK];
        let mut chunk = ReadBuf::new(&mut chunk);
        let open = poll_fn(|context| {
            while chunk.remaining() > 0 {
                let before = chunk.filled().len();
                match Pin::new(&mut self.stream).poll_read(context, &mut chunk) {
                    Poll::Pending => return Poll::Ready(true),
                    Poll::Ready(Ok(())) if chunk.filled().len() > before => {}
                    Poll::Ready(_) => return Poll::Ready(false),
                }
            }
            Poll::Ready(true)
        })
        .await;
        self.take(chunk.filled());
        open
    }

    /// Waits for more.
    pub(super) async fn more(&mut self) -> Result<(), Fault> {
        let mut chunk = [0; 512];
        match self.stream.read(&mut chunk).await {
            Ok(0) => {
                let text = "the device closed the connection";
                Err(Fault::new(Failure::Closed, text))
            }
            Ok(count) => {
                self.take(&chunk[..count]);
                Ok(())
            }
            Err(cause) => Err(Fault::io(Failure::Io, "cannot read", &cause)),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.heard = Some(Instant::now());
        }
        self.ledger.bytes_in.add(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) async fn send(&mut self, frame: &[u8]) -> Result<(), Fault> {
        self.pending = Pending::Sending;
        let sent = async {
            self.stream.write_all(frame).await?;
            self.stream.flush().await
        };
        sent.await
            .map_err(|cause| Fault::io(Failure::Io, "cannot write", &cause))?;
        self.ledger.bytes_out.add(frame.len() as u64);
        self.pending = Pending::Reply;
        Ok(())
    }

    /// Discards the first of the bytes that came.
    pub(super) fn discard(&mut self, count: usize) {
        self.ledger.stale_bytes(count);
        self.bytes.drain(..count);
    }

    /// Discards the reply that was given up, as far as to this byte.
    pub(super) fn stale_reply(&mut self, end: usize) {
        self.abandoned = false;
        self.ledger.stale_reply();
        self.discard(end);
    }

    /// Ends the connection in good order.
    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}
