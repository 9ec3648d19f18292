//! One connection of a device, made when it is needed and given up when it cannot be trusted.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_modbus::{ExceptionCode, Response};

use super::asked::Asked;
use super::backoff::Backoff;
use super::failure::{Failure, Fault};
use super::ledger::{Change, Held, Ledger};
use super::owed::Owed;
use super::settings::{Framing, Resync, Settings};
use super::transport::Opener;
use super::wire::{Pending, Wire};
use crate::registry::Outcome;

/// What all connections of a device have in common.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) settings: Settings,
    pub(super) framing: Framing,
    pub(super) opener: Opener,
    /// Where it is, in words for an error.
    pub(super) at: Arc<str>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) backoff: Backoff,
}

/// What a device said.
pub(super) type Answer = Result<Response, ExceptionCode>;

pub(super) struct Link {
    pub(super) line: Arc<Line>,
    pub(super) wire: Option<Wire>,
    /// Replies that may still come; they outlive the connection, for whoever buffers serial bytes hands them to the next.
    pub(super) owed: Owed,
    connected_before: bool,
    /// Whether something went wrong since the latest good reply.
    troubled: bool,
}

impl Link {
    pub(super) fn new(line: Arc<Line>) -> Self {
        Self {
            line,
            wire: None,
            owed: Owed::default(),
            connected_before: false,
            troubled: false,
        }
    }

    /// Asks, and asks again where the device was busy and the request may be repeated. Also whether the reply is the
    /// first good one after trouble.
    pub(super) async fn ask(&mut self, asked: &Asked) -> Result<(Answer, bool), Fault> {
        let line = self.line.clone();
        let mut retries = line.settings.busy_retries;
        loop {
            let answer = self.exchange(asked).await?;
            match &answer {
                Err(code) if retries > 0 && asked.may_repeat(*code) => {
                    retries -= 1;
                    tokio::time::sleep(line.settings.busy_pause).await;
                }
                // A broadcast tells nothing of the line either.
                Ok(_) if asked.unanswered.is_some() => return Ok((answer, false)),
                Err(_) => return Ok((answer, false)),
                Ok(_) => return Ok((answer, std::mem::take(&mut self.troubled))),
            }
        }
    }

    async fn exchange(&mut self, asked: &Asked) -> Result<Answer, Fault> {
        self.ready().await?;
        if self.line.framing == Framing::Rtu {
            self.settle(asked.unit).await?;
        }
        let limit = self.line.settings.request_timeout;
        let conversation = async {
            match self.line.framing {
                Framing::Mbap => self.converse(asked).await,
                Framing::Rtu => self.converse_serially(asked).await,
            }
        };
        match timeout(limit, conversation).await {
            Ok(Ok(answer)) => {
                self.ended(asked);
                Ok(answer)
            }
            Ok(Err(fault)) => {
                self.failed(&fault);
                Err(fault)
            }
            // The request stays pending, and `rest` sees it.
            Err(_) => Err(self.too_late(asked.unit, limit)),
        }
    }

    /// Makes sure that there is a connection, and that nothing in it is left over.
    pub(super) async fn ready(&mut self) -> Result<(), Fault> {
        if let Some(wire) = &mut self.wire {
            let open = wire.look().await;
            // With no request open, whatever came is no answer of ours. Serial lines have noise, and settle.
            let unasked = self.line.framing == Framing::Mbap && wire.abandoned == 0;
            if unasked && !wire.bytes.is_empty() {
                wire.discard(wire.bytes.len());
                self.close();
            } else if !open {
                self.close();
            }
        }
        if self.wire.is_none() {
            self.connect().await?;
        }
        self.wait_for_gap().await;
        Ok(())
    }

    async fn wait_for_gap(&mut self) {
        if let Some(wire) = &self.wire
            && wire.rest_until > Instant::now()
        {
            tokio::time::sleep_until(wire.rest_until).await;
        }
    }

    async fn connect(&mut self) -> Result<(), Fault> {
        let line = self.line.clone();
        line.backoff.check()?;
        let limit = line.settings.connect_timeout;
        let attempt = line.ledger.begin_connect();
        let opened = match timeout(limit, line.opener.open()).await {
            Ok(opened) => opened.map_err(|cause| {
                let failure = failure_to_connect(cause.kind());
                Fault::io(failure, "cannot connect", &cause)
            }),
            Err(_) => {
                let text = format!("no connection within {limit:?}");
                Err(Fault::new(Failure::ConnectTimeout, text))
            }
        };
        attempt.finish(Outcome::of(&opened));
        match opened {
            Ok(stream) => {
                let again = std::mem::replace(&mut self.connected_before, true);
                let held = Held::new(&line.ledger, Change::Opened { again });
                let mut wire = Wire::new(stream, &line.ledger, held);
                wire.rest_until += line.settings.pause_after_connect;
                self.wire = Some(wire);
                Ok(())
            }
            Err(fault) => {
                self.troubled = true;
                line.backoff.failed(&fault.text);
                line.ledger.connection(Change::Failed(fault.failure));
                Err(fault)
            }
        }
    }

    /// The request came to its end, and the connection is as good as before.
    fn ended(&mut self, asked: &Asked) {
        let settings = &self.line.settings;
        let Some(wire) = &mut self.wire else { return };
        wire.pending = Pending::Nothing;
        let pause = if asked.unanswered.is_some() {
            settings.turnaround
        } else {
            settings.gap(self.line.framing)
        };
        wire.rest_until = Instant::now() + pause;
        // What a broadcast does not bring is no sign of life.
        if asked.unanswered.is_none() && std::mem::take(&mut wire.fresh) {
            self.line.backoff.answered();
        }
    }

    /// The request failed before its time was over.
    pub(super) fn failed(&mut self, fault: &Fault) {
        self.troubled = true;
        let Some(wire) = &mut self.wire else { return };
        if self.line.framing == Framing::Rtu && fault.failure == Failure::FrameError {
            // The reply came and was damaged: nothing else is wrong with the line.
            wire.pending = Pending::Nothing;
            wire.rest_until = Instant::now() + self.line.settings.gap(Framing::Rtu);
            return;
        }
        let gone = matches!(fault.failure, Failure::Closed | Failure::Io);
        if wire.fresh && gone {
            // Who accepts and closes at once is not there either.
            self.line.backoff.failed(&fault.text);
        }
        self.close();
    }

    fn too_late(&self, unit: u8, limit: Duration) -> Fault {
        let came = self.wire.as_ref().map_or(0, |wire| wire.bytes.len());
        let what = match came {
            0 => String::new(),
            _ => format!("; {came} bytes came that are not all of it"),
        };
        let text = format!("no reply from unit {unit} within {limit:?}{what}");
        Fault::new(Failure::RequestTimeout, text)
    }

    /// The one place where a request that was given up is dealt with, whether its time was over or its future dropped.
    pub(super) fn rest(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        let pending = std::mem::replace(&mut wire.pending, Pending::Nothing);
        if pending == Pending::Nothing {
            return;
        }
        self.troubled = true;
        let keep = self.line.settings.resync == Resync::KeepConnection;
        match (self.line.framing, pending) {
            (Framing::Rtu, _) => {}
            (Framing::Mbap, Pending::Reply) if keep && wire.abandoned == 0 => wire.abandoned = 1,
            (Framing::Mbap, _) => self.close(),
        }
    }

    pub(super) fn close(&mut self) {
        self.wire = None;
    }
}

fn failure_to_connect(kind: std::io::ErrorKind) -> Failure {
    match kind {
        std::io::ErrorKind::ConnectionRefused => Failure::ConnectRefused,
        std::io::ErrorKind::TimedOut => Failure::ConnectTimeout,
        std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable => {
            Failure::ConnectUnreachable
        }
        _ => Failure::ConnectFailed,
    }
}
