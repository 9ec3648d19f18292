//! Mean and standard deviation of the latest hours, with factors for the time of day.

use std::collections::VecDeque;
use std::collections::vec_deque::Iter;
use std::sync::OnceLock;

use super::bytes::Reader;
use super::double::Double;
use super::local::{HOUR_MS, hour_of_day};
use super::{BandError, Dynamic, FEWEST, LARGEST, Limits};

/// Values that the window holds at most.
const MOST: i64 = 8_640;

#[derive(Debug, Clone)]
pub(super) struct Classic {
    window_ms: i64,
    /// (Unix milliseconds, value), in order of time.
    values: VecDeque<(i64, f64)>,
    /// Of all values; not known again until somebody asks.
    moments: OnceLock<Moments>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: usize,
    mean: Double,
    sigma: Double,
}

impl Classic {
    pub(super) fn new(declared: &Dynamic) -> Self {
        Self {
            window_ms: declared.window_ms(),
            values: VecDeque::new(),
            moments: OnceLock::new(),
        }
    }

    pub(super) fn observe(&mut self, at_ms: i64, value: f64) {
        // A clock that was set back: what lies ahead of it cannot be in order any more.
        while self.values.back().is_some_and(|&(at, _)| at > at_ms) {
            self.values.pop_back();
        }
        let step = self.window_ms / MOST;
        let latest = self.values.back().map(|&(at, _)| at.div_euclid(step));
        if latest == Some(at_ms.div_euclid(step)) {
            return;
        }
        self.values.push_back((at_ms, value));
        let oldest = at_ms.saturating_sub(self.window_ms);
        while self.values.front().is_some_and(|&(at, _)| at <= oldest) {
            self.values.pop_front();
        }
        self.moments = OnceLock::new();
    }

    pub(super) fn limits(&self, declared: &Dynamic, at_ms: i64) -> Option<Limits> {
        let window = self.window(at_ms);
        let of_window = || Moments::of(window.clone().map(|&(_, value)| value));
        let moments = if window.len() == self.values.len() {
            *self.moments.get_or_init(of_window)
        } else {
            of_window()
        };
        if moments.count < FEWEST {
            return None;
        }
        let (at_warning, at_critical) = factors(hour_of_day(at_ms, declared.offset_ms()));
        let baseline = f64::from(moments.mean);
        let least = declared.margin * baseline.abs() / 2.0;
        let sigma = moments.sigma * declared.sensitivity.into();
        let width = if f64::from(sigma) < least {
            least.into()
        } else {
            sigma
        };
        let limit = |times: f64, factor: f64| {
            f64::from((moments.mean + width * times.into()) * factor.into())
        };
        Some(Limits {
            baseline,
            warning: limit(2.0, at_warning),
            critical: limit(3.0, at_critical),
        })
    }

    /// The values after `at_ms` minus the window, up to `at_ms`.
    fn window(&self, at_ms: i64) -> Iter<'_, (i64, f64)> {
        let oldest = at_ms.saturating_sub(self.window_ms);
        let first = self.values.partition_point(|&(at, _)| at <= oldest);
        let end = self.values.partition_point(|&(at, _)| at <= at_ms);
        self.values.range(first..end.max(first))
    }

    pub(super) fn coverage(&self, at_ms: i64) -> f64 {
        let hours_ago = |at: i64| at_ms.saturating_sub(at) / HOUR_MS;
        let mut hours: Vec<_> = self.window(at_ms).map(|&(at, _)| hours_ago(at)).collect();
        hours.dedup();
        let wanted = (self.window_ms + HOUR_MS - 1) / HOUR_MS;
        hours.len() as f64 / wanted as f64
    }

    pub(super) fn save(&self, out: &mut Vec<u8>) {
        for (at_ms, value) in &self.values {
            out.extend(at_ms.to_le_bytes());
            out.extend(value.to_le_bytes());
        }
    }

    pub(super) fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), BandError> {
        while !reader.is_empty() {
            let (at_ms, value) = (reader.i64()?, f64::from_bits(reader.u64()?));
            let in_order = self.values.back().is_none_or(|&(at, _)| at < at_ms);
            let in_range = value.abs() <= LARGEST;
            if !in_order || !in_range || self.values.len() > MOST as usize + 1 {
                return Err(BandError::Torn);
            }
            self.values.push_back((at_ms, value));
        }
        Ok(())
    }
}

impl Moments {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let add = |(count, sum): (usize, Double), value: f64| (count + 1, sum + value.into());
        let (count, sum) = values.clone().fold((0, Double::default()), add);
        if count == 0 {
            return Self::default();
        }
        let mean = sum.divided_by(count as f64);
        let squares = values
            .map(|value| Double::from(value) + mean.negative())
            .fold(Double::default(), |sum, distance| sum + distance * distance);
        Self {
            count,
            mean,
            sigma: squares.divided_by(count as f64).sqrt(),
        }
    }
}

/// What `warning` and `critical` are multiplied by.
fn factors(hour: i64) -> (f64, f64) {
    match hour {
        9..=18 => (0.9, 0.95),
        23 | 0..=6 => (1.2, 1.15),
        _ => (1.0, 1.0),
    }
}
