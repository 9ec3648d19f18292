//! Six hours of three processes that keep the promises, scraped: what budgets and SLOs export is what a process exports.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use plimsoll::expr::{Dialect, Labels, Samples};
use plimsoll::{Builder, Clock, Expr, ManualClock, Outcome, Plimsoll};

use super::promises::{budgets, slos};
use crate::parity::trace::Random;

pub(super) const SCRAPE_MS: i64 = 15_000;
pub(super) const GRAIN_MS: i64 = 3_000;
const MINUTE_MS: i64 = 60_000;
pub(super) const END_MS: i64 = 360 * MINUTE_MS;

/// What a scrape brought of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Given {
    Value(f64),
    /// The target is gone.
    End,
}

#[derive(Default)]
pub(super) struct Trace {
    /// Series by series, each in the order of time.
    pub(super) series: Vec<(Labels, Vec<(i64, Given)>)>,
    /// Where the series of a target's line is.
    places: HashMap<(&'static str, String), usize>,
}

/// A process that Prometheus scrapes.
pub(super) struct Target {
    pub(super) job: &'static str,
    pub(super) instance: &'static str,
    /// In minutes.
    lives: std::ops::Range<i64>,
    /// When it starts anew, in minutes.
    restarts: &'static [i64],
    /// Whether scrapes are late, and get lost.
    late: bool,
}

pub(super) const STEADY: Target = Target {
    job: "api",
    instance: "b:2",
    lives: 0..360,
    restarts: &[],
    late: false,
};

const TARGETS: [Target; 3] = [
    Target {
        job: "api",
        instance: "a:1",
        lives: 0..360,
        restarts: &[100, 200, 272, 310],
        late: true,
    },
    STEADY,
    Target {
        job: "batch",
        instance: "c:3",
        lives: 60..100,
        restarts: &[],
        late: true,
    },
];

/// How busy a service is and what share goes wrong: idle in the fourth hour, in trouble in the second and fifth, hardly asked
/// for half of the sixth.
fn load(at_ms: i64) -> (f64, f64) {
    match at_ms / MINUTE_MS {
        70..80 => (1.0, 0.3),
        150..152 => (0.8, 0.06),
        180..215 => (0.0, 0.0),
        270..274 => (1.0, 0.9),
        300..330 => (0.04, 0.2),
        _ => (1.0, 0.002),
    }
}

/// One life of a process.
pub(super) struct Process {
    pub(super) plimsoll: Plimsoll,
    clock: ManualClock,
}

impl Process {
    /// With more than the promises.
    pub(super) fn new(at_ms: i64, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        clock.advance(Duration::from_millis(at_ms as u64));
        let mut builder = Plimsoll::builder()
            .clock(clock.clone())
            .manual_tick()
            .tick(Duration::from_millis(SCRAPE_MS as u64))
            .budgets(budgets());
        for name in ["depth", "device_connected", "backup_timestamp_seconds"] {
            builder = builder.expect_family(name);
        }
        for name in [
            "accepted",
            "checked",
            "refused",
            "cache_hits",
            "cache_misses",
        ] {
            builder = builder.expect_family(format!("{name}_total"));
        }
        for (slo, _) in slos() {
            builder = builder.slo(slo);
        }
        let plimsoll = configure(builder).build().unwrap();
        Self { plimsoll, clock }
    }

    /// Works until a moment.
    pub(super) fn work_to(&self, random: &mut Random, at_ms: i64) {
        let (busy, trouble) = load(at_ms);
        let some = |random: &mut Random, most: f64| (random.fraction() * most * busy) as u64;
        for (operation, most) in [
            ("read", 22.0),
            ("write", 1.4),
            ("job-a", 6.0),
            ("job-b", 2.0),
        ] {
            let handle = self.plimsoll.operation(operation);
            for _ in 0..some(random, most) {
                let outcome = match random.fraction() {
                    bad if bad < trouble => Outcome::Error,
                    rare if rare > 0.995 => Outcome::Cancelled,
                    _ => Outcome::Ok,
                };
                let slow = if random.fraction() < trouble {
                    2000.0
                } else {
                    250.0
                };
                let took = random.fraction() * random.fraction() * slow;
                handle.record(outcome, Duration::from_micros((took * 1e3) as u64));
            }
        }
        let checked = some(random, 9.0);
        let refused = (0..checked).filter(|_| random.fraction() < trouble).count() as u64;
        let hits = some(random, 20.0);
        let misses = (0..hits)
            .filter(|_| random.fraction() < 0.12 + trouble)
            .count() as u64;
        let counts = [
            ("checked_total", checked),
            ("refused_total", refused),
            ("accepted_total", checked - refused),
            ("cache_hits_total", hits - misses),
            ("cache_misses_total", misses),
        ];
        for (name, by) in counts {
            self.plimsoll.counter(name).register().unwrap().add(by);
        }
        self.gauges(random, at_ms);
        let now_ms = (self.clock.now_ns() / 1_000_000) as i64;
        self.clock
            .advance(Duration::from_millis((at_ms - now_ms) as u64));
    }

    fn gauges(&self, random: &mut Random, at_ms: i64) {
        let gauge = |name: &str| self.plimsoll.gauge(name);
        let (busy, trouble) = load(at_ms);
        for queue in ["mail", "push"] {
            let depth = random.fraction() * (4.0 + 12.0 * trouble + 3.0 * busy) * busy;
            gauge("depth")
                .label("queue", queue)
                .register()
                .unwrap()
                .set(depth);
        }
        let connected = trouble < 0.5 && random.below(300) > 0;
        gauge("device_connected")
            .register()
            .unwrap()
            .set(f64::from(u8::from(connected)));
        // A backup every 110 minutes.
        let last = at_ms - at_ms % (110 * MINUTE_MS);
        gauge("backup_timestamp_seconds")
            .register()
            .unwrap()
            .set(last as f64 / 1e3);
    }
}

/// Whether nobody can be scraped.
pub(super) fn is_gone(at_ms: i64) -> bool {
    (120..129).contains(&(at_ms / MINUTE_MS))
}

impl Trace {
    /// Moments are whole multiples of `GRAIN_MS`, which is what promtool can be told.
    pub(super) fn new(seed: u64) -> Self {
        let mut trace = Self::default();
        for target in &TARGETS {
            trace.follow(target, &mut Random(seed));
        }
        trace
    }

    fn follow(&mut self, target: &Target, random: &mut Random) {
        let [from, to] = [target.lives.start, target.lives.end].map(|at| at * MINUTE_MS);
        let mut restarts = target.restarts.iter().map(|at| at * MINUTE_MS).peekable();
        let mut process = Process::new(from, |builder| builder);
        for due_ms in (from + SCRAPE_MS..=to).step_by(SCRAPE_MS as usize) {
            if restarts.next_if(|at_ms| *at_ms <= due_ms).is_some() {
                process = Process::new(due_ms - SCRAPE_MS / 3, |builder| builder);
            }
            let jitter = if target.late {
                random.below(3) as i64 * GRAIN_MS
            } else {
                0
            };
            process.work_to(random, due_ms + jitter);
            process.plimsoll.tick();
            let lost = target.late && random.below(60) == 0;
            if !is_gone(due_ms) && !lost {
                self.scrape(target, &process, due_ms + jitter);
            }
        }
        let here = target.instance;
        if to < END_MS {
            let series = self.series.iter_mut();
            let of_target = series.filter(|(labels, _)| labels.get("instance") == here);
            of_target.for_each(|(_, samples)| samples.push((to + SCRAPE_MS, Given::End)));
        }
    }

    /// Keeps what promises read.
    pub(super) fn scrape(&mut self, target: &Target, process: &Process, at_ms: i64) {
        let page = process.plimsoll.render();
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let own = !line.starts_with("plimsoll_");
            let read = [
                "plimsoll_sli_",
                "plimsoll_uptime_seconds",
                "plimsoll_budget_band",
                "plimsoll_budget_observed",
            ];
            if (own && line.contains("operation"))
                || (!own && !read.iter().any(|name| line.starts_with(name)))
            {
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let value = Given::Value(value.parse().unwrap());
            let place = self.place(target, series);
            self.series[place].1.push((at_ms, value));
        }
    }

    fn place(&mut self, target: &Target, series: &str) -> usize {
        let key = (target.instance, series.to_owned());
        *self.places.entry(key).or_insert_with(|| {
            self.series.push((labels(target, series), Vec::new()));
            self.series.len() - 1
        })
    }

    /// The series that expressions may read; the others cost time only.
    pub(super) fn of(&self, exprs: &[&Expr]) -> Self {
        let printed: String = exprs.iter().map(|expr| expr.to_string()).collect();
        let is_read = |labels: &Labels| {
            let of_budget = format!("budget=\"{}\"", labels.get("budget"));
            printed.contains(labels.get("__name__"))
                && (labels.get("budget").is_empty() || printed.contains(&of_budget))
        };
        let series = self.series.iter().filter(|series| is_read(&series.0));
        Self {
            series: series.cloned().collect(),
            places: HashMap::new(),
        }
    }

    pub(super) fn insert(&self, samples: &mut Samples, from_ms: i64, to_ms: i64) {
        for (labels, given) in &self.series {
            let start = given.partition_point(|given| given.0 <= from_ms);
            for &(at_ms, given) in given[start..].iter().take_while(|given| given.0 <= to_ms) {
                match given {
                    Given::Value(value) => samples.insert(labels, at_ms, value),
                    Given::End => samples.insert_stale(labels, at_ms),
                }
            }
        }
    }

    /// Without the ends, which OpenMetrics cannot tell.
    pub(super) fn numbers(&self, dialect: Dialect) -> Samples {
        let mut samples = Samples::in_dialect(dialect);
        for (labels, given) in &self.series {
            for &(at_ms, given) in given {
                if let Given::Value(value) = given {
                    samples.insert(labels, at_ms, value);
                }
            }
        }
        samples
    }

    pub(super) fn open_metrics(&self) -> String {
        let mut text = String::new();
        for (labels, samples) in &self.series {
            let others = labels.iter().filter(|label| label.0 != "__name__");
            let others: Vec<String> = others
                .map(|(key, value)| format!("{key}={value:?}"))
                .collect();
            let series = format!("{}{{{}}}", labels.get("__name__"), others.join(","));
            for (at_ms, given) in samples {
                if let Given::Value(value) = given {
                    writeln!(
                        text,
                        "{series} {value} {}.{:03}",
                        at_ms / 1000,
                        at_ms % 1000
                    )
                    .unwrap();
                }
            }
        }
        text + "# EOF\n"
    }

    /// As promtool wants it, step by step.
    pub(super) fn to_yaml(&self) -> String {
        let mut yaml = String::new();
        for (labels, samples) in &self.series {
            write!(yaml, "      - series: '{labels}'\n        values: '").unwrap();
            let mut next = 0;
            for (at_ms, given) in samples {
                let step = at_ms / GRAIN_MS;
                match step - next {
                    0 => {}
                    gap => write!(yaml, "_x{gap} ").unwrap(),
                }
                match given {
                    Given::Value(value) => write!(yaml, "{value} ").unwrap(),
                    Given::End => yaml += "stale ",
                }
                next = step + 1;
            }
            yaml += "'\n";
        }
        yaml
    }
}

/// The labels of a line without its value, with those of the target. No value here has quotes or commas.
fn labels(target: &Target, series: &str) -> Labels {
    let (name, rest) = series.split_once('{').unwrap_or((series, ""));
    let pairs = rest
        .trim_end_matches('}')
        .split(',')
        .filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap());
    let pairs = pairs.map(|(key, value)| (key, value.trim_matches('"')));
    let own = [
        ("__name__", name),
        ("job", target.job),
        ("instance", target.instance),
    ];
    Labels::new(own.into_iter().chain(pairs))
}
