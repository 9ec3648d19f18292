//! What happens to the service: several threads of work from fixed seeds, and one kind of fault at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use plimsoll::{Outcome, Plimsoll};

use super::service::now_ms;

/// What goes wrong in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    /// Orders fail, for a while and once more for a moment.
    Errors,
    /// Orders take long; the queue grows, and the cache misses.
    Latency,
    /// Nobody asks for anything, a device is away, and nothing is imported.
    Outage,
}

/// What is so at a moment of the run.
#[derive(Debug, Clone, Copy)]
struct Weather {
    errors: f64,
    slow: f64,
    idle: bool,
    queue: f64,
    hits: f64,
    line: f64,
    backs_up: bool,
}

impl Fault {
    /// `at` is in seconds of the run. Nothing begins or ends with a tick or a scrape.
    fn at(self, at: f64) -> Weather {
        let within = |from: f64, to: f64| (from..to).contains(&at);
        let mut weather = Weather {
            errors: 0.0,
            slow: 0.0,
            idle: false,
            queue: 10.0,
            hits: 0.97,
            line: 1.0,
            backs_up: true,
        };
        match self {
            Self::Errors => {
                if within(10.35, 22.6) {
                    weather.errors = 0.5;
                } else if within(50.8, 53.9) {
                    weather.errors = 0.3;
                }
            }
            Self::Latency => {
                if within(10.15, 25.45) {
                    weather.slow = 0.5;
                    weather.queue = 260.0;
                } else if within(25.45, 31.7) {
                    weather.queue = 170.0;
                }
                if within(45.65, 60.2) {
                    weather.hits = 0.4;
                }
            }
            Self::Outage => {
                weather.idle = within(15.55, 45.1);
                weather.backs_up = !within(10.75, 50.4);
                if within(20.25, 30.9) || within(55.6, 58.05) {
                    weather.line = 0.0;
                }
            }
        }
        weather
    }
}

/// The same numbers each time.
struct Random(u64);

impl Random {
    /// At least 0 and below 1.
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Threads that work until it is dropped.
pub(super) struct Load {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// The run begins in 13 seconds; until then all is well, and limits are learned: from 12 observations, once a second, after the
    /// first window.
    pub(super) fn start(fault: Fault, instances: &[&Plimsoll]) -> Self {
        let begun_ms = now_ms() + 13_000;
        let over = Arc::new(AtomicBool::new(false));
        let start = |nth: u64| {
            let instances: Vec<Plimsoll> = instances.iter().map(|one| (*one).clone()).collect();
            let over = over.clone();
            std::thread::spawn(move || {
                let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (nth + 1));
                while !over.load(Ordering::SeqCst) {
                    let at = (now_ms() - begun_ms) as f64 / 1e3;
                    let weather = fault.at(at);
                    match nth {
                        0 => instances.iter().for_each(|one| keep(one, weather)),
                        _ => work(&instances, weather, &mut random),
                    }
                    std::thread::sleep(Duration::from_millis(if nth == 0 { 50 } else { 20 }));
                }
            })
        };
        let threads = (0..4).map(start).collect();
        Self { over, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Gauges, and an import as long as somebody works.
fn keep(plimsoll: &Plimsoll, weather: Weather) {
    let set = |name: &str, value| plimsoll.gauge(name).register().unwrap().set(value);
    set("queue_depth", weather.queue);
    if weather.backs_up {
        set("backup_timestamp_seconds", (now_ms() / 1_000) as f64);
    }
    for (device, connected) in [("press-1", 1.0), ("press-2", weather.line)] {
        let gauge = plimsoll.gauge("device_connected").label("device", device);
        gauge.register().unwrap().set(connected);
    }
    if !weather.idle {
        let import = plimsoll.operation("import");
        import.record(Outcome::Ok, Duration::from_millis(5));
    }
}

/// One order in each instance, the same.
fn work(instances: &[Plimsoll], weather: Weather, random: &mut Random) {
    let chances = [(); 4].map(|()| random.uniform());
    if weather.idle {
        return;
    }
    let outcome = match chances[0] < weather.errors {
        true => Outcome::Error,
        false => Outcome::Ok,
    };
    let millis = match chances[1] < weather.slow {
        true => 400.0 + 200.0 * chances[2],
        false => 20.0 + 80.0 * chances[2],
    };
    for plimsoll in instances {
        let order = plimsoll.operation("orders");
        order.record(outcome, Duration::from_micros((millis * 1e3) as u64));
        let name = match chances[3] < weather.hits {
            true => "cache_hits_total",
            false => "cache_misses_total",
        };
        plimsoll.counter(name).register().unwrap().increment();
    }
}
