//! What is promised of a device breaches, calls back and recovers like any other promise.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use plimsoll::modbus::{Cause, Device, Health, Rules};
use plimsoll::{Budget, ManualClock, Plimsoll};
use tokio_modbus::client::Context;
use tokio_modbus::prelude::*;

use super::bounded;
use super::peer::{Act, Peer};

const SECOND: Duration = Duration::from_secs(1);
const SHORT: Duration = Duration::from_millis(30);

/// Addresses at which the device of these tests misbehaves.
const SILENT: u16 = 200;
const SLOW: u16 = 201;
const REFUSED: u16 = 202;

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
    device: Device,
    /// The same, which gives up soon: for what is not answered at all.
    hasty: Device,
    /// What the callbacks were told: `breach`, `recovery`.
    told: Receiver<&'static str>,
}

impl Bench {
    fn new(budget: Budget) -> Self {
        let clock = ManualClock::new();
        let (breached, told) = channel();
        let recovered = breached.clone();
        let plimsoll = Plimsoll::builder()
            .clock(clock.clone())
            .manual_tick()
            .budget(budget)
            .on_breach(move |_| breached.send("breach").unwrap())
            .on_recovery(move |_| recovered.send("recovery").unwrap())
            .build()
            .unwrap();
        let device = plimsoll.modbus("press-3").unwrap();
        let device = device.stale_after(10 * SECOND);
        Self {
            hasty: device.clone().request_timeout(SHORT),
            device: device.request_timeout(30 * SECOND),
            plimsoll,
            clock,
            told,
        }
    }

    /// So many seconds, with a tick in each; returns what the callbacks were told.
    fn pass(&self, seconds: u32) -> Vec<&'static str> {
        for _ in 0..seconds {
            self.clock.advance(SECOND);
            self.plimsoll.tick();
        }
        assert!(self.plimsoll.flush(60 * SECOND));
        self.told.try_iter().collect()
    }

    /// Passes seconds until the callbacks are told something.
    fn pass_until_told(&self, at_most: u32) -> Vec<&'static str> {
        let mut each = (0..at_most).map(|_| self.pass(1));
        each.find(|told| !told.is_empty()).unwrap_or_default()
    }

    /// The part of the budget that this device has.
    fn is_breached(&self, budget: &str) -> bool {
        let part = self
            .plimsoll
            .budget_state_of(budget, &[("device", "press-3")]);
        part.unwrap().is_breached()
    }
}

async fn peer() -> Peer {
    Peer::start(|address| match address {
        SILENT => Act::Silence,
        SLOW => Act::Delay(SHORT / 3),
        REFUSED => Act::Exception(2),
        _ => Act::Answer,
    })
    .await
}

async fn read(context: &mut Context, address: u16) -> bool {
    let read = bounded(context.read_holding_registers(address, 1)).await;
    matches!(read, Ok(Ok(_)))
}

#[tokio::test]
async fn availability_is_a_share_of_time() {
    let bench = Bench::new(Budget::device_availability("there").over(200 * SECOND));
    let peer = peer().await;
    let mut context = bench.device.tcp(peer.addr, Slave(1));
    let mut hasty = bench.hasty.tcp(peer.addr, Slave(1));
    assert_eq!(bench.pass(100), [""; 0], "nothing was tried yet");
    for _ in 0..200 {
        assert!(read(&mut context, 1).await);
        assert_eq!(bench.pass(1), [""; 0]);
    }
    assert!(!read(&mut context, REFUSED).await, "and yet it is there");
    for _ in 0..2 {
        assert!(!read(&mut hasty, SILENT).await);
        assert_eq!(bench.pass(1), [""; 0], "degraded is there");
    }
    assert!(!read(&mut hasty, SILENT).await);
    let cause = Cause::RequestTimeout;
    let since = std::time::UNIX_EPOCH + 302 * SECOND;
    assert_eq!(bench.device.health(), Health::Down { cause, since });
    assert_eq!(
        bench.pass(1),
        [""; 0],
        "one second of 200 is just what is promised"
    );
    assert_eq!(bench.pass(1), ["breach"]);
    assert!(bench.is_breached("there"));
    assert!(read(&mut context, 1).await);
    assert_eq!(bench.pass_until_told(200), ["recovery"]);
    assert!(!bench.is_breached("there"));
}

#[tokio::test]
async fn data_that_grows_old_is_a_breach() {
    let bench = Bench::new(Budget::device_freshness("fresh").over(60 * SECOND));
    let mut context = bench.device.tcp(peer().await.addr, Slave(1));
    assert!(read(&mut context, 1).await);
    assert_eq!(bench.pass(10), [""; 0]);
    assert!(!read(&mut context, REFUSED).await, "no good reply");
    assert_eq!(bench.pass(1), ["breach"]);
    assert!(read(&mut context, 1).await);
    assert_eq!(bench.pass(5), [""; 0]);
    let mut told = Vec::new();
    for _ in 0..60 {
        assert!(read(&mut context, 1).await);
        told.extend(bench.pass(1));
    }
    assert_eq!(told, ["recovery"]);
}

#[tokio::test]
async fn failing_requests_are_a_breach() {
    let bench = Bench::new(
        Budget::device_success("success")
            .over(30 * SECOND)
            .min_events(1),
    );
    let peer = peer().await;
    assert!(read(&mut bench.device.tcp(peer.addr, Slave(1)), 1).await);
    assert_eq!(bench.pass(1), [""; 0]);
    assert!(!read(&mut bench.hasty.tcp(peer.addr, Slave(1)), SILENT).await);
    assert_eq!(bench.pass(1), ["breach"]);
    assert_eq!(bench.pass_until_told(31), ["recovery"]);
}

#[tokio::test]
async fn slow_replies_are_a_breach() {
    let budget = Budget::device_request("p95", SECOND)
        .over(30 * SECOND)
        .min_events(1);
    let bench = Bench::new(budget);
    let mut context = bench.device.tcp(peer().await.addr, Slave(1));
    assert!(read(&mut context, 1).await);
    assert_eq!(bench.pass(1), [""; 0]);
    let turn = async {
        // It is under way now, and the instance's clock goes on.
        bench.clock.advance(3 * SECOND);
    };
    let (good, ()) = tokio::join!(read(&mut context, SLOW), turn);
    assert!(good);
    assert_eq!(bench.pass(1), ["breach"]);
    assert_eq!(bench.pass_until_told(31), ["recovery"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn attempts_to_connect_that_take_long_are_a_breach() {
    let bench = Bench::new(Budget::device_connect("connect").over(30 * SECOND));
    let (addr, _guards) = bounded(super::tcp::full_queue()).await;
    let device = bench.device.clone().connect_timeout(SHORT);
    let mut context = device.tcp(addr, Slave(1));
    let turn = async { bench.clock.advance(3 * SECOND) };
    let (good, ()) = tokio::join!(read(&mut context, 1), turn);
    assert!(!good);
    assert_eq!(bench.device.health().cause(), Some(Cause::ConnectTimeout));
    assert_eq!(bench.pass(1), ["breach"]);
    assert_eq!(bench.pass_until_told(31), ["recovery"]);
}

#[tokio::test(start_paused = true)]
async fn rounds_that_take_too_long_are_a_breach() {
    let bench = Bench::new(Budget::cycle_overruns("cycles").over(30 * SECOND));
    let period = Duration::from_millis(100);
    let mut cycle = bench.device.cycle("fast", period).unwrap();
    for _ in 0..50 {
        drop(cycle.tick().await);
    }
    assert_eq!(bench.pass(1), [""; 0]);
    let round = cycle.tick().await;
    tokio::time::sleep(2 * period).await;
    drop(round);
    assert_eq!(bench.pass(1), ["breach"]);
    let mut told = Vec::new();
    for _ in 0..31 {
        drop(cycle.tick().await);
        told.extend(bench.pass(1));
    }
    assert_eq!(told, ["recovery"]);
}

#[test]
fn values_that_are_refused_are_a_breach() {
    let bench = Bench::new(Budget::device_accuracy("accuracy").over(30 * SECOND));
    let mut point = bench.device.point(Rules::u16().range(0.0..=100.0)).unwrap();
    assert!((0..20_000).all(|nth| point.check(&[nth % 101]).is_ok()));
    assert_eq!(bench.pass(1), [""; 0]);
    // Of 20,002 values two may be refused, and three may not.
    for _ in 0..2 {
        assert_eq!(point.check(&[101]).unwrap_err().reason, "range");
    }
    assert_eq!(bench.pass(1), [""; 0]);
    point.check(&[101]).unwrap_err();
    assert_eq!(bench.pass(1), ["breach"]);
    assert_eq!(bench.pass_until_told(31), ["recovery"]);
}

#[tokio::test]
async fn each_device_keeps_its_own_promise() {
    let bench = Bench::new(Budget::device_success("success").min_events(1));
    let other = bench.plimsoll.modbus("press-4").unwrap();
    let peer = peer().await;
    let mut context = other.request_timeout(30 * SECOND).tcp(peer.addr, Slave(1));
    assert!(!read(&mut context, REFUSED).await);
    assert!(read(&mut bench.device.tcp(peer.addr, Slave(1)), 1).await);
    assert_eq!(bench.pass(1), ["breach"]);
    assert!(!bench.is_breached("success"));
}
