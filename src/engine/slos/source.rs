//! What SLOs count by themselves: ticks, slices of time, and what the service's own counters count.

use crate::engine::reader::Reader;
use crate::engine::sli::Slis;
use crate::expr::Expr;
use crate::slo::{Condition, SLICE_PARTS, Sli, Slo};

/// Where the counts of an SLO come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Operations, which a promise counts.
    Operations,
    Ratio(Totals),
    Ticks(Condition),
    Slices(Condition, Slicing),
    RatioSlices(Expr, Slicing),
    /// Other SLOs by name, with their weights.
    Weighted(Vec<(String, f64)>),
}

/// A look at the clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) at_ms: i64,
    /// Since the one before.
    pub(super) gap_ms: i64,
    /// Without what was missed.
    pub(super) usual_ms: i64,
}

/// What two counters of the service's own have counted since 0.
#[derive(Debug)]
pub(super) struct Totals {
    part: Total,
    valid: Total,
    part_is_good: bool,
    /// What was handed on of both: valid, bad.
    handed: (u64, u64),
}

/// The sum of some counters, over their resets.
#[derive(Debug)]
struct Total {
    sum: Expr,
    /// `None` before the first look, if what they held before is none of its own.
    latest: Option<f64>,
    total: f64,
}

/// Slices on a grid from 1970 on.
#[derive(Debug)]
pub(super) struct Slicing {
    slice_ms: i64,
    /// The slice that the latest tick was in; `None` before the first one.
    current: Option<i64>,
    /// Whether all of it was lived through.
    whole: bool,
}

impl Source {
    pub(super) fn new(slo: &Slo) -> Self {
        let condition = || Condition::new(&slo.condition().unwrap_or(Expr::Number(f64::NAN)));
        match &slo.sli {
            Sli::Availability(_) | Sli::Latency(..) => Self::Operations,
            Sli::Ratio {
                part,
                valid,
                part_is_good,
            } => Self::Ratio(Totals {
                part: Total::new(Expr::select(part.clone()).sum()),
                valid: Total::new(Expr::select(valid.clone()).sum()),
                part_is_good: *part_is_good,
                handed: (0, 0),
            }),
            Sli::Time(_) | Sli::AllOf(_) => Self::Ticks(condition()),
            Sli::TimeSlice(_, slice) => Self::Slices(condition(), Slicing::new(slice.as_millis())),
            Sli::RatioSlices(ratio, slice) => {
                Self::RatioSlices(ratio.clone(), Slicing::new(slice.as_millis()))
            }
            Sli::Weighted(of) => Self::Weighted(of.clone()),
        }
    }

    /// Whether [`count`](Self::count) moves its counters.
    pub(super) fn counts_by_hand(&self) -> bool {
        !matches!(self, Self::Operations | Self::Weighted(_))
    }

    pub(super) fn is_composite(&self) -> bool {
        self.weights().is_some()
    }

    /// The parts of a weighted composite.
    pub(super) fn weights(&self) -> Option<&[(String, f64)]> {
        match self {
            Self::Weighted(of) => Some(of),
            _ => None,
        }
    }

    /// Everything that is to be sampled for it.
    pub(super) fn exprs(&self, read: &mut Vec<Expr>) {
        let mut of_condition = Vec::new();
        match self {
            Self::Ratio(totals) => read.extend([totals.part.sum.clone(), totals.valid.sum.clone()]),
            Self::Ticks(condition) | Self::Slices(condition, _) => {
                condition.exprs(&mut of_condition)
            }
            Self::RatioSlices(ratio, _) => read.push(ratio.clone()),
            Self::Operations | Self::Weighted(_) => {}
        }
        read.extend(of_condition.into_iter().cloned());
    }

    /// Counts from now on what counters of the service's own count; all others begin with their first tick anyway.
    pub(super) fn begin(&mut self, reader: Reader<'_>, sampled: bool) {
        if let Self::Ratio(totals) = self {
            totals.part.begin(reader, sampled);
            totals.valid.begin(reader, sampled);
        }
    }

    /// Counts what there is to count at a tick; returns how much of the time since the one before was looked at.
    pub(super) fn count(
        &mut self,
        slis: &mut Slis,
        counter: usize,
        reader: Reader<'_>,
        look: Look,
    ) -> i64 {
        let eval = |expr: &Expr| reader.eval(expr).ok();
        match self {
            Self::Operations | Self::Weighted(_) => look.gap_ms,
            Self::Ratio(totals) => totals.count(slis, counter, reader, look.gap_ms),
            Self::Ticks(condition) => match condition.holds(&eval) {
                Some(holds) => {
                    slis.add(counter, 1, u64::from(!holds));
                    look.usual_ms
                }
                None => 0,
            },
            Self::Slices(condition, slicing) => {
                let over = slicing.turn(look.at_ms);
                match over.then(|| condition.holds(&eval)).flatten() {
                    Some(holds) => {
                        slis.add(counter, 1, u64::from(!holds));
                        slicing.slice_ms
                    }
                    None => 0,
                }
            }
            Self::RatioSlices(ratio, slicing) => {
                let over = slicing.turn(look.at_ms);
                match over.then(|| share(reader, ratio)).flatten() {
                    Some(share) => {
                        let bad = (share * SLICE_PARTS as f64).round() as u64;
                        slis.add(counter, SLICE_PARTS, bad);
                        slicing.slice_ms
                    }
                    None => 0,
                }
            }
        }
    }
}

/// A value between 0 and 1.
fn share(reader: Reader<'_>, ratio: &Expr) -> Option<f64> {
    let value = reader.eval(ratio).ok()?.as_float()?;
    (0.0..=1.0).contains(&value).then_some(value)
}

impl Totals {
    fn count(&mut self, slis: &mut Slis, counter: usize, reader: Reader<'_>, gap_ms: i64) -> i64 {
        let (Some(part), Some(valid)) = (self.part.read(reader), self.valid.read(reader)) else {
            return 0;
        };
        // Counters are read one after the other: a good one may be ahead of its valid one, and is not taken back.
        let bad = if self.part_is_good {
            valid - part
        } else {
            part
        };
        let (known_valid, known_bad) = self.handed;
        let new_valid = (valid as u64).max(known_valid);
        let new_bad = (bad.max(0.0).round() as u64).clamp(known_bad, new_valid.max(known_bad));
        self.handed = (new_valid, new_bad);
        slis.add(counter, new_valid - known_valid, new_bad - known_bad);
        gap_ms
    }
}

impl Total {
    fn new(sum: Expr) -> Self {
        Self {
            sum,
            latest: Some(0.0),
            total: 0.0,
        }
    }

    /// Begins with what the counters hold now; one that there is not will begin with 0, which only samples of now can tell.
    fn begin(&mut self, reader: Reader<'_>, sampled: bool) {
        self.latest = self.now(reader).or(sampled.then_some(0.0));
    }

    /// `None` while there is no such counter.
    fn read(&mut self, reader: Reader<'_>) -> Option<f64> {
        let now = self.now(reader)?;
        self.total += match self.latest.replace(now) {
            None => 0.0,
            Some(before) if now < before => now,
            Some(before) => now - before,
        };
        Some(self.total)
    }

    fn now(&self, reader: Reader<'_>) -> Option<f64> {
        let now = reader.eval(&self.sum).ok()?.as_float()?;
        now.is_finite().then_some(now)
    }
}

impl Slicing {
    fn new(slice_ms: u128) -> Self {
        Self {
            slice_ms: slice_ms.max(1) as i64,
            current: None,
            whole: false,
        }
    }

    /// Whether a slice is over that was lived through from its beginning.
    fn turn(&mut self, at_ms: i64) -> bool {
        let slice = at_ms.div_euclid(self.slice_ms);
        let before = self.current.replace(slice);
        let turned = before.is_some_and(|before| before < slice);
        let over = turned && self.whole;
        self.whole |= turned;
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_slice_is_none_unless_it_was_whole() {
        let mut slicing = Slicing::new(300_000);
        let turns: Vec<i64> = (0..30)
            .filter(|minute| slicing.turn((minute + 7) * 60_000))
            .collect();
        // The grid turns at the minutes 10, 15, 20, ...; what began at 7 was no whole slice.
        assert_eq!(turns, [8, 13, 18, 23, 28]);
    }

    #[test]
    fn several_slices_that_were_missed_are_one_look() {
        let mut slicing = Slicing::new(1_000);
        assert!(!slicing.turn(500) && !slicing.turn(1_000));
        assert!(slicing.turn(9_500) && !slicing.turn(9_900) && slicing.turn(10_000));
    }
}
