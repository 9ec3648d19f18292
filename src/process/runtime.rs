//! What a tokio runtime says of itself.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::RuntimeMetrics;

use super::{counter, gauge};
use crate::family::{Family, Value};

/// A shorter look says more of one task than of the runtime.
const LOOK: Duration = Duration::from_secs(1);

/// A runtime, and how busy it was lately.
#[derive(Debug)]
pub(super) struct Runtime {
    metrics: RuntimeMetrics,
    began: Instant,
    share: Mutex<Share>,
}

/// The share of time that workers are busy, whoever asks how often.
#[derive(Debug, Default)]
struct Share {
    /// When it was last reckoned, and how busy they had been by then.
    at: Duration,
    busy: Duration,
    ratio: f64,
}

impl Runtime {
    pub(super) fn new(metrics: RuntimeMetrics) -> Self {
        let share = Share {
            busy: busy(&metrics),
            ..Share::default()
        };
        Self {
            metrics,
            began: Instant::now(),
            share: Mutex::new(share),
        }
    }

    pub(super) fn families(&self) -> Vec<Family> {
        let metrics = &self.metrics;
        let (workers, busy) = (metrics.num_workers(), busy(metrics));
        let ratio = self
            .share
            .lock()
            .ratio(self.began.elapsed(), busy, workers as f64);
        vec![
            gauge(
                "tokio_workers",
                "Worker threads of the runtime.",
                Value::Integer(workers as u64),
            ),
            gauge(
                "tokio_alive_tasks",
                "Tasks that were spawned and have not ended.",
                Value::Integer(metrics.num_alive_tasks() as u64),
            ),
            gauge(
                "tokio_global_queue_depth",
                "Tasks that are ready and that no worker has taken yet, local queues apart.",
                Value::Integer(metrics.global_queue_depth() as u64),
            ),
            gauge(
                "tokio_busy_ratio",
                "Share of the latest second or more that workers were busy, of all of them.",
                Value::Float(ratio),
            ),
            counter(
                "tokio_worker_busy_seconds_total",
                "Time that workers were busy, added up; counted when a worker goes to sleep.",
                Value::Float(busy.as_secs_f64()),
                None,
            ),
        ]
    }
}

fn busy(metrics: &RuntimeMetrics) -> Duration {
    let workers = 0..metrics.num_workers();
    workers
        .map(|worker| metrics.worker_total_busy_duration(worker))
        .sum()
}

impl Share {
    /// From the latest look on, if that was long enough ago; else what it said.
    fn ratio(&mut self, now: Duration, busy: Duration, workers: f64) -> f64 {
        let since = now.saturating_sub(self.at);
        if since >= LOOK {
            let spent = busy.saturating_sub(self.busy).as_secs_f64();
            // A long stretch of work counts when it is over, and may be longer than the look.
            let ratio = (spent / (since.as_secs_f64() * workers)).min(1.0);
            *self = Self {
                at: now,
                busy,
                ratio,
            };
        }
        self.ratio
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_that_of_all_workers_since_a_look_of_a_second_or_more() {
        let ms = Duration::from_millis;
        let mut share = Share::default();
        assert_eq!(
            share.ratio(ms(500), ms(500), 2.0),
            0.0,
            "too short to be told"
        );
        assert_eq!(share.ratio(ms(1000), ms(500), 2.0), 0.25);
        assert_eq!(
            share.ratio(ms(1999), ms(1500), 2.0),
            0.25,
            "another reader does not cut it short"
        );
        assert_eq!(share.ratio(ms(3000), ms(3500), 2.0), 0.75);
        assert_eq!(
            share.ratio(ms(4000), ms(9500), 2.0),
            1.0,
            "a task of three seconds has ended"
        );
    }
}
