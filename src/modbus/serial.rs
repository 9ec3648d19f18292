//! One request and its reply on a serial line, and what has to be over before the next one.

use tokio::time::{Instant, timeout, timeout_at};

use super::asked::Asked;
use super::failure::{Failure, Fault};
use super::link::{Answer, Link};
use super::rtu::{self, MAX_FRAME, Seen};
use super::wire::Wire;

impl Link {
    /// Waits for what is owed, or of that what `unit` owes if so set, as long as it may still come, and discards whatever else came
    /// meanwhile. A reply that comes after the late window is not recognised: that is the limit of this.
    pub(super) async fn settle(&mut self, unit: u8) -> Result<(), Fault> {
        let silence = self.line.settings.silence();
        let anybody = !self.line.settings.units_apart;
        while let (Some(debt), Some(wire)) = (self.owed.by(unit, anybody), &mut self.wire) {
            let came = debt.seen(&wire.bytes) != Seen::Nothing;
            let wait = match came {
                true => debt.until.min(Instant::now() + silence),
                false => debt.until,
            };
            match timeout_at(wait, wire.more()).await {
                Ok(Ok(())) => trim(wire),
                Ok(Err(fault)) => {
                    let fresh = wire.fresh;
                    self.failed(&fault);
                    if fresh {
                        return Err(fault);
                    }
                    self.ready().await?;
                }
                Err(_) if came => break,
                Err(_) => {
                    self.owed.paid(debt.unit);
                    // Not one byte from anybody: perhaps it is the connection that is dead.
                    if wire.heard.is_none_or(|heard| heard < debt.since) {
                        self.close();
                        self.ready().await?;
                    }
                }
            }
        }
        self.sweep();
        Ok(())
    }

    /// Discards what came, and takes note of the replies among it that were owed.
    fn sweep(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        for _ in 0..self.owed.note(&wire.bytes) {
            self.line.ledger.stale_reply();
        }
        wire.discard(wire.bytes.len());
    }

    /// Sends and receives; the caller limits the time.
    pub(super) async fn converse_serially(&mut self, asked: &Asked) -> Result<Answer, Fault> {
        let settings = &self.line.settings;
        let (unit, silence) = (asked.unit, settings.silence());
        let Some(wire) = &mut self.wire else {
            return Err(Fault::new(Failure::Closed, "there is no connection"));
        };
        if asked.unanswered.is_none() {
            self.owed.owe(unit, &asked.expected, settings.late_window());
        }
        wire.send(&rtu::frame(unit, &asked.pdu)).await?;
        if let Some(response) = &asked.unanswered {
            return Ok(Ok(response.clone()));
        }
        let seen = receive(wire, asked, silence).await?;
        self.owed.paid(unit);
        let Seen::Frame(pdu) = seen else {
            self.sweep();
            let text = "the reply was damaged on its way: its checksum is wrong";
            return Err(Fault::new(Failure::FrameError, text));
        };
        let data = wire.bytes[pdu.clone()].to_vec();
        let behind = wire.bytes.split_off(pdu.end + 2);
        wire.bytes.truncate(pdu.start - 1);
        self.sweep();
        if let Some(wire) = &mut self.wire {
            wire.bytes = behind;
        }
        let judged = asked.expected.judge(&data);
        judged.map_err(|(failure, text)| Fault::new(failure, text))
    }
}

/// The reply, or that it came and was damaged.
async fn receive(
    wire: &mut Wire,
    asked: &Asked,
    silence: std::time::Duration,
) -> Result<Seen, Fault> {
    loop {
        match rtu::find(&wire.bytes, asked.unit, &asked.expected) {
            Seen::Nothing => wire.more().await?,
            Seen::Damaged => match timeout(silence, wire.more()).await {
                Ok(more) => more?,
                Err(_) => return Ok(Seen::Damaged),
            },
            frame => return Ok(frame),
        }
        trim(wire);
    }
}

/// Whatever may still become a frame is within its length from the end.
fn trim(wire: &mut Wire) {
    if wire.bytes.len() > 2 * MAX_FRAME {
        wire.discard(wire.bytes.len() - MAX_FRAME);
    }
}
