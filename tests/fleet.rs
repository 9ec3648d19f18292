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
/// What is not measured yet: first pages of histograms, first scrapes.
const WARM_UP: Duration = Duration::from_secs(25);
/// How much more may be held at the end than after the warm-up: 2 KiB for each device, since a histogram makes a page of
/// some hundred bytes, for each thread, when a duration is unlike those before. In ten minutes that is 4 bytes for each poll:
/// nothing can be kept of every one.
const MORE_BYTES: u64 = DEVICES as u64 * 2_048;
/// How much more may be resident: the same, and what the allocator keeps at hand when a page of the scraper's is given back.
const MORE_RESIDENT: u64 = MORE_BYTES + 8 * 1_024 * 1_024;
/// How long our threads may wait for a core in a second. What is beyond it the machine gave to others, and nobody here is to
/// blame for what came too late then.
const WAITING: Duration = Duration::from_millis(250);

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
    descriptors: usize,
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
            descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count(),
        }
    }
}

/// What it had taken after the warm-up, and half a round before the end.
struct Used {
    warm: Usage,
    end: Usage,
}

/// What happened to all polls.
struct Fleet {
    plimsoll: Plimsoll,
    end: Instant,
    done: AtomicU64,
    failed: AtomicU64,
    /// Not begun before the next one was due.
    missed: AtomicU64,
    /// Not ended before the next one was due.
    overrun: AtomicU64,
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
            self.read(&device, number).await;
            let took = rounds.due.elapsed();
            self.ended.record(took.as_nanos() as u64);
            self.overrun.fetch_add(u64::from(took > PERIOD), Relaxed);
        }
    }

    async fn read(&self, device: &Device, number: u16) {
        match device.read_holding_registers(number, WORDS).await {
            Ok(Ok(words)) => assert_eq!(words, values(number, unit(number))),
            other => {
                eprintln!("device {number}: {other:?}");
                self.failed.fetch_add(1, Relaxed);
            }
        }
        self.done.fetch_add(1, Relaxed);
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

/// Counts the seconds in which the machine was busy with others, or stood still, until the end.
fn busy(end: Instant) -> u64 {
    let (mut busy, mut waited) = (0, waited());
    while Instant::now() < end {
        let begun = Instant::now();
        std::thread::sleep(PERIOD);
        let late = begun.elapsed().saturating_sub(PERIOD);
        let by_now = self::waited();
        if by_now.saturating_sub(waited) + late > WAITING {
            busy += 1 + late.as_secs();
        }
        waited = by_now;
    }
    busy
}

/// How long all threads could have gone on and had no core to do so.
fn waited() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let stats = threads.map(|thread| read_to_string(thread.unwrap().path().join("schedstat")));
    // A thread may have ended by now, and a kernel may not count.
    let waits = stats.filter_map(|stat| stat.ok()?.split(' ').nth(1)?.parse::<u64>().ok());
    Duration::from_nanos(waits.sum())
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
    let (fleet, used, busy) = runtime(2).block_on(watch(devices.addr, seconds));
    println!("{seconds} s, of which the machine was busy with others for {busy}");
    fleet.tell();
    used.tell();
    fleet.check(seconds, busy * u64::from(DEVICES));
    used.check();
}

impl Fleet {
    fn counts(&self) -> [u64; 4] {
        [&self.done, &self.missed, &self.overrun, &self.failed].map(|count| count.load(Relaxed))
    }

    fn tell(&self) {
        let [done, missed, overrun, failed] = self.counts();
        println!(
            "{done} polls of {DEVICES} devices; {missed} missed, {overrun} overrun, {failed} failed"
        );
        for (what, durations) in [("began", &self.begun), ("ended", &self.ended)] {
            let durations = durations.snapshot();
            let [half, p99, latest] =
                [0.5, 0.99, 1.0].map(|q| durations.quantile(q).unwrap() * 1e3);
            println!(
                "{what} after it was due: p50 {half:.2} ms, p99 {p99:.2} ms, latest {latest:.1} ms"
            );
        }
    }

    /// Every poll was done, right and in time, and counted once, but for as many as the machine is to blame for.
    fn check(&self, seconds: u64, excused: u64) {
        let [done, missed, overrun, failed] = self.counts();
        let trouble = missed + overrun + failed;
        assert!(
            trouble <= excused,
            "{trouble}, of which {excused} are excused"
        );
        // The one that connects, and one in each second but the first.
        let all = u64::from(DEVICES) * seconds;
        assert!(
            (all - excused.min(all)..=all).contains(&done),
            "{done} of {all}"
        );
        let operations = self.plimsoll.stats().operations;
        let count = |kind| -> u64 {
            let lines = operations.iter().filter(|line| line.kind == kind);
            lines.map(|line| line.count).sum()
        };
        assert_eq!(count("modbus"), done);
        let once = u64::from(DEVICES);
        assert!((once..=once + failed).contains(&count("connect")));
    }
}

impl Used {
    fn tell(&self) {
        let Self { warm, end } = self;
        let each = |more: f64| more / (end.polls - warm.polls) as f64;
        let micros = each((end.cpu - warm.cpu).as_secs_f64() * 1e6);
        let calls = each((end.calls - warm.calls) as f64);
        println!(
            "{micros:.1} µs of processor time and {calls:.2} allocations for each poll, ticks and scrapes included"
        );
        let seconds = WARM_UP.as_secs();
        for (what, warm, end) in [
            ("held", warm.held, end.held),
            ("resident", warm.resident, end.resident),
        ] {
            let more = end as i64 - warm as i64;
            println!(
                "{what} at the end: {} KiB, {more} bytes more than after {seconds} s",
                end / 1_024
            );
        }
        println!("{} descriptors", end.descriptors);
    }

    fn check(&self) {
        let Self { warm, end } = self;
        let held = end.held.saturating_sub(warm.held);
        assert!(held <= MORE_BYTES, "{held} bytes more are held");
        let resident = end.resident.saturating_sub(warm.resident);
        assert!(
            resident <= MORE_RESIDENT,
            "{resident} bytes more are resident"
        );
    }
}

/// Polls for so long. What happened, what was used, and how long the machine was busy with others.
async fn watch(addr: SocketAddr, seconds: u64) -> (Arc<Fleet>, Used, u64) {
    let durations = || Histogram::new(Buckets::new(Layout::durations(), &[]).unwrap());
    let plimsoll = Plimsoll::builder().build().unwrap();
    let devices: Vec<Device> = (0..DEVICES)
        .map(|number| {
            let device = plimsoll.modbus(format!("device-{number}"));
            device.unit(Slave(unit(number))).tcp(addr).unwrap()
        })
        .collect();
    let mut fleet = Fleet {
        plimsoll,
        end: Instant::now(),
        done: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        missed: AtomicU64::new(0),
        overrun: AtomicU64::new(0),
        begun: durations(),
        ended: durations(),
    };
    // One after the other: a thousand connections at once are more than one listener's queue holds, and who is turned away
    // tries again after a second. A thousand devices have a queue each.
    for (device, number) in devices.iter().zip(0..) {
        fleet.read(device, number).await;
    }
    let due = Instant::now();
    let end = due + Duration::from_secs(seconds);
    fleet.end = end;
    let fleet = Arc::new(fleet);
    let mut polling = JoinSet::new();
    for (device, number) in devices.into_iter().zip(0..) {
        // All at the same moment, which is the hardest.
        polling.spawn(fleet.clone().poll(device, number, Rounds { due }));
    }
    polling.spawn(fleet.clone().scrape());
    let busy = std::thread::spawn(move || busy(end));
    sleep(WARM_UP).await;
    let warm = Usage::now(&fleet);
    sleep_until(end - PERIOD / 2).await;
    let used = Used {
        warm,
        end: Usage::now(&fleet),
    };
    while let Some(ended) = polling.join_next().await {
        ended.unwrap();
    }
    (fleet, used, busy.join().unwrap())
}
