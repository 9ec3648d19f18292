//! Medians of the same time of the latest weeks; before there are two of them, of the latest hours.

use super::bytes::Reader;
use super::ewma::Ewma;
use super::history::{History, Side};
use super::local::{PER_HOUR, PER_WEEK, interval};
use super::{BandError, Dynamic, Limits};

/// Intervals before and after the time of the week that say what is usual at it.
const BESIDE: i64 = 2;
/// σ of normal values over their median absolute deviation.
const TO_SIGMA: f64 = 1.482_602_218_505_602;
/// How many σ above the baseline the limits are.
const WARNING: f64 = 3.0;
const CRITICAL: f64 = 4.0;
/// The share of the latest hours' samples that makes a change of level.
const LASTING: f64 = 0.75;
/// Hours of a week.
const WEEK: i64 = PER_WEEK / PER_HOUR;

/// A baseline and how far values usually are from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    pub(super) baseline: f64,
    pub(super) sigma: f64,
}

#[derive(Debug, Clone)]
pub(super) struct HourOfWeek {
    history: History,
    ewma: Ewma,
    /// The interval of the latest observation, and how many came in it that could have become its sample.
    interval: i64,
    candidates: u64,
    /// What was usual at that interval of the earlier weeks.
    usual: Option<Usual>,
}

impl HourOfWeek {
    pub(super) fn new(declared: &Dynamic) -> Self {
        Self {
            history: History::new(declared.weeks()),
            ewma: Ewma::default(),
            interval: i64::MIN,
            candidates: 0,
            usual: None,
        }
    }

    pub(super) fn observe(&mut self, declared: &Dynamic, at_ms: i64, value: f64, breached: bool) {
        let now = interval(at_ms, declared.offset_ms());
        if now != self.interval {
            self.enter(declared, now);
        }
        let limits = self.limits(declared, at_ms);
        let side = match limits {
            _ if breached => Side::Held,
            Some(limits) if value > limits.critical => Side::Held,
            Some(limits) if self.usual.is_some() && value < limits.below() => Side::Low,
            _ => Side::Within,
        };
        self.candidates += 1;
        // A sample of each five minutes in which every observation has the same chance, whatever the beat they come in.
        if mixed(at_ms).is_multiple_of(self.candidates) {
            self.history.put(now, value, side);
        }
        let most = match (side, limits) {
            (Side::Held, Some(limits)) => limits.warning,
            _ => f64::INFINITY,
        };
        self.ewma.observe(at_ms, value, most);
    }

    /// Begins an interval, and with it perhaps an hour.
    fn enter(&mut self, declared: &Dynamic, now: i64) {
        let hour = now.div_euclid(PER_HOUR);
        if !self.history.has(hour) {
            self.adapt(declared, hour);
            self.history.begin(hour);
        }
        self.interval = now;
        self.candidates = 0;
        self.usual = self.usual_at(declared, now);
    }

    /// Takes lasting changes for the new normal.
    fn adapt(&mut self, declared: &Dynamic, hour: i64) {
        let relearn_after = (declared.relearn_after.as_secs() / 3600) as i64;
        // A few days off are no new level, and a level that is too high says nothing wrong meanwhile.
        for (side, wanted) in [(Side::Held, relearn_after), (Side::Low, WEEK)] {
            let hours = hour - wanted..hour;
            let latest = self.history.latest(hours.clone(), side);
            let lasting = f64::from(latest.beyond) >= LASTING * f64::from(latest.samples);
            if lasting && latest.hours as f64 >= LASTING * wanted as f64 {
                self.shift(declared, hours, side);
            }
        }
        self.history.release_common(hour - WEEK, hour - 2 * WEEK);
    }

    /// Scales what was before the change in these hours to the level after it.
    fn shift(&mut self, declared: &Dynamic, hours: std::ops::Range<i64>, side: Side) {
        let mut ratios: Vec<f64> = self
            .history
            .beyond(hours.clone(), side)
            .filter_map(|(at, sample)| {
                Some(f64::from(sample) / self.usual_at(declared, at)?.baseline)
            })
            .collect();
        let changed = |&hour: &i64| self.history.mostly_beyond(hour, side);
        let start = hours.clone().find(changed).unwrap_or(hours.start);
        match median(&mut ratios) {
            Some(ratio) if ratio.is_finite() && ratio > 0.0 => {
                self.history.scale_before(start, ratio);
            }
            // From zero, or to the other side of it: nothing to scale by.
            Some(_) => self.history.forget_before(start),
            // Not known what was usual, so they were held by an alert alone.
            None => {}
        }
        hours.for_each(|hour| self.history.release(hour, side));
    }

    /// What the earlier weeks say of this interval, if there are two of them.
    fn usual_at(&self, declared: &Dynamic, at: i64) -> Option<Usual> {
        let mut samples = Vec::with_capacity(4 * (2 * BESIDE as usize + 1));
        let mut weeks = 0;
        for week in 1..=declared.weeks() {
            let before = samples.len();
            let same = at - week * PER_WEEK;
            samples.extend(
                (same - BESIDE..=same + BESIDE)
                    .filter_map(|beside| self.history.learned(beside))
                    .map(f64::from),
            );
            weeks += u32::from(samples.len() > before);
        }
        if weeks < 2 {
            return None;
        }
        let baseline = median(&mut samples)?;
        samples
            .iter_mut()
            .for_each(|sample| *sample = (*sample - baseline).abs());
        let deviation = median(&mut samples)?;
        Some(Usual {
            baseline,
            sigma: deviation * TO_SIGMA,
        })
    }

    pub(super) fn limits(&self, declared: &Dynamic, at_ms: i64) -> Option<Limits> {
        let at = interval(at_ms, declared.offset_ms());
        let of_weeks = if at == self.interval {
            self.usual
        } else {
            self.usual_at(declared, at)
        };
        let usual = of_weeks.or_else(|| self.ewma.usual())?;
        let least = declared.margin * usual.baseline.abs() / WARNING;
        let width = (usual.sigma * declared.sensitivity).max(least);
        Some(Limits {
            baseline: usual.baseline,
            warning: usual.baseline + WARNING * width,
            critical: usual.baseline + CRITICAL * width,
        })
    }

    pub(super) fn coverage(&self, declared: &Dynamic, at_ms: i64) -> f64 {
        let hour = interval(at_ms, declared.offset_ms()).div_euclid(PER_HOUR);
        let wanted = declared.weeks() * 168;
        let known = (hour - wanted..hour).filter(|&hour| self.history.has(hour));
        known.count() as f64 / wanted as f64
    }

    pub(super) fn save(&self, out: &mut Vec<u8>) {
        out.extend(self.interval.to_le_bytes());
        out.extend(self.candidates.to_le_bytes());
        self.ewma.save(out);
        self.history.save(out);
    }

    pub(super) fn restore(
        &mut self,
        declared: &Dynamic,
        reader: &mut Reader<'_>,
    ) -> Result<(), BandError> {
        self.interval = reader.i64()?;
        self.candidates = reader.u64()?;
        self.ewma = Ewma::restore(reader)?;
        self.history.restore(reader)?;
        if self.interval != i64::MIN {
            self.usual = self.usual_at(declared, self.interval);
        }
        Ok(())
    }
}

impl Limits {
    /// As far below the baseline as `critical` is above it.
    fn below(&self) -> f64 {
        self.baseline - (self.critical - self.baseline)
    }
}

/// The middle value, or the mean of the two; leaves the values in another order.
fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let odd = values.len() % 2 == 1;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if odd {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(lower + (upper - lower) / 2.0)
}

/// Bits that do not follow the time's beat (SplitMix64).
fn mixed(at_ms: i64) -> u64 {
    let mut bits = (at_ms as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
