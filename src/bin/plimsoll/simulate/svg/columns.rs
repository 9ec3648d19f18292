//! Steps, put together to as many points as a line has.

use std::time::Duration;

use plimsoll::simulate::SimulatedStep;

/// So many points are drawn of each line.
const POINTS: usize = 434;

/// A stretch of time that is one point of a line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Column {
    operations: u64,
    errors: u64,
    slow: u64,
    length: Duration,
}

impl Column {
    /// Operations per second.
    pub(super) fn rate(&self) -> f64 {
        self.operations as f64 / self.length.as_secs_f64()
    }

    /// Percent of the operations that failed.
    pub(super) fn failed(&self) -> f64 {
        self.percent(self.errors)
    }

    /// Percent of the operations that were slow.
    pub(super) fn slow(&self) -> f64 {
        self.percent(self.slow)
    }

    fn percent(&self, part: u64) -> f64 {
        part as f64 / self.operations.max(1) as f64 * 100.0
    }
}

pub(super) fn of(steps: &[SimulatedStep], length: Duration) -> Vec<Column> {
    let mut columns = vec![Column::default(); POINTS.min(steps.len())];
    let count = columns.len() as f64;
    let mut before = Duration::ZERO;
    for step in steps {
        let at = before.as_secs_f64() / length.as_secs_f64() * count;
        if let Some(column) = columns.get_mut(at as usize) {
            column.operations += step.operations;
            column.errors += step.errors;
            column.slow += step.slow;
            column.length += step.at - before;
        }
        before = step.at;
    }
    columns.retain(|column| !column.length.is_zero());
    columns
}

/// How long a point is, if it is made of two steps or more.
pub(super) fn apart(steps: &[SimulatedStep], length: Duration) -> Option<Duration> {
    let points = u32::try_from(POINTS).unwrap_or(u32::MAX);
    (steps.len() >= 2 * POINTS).then(|| length / points)
}
