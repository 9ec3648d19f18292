//! Sums and means of many numbers, in the order and with the care of each version of Prometheus.

use crate::window::Dialect;

/// A sum with what its roundings lost (Kahan's, in Neumaier's form).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    fn plus(self, value: f64) -> Self {
        let sum = self.sum + value;
        let lost = match (sum.is_infinite(), self.sum.abs() >= value.abs()) {
            (true, _) => 0.0,
            (false, true) => self.lost + ((self.sum - sum) + value),
            (false, false) => self.lost + ((value - sum) + self.sum),
        };
        Self { sum, lost }
    }

    pub(super) fn total(values: impl Iterator<Item = f64>) -> f64 {
        let total = values.fold(Self::default(), Self::plus);
        match total.sum.is_infinite() {
            true => total.sum,
            false => total.sum + total.lost,
        }
    }
}

/// The sum of a group: 2.x just adds.
#[derive(Debug, Clone, Copy)]
pub(super) enum GroupSum {
    Plain(f64),
    Compensated(Compensated),
}

impl GroupSum {
    pub(super) fn of(first: f64, dialect: Dialect) -> Self {
        match dialect {
            Dialect::V3 => Self::Compensated(Compensated {
                sum: first,
                lost: 0.0,
            }),
            _ => Self::Plain(first),
        }
    }

    pub(super) fn add(&mut self, value: f64) {
        *self = match *self {
            Self::Plain(sum) => Self::Plain(sum + value),
            Self::Compensated(sum) => Self::Compensated(sum.plus(value)),
        };
    }

    pub(super) fn total(self) -> f64 {
        match self {
            Self::Plain(sum) => sum,
            Self::Compensated(Compensated { sum, lost }) => sum + lost,
        }
    }
}

/// A mean.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mean {
    /// 3.x: the sum, until it is too great for a number; from then on the mean itself.
    Sum(Compensated, f64),
    /// The mean so far, and of how many.
    Running(Compensated, f64),
    /// 2.x, over time: the mean so far, compensated.
    Old(Compensated, f64),
    /// 2.x, of a group.
    OldGroup(f64, f64),
}

impl Mean {
    pub(super) fn over_time(first: f64, dialect: Dialect) -> Self {
        match dialect {
            Dialect::V3 => Self::group(first, dialect),
            _ => Self::Old(Compensated::default().plus(first), 1.0),
        }
    }

    pub(super) fn group(first: f64, dialect: Dialect) -> Self {
        let sum = Compensated {
            sum: first,
            lost: 0.0,
        };
        match dialect {
            Dialect::V3 => Self::Sum(sum, 1.0),
            _ => Self::OldGroup(first, 1.0),
        }
    }

    pub(super) fn add(&mut self, value: f64) {
        *self = match *self {
            Self::Sum(known, count) => match known.plus(value) {
                sum if sum.sum.is_infinite() => {
                    let mean = Compensated {
                        sum: known.sum / count,
                        lost: known.lost / count,
                    };
                    Self::Running(mean, count).moved(value)
                }
                sum => Self::Sum(sum, count + 1.0),
            },
            Self::Old(mean, count) if stays(mean.sum, value) => Self::Old(mean, count + 1.0),
            Self::OldGroup(mean, count) if stays(mean, value) => Self::OldGroup(mean, count + 1.0),
            running => running.moved(value),
        };
    }

    fn moved(self, value: f64) -> Self {
        match self {
            Self::Sum(known, count) => Self::Sum(known.plus(value), count + 1.0),
            Self::Running(mean, count) => {
                let (count, kept) = (count + 1.0, count / (count + 1.0));
                let scaled = Compensated {
                    sum: kept * mean.sum,
                    lost: kept * mean.lost,
                };
                Self::Running(scaled.plus(value / count), count)
            }
            Self::Old(mean, count) => {
                let count = count + 1.0;
                Self::Old(mean.plus(value / count - mean.sum / count), count)
            }
            Self::OldGroup(mean, count) => {
                let count = count + 1.0;
                Self::OldGroup(mean + (value / count - mean / count), count)
            }
        }
    }

    pub(super) fn value(self) -> f64 {
        match self {
            Self::Sum(Compensated { sum, lost }, count) => sum / count + lost / count,
            Self::Old(mean, _) if mean.sum.is_infinite() => mean.sum,
            Self::Running(mean, _) | Self::Old(mean, _) => mean.sum + mean.lost,
            Self::OldGroup(mean, _) => mean,
        }
    }
}

/// Whether an infinite mean stays as it is.
fn stays(mean: f64, value: f64) -> bool {
    let same = value.is_infinite() && (mean > 0.0) == (value > 0.0);
    mean.is_infinite() && (same || value.is_finite())
}

/// The lower one; a NaN gives way to whatever else comes.
pub(super) fn lower(known: f64, value: f64) -> f64 {
    if value < known || known.is_nan() {
        value
    } else {
        known
    }
}

/// The higher one; a NaN gives way to whatever else comes.
pub(super) fn higher(known: f64, value: f64) -> f64 {
    if value > known || known.is_nan() {
        value
    } else {
        known
    }
}
