//! What the bands are compared with: textbook methods that learn from everything.

use std::collections::VecDeque;

use crate::simulation::{Detector, START_MS, STEP_MS};

const DAY: usize = 288;

/// Mean + k σ of the latest 24 hours.
pub(crate) struct MeanSigma(Latest, f64);

/// Median + k MAD of the latest 24 hours.
pub(crate) struct MedianMad(Latest, f64);

/// Mean + k σ of the same hour of the latest four weeks.
pub(crate) struct HourOfWeekMean(Vec<f64>, f64);

struct Latest(VecDeque<f64>);

impl Latest {
    fn push(&mut self, value: f64) {
        if self.0.len() == DAY {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }
}

impl MeanSigma {
    pub(crate) fn new(times: f64) -> Self {
        Self(Latest(VecDeque::new()), times)
    }
}

impl Detector for MeanSigma {
    fn limit(&mut self, _at_ms: i64) -> Option<f64> {
        above_mean(&Vec::from(self.0.0.clone()), self.1)
    }

    fn observe(&mut self, _at_ms: i64, value: f64, _breached: bool) {
        self.0.push(value);
    }
}

impl MedianMad {
    pub(crate) fn new(times: f64) -> Self {
        Self(Latest(VecDeque::new()), times)
    }
}

impl Detector for MedianMad {
    fn limit(&mut self, _at_ms: i64) -> Option<f64> {
        let mut values = Vec::from(self.0.0.clone());
        let median = middle(&mut values)?;
        values
            .iter_mut()
            .for_each(|value| *value = (*value - median).abs());
        Some(median + self.1 * middle(&mut values)?)
    }

    fn observe(&mut self, _at_ms: i64, value: f64, _breached: bool) {
        self.0.push(value);
    }
}

impl HourOfWeekMean {
    pub(crate) fn new(times: f64) -> Self {
        Self(Vec::new(), times)
    }
}

impl Detector for HourOfWeekMean {
    fn limit(&mut self, at_ms: i64) -> Option<f64> {
        let i = ((at_ms - START_MS) / STEP_MS) as usize;
        let hour = i - i % 12;
        let weeks = (1..=4).filter_map(|week| hour.checked_sub(week * 7 * DAY));
        let values: Vec<f64> = weeks
            .flat_map(|start| self.0[start..start + 12].iter().copied())
            .collect();
        above_mean(&values, self.1)
    }

    fn observe(&mut self, _at_ms: i64, value: f64, _breached: bool) {
        self.0.push(value);
    }
}

fn above_mean(values: &[f64], times: f64) -> Option<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (!values.is_empty()).then(|| mean + times * (squares / count).sqrt())
}

fn middle(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
