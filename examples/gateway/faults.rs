//! What can go wrong, on demand.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::timeline::Timeline;

const SLOW_QUERY: Duration = Duration::from_millis(250);
const SLOW_EVERY: u64 = 8;
const FAIL_EVERY: u64 = 10;
const SILENT: &str = "press-3";

/// When the last fault is taken away again.
pub const LAST_FAULT: Duration = Duration::from_millis(17_000);

/// What is wrong at the moment; 0 and false are nothing.
#[derive(Debug)]
pub struct Faults {
    slow_every: AtomicU64,
    queries: AtomicU64,
    fail_every: AtomicU64,
    requests: Mutex<HashMap<(Method, String), u64>>,
    silent: AtomicBool,
    speak: Notify,
}

/// (what, from, until, the budgets that must breach)
type Fault = (&'static str, u64, u64, &'static [&'static str]);

const SCHEDULE: [Fault; 3] = [
    (
        "every 8th query takes 250 ms",
        3_000,
        6_000,
        &["request-p95", "query-p95"],
    ),
    (
        "every 10th request fails",
        9_500,
        11_500,
        &["request-errors"],
    ),
    (
        "press-3 stops answering",
        14_500,
        17_000,
        &["device-success"],
    ),
];

impl Faults {
    pub fn new(fail_every: u64) -> Self {
        Self {
            slow_every: AtomicU64::new(0),
            queries: AtomicU64::new(0),
            fail_every: AtomicU64::new(fail_every),
            requests: Mutex::default(),
            silent: AtomicBool::new(false),
            speak: Notify::new(),
        }
    }

    /// Runs a query, now and then a slow one.
    pub async fn query<T>(&self, query: impl Future<Output = T>) -> T {
        let every = self.slow_every.load(Ordering::Relaxed);
        if every > 0
            && self
                .queries
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(every)
        {
            tokio::time::sleep(SLOW_QUERY).await;
        }
        query.await
    }

    /// Returns at once, or when a device that is silent may speak again.
    pub async fn answer_of(&self, device: &str) {
        while device == SILENT && self.silent.load(Ordering::Relaxed) {
            self.speak.notified().await;
        }
    }

    fn switch(&self, fault: usize, on: bool) {
        match fault {
            0 => self
                .slow_every
                .store(if on { SLOW_EVERY } else { 0 }, Ordering::Relaxed),
            1 => self
                .fail_every
                .store(if on { FAIL_EVERY } else { 0 }, Ordering::Relaxed),
            _ => {
                self.silent.store(on, Ordering::Relaxed);
                self.speak.notify_waiters();
            }
        }
    }
}

/// Answers every Nth request of a route with status 500 instead of passing it on.
pub async fn fail(
    State(faults): State<Arc<Faults>>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let every = faults.fail_every.load(Ordering::Relaxed);
    if every > 0 {
        let key = (request.method().clone(), route.as_str().to_owned());
        let seen = {
            let mut requests = faults.requests.lock();
            let seen = requests.entry(key).or_default();
            *seen += 1;
            *seen
        };
        if seen.is_multiple_of(every) {
            return (StatusCode::INTERNAL_SERVER_ERROR, "injected failure").into_response();
        }
    }
    next.run(request).await
}

/// Goes through the schedule.
pub async fn inject(faults: Arc<Faults>, timeline: Arc<Timeline>) {
    let start = Instant::now();
    for (number, &(what, from, until, breaches)) in SCHEDULE.iter().enumerate() {
        tokio::time::sleep_until(start + Duration::from_millis(from)).await;
        timeline.fault(what, true, breaches);
        faults.switch(number, true);
        tokio::time::sleep_until(start + Duration::from_millis(until)).await;
        faults.switch(number, false);
        timeline.fault(what, false, breaches);
    }
}
