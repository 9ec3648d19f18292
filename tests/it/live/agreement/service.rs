//! The service: an instance, its page, and its clock.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use plimsoll::{Clock, Plimsoll, Sampling};

use super::promises;

/// Whose time the samples have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reader {
    /// A page says when it was begun, and a tick takes place at the moment of Prometheus' evaluation: both readers have the
    /// very same samples and moments.
    Pinned,
    /// Everybody reads a clock of their own.
    Real,
}

thread_local! {
    /// The time of this thread's page or tick, in milliseconds since 1970.
    static PINNED: Cell<Option<i64>> = const { Cell::new(None) };
}

/// The wall clock, which stands still for a thread while it makes a page or ticks.
#[derive(Debug, Clone, Copy)]
struct PinnedClock {
    origin_ms: i64,
    origin: Instant,
}

impl Clock for PinnedClock {
    fn now_ns(&self) -> u64 {
        match PINNED.get() {
            Some(at_ms) => u64::try_from(at_ms - self.origin_ms).unwrap_or(0) * 1_000_000,
            None => self.origin.elapsed().as_nanos() as u64,
        }
    }

    fn system_time(&self) -> SystemTime {
        let origin = UNIX_EPOCH + Duration::from_millis(self.origin_ms as u64);
        origin + Duration::from_nanos(self.now_ns())
    }
}

fn pinned<T>(at_ms: i64, work: impl FnOnce() -> T) -> T {
    PINNED.set(Some(at_ms));
    let done = work();
    PINNED.set(None);
    done
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis() as i64
}

pub(super) fn sleep_until(at_ms: i64) {
    let left = at_ms - now_ms();
    std::thread::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0)));
}

/// When to tick.
pub(super) struct Moment {
    /// For a tick at a given time.
    pub(super) at_ms: Option<i64>,
    /// When that really came.
    pub(super) executed_ms: i64,
}

impl Moment {
    /// Ticks; returns the time that it had.
    pub(super) fn tick(&self, plimsoll: &Plimsoll) -> i64 {
        match self.at_ms {
            Some(at_ms) => {
                pinned(at_ms, || plimsoll.tick());
                at_ms
            }
            None => {
                plimsoll.tick();
                self.executed_ms
            }
        }
    }
}

/// A tick so long after the one before on this thread.
pub(super) fn next(interval: Duration) -> Moment {
    thread_local! {
        static NEXT: Cell<Option<Instant>> = const { Cell::new(None) };
    }
    let next = NEXT.get().unwrap_or_else(Instant::now) + interval;
    std::thread::sleep(next.saturating_duration_since(Instant::now()));
    NEXT.set(Some(next));
    Moment {
        at_ms: None,
        executed_ms: now_ms(),
    }
}

/// Pages by the time at which they were begun.
pub(super) type Pages = BTreeMap<i64, String>;

/// An instance whose page is served.
pub(super) struct Served {
    pub(super) plimsoll: Plimsoll,
    pub(super) address: String,
    pages: Arc<Mutex<Pages>>,
    over: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl Served {
    pub(super) fn start(sampling: Sampling, reader: Reader) -> Self {
        Self::start_as(sampling, reader, Duration::from_secs(1), None)
    }

    /// Another one that samples at a short tick, which Prometheus would take for this one.
    pub(super) fn double(&self, tick: Duration) -> Self {
        Self::start_as(Sampling::Tick, Reader::Real, tick, Some(&self.address))
    }

    fn start_as(
        sampling: Sampling,
        reader: Reader,
        tick: Duration,
        instance: Option<&str>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let builder = promises::declare(Plimsoll::builder())
            .sampling(sampling)
            .target("gateway", instance.unwrap_or(&address))
            .tick(tick)
            .manual_tick();
        let plimsoll = match reader {
            Reader::Real => builder.build().unwrap(),
            Reader::Pinned => {
                let clock = PinnedClock {
                    origin_ms: now_ms(),
                    origin: Instant::now(),
                };
                pinned(clock.origin_ms, || builder.clock(clock).build().unwrap())
            }
        };
        let (pages, over) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let serve = {
            let (plimsoll, pages, over) = (plimsoll.clone(), Arc::clone(&pages), over.clone());
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                    answer(stream, &plimsoll, reader, &pages);
                }
            }
        };
        Self {
            plimsoll,
            address,
            pages,
            over,
            server: Some(std::thread::spawn(serve)),
        }
    }

    pub(super) fn pages(&self) -> Pages {
        self.pages.lock().clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(&self.address));
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

/// Serves one page.
fn answer(mut stream: TcpStream, plimsoll: &Plimsoll, reader: Reader, pages: &Mutex<Pages>) {
    let timeout = Some(Duration::from_secs(2));
    stream.set_read_timeout(timeout).unwrap();
    let (mut head, mut some) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut some) {
            Ok(0) | Err(_) => return,
            Ok(read) => head.extend_from_slice(&some[..read]),
        }
    }
    let at_ms = now_ms();
    let page = match reader {
        Reader::Real => plimsoll.render(),
        Reader::Pinned => stamped(&pinned(at_ms, || plimsoll.render()), at_ms),
    };
    pages.lock().insert(at_ms, page.clone());
    let answered = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{page}",
        page.len()
    );
    drop(answered);
}

/// The page with the time of its samples.
fn stamped(page: &str, at_ms: i64) -> String {
    let line = |line: &str| match line.starts_with('#') {
        true => format!("{line}\n"),
        false => format!("{line} {at_ms}\n"),
    };
    page.lines().map(line).collect()
}
