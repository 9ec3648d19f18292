//! No wrong value, whatever goes wrong: late replies, none, lost connections, exceptions, futures that are dropped.
//! The same is done to tokio-modbus alone, to show that these peers do harm. `--nocapture` shows the figures.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use plimsoll::modbus::Device;
use tokio::time::{sleep, timeout};
use tokio_modbus::client::{Client as _, Context};
use tokio_modbus::prelude::SlaveContext as _;
use tokio_modbus::{Request, Response, Slave};

use super::super::faults::{Random, Tally, reads};
use super::super::{new, reads as counted};
use super::place::{CLOSE, EXCEPTION, KEPT, LATE, Place, SILENCE, Table};
use super::site::Site;

const TIMEOUT: Duration = Duration::from_millis(40);
/// The latest replies come after 110 ms. The rest is for a machine that is busy.
const LATE_WINDOW: Duration = Duration::from_millis(500);
const HANDLERS: u64 = 3;

/// What is asked of a peer.
#[derive(Clone)]
struct Draw {
    random: Random,
    units: &'static [u8],
    /// How many requests in 1,000 end the connection.
    closes: u64,
}

impl Draw {
    fn place(&self) -> Place {
        let random = |limit| self.random.below(limit);
        let table = Table::ALL[random(4) as usize];
        let drawn = random(1_000);
        let (address, count) = match drawn {
            0..20 => (LATE + random(12) as u16, 1),
            20..22 => (SILENCE, 1),
            22..50 => (
                EXCEPTION + [1, 2, 3, 4, 5, 6, 8, 10, 11][random(9) as usize],
                1,
            ),
            50..60 => (random(KEPT.into()) as u16, table.most().min(1_000)),
            _ if drawn >= 1_000 - self.closes => (CLOSE, 1),
            _ => (random(KEPT.into()) as u16, 1 + random(16) as u16),
        };
        Place {
            unit: self.units[random(self.units.len() as u64) as usize],
            table,
            address,
            count,
        }
    }

    fn patience(&self) -> Patience {
        match self.random.below(100) {
            0..3 => Patience::Polls(1 + self.random.below(3)),
            3..5 => Patience::Time(Duration::from_millis(self.random.below(60))),
            _ => Patience::Endless,
        }
    }
}

/// When a caller drops its future.
enum Patience {
    Endless,
    Time(Duration),
    /// After so many times that it was polled.
    Polls(u64),
}

impl Patience {
    async fn with<F: Future>(self, future: F) -> Option<F::Output> {
        let mut polls = match self {
            Self::Endless => return Some(future.await),
            Self::Time(time) => return timeout(time, future).await.ok(),
            Self::Polls(polls) => polls,
        };
        let mut future = pin!(future);
        poll_fn(|context| {
            polls -= 1;
            match future.as_mut().poll(context) {
                Poll::Pending if polls == 0 => Poll::Ready(None),
                polled => polled.map(Some),
            }
        })
        .await
    }
}

/// Ours, or the library's alone with a timeout around it.
enum Client {
    Ours(Device),
    Bare(Context),
}

impl Client {
    async fn call(&mut self, unit: u8, request: Request<'_>) -> tokio_modbus::Result<Response> {
        match self {
            Self::Ours(device) => device.unit(Slave(unit)).call(request).await,
            Self::Bare(context) => {
                context.set_slave(Slave(unit));
                let late = |_| std::io::Error::from(ErrorKind::TimedOut);
                timeout(TIMEOUT, context.call(request))
                    .await
                    .map_err(late)?
            }
        }
    }

    async fn run(mut self, reads: u64, draw: Draw) -> Tally {
        let mut tally = Tally::default();
        let mut trouble = false;
        for _ in 0..reads {
            let place = draw.place();
            let asking = self.call(place.unit, place.request());
            let ended = draw.patience().with(asking).await;
            let right = match &ended {
                Some(Ok(Ok(response))) => place.is_told_by(response),
                _ => false,
            };
            tally.after += u64::from(trouble);
            tally.right_after += u64::from(trouble && right);
            trouble = matches!(ended, None | Some(Err(_)));
            if let Some(Err(_)) = ended {
                // As callers do; one that is refused at once must not count as many.
                sleep(Duration::from_millis(1 + draw.random.below(10))).await;
            }
            match ended {
                Some(Ok(Ok(_))) if right => tally.right += 1,
                Some(Ok(Ok(_))) => tally.wrong += 1,
                Some(Ok(Err(_))) => tally.exceptions += 1,
                Some(Err(_)) => tally.failed += 1,
                None => tally.cancelled += 1,
            }
        }
        tally
    }
}

fn draw(units: &'static [u8], closes: u64, seed: u64) -> Draw {
    Draw {
        random: Random::new(0xC0FFEE + seed),
        units,
        closes,
    }
}

/// Several handlers share the device, on as many connections.
async fn run_ours(name: &str, site: &Site, units: &'static [u8], closes: u64) {
    let (plimsoll, device) = new();
    let connections = if site.way.is_tcp() { HANDLERS } else { 1 };
    let device = device
        .request_timeout(TIMEOUT)
        .late_window(LATE_WINDOW)
        .backoff(Duration::from_millis(1)..=Duration::from_millis(5))
        .wait_timeout(Duration::from_secs(3_600))
        .connections(connections as usize);
    let device = match site.stamps_anew {
        true => device,
        false => device.units_apart(),
    };
    let device = site.way.device(device);
    let begun = std::time::Instant::now();
    let handlers: Vec<_> = (0..HANDLERS)
        .map(|handler| {
            let client = Client::Ours(device.clone());
            tokio::spawn(client.run(reads() / HANDLERS, draw(units, closes, handler)))
        })
        .collect();
    let mut tally = Tally::default();
    for handler in handlers {
        tally.add(&handler.await.unwrap());
    }
    eprintln!("{name}: plimsoll: {tally}; {:.0?}", begun.elapsed());
    assert_eq!(tally.wrong, 0);
    assert!(tally.failed > 0 && tally.cancelled > 0 && tally.exceptions > 0);
    assert!(tally.right > reads() / 2, "{tally}");
    assert_eq!(counted(&plimsoll)[3], 0);
}

/// Without losses of the connection, after which it would only fail.
async fn run_bare(name: &str, site: &Site, units: &'static [u8]) -> Tally {
    let client = Client::Bare(site.way.bare().await);
    let begun = std::time::Instant::now();
    let tally = client.run(reads().min(5_000), draw(units, 0, 0)).await;
    eprintln!(
        "{name}: tokio-modbus alone: {tally}; {:.0?}",
        begun.elapsed()
    );
    assert!(
        tally.wrong + tally.failed > reads().min(5_000) / 50,
        "{tally}"
    );
    tally
}

#[tokio::test]
#[ignore = "needs pymodbus: tests/run"]
async fn no_wrong_value_from_pymodbus_over_tcp() {
    let (name, units) = ("pymodbus, TCP", &[0, 1, 2, 247, 255]);
    run_ours(name, &Site::pymodbus_tcp(), units, 10).await;
    run_bare(name, &Site::pymodbus_tcp(), units).await;
}

#[tokio::test]
#[ignore = "needs libmodbus: tests/run"]
async fn no_wrong_value_from_libmodbus_over_tcp() {
    let (name, units) = ("libmodbus, TCP", &[0, 1, 2, 247, 255]);
    run_ours(name, &Site::libmodbus_tcp(), units, 10).await;
    run_bare(name, &Site::libmodbus_tcp(), units).await;
}

#[tokio::test]
#[ignore = "needs pymodbus: tests/run"]
async fn no_wrong_value_from_pymodbus_rtu_over_tcp() {
    let (name, units) = ("pymodbus, RTU over TCP", &[1, 247]);
    run_ours(name, &Site::pymodbus_rtu_over_tcp(), units, 1).await;
    run_bare(name, &Site::pymodbus_rtu_over_tcp(), units).await;
}

#[tokio::test]
#[ignore = "needs pymodbus and socat: tests/run"]
async fn no_wrong_value_from_pymodbus_on_a_serial_line() {
    let (name, units) = ("pymodbus, serial", &[1, 247]);
    run_ours(name, &Site::pymodbus_serial(), units, 0).await;
    let bare = run_bare(name, &Site::pymodbus_serial(), units).await;
    assert!(bare.wrong > 0, "{bare}");
}

#[tokio::test]
#[ignore = "needs libmodbus and socat: tests/run"]
async fn no_wrong_value_from_libmodbus_on_a_serial_line() {
    let name = "libmodbus, serial";
    run_ours(name, &Site::libmodbus_serial(7), &[7], 0).await;
    let bare = run_bare(name, &Site::libmodbus_serial(7), &[7]).await;
    assert!(bare.wrong > 0, "{bare}");
}

#[tokio::test]
#[ignore = "needs socat: tests/run"]
async fn no_wrong_value_from_units_in_strict_sequence() {
    let (name, units) = ("strictly sequential, serial", &[1, 2, 247]);
    run_ours(name, &Site::sequential(), units, 0).await;
    let bare = run_bare(name, &Site::sequential(), units).await;
    assert!(bare.wrong > 0, "{bare}");
}
