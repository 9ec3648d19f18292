//! What is promised of a device breaches, calls back and recovers like any other promise.

use std::future::pending;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use plimsoll::modbus::{Device, DeviceBuilder, Failure, Health, Rules};
use plimsoll::{Budget, ManualClock, Plimsoll};
use tokio::io::DuplexStream;

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
        Self {
            device: answering(plimsoll.modbus("press-3")),
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

fn answering(device: DeviceBuilder) -> Device {
    let device = device.stale_after(10 * SECOND).request_timeout(SHORT);
    let open = Peer::in_memory(|address| match address {
        SILENT => Act::Silence,
        SLOW => Act::Delay(SHORT / 3),
        REFUSED => Act::Exception(2),
        _ => Act::Answer,
    });
    device.tcp_with(open).unwrap()
}

async fn read(device: &Device, address: u16) -> bool {
    let read = bounded(device.read_holding_registers(address, 1)).await;
    matches!(read, Ok(Ok(_)))
}

#[tokio::test(start_paused = true)]
async fn availability_is_a_share_of_time() {
    let bench = Bench::new(Budget::device_availability("there").over(200 * SECOND));
    let device = &bench.device;
    assert_eq!(bench.pass(100), [""; 0], "nothing was tried yet");
    for _ in 0..200 {
        assert!(read(device, 1).await);
        assert_eq!(bench.pass(1), [""; 0]);
    }
    assert!(!read(device, REFUSED).await, "and yet it is there");
    for _ in 0..2 {
        assert!(!read(device, SILENT).await);
        assert_eq!(bench.pass(1), [""; 0], "degraded is there");
    }
    assert!(!read(device, SILENT).await);
    let cause = Failure::RequestTimeout.into();
    let since = std::time::UNIX_EPOCH + 302 * SECOND;
    assert_eq!(bench.device.health(), Health::Down { cause, since });
    assert_eq!(
        bench.pass(1),
        [""; 0],
        "one second of 200 is just what is promised"
    );
    assert_eq!(bench.pass(1), ["breach"]);
    assert!(bench.is_breached("there"));
    assert!(read(device, 1).await);
    assert_eq!(bench.pass_until_told(200), ["recovery"]);
    assert!(!bench.is_breached("there"));
}

#[tokio::test(start_paused = true)]
async fn data_that_grows_old_is_a_breach() {
    let bench = Bench::new(Budget::device_freshness("fresh").over(60 * SECOND));
    let device = &bench.device;
    assert!(read(device, 1).await);
    assert_eq!(bench.pass(10), [""; 0]);
    assert!(!read(device, REFUSED).await, "no good reply");
    assert_eq!(bench.pass(1), ["breach"]);
    assert!(read(device, 1).await);
    assert_eq!(bench.pass(5), [""; 0]);
    let mut told = Vec::new();
    for _ in 0..60 {
        assert!(read(device, 1).await);
        told.extend(bench.pass(1));
    }
    assert_eq!(told, ["recovery"]);
}

#[tokio::test(start_paused = true)]
async fn failing_requests_are_a_breach() {
    let bench = Bench::new(
        Budget::device_success("success")
            .over(30 * SECOND)
            .min_events(1),
    );
    assert!(read(&bench.device, 1).await);
    assert_eq!(bench.pass(1), [""; 0]);
    assert!(!read(&bench.device, SILENT).await);
    assert_eq!(bench.pass(1), ["breach"]);
    assert_eq!(bench.pass_until_told(31), ["recovery"]);
}

#[tokio::test(start_paused = true)]
async fn slow_replies_are_a_breach() {
    let budget = Budget::device_request("p95", SECOND)
        .over(30 * SECOND)
        .min_events(1);
    let bench = Bench::new(budget);
    let device = &bench.device;
    assert!(read(device, 1).await);
    assert_eq!(bench.pass(1), [""; 0]);
    let turn = async {
        // It is under way now, and the instance's clock goes on.
        bench.clock.advance(3 * SECOND);
    };
    let (good, ()) = tokio::join!(read(device, SLOW), turn);
    assert!(good);
    assert_eq!(bench.pass(1), ["breach"]);
    assert_eq!(bench.pass_until_told(31), ["recovery"]);
}

#[tokio::test(start_paused = true)]
async fn attempts_to_connect_that_take_long_are_a_breach() {
    let bench = Bench::new(Budget::device_connect("connect").over(30 * SECOND));
    let device = bench.plimsoll.modbus("press-4").connect_timeout(SHORT);
    let device = device.tcp_with(pending::<std::io::Result<DuplexStream>>);
    let device = &device.unwrap();
    let turn = async { bench.clock.advance(3 * SECOND) };
    let (good, ()) = tokio::join!(read(device, 1), turn);
    assert!(!good);
    let cause = Failure::ConnectTimeout.into();
    assert_eq!(device.health().cause(), Some(cause));
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

#[tokio::test]
async fn values_that_are_refused_are_a_breach() {
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

#[tokio::test(start_paused = true)]
async fn each_device_keeps_its_own_promise() {
    let bench = Bench::new(Budget::device_success("success").min_events(1));
    let other = answering(bench.plimsoll.modbus("press-4"));
    assert!(!read(&other, REFUSED).await);
    assert!(read(&bench.device, 1).await);
    assert_eq!(bench.pass(1), ["breach"]);
    assert!(!bench.is_breached("success"));
}
