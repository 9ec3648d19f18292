//! Whatever goes wrong on the way, a value that comes out is the right one: every register's value tells its unit and
//! its address. The same is done to tokio-modbus alone, to show that these peers do harm.

mod line;
mod peers;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll::modbus::{Device, DeviceBuilder, Failure, Resync};
use tokio::time::timeout;
use tokio_modbus::client::{Client as _, Context, rtu, tcp};
use tokio_modbus::prelude::SlaveContext as _;
use tokio_modbus::{Request, Response, Slave};

use super::new;
use line::Port;
pub(super) use line::sound;
use peers::Peer;

const TIMEOUT: Duration = Duration::from_millis(100);
/// The longest that a peer takes: within the late window, which is four timeouts.
const LATEST: u64 = 350;
const UNITS: u8 = 3;
const HANDLERS: u64 = 3;

/// Reads per peer: 5,000, or as many as `PLIMSOLL_FAULT_READS` says.
pub(super) fn reads() -> u64 {
    std::env::var("PLIMSOLL_FAULT_READS").map_or(5_000, |reads| reads.parse().unwrap())
}

/// SplitMix64: the same faults in every run.
#[derive(Clone)]
pub(super) struct Random(Arc<Mutex<u64>>);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    pub(super) fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }

    fn bytes(&self) -> Vec<u8> {
        (0..=self.below(40))
            .map(|_| self.below(256) as u8)
            .collect()
    }
}

/// Different for each register of each unit.
fn value(unit: u8, address: u16) -> u16 {
    u16::from(unit) * 2_048 + address
}

/// What became of the reads.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) right: u64,
    pub(super) wrong: u64,
    pub(super) exceptions: u64,
    pub(super) failed: u64,
    pub(super) cancelled: u64,
    /// Reads that came right after one that failed or was cancelled, and those of them that were right.
    pub(super) after: u64,
    pub(super) right_after: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.exceptions += other.exceptions;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.after += other.after;
        self.right_after += other.right_after;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = 100.0 * self.right_after as f64 / self.after.max(1) as f64;
        write!(
            f,
            "{} right, {} WRONG, {} exceptions, {} failed, {} cancelled; after trouble {after:.1} % right ({} of {})",
            self.right,
            self.wrong,
            self.exceptions,
            self.failed,
            self.cancelled,
            self.right_after,
            self.after
        )
    }
}

/// Ours, or the library's alone with a timeout around it.
enum Client {
    Ours(Device),
    Bare(Context),
}

impl Client {
    async fn read(&mut self, unit: u8, address: u16, count: u16) -> tokio_modbus::Result<Vec<u16>> {
        match self {
            Self::Ours(device) => {
                let unit = device.unit(Slave(unit));
                unit.read_holding_registers(address, count).await
            }
            Self::Bare(context) => {
                context.set_slave(Slave(unit));
                // Not by `Reader`, which panics in debug builds at a reply of another length.
                let request = Request::ReadHoldingRegisters(address, count);
                let result = timeout(TIMEOUT, context.call(request)).await;
                let late = || std::io::Error::from(std::io::ErrorKind::TimedOut);
                Ok(result.map_err(|_| late())??.map(|response| match response {
                    Response::ReadHoldingRegisters(words) => words,
                    other => panic!("{other:?}"),
                }))
            }
        }
    }

    /// Reads so many times, gives up some of them, and compares.
    async fn run(mut self, reads: u64, random: Random) -> Tally {
        let mut tally = Tally::default();
        let mut trouble = false;
        for _ in 0..reads {
            let unit = 1 + random.below(UNITS.into()) as u8;
            let (address, count) = (random.below(2_000) as u16, 1 + random.below(4) as u16);
            let patience = match random.below(20) {
                0 => Duration::from_millis(random.below(100)),
                _ => Duration::from_secs(3_600),
            };
            let ended = timeout(patience, self.read(unit, address, count)).await;
            let right = match &ended {
                Ok(Ok(Ok(words))) => (address..address + count)
                    .map(|at| value(unit, at))
                    .eq(words.iter().copied()),
                _ => false,
            };
            tally.after += u64::from(trouble);
            tally.right_after += u64::from(trouble && right);
            trouble = matches!(ended, Err(_) | Ok(Err(_)));
            match ended {
                Ok(Ok(Ok(_))) if right => tally.right += 1,
                Ok(Ok(Ok(_))) => tally.wrong += 1,
                Ok(Ok(Err(_))) => tally.exceptions += 1,
                Ok(Err(_)) => tally.failed += 1,
                Err(_) => tally.cancelled += 1,
            }
            // One that is refused at once must not count as many.
            tokio::time::sleep(Duration::from_millis(1 + random.below(20))).await;
        }
        tally
    }
}

fn settled(device: DeviceBuilder) -> DeviceBuilder {
    let pauses = Duration::from_millis(1)..=Duration::from_millis(10);
    device
        .request_timeout(TIMEOUT)
        .backoff(pauses)
        .wait_timeout(Duration::from_secs(3_600))
}

/// Several handlers share the device, and write as well; no write may arrive twice.
async fn run_ours(name: &str, device: Device, written: &Mutex<Vec<u16>>) {
    let random = |seed| Random::new(0xC0FFEE + seed);
    let handlers: Vec<_> = (0..HANDLERS)
        .map(|handler| {
            let client = Client::Ours(device.clone());
            tokio::spawn(client.run(reads() / HANDLERS, random(handler)))
        })
        .collect();
    let writer = tokio::spawn(write(device.clone(), random(HANDLERS)));
    let mut tally = Tally::default();
    for handler in handlers {
        tally.add(&handler.await.unwrap());
    }
    let confirmed = writer.await.unwrap();
    eprintln!("{name}: plimsoll: {tally}");
    assert_eq!(tally.wrong, 0);
    assert!(tally.failed > 0 && tally.cancelled > 0 && tally.exceptions > 0);
    assert!(tally.right > reads() / 3, "{tally}");
    let mut written = written.lock().unwrap().clone();
    written.sort_unstable();
    assert!(written.windows(2).all(|pair| pair[0] != pair[1]));
    for token in confirmed {
        assert!(written.binary_search(&token).is_ok(), "{token}");
    }
}

/// Writes each number once, and returns those that were confirmed.
async fn write(device: Device, random: Random) -> Vec<u16> {
    let mut confirmed = Vec::new();
    for token in 0..(reads() / 20).min(60_000) as u16 {
        let unit = device.unit(Slave(1 + random.below(UNITS.into()) as u8));
        match unit.write_single_register(9_000, token).await {
            Ok(Ok(())) => confirmed.push(token),
            Ok(Err(_)) => {}
            Err(error) => assert_ne!(Failure::of(&error), Failure::InvalidRequest),
        }
    }
    confirmed
}

async fn run_bare(name: &str, context: Context) -> Tally {
    let tally = Client::Bare(context)
        .run(reads(), Random::new(0xC0FFEE))
        .await;
    eprintln!("{name}: tokio-modbus alone: {tally}");
    tally
}

#[tokio::test(start_paused = true)]
async fn no_wrong_value_over_tcp_from_a_peer_that_keeps_order() {
    let peer = Peer::new(peers::in_order);
    let (_plimsoll, device) = new();
    let device = settled(device).tcp_with(peer.opener()).unwrap();
    run_ours("in order", device, &peer.written).await;
    let control = Peer::new(peers::in_order);
    let bare = run_bare("in order", tcp::attach(control.connect())).await;
    assert!(bare.wrong + bare.failed > reads() / 2, "{bare}");
}

#[tokio::test(start_paused = true)]
async fn no_wrong_value_on_a_connection_that_is_kept() {
    let peer = Peer::new(peers::in_order);
    let (_plimsoll, device) = new();
    let device = settled(device).resync(Resync::KeepConnection);
    let device = device.tcp_with(peer.opener()).unwrap();
    run_ours("in order, kept", device, &peer.written).await;
}

#[tokio::test(start_paused = true)]
async fn no_wrong_value_over_tcp_from_a_peer_that_stamps_replies_anew() {
    let peer = Peer::new(peers::restamping);
    let (_plimsoll, device) = new();
    let device = settled(device).tcp_with(peer.opener()).unwrap();
    run_ours("stamped anew", device, &peer.written).await;
    let control = Peer::new(peers::restamping);
    let bare = run_bare("stamped anew", tcp::attach(control.connect())).await;
    assert!(bare.wrong + bare.failed > reads() / 2, "{bare}");
}

#[tokio::test(start_paused = true)]
async fn no_wrong_value_on_a_serial_line() {
    let port = Port::new(true);
    let (_plimsoll, device) = new();
    let device = settled(device).rtu(port.opener()).unwrap();
    run_ours("serial", device, &port.written).await;
    // Without unplugging, after which it would only fail.
    let control = Port::new(false);
    let bare = run_bare("serial", rtu::attach(control.connect())).await;
    assert!(bare.wrong > reads() / 20, "{bare}");
}
