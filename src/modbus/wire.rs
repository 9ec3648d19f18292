//! An open connection: bytes that came and were not used yet, and whether anybody still waits for some.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
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
    /// How many replies may still come that nobody waits for.
    pub(super) abandoned: u32,
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
            abandoned: 0,
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
        poll_fn(|context| Poll::Ready(self.look_now(context))).await
    }

    fn look_now(&mut self, context: &mut Context<'_>) -> bool {
        // Here rather than in a future, of which it would be the greatest part.
        let mut chunk = [MaybeUninit::uninit(); LOOK];
        let mut chunk = ReadBuf::uninit(&mut chunk);
        let mut open = true;
        while open && chunk.remaining() > 0 {
            let before = chunk.filled().len();
            match Pin::new(&mut self.stream).poll_read(context, &mut chunk) {
                Poll::Pending => break,
                Poll::Ready(Ok(())) => open = chunk.filled().len() > before,
                Poll::Ready(Err(_)) => open = false,
            }
        }
        self.take(chunk.filled());
        open
    }

    /// Waits for more.
    pub(super) async fn more(&mut self) -> Result<(), Fault> {
        let count = poll_fn(|context| self.poll_more(context)).await;
        match count {
            Ok(0) => {
                let text = "the device closed the connection";
                Err(Fault::new(Failure::Closed, text))
            }
            Ok(_) => Ok(()),
            Err(cause) => Err(Fault::io(Failure::Io, "cannot read", &cause)),
        }
    }

    /// How many bytes came; none at the end.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut chunk = [MaybeUninit::uninit(); 512];
        let mut chunk = ReadBuf::uninit(&mut chunk);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut chunk))?;
        self.take(chunk.filled());
        Poll::Ready(Ok(chunk.filled().len()))
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

    /// Discards a reply that was given up, as far as to this byte.
    pub(super) fn stale_reply(&mut self, end: usize) {
        self.abandoned = self.abandoned.saturating_sub(1);
        self.ledger.stale_reply();
        self.discard(end);
    }

    /// Ends the connection in good order.
    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}
