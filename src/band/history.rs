//! The latest weeks of one value, one sample for each five minutes.

use std::ops::Range;

use super::bytes::Reader;
use super::local::{PER_HOUR, PER_WEEK};
use super::{BandError, LARGEST};

/// An hour and which one it is; samples that are missing are NaN.
#[derive(Debug, Clone)]
struct Hour {
    /// Hours since 1970, local.
    number: i64,
    /// Bits of the samples that lay beyond the limits or in an alert: kept apart, not learned.
    held: u16,
    /// Bits of those that lay as far below the baseline: learned, but they may be a change of level.
    low: u16,
    samples: [f32; PER_HOUR as usize],
}

const NEVER: Hour = Hour {
    number: i64::MIN,
    held: 0,
    low: 0,
    samples: [f32::NAN; PER_HOUR as usize],
};

/// Where a value lay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Within,
    /// Beyond the limits, or observed in an alert.
    Held,
    /// As far below the baseline.
    Low,
}

/// What the latest hours hold.
#[derive(Debug, Default)]
pub(super) struct Latest {
    pub(super) hours: i64,
    pub(super) samples: u32,
    /// Of them on the side that was asked for.
    pub(super) beyond: u32,
}

#[derive(Debug, Clone)]
pub(super) struct History {
    /// A ring; two hours more than the weeks, since a look at an hour takes in those beside it.
    hours: Vec<Hour>,
}

impl History {
    pub(super) fn new(weeks: i64) -> Self {
        Self {
            hours: vec![NEVER; weeks as usize * 168 + 2],
        }
    }

    fn place(&self, hour: i64) -> usize {
        hour.rem_euclid(self.hours.len() as i64) as usize
    }

    fn hour(&self, number: i64) -> Option<&Hour> {
        let hour = &self.hours[self.place(number)];
        (hour.number == number).then_some(hour)
    }

    fn hour_mut(&mut self, number: i64) -> Option<&mut Hour> {
        let place = self.place(number);
        let hour = &mut self.hours[place];
        (hour.number == number).then_some(hour)
    }

    /// Whether something was observed in this hour.
    pub(super) fn has(&self, hour: i64) -> bool {
        self.hour(hour).is_some()
    }

    /// The place of an hour for its first sample; what was there is forgotten.
    pub(super) fn begin(&mut self, number: i64) {
        let place = self.place(number);
        self.hours[place] = Hour { number, ..NEVER };
    }

    /// Puts a sample into an hour that has begun.
    pub(super) fn put(&mut self, interval: i64, value: f64, side: Side) {
        let number = interval.div_euclid(PER_HOUR);
        let Some(hour) = self.hour_mut(number) else {
            return;
        };
        let position = interval.rem_euclid(PER_HOUR) as usize;
        let bit = 1 << position;
        hour.samples[position] = value as f32;
        hour.held &= !bit;
        hour.low &= !bit;
        match side {
            Side::Within => {}
            Side::Held => hour.held |= bit,
            Side::Low => hour.low |= bit,
        }
    }

    /// What was learned of this interval.
    pub(super) fn learned(&self, interval: i64) -> Option<f32> {
        let hour = self.hour(interval.div_euclid(PER_HOUR))?;
        let position = interval.rem_euclid(PER_HOUR) as usize;
        let sample = hour.samples[position];
        (hour.held & (1 << position) == 0 && !sample.is_nan()).then_some(sample)
    }

    /// The samples of these hours on one side, with their intervals.
    pub(super) fn beyond(&self, hours: Range<i64>, side: Side) -> impl Iterator<Item = (i64, f32)> {
        hours
            .filter_map(|number| self.hour(number))
            .flat_map(move |hour| {
                let bits = hour.beyond(side);
                (0..PER_HOUR)
                    .filter(move |position| bits & (1 << position) != 0)
                    .map(move |position| {
                        let interval = hour.number * PER_HOUR + position;
                        (interval, hour.samples[position as usize])
                    })
            })
    }

    pub(super) fn latest(&self, hours: Range<i64>, side: Side) -> Latest {
        let mut latest = Latest::default();
        for hour in hours.filter_map(|number| self.hour(number)) {
            latest.hours += 1;
            latest.samples += hour.present();
            latest.beyond += hour.beyond(side).count_ones();
        }
        latest
    }

    /// Whether most of this hour lay on one side.
    pub(super) fn mostly_beyond(&self, hour: i64, side: Side) -> bool {
        self.hour(hour)
            .is_some_and(|hour| hour.beyond(side).count_ones() * 2 > hour.present())
    }

    /// Takes what lay on this side in this hour for usual.
    pub(super) fn release(&mut self, hour: i64, side: Side) {
        match (self.hour_mut(hour), side) {
            (Some(hour), Side::Held) => hour.held = 0,
            (Some(hour), Side::Low) => hour.low = 0,
            _ => {}
        }
    }

    /// Takes what was kept apart at the same minutes of both hours for learned.
    pub(super) fn release_common(&mut self, one: i64, other: i64) {
        let (Some(of_one), Some(of_other)) = (self.hour(one), self.hour(other)) else {
            return;
        };
        let common = of_one.held & of_other.held;
        for number in [one, other] {
            if let Some(hour) = self.hour_mut(number) {
                hour.held &= !common;
            }
        }
    }

    /// Multiplies everything before this hour.
    pub(super) fn scale_before(&mut self, hour: i64, ratio: f64) {
        for older in self.hours.iter_mut().filter(|older| older.number < hour) {
            for sample in &mut older.samples {
                *sample = (f64::from(*sample) * ratio).clamp(-LARGEST, LARGEST) as f32;
            }
        }
    }

    pub(super) fn forget_before(&mut self, hour: i64) {
        for older in self.hours.iter_mut().filter(|older| older.number < hour) {
            *older = NEVER;
        }
    }

    pub(super) fn save(&self, out: &mut Vec<u8>) {
        for hour in self.hours.iter().filter(|hour| hour.number != i64::MIN) {
            out.extend(hour.number.to_le_bytes());
            out.extend(hour.held.to_le_bytes());
            out.extend(hour.low.to_le_bytes());
            hour.samples
                .iter()
                .for_each(|sample| out.extend(sample.to_le_bytes()));
        }
    }

    pub(super) fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), BandError> {
        while !reader.is_empty() {
            let mut hour = Hour {
                number: reader.i64()?,
                held: reader.u16()?,
                low: reader.u16()?,
                ..NEVER
            };
            for sample in &mut hour.samples {
                *sample = reader.f32()?;
            }
            // Farther from 1970 than any Unix time in milliseconds, and its intervals could not be counted.
            if hour.number.unsigned_abs() > (i64::MAX / PER_WEEK).unsigned_abs()
                || hour.samples.iter().any(|sample| sample.is_infinite())
            {
                return Err(BandError::Torn);
            }
            let place = self.place(hour.number);
            self.hours[place] = hour;
        }
        Ok(())
    }
}

impl Hour {
    /// The bits of one side.
    fn beyond(&self, side: Side) -> u16 {
        match side {
            Side::Within => 0,
            Side::Held => self.held,
            Side::Low => self.low,
        }
    }

    fn present(&self) -> u32 {
        self.samples
            .iter()
            .filter(|sample| !sample.is_nan())
            .count() as u32
    }
}
