//! One request and its reply in frames with transaction ids.

use super::asked::Asked;
use super::failure::{Failure, Fault};
use super::link::{Answer, Link};
use super::mbap::{self, Seen};
use super::wire::Wire;

impl Link {
    /// Sends and receives; the caller limits the time.
    pub(super) async fn converse(&mut self, asked: &Asked) -> Result<Answer, Fault> {
        let Some(wire) = &mut self.wire else {
            return Err(Fault::new(Failure::Closed, "there is no connection"));
        };
        wire.transaction = wire.transaction.wrapping_add(1);
        let frame = mbap::frame(wire.transaction, asked.unit, &asked.pdu);
        wire.send(&frame).await?;
        if let Some(response) = &asked.unanswered {
            // A gateway may answer all the same.
            wire.abandoned = wire.abandoned.saturating_add(1);
            return Ok(Ok(response.clone()));
        }
        let pdu = receive(wire, asked.unit).await?;
        let judged = asked.expected.judge(&pdu);
        judged.map_err(|(failure, text)| Fault::new(failure, text))
    }
}

/// The data of the frame with our transaction id.
async fn receive(wire: &mut Wire, unit: u8) -> Result<Vec<u8>, Fault> {
    loop {
        match mbap::parse(&wire.bytes) {
            Seen::Part => wire.more().await?,
            Seen::Broken => {
                let text = "what came is no Modbus/TCP frame";
                return Err(Fault::new(Failure::FrameError, text));
            }
            Seen::Frame {
                transaction, pdu, ..
            } if transaction != wire.transaction => {
                if wire.abandoned == 0 {
                    let expected = wire.transaction;
                    let text =
                        format!("the reply has transaction id {transaction} instead of {expected}");
                    return Err(Fault::new(Failure::StaleReply, text));
                }
                wire.stale_reply(pdu.end);
            }
            Seen::Frame { unit: from, .. } if from != unit => {
                let text = format!("the reply is of unit {from} instead of {unit}");
                return Err(Fault::new(Failure::UnitMismatch, text));
            }
            Seen::Frame { pdu, .. } => {
                let data = wire.bytes[pdu.clone()].to_vec();
                wire.bytes.drain(..pdu.end);
                return Ok(data);
            }
        }
    }
}
