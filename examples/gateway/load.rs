//! A paced open-loop load: a request every 5 ms, whether or not the earlier ones were answered.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

use crate::Failure;

const EVERY: Duration = Duration::from_millis(5);
/// A service that no longer answers must not fill the memory with requests.
const MOST_UNDER_WAY: u32 = 500;

/// What became of the requests.
#[derive(Debug, Default)]
pub struct Sent {
    ok: AtomicU64,
    failed: AtomicU64,
    unanswered: AtomicU64,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [ok, failed, unanswered] =
            [&self.ok, &self.failed, &self.unanswered].map(|count| count.load(Ordering::Relaxed));
        write!(
            f,
            "{ok} requests ok, {failed} answered with 5xx, {unanswered} not answered"
        )
    }
}

/// Sends for `duration`, waits for the last answers, and counts.
pub async fn run(addr: SocketAddr, duration: Duration) -> Result<Arc<Sent>, Failure> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build()?;
    let sent = Arc::new(Sent::default());
    let under_way = Arc::new(Semaphore::new(MOST_UNDER_WAY as usize));
    let mut pace = tokio::time::interval(EVERY);
    // Late ticks are made up for: the load does not ease because the service is slow.
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..duration.as_millis() / EVERY.as_millis() {
        pace.tick().await;
        let Ok(permit) = under_way.clone().try_acquire_owned() else {
            sent.unanswered.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let (client, sent) = (client.clone(), sent.clone());
        tokio::spawn(async move {
            let answer = request(&client, addr, number).send().await;
            let count = match answer.map(|answer| answer.status().is_server_error()) {
                Ok(false) => &sent.ok,
                Ok(true) => &sent.failed,
                Err(_) => &sent.unanswered,
            };
            count.fetch_add(1, Ordering::Relaxed);
            drop(permit);
        });
    }
    drop(under_way.acquire_many(MOST_UNDER_WAY).await?);
    Ok(sent)
}

/// Half of the requests list the devices, four in ten read one, one in ten writes.
fn request(client: &reqwest::Client, addr: SocketAddr, number: u128) -> reqwest::RequestBuilder {
    let device = format!(
        "http://{addr}/api/devices/press-{}/registers",
        number % 3 + 1
    );
    match number % 10 {
        0..5 => client.get(format!("http://{addr}/api/devices")),
        5..9 => client.get(device),
        // A register of the first device, which is not the one that falls silent.
        _ => client
            .post(format!("http://{addr}/api/devices/press-1/registers"))
            .header("content-type", "application/json")
            .body(format!("[15, {}]", number % 1000)),
    }
}
