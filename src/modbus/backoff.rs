//! Pauses between attempts to connect, longer from one to the next, and different for each device.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::RangeInclusive;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::failure::{Failure, Fault};

#[derive(Debug)]
pub(super) struct Backoff {
    pauses: RangeInclusive<Duration>,
    /// Looked at before an attempt to connect, never while one is connected.
    state: Mutex<Option<Pause>>,
}

#[derive(Debug)]
struct Pause {
    length: Duration,
    until: Instant,
    cause: String,
}

impl Backoff {
    pub(super) fn new(pauses: RangeInclusive<Duration>) -> Self {
        Self {
            pauses,
            state: Mutex::new(None),
        }
    }

    /// Whether it is time for an attempt to connect.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let now = Instant::now();
        match &*self.state.lock() {
            Some(pause) if now < pause.until => {
                let left = pause.until - now;
                let text = format!(
                    "no connection, and the next attempt comes in {left:.1?}; {}",
                    pause.cause
                );
                Err(Fault::new(Failure::BackingOff, text))
            }
            _ => Ok(()),
        }
    }

    /// An attempt came to nothing: the next pause is between the shortest and three times the latest.
    pub(super) fn failed(&self, cause: &str) {
        let (least, most) = (*self.pauses.start(), *self.pauses.end());
        let mut state = self.state.lock();
        let latest = state.as_ref().map_or(least, |pause| pause.length);
        let up_to = latest.saturating_mul(3).min(most);
        let length = least + up_to.saturating_sub(least).mul_f64(random());
        *state = Some(Pause {
            length,
            until: Instant::now() + length,
            cause: cause.to_owned(),
        });
    }

    /// The device answers again.
    pub(super) fn answered(&self) {
        *self.state.lock() = None;
    }
}

/// Between 0 and 1: the hasher's keys differ at each call.
fn random() -> f64 {
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_within_their_range_and_an_answer_ends_them() {
        let backoff = Backoff::new(ms(100)..=ms(1_000));
        assert!(backoff.check().is_ok());
        let (mut least, mut most) = (ms(10_000), ms(0));
        for _ in 0..200 {
            backoff.failed("refused");
            let fault = backoff.check().expect_err("a pause");
            assert_eq!(fault.failure, Failure::BackingOff);
            assert!(fault.text.ends_with("; refused"), "{}", fault.text);
            let length = backoff.state.lock().as_ref().expect("a pause").length;
            (least, most) = (least.min(length), most.max(length));
            tokio::time::advance(length).await;
            assert!(backoff.check().is_ok());
        }
        assert!(least >= ms(100) && most <= ms(1_000));
        assert!(least < ms(300) && most > ms(700));
        backoff.failed("refused");
        backoff.answered();
        assert!(backoff.check().is_ok());
    }
}
