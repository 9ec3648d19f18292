//! Six weeks of a service's p95, one value for each five minutes, with forty incidents in the last two.
//!
//! Daily and weekly season, a batch job from 02:30 to 03:00, log-normal noise with a heavy tail, and a day in the third week
//! on which everything took 80 % longer. An incident is +45 % for 30 minutes. An alert fires at the third value in a
//! row that is above the limit; it is false if none of its values is of an incident.

/// Of one value to the next.
pub(crate) const STEP_MS: i64 = 300_000;
/// 2026-01-05, a Monday.
pub(crate) const START_MS: i64 = 1_767_571_200_000;
const DAY: usize = 288;
const INCIDENTS_PER_WEEK: usize = 20;
const INCIDENT: usize = 6;
const IN_A_ROW: usize = 3;

/// What is learned from and judged, one value after the other.
pub(crate) trait Detector {
    /// The limit before this value; `None` if there is none yet.
    fn limit(&mut self, at_ms: i64) -> Option<f64>;
    /// Learns from it.
    fn observe(&mut self, at_ms: i64, value: f64, breached: bool);
}

/// Values, and of which of them are an incident.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) values: Vec<f64>,
    /// The incident, by its number.
    pub(crate) incidents: Vec<Option<usize>>,
    judged_from: usize,
}

/// What became of the incidents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// In `0.0..=1.0`.
    pub(crate) share: f64,
    pub(crate) false_per_day: f64,
}

impl Trace {
    /// So many days, judged from this one on.
    pub(crate) fn new(seed: u64, days: usize, judged_from_day: usize) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let bad_day = 15 + (random.next() % 5) as usize;
        let mut values: Vec<f64> = (0..days * DAY)
            .map(|i| season(i) * noise(&mut random) * if i / DAY == bad_day { 1.8 } else { 1.0 })
            .collect();
        let judged_from = judged_from_day * DAY;
        let count = (days - judged_from_day) * INCIDENTS_PER_WEEK / 7;
        let mut incidents = vec![None; values.len()];
        // Each in a part of the time of its own, with at least an hour between two.
        let part = (values.len() - judged_from) / count;
        for number in 0..count {
            let room = (part - INCIDENT - 12) as u64;
            let start = judged_from + number * part + 12 + (random.next() % room) as usize;
            for i in start..start + INCIDENT {
                values[i] *= 1.45;
                incidents[i] = Some(number);
            }
        }
        Self {
            values,
            incidents,
            judged_from,
        }
    }

    pub(crate) fn at_ms(i: usize) -> i64 {
        START_MS + i as i64 * STEP_MS
    }

    pub(crate) fn judge(&self, detector: &mut dyn Detector) -> Found {
        let count = self
            .incidents
            .iter()
            .flatten()
            .max()
            .map_or(0, |last| last + 1);
        let mut found = vec![false; count];
        let (mut above, mut during, mut false_alerts) = (0, None, 0);
        for (i, &value) in self.values.iter().enumerate() {
            let at_ms = Self::at_ms(i);
            let is_above = detector.limit(at_ms).is_some_and(|limit| value > limit);
            above = if is_above { above + 1 } else { 0 };
            if above <= 1 {
                during = None;
            }
            if is_above {
                during = during.or(self.incidents[i]);
            }
            detector.observe(at_ms, value, above >= IN_A_ROW);
            if i < self.judged_from || above < IN_A_ROW {
                continue;
            }
            if let Some(number) = self.incidents[i] {
                found[number] = true;
            } else if above == IN_A_ROW && during.is_none() {
                false_alerts += 1;
            }
        }
        let days = (self.values.len() - self.judged_from) as f64 / DAY as f64;
        Found {
            share: found.iter().filter(|&&found| found).count() as f64 / count as f64,
            false_per_day: f64::from(false_alerts) / days,
        }
    }
}

/// What a value would be without noise: highest at 14:00, lowest at 02:00, a third less at weekends.
fn season(i: usize) -> f64 {
    let hour = (i % DAY) as f64 / 12.0;
    let daily = 1.0 + 0.45 * ((hour - 8.0) * std::f64::consts::PI / 12.0).sin();
    let weekly = if i / DAY % 7 >= 5 { 0.7 } else { 1.0 };
    let batch = if (2.5..3.0).contains(&hour) { 1.8 } else { 1.0 };
    0.1 * daily * weekly * batch
}

/// Log-normal with σ = 0.06; one in fifty has a Pareto tail (α = 2) of up to many times more.
fn noise(random: &mut Random) -> f64 {
    let usual = (0.06 * random.normal()).exp();
    if random.uniform() < 0.02 {
        usual * random.uniform().max(1e-6).powf(-0.5)
    } else {
        usual
    }
}

/// Xorshift64*.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 1
    }

    fn uniform(&mut self) -> f64 {
        (self.next() >> 10) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}
