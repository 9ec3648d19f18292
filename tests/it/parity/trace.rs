//! Six hours of a service, from a seed: late scrapes, restarts, idle hours, incidents, low traffic, and series that come
//! and go.

use std::fmt::Write;

use plimsoll::expr::{Dialect, Labels, Samples};

/// A moment at which blocks of two hours begin.
const BASE_MS: i64 = 1_700_006_400_000;
const HOUR_MS: i64 = 3_600_000;
const SCRAPE_MS: i64 = 15_000;
pub(super) const START_MS: i64 = BASE_MS - 2 * SCRAPE_MS;
pub(super) const END_MS: i64 = BASE_MS + 6 * HOUR_MS + 6 * 60_000;
/// Not the scrapes' distance, so that edges of ranges meet samples and miss them.
pub(super) const STEP_MS: i64 = 35_000;
const BOUNDS: [(f64, &str); 7] = [
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1.0"),
    (2.5, "2.5"),
    (f64::INFINITY, "+Inf"),
];

/// The same numbers each time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    pub(crate) fn fraction(&mut self) -> f64 {
        self.below(1 << 40) as f64 / (1_u64 << 40) as f64
    }
}

pub(super) struct Trace {
    /// Series by series, each in the order of time.
    pub(super) series: Vec<(Labels, Vec<(i64, f64)>)>,
}

/// When a target is scraped.
fn scrapes(random: &mut Random, late: bool, every_ms: i64, from_ms: i64, to_ms: i64) -> Vec<i64> {
    let mut moments = Vec::new();
    for at_ms in (from_ms..to_ms).step_by(every_ms as usize) {
        // Some scrapes fail, and once a target is gone for a while.
        let lost = late && random.below(60) == 0;
        let gone = late && (2 * HOUR_MS..2 * HOUR_MS + 9 * 60_000).contains(&(at_ms - BASE_MS));
        if !lost && !gone {
            let jitter = if late { random.below(900) as i64 } else { 0 };
            moments.push(as_prometheus_reads(at_ms + jitter));
        }
    }
    moments
}

fn seconds(at_ms: i64) -> String {
    format!("{}.{:03}", at_ms / 1000, at_ms % 1000)
}

/// The next moment of which nothing is lost when it is written in seconds and read by Prometheus.
fn as_prometheus_reads(at_ms: i64) -> i64 {
    let read = |at_ms: i64| {
        let seconds: f64 = seconds(at_ms).parse().unwrap();
        (seconds * 1000.0) as i64
    };
    (at_ms..).find(|&at_ms| read(at_ms) == at_ms).unwrap()
}

/// How busy the service is: idle in the fourth hour, in trouble in the second and fifth.
fn load(at_ms: i64) -> (f64, f64) {
    let minute = (at_ms - BASE_MS) / 60_000;
    match minute {
        70..80 => (1.0, 0.3),
        180..235 => (0.0, 0.0),
        270..273 => (1.0, 0.9),
        300..330 => (0.02, 0.05),
        _ => (1.0, 0.002),
    }
}

impl Trace {
    pub(super) fn new(seed: u64) -> Self {
        let mut trace = Self { series: Vec::new() };
        let random = &mut Random(seed);
        let whole = (BASE_MS, BASE_MS + 6 * HOUR_MS);
        for instance in ["a:1", "b:2"] {
            let moments = scrapes(random, instance == "a:1", SCRAPE_MS, whole.0, whole.1);
            trace.requests(random, instance, &moments);
            trace.durations(random, instance, &moments);
            trace.gauges(random, instance, &moments);
        }
        let brief = scrapes(
            random,
            true,
            SCRAPE_MS,
            BASE_MS + HOUR_MS,
            BASE_MS + 100 * 60_000,
        );
        trace.count(
            random,
            &[
                ("__name__", "requests_total"),
                ("instance", "c:3"),
                ("route", "/new"),
                ("code", "200"),
            ],
            &brief,
            4.0,
        );
        let rare = scrapes(random, true, 130_000, whole.0, whole.1);
        trace.count(
            random,
            &[("__name__", "rare_total"), ("instance", "a:1")],
            &rare,
            0.3,
        );
        trace
    }

    fn push(&mut self, labels: &[(&str, &str)], samples: Vec<(i64, f64)>) {
        self.series
            .push((Labels::new(labels.iter().copied()), samples));
    }

    /// A counter that starts anew now and then.
    fn count(&mut self, random: &mut Random, labels: &[(&str, &str)], moments: &[i64], busy: f64) {
        let bad = labels.contains(&("code", "500"));
        let mut value = random.below(5) as f64 * 1000.0;
        let mut samples = Vec::new();
        for &at_ms in moments {
            let (load, trouble) = load(at_ms);
            let share = if bad { trouble } else { 1.0 - trouble };
            if random.below(150) == 0 {
                value = 0.0;
            }
            value += (random.fraction() * busy * load * share * 30.0).floor();
            samples.push((at_ms, value));
        }
        self.push(labels, samples);
    }

    fn requests(&mut self, random: &mut Random, instance: &str, moments: &[i64]) {
        for route in ["/", "/order", "/search"] {
            for code in ["200", "500"] {
                let name = ("__name__", "requests_total");
                let labels = [
                    name,
                    ("instance", instance),
                    ("route", route),
                    ("code", code),
                ];
                self.count(
                    random,
                    &labels,
                    moments,
                    if route == "/search" { 0.1 } else { 9.0 },
                );
            }
        }
        // A counter of fractions, whose sums round.
        let mut value = 0.0;
        let mut samples = Vec::new();
        for &at_ms in moments {
            value = if random.below(90) == 0 { 0.0 } else { value };
            value += random.fraction() * load(at_ms).0;
            samples.push((at_ms, value));
        }
        self.push(
            &[("__name__", "cpu_seconds_total"), ("instance", instance)],
            samples,
        );
    }

    fn durations(&mut self, random: &mut Random, instance: &str, moments: &[i64]) {
        for route in ["/", "/order"] {
            let mut counts = [0.0; BOUNDS.len()];
            let mut sum = 0.0;
            let mut series = vec![Vec::new(); BOUNDS.len() + 1];
            for &at_ms in moments {
                let (load, trouble) = load(at_ms);
                if random.below(200) == 0 {
                    (counts, sum) = ([0.0; BOUNDS.len()], 0.0);
                }
                for _ in 0..(random.fraction() * 12.0 * load).floor() as u64 {
                    let slow = if random.fraction() < trouble {
                        20.0
                    } else {
                        1.0
                    };
                    let took = random.fraction() * random.fraction() * slow;
                    sum += took;
                    let reached = counts.iter_mut().zip(BOUNDS);
                    reached
                        .filter(|(_, bound)| took <= bound.0)
                        .for_each(|(count, _)| *count += 1.0);
                }
                let values = counts.into_iter().chain([sum]);
                series
                    .iter_mut()
                    .zip(values)
                    .for_each(|(series, value)| series.push((at_ms, value)));
            }
            let sums = series.pop().unwrap();
            for (samples, (_, le)) in series.into_iter().zip(BOUNDS) {
                let name = ("__name__", "duration_seconds_bucket");
                if le == "+Inf" {
                    let count = [
                        ("__name__", "duration_seconds_count"),
                        ("instance", instance),
                        ("route", route),
                    ];
                    self.push(&count, samples.clone());
                }
                // One bound is written in two ways.
                let le = if le == "1.0" && instance == "b:2" {
                    "1"
                } else {
                    le
                };
                self.push(
                    &[name, ("instance", instance), ("route", route), ("le", le)],
                    samples,
                );
            }
            self.push(
                &[
                    ("__name__", "duration_seconds_sum"),
                    ("instance", instance),
                    ("route", route),
                ],
                sums,
            );
        }
    }

    fn gauges(&mut self, random: &mut Random, instance: &str, moments: &[i64]) {
        for shard in ["0", "1", "2"] {
            let great = if shard == "2" { 1e15 } else { 3.0 };
            let value = |random: &mut Random| match random.below(400) {
                0 => f64::NAN,
                1 => f64::INFINITY,
                _ => (random.fraction() - 0.3) * great,
            };
            let samples = moments.iter().map(|&at_ms| (at_ms, value(random)));
            let samples = samples.collect();
            self.push(
                &[
                    ("__name__", "queue_depth"),
                    ("instance", instance),
                    ("shard", shard),
                ],
                samples,
            );
        }
        let up = |at_ms: i64| f64::from(u8::from(load(at_ms).1 < 0.5));
        let samples = moments.iter().map(|&at_ms| (at_ms, up(at_ms))).collect();
        self.push(
            &[("__name__", "device_connected"), ("instance", instance)],
            samples,
        );
        let samples = moments.iter().map(|&at_ms| (at_ms, 1.0)).collect();
        let version = if instance == "a:1" { "1.2" } else { "1.3" };
        self.push(
            &[
                ("__name__", "build_info"),
                ("instance", instance),
                ("version", version),
            ],
            samples,
        );
    }

    pub(super) fn open_metrics(&self) -> String {
        let mut text = String::new();
        for (labels, samples) in &self.series {
            let others = labels.iter().filter(|label| label.0 != "__name__");
            let others: Vec<String> = others
                .map(|(key, value)| format!("{key}={value:?}"))
                .collect();
            let series = format!("{}{{{}}}", labels.get("__name__"), others.join(","));
            for (at_ms, value) in samples {
                let value = match value {
                    value if value.is_nan() => "NaN".to_owned(),
                    value if value.is_infinite() => "+Inf".to_owned(),
                    value => value.to_string(),
                };
                writeln!(text, "{series} {value} {}", seconds(*at_ms)).unwrap();
            }
        }
        text + "# EOF\n"
    }

    pub(super) fn samples(&self, dialect: Dialect) -> Samples {
        let mut samples = Samples::in_dialect(dialect);
        for (labels, values) in &self.series {
            for &(at_ms, value) in values {
                samples.insert(labels, at_ms, value);
            }
        }
        samples
    }
}
