//! A thousand devices, each polled once a second, from one process on two threads. A binary of its own, because memory and
//! processor time are the process's; whoever answers is another process, so that they are the poller's alone.
//!
//! The process has a descriptor for each device and some ten more: the usual limit of 1,024 is enough.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::fs::read_to_string;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use plimsoll::modbus::Device;
use plimsoll::{Buckets, Histogram, Layout, Plimsoll};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_modbus::Slave;

const DEVICES: u16 = 1_000;
const PERIOD: Duration = Duration::from_secs(1);
/// Registers of each poll.
const WORDS: u16 = 10;
/// How long a page may be in coming after the last one.
const SCRAPES: Duration = Duration::from_secs(10);
/// What is not measured yet: connecting, first pages of histograms, first scrapes.
const WARM_UP: Duration = Duration::from_secs(25);
/// How much more may be held at the end than after the warm-up: 1 KiB for each device. A histogram makes a page, of half a
/// KiB, for a duration unlike those before; whatever was kept of each poll would be more, 4 bytes of each in an hour alone.
const MORE_BYTES: u64 = DEVICES as u64 * 1_024;
/// How much more may be resident: the same, and what the allocator keeps at hand when a page of the scraper's is given back.
const MORE_RESIDENT: u64 = MORE_BYTES + 8 * 1_024 * 1_024;
/// A thread that only sleeps comes back within this, or else the machine stood still and nobody here is to blame.
const STILL: Duration = Duration::from_millis(250);

/// Counts what all threads allocate and what of it they hold.
struct Counting;

/// Independent counters, compared over seconds: `Relaxed`.
static CALLS: AtomicU64 = AtomicU64::new(0);
static HELD: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: `System` does the work; the counters are plain atomics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Memory) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        HELD.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Memory) {
        HELD.fetch_sub(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What the process has taken so far.
#[derive(Clone, Copy)]
struct Usage {
    polls: u64,
    calls: u64,
    held: u64,
    resident: u64,
    cpu: Duration,
}

impl Usage {
    fn now(fleet: &Fleet) -> Self {
        let status = read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find(|line| line.starts_with("VmRSS:"));
        let resident = resident.unwrap().split_whitespace().nth(1).unwrap();
        let stat = read_to_string("/proc/self/stat").unwrap();
        // User and system time, the 14th and 15th field, in hundredths of a second; the name may have spaces.
        let times = stat.rsplit(')').next().unwrap().split_whitespace().skip(11);
        let ticks: u64 = times
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum();
        Self {
            polls: fleet.done.load(Relaxed),
            calls: CALLS.load(Relaxed),
            held: HELD.load(Relaxed),
            resident: resident.parse::<u64>().unwrap() * 1_024,
            cpu: Duration::from_millis(ticks * 10),
        }
    }
}

/// What happened to all polls.
struct Fleet {
    plimsoll: Plimsoll,
    end: Instant,
    done: AtomicU64,
    failed: AtomicU64,
    missed: AtomicU64,
    /// How long after it was due a poll began, and ended.
    begun: Histogram,
    ended: Histogram,
}

/// When the polls of a device are due.
struct Rounds {
    due: Instant,
}

impl Rounds {
    /// Waits until the next one is due, and says how many were not begun before another one was.
    async fn next(&mut self) -> u64 {
        self.due += PERIOD;
        let late = self.due.elapsed().as_nanos() / PERIOD.as_nanos();
        self.due += PERIOD * late as u32;
        sleep_until(self.due).await;
        late as u64
    }
}

impl Fleet {
    async fn poll(self: Arc<Self>, device: Device, number: u16, mut rounds: Rounds) {
        loop {
            let missed = rounds.next().await;
            if rounds.due >= self.end {
                return;
            }
            self.missed.fetch_add(missed, Relaxed);
            self.begun.record(rounds.due.elapsed().as_nanos() as u64);
            match device.read_holding_registers(number, WORDS).await {
                Ok(Ok(words)) => assert_eq!(words, values(number, unit(number))),
                other => {
                    eprintln!("device {number}: {other:?}");
                    self.failed.fetch_add(1, Relaxed);
                }
            }
            self.ended.record(rounds.due.elapsed().as_nanos() as u64);
            self.done.fetch_add(1, Relaxed);
        }
    }

    /// Someone scrapes.
    async fn scrape(self: Arc<Self>) {
        while Instant::now() + SCRAPES < self.end {
            sleep(SCRAPES).await;
            let plimsoll = self.plimsoll.clone();
            let page = tokio::task::spawn_blocking(move || plimsoll.render().len());
            assert!(page.await.unwrap() > 100_000);
        }
    }
}

fn unit(number: u16) -> u8 {
    (number % 247) as u8 + 1
}

/// What a register holds says where it is and whose it is.
fn values(at: u16, unit: u8) -> Vec<u16> {
    (at..at + WORDS)
        .map(|at| at ^ u16::from(unit) << 8)
        .collect()
}

fn runtime(threads: usize) -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let builder = builder.worker_threads(threads).max_blocking_threads(1);
    builder.enable_all().build().unwrap()
}

const ANSWERS: &str = "PLIMSOLL_FLEET_ANSWERS";
const NAME: &str = "a_thousand_devices_are_polled_every_second_and_nothing_grows";

/// Devices: this very test in another process.
struct Devices {
    process: Child,
    addr: SocketAddr,
}

impl Devices {
    fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", NAME])
            .env(ANSWERS, "yes")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stderr = process.stderr.take().unwrap();
        BufReader::new(stderr).read_line(&mut line).unwrap();
        let addr = line.trim().parse().unwrap();
        Self { process, addr }
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Says where it listens, and answers until nobody holds its input any more.
fn answer() {
    let runtime = runtime(1);
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    eprintln!("{}", listener.local_addr().unwrap());
    runtime.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream));
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

async fn converse(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = [0; 12];
    loop {
        stream.read_exact(&mut request).await?;
        let (at, unit) = (u16::from_be_bytes([request[8], request[9]]), request[6]);
        let mut reply = request[..2].to_vec();
        reply.extend([0, 0, 0, 3 + 2 * WORDS as u8, unit, 3, 2 * WORDS as u8]);
        reply.extend(values(at, unit).iter().flat_map(|word| word.to_be_bytes()));
        stream.write_all(&reply).await?;
    }
}

/// Counts the seconds in which the machine stood still, until it is told to stop.
fn stills(end: Instant) -> u64 {
    const STEP: Duration = Duration::from_millis(10);
    let mut stills = 0;
    while Instant::now() < end {
        let begun = Instant::now();
        std::thread::sleep(STEP);
        let more = begun.elapsed().saturating_sub(STEP);
        if more > STILL {
            eprintln!("the machine stood still for {more:?}");
            stills += 1 + more.as_secs();
        }
    }
    stills
}

#[test]
#[ignore = "takes a minute, ten when PLIMSOLL_FLEET_SECONDS says so: tests/run"]
fn a_thousand_devices_are_polled_every_second_and_nothing_grows() {
    if std::env::var_os(ANSWERS).is_some() {
        return answer();
    }
    let seconds = std::env::var("PLIMSOLL_FLEET_SECONDS");
    let seconds: u64 = seconds.map_or(60, |seconds| seconds.parse().unwrap());
    let devices = Devices::start();
    let (fleet, warm, stills) = runtime(2).block_on(watch(devices.addr, seconds));
    let (end, excused) = (Usage::now(&fleet), stills * u64::from(DEVICES));

    let polls = end.polls - warm.polls;
    let per_poll = |more: f64| more / polls as f64;
    let ms = |histogram: &Histogram, q| histogram.snapshot().quantile(q).unwrap() as f64 / 1e6;
    let [missed, failed] = [&fleet.missed, &fleet.failed].map(|count| count.load(Relaxed));
    let (grown, resident) = (
        end.held.saturating_sub(warm.held),
        end.resident.saturating_sub(warm.resident),
    );
    println!(
        "{} polls of {DEVICES} devices in {seconds} s; {missed} missed, {failed} failed, the machine stood still {stills} times",
        end.polls,
    );
    for (what, durations) in [("began", &fleet.begun), ("ended", &fleet.ended)] {
        let [half, p99, last] = [0.5, 0.99, 1.0].map(|q| ms(durations, q));
        println!("{what} after it was due: p50 {half:.2} ms, p99 {p99:.2} ms, latest {last:.1} ms");
    }
    println!(
        "{:.1} µs of processor time and {:.2} allocations for each poll, scrapes included",
        per_poll((end.cpu - warm.cpu).as_secs_f64() * 1e6),
        per_poll((end.calls - warm.calls) as f64),
    );
    println!(
        "held {} KiB, {} KiB more than after {} s; resident {} KiB, {} KiB more; {} descriptors",
        end.held / 1_024,
        grown / 1_024,
        WARM_UP.as_secs(),
        end.resident / 1_024,
        resident / 1_024,
        std::fs::read_dir("/proc/self/fd").unwrap().count(),
    );

    assert!(
        missed + failed <= excused,
        "{missed} missed, {failed} failed"
    );
    let all = u64::from(DEVICES) * (seconds - 1);
    assert!(end.polls + missed >= all, "{} of {all} polls", end.polls);
    assert!(grown <= MORE_BYTES, "{grown} bytes more are held");
    assert!(
        resident <= MORE_RESIDENT,
        "{resident} bytes more are resident"
    );
    let operations = fleet.plimsoll.stats().operations;
    let count = |kind| -> u64 {
        let lines = operations.iter().filter(|line| line.kind == kind);
        lines.map(|line| line.count).sum()
    };
    assert_eq!(count("modbus"), end.polls);
    assert_eq!(count("connect"), u64::from(DEVICES));
}

/// Polls for so long. What happened, what was used after the warm-up, and how often the machine stood still.
async fn watch(addr: SocketAddr, seconds: u64) -> (Arc<Fleet>, Usage, u64) {
    let durations = || Histogram::new(Buckets::new(Layout::durations(), &[]).unwrap());
    let begun = Instant::now();
    let fleet = Arc::new(Fleet {
        plimsoll: Plimsoll::builder().build().unwrap(),
        end: begun + Duration::from_secs(seconds),
        done: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        missed: AtomicU64::new(0),
        begun: durations(),
        ended: durations(),
    });
    let mut polling = JoinSet::new();
    for number in 0..DEVICES {
        let device = fleet.plimsoll.modbus(format!("device-{number}"));
        let device = device.unit(Slave(unit(number))).tcp(addr).unwrap();
        // All at the same moment, which is the hardest.
        polling.spawn(fleet.clone().poll(device, number, Rounds { due: begun }));
    }
    polling.spawn(fleet.clone().scrape());
    let end = fleet.end;
    let pulse = std::thread::spawn(move || stills(end));
    sleep(WARM_UP).await;
    let warm = Usage::now(&fleet);
    while let Some(ended) = polling.join_next().await {
        ended.unwrap();
    }
    (fleet, warm, pulse.join().unwrap())
}
