//! Which layout and which bounds a histogram of the facade gets: by its described unit, else by its name.

use metrics::Unit as Described;

use crate::histogram::{Layout, Unit};

/// What the values of a histogram are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// Values in this unit.
    In(Unit),
    /// A ratio times 100.
    Percent,
    /// Bits per second: whole numbers, and large ones.
    BitRate,
}

/// By the last word of a name; longer spellings and plain ones alike.
const SUFFIXES: &[(&str, Shape)] = &[
    ("seconds", Shape::In(Unit::Seconds)),
    ("secs", Shape::In(Unit::Seconds)),
    ("s", Shape::In(Unit::Seconds)),
    ("milliseconds", Shape::In(Unit::Milliseconds)),
    ("millis", Shape::In(Unit::Milliseconds)),
    ("ms", Shape::In(Unit::Milliseconds)),
    ("microseconds", Shape::In(Unit::Microseconds)),
    ("micros", Shape::In(Unit::Microseconds)),
    ("us", Shape::In(Unit::Microseconds)),
    ("nanoseconds", Shape::In(Unit::Nanoseconds)),
    ("nanos", Shape::In(Unit::Nanoseconds)),
    ("ns", Shape::In(Unit::Nanoseconds)),
    ("bytes", Shape::In(Unit::Bytes)),
    ("kibibytes", Shape::In(Unit::Kibibytes)),
    ("mebibytes", Shape::In(Unit::Mebibytes)),
    ("gibibytes", Shape::In(Unit::Gibibytes)),
    ("tebibytes", Shape::In(Unit::Tebibytes)),
    ("ratio", Shape::In(Unit::Ratio)),
    ("percent", Shape::Percent),
    ("count", Shape::In(Unit::Count)),
    ("size", Shape::In(Unit::Count)),
    ("length", Shape::In(Unit::Count)),
    ("depth", Shape::In(Unit::Count)),
    ("items", Shape::In(Unit::Count)),
    ("rows", Shape::In(Unit::Count)),
];

/// Short durations, in seconds: who records microseconds has them.
const FINE: &[f64] = &[1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3];
const COUNTS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 1e5, 1e6,
];
const RATIOS: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];
/// Above the profile's bounds: what is no number of seconds may be anything.
const LARGE: &[f64] = &[100.0, 1e3, 1e4, 1e5, 1e6];

impl Shape {
    /// By the unit, if one was described, else by the name.
    pub(super) fn of(described: Option<Described>, name: &str) -> Self {
        described.map_or_else(|| Self::of_name(name), Self::of_unit)
    }

    fn of_unit(unit: Described) -> Self {
        Self::In(match unit {
            Described::Seconds => Unit::Seconds,
            Described::Milliseconds => Unit::Milliseconds,
            Described::Microseconds => Unit::Microseconds,
            Described::Nanoseconds => Unit::Nanoseconds,
            Described::Bytes => Unit::Bytes,
            Described::Kibibytes => Unit::Kibibytes,
            Described::Mebibytes => Unit::Mebibytes,
            Described::Gibibytes => Unit::Gibibytes,
            Described::Tebibytes => Unit::Tebibytes,
            Described::Count => Unit::Count,
            Described::Percent => return Self::Percent,
            Described::BitsPerSecond => return Self::BitRate,
            _ => Unit::Number,
        })
    }

    fn of_name(name: &str) -> Self {
        let last = name.rsplit('_').next().unwrap_or(name);
        let known = SUFFIXES.iter().find(|(suffix, _)| *suffix == last);
        // A name without an underscore is no unit: `size` may be anything.
        let known = known.filter(|_| last.len() < name.len());
        known.map_or(Self::In(Unit::Number), |(_, shape)| *shape)
    }

    pub(super) fn layout(self) -> Layout {
        match self {
            Self::In(unit) => Layout::of(unit),
            Self::Percent => Layout::of(Unit::Ratio),
            Self::BitRate => Layout::counts().range(1, 1 << 46),
        }
    }

    /// The bounds unless others are configured, in the exported unit; `seconds` are the profile's.
    pub(super) fn bounds(self, seconds: &[f64]) -> Vec<f64> {
        let times = |bounds: &[f64], by: f64| bounds.iter().map(|bound| bound * by).collect();
        // By four, from 4^3 (64 bytes) to 4^15 (a gibibyte), and as far again for the largest units.
        let bytes = |powers: std::ops::RangeInclusive<i32>| {
            let scale = self.layout().unit().scale();
            powers.map(|power| 4_f64.powi(power) / scale).collect()
        };
        match self {
            Self::In(Unit::Milliseconds) => times(seconds, 1e3),
            Self::In(Unit::Microseconds) => times(&[FINE, seconds].concat(), 1e6),
            Self::In(Unit::Nanoseconds) => times(&[FINE, seconds].concat(), 1e9),
            Self::In(Unit::Bytes | Unit::Kibibytes | Unit::Mebibytes) => bytes(3..=15),
            Self::In(Unit::Gibibytes | Unit::Tebibytes) => bytes(10..=22),
            Self::In(Unit::Count) => COUNTS.to_vec(),
            Self::In(Unit::Ratio) => RATIOS.to_vec(),
            Self::In(Unit::Number) => [seconds, LARGE].concat(),
            Self::In(_) => seconds.to_vec(),
            Self::Percent => times(RATIOS, 100.0),
            Self::BitRate => (3..=11).map(|power| 10_f64.powi(power)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::Buckets;

    #[test]
    fn the_default_bounds_of_every_shape_are_exact() {
        let seconds = crate::Naming::otel().bounds(crate::registry::Domain::Operation);
        let named = SUFFIXES.iter().map(|(_, shape)| *shape);
        for shape in named.chain([Shape::In(Unit::Number), Shape::BitRate]) {
            let bounds = shape.bounds(&seconds);
            assert!(bounds.is_sorted_by(|a, b| a < b), "{shape:?}");
            let buckets = Buckets::new(shape.layout(), &bounds);
            assert_eq!(buckets.expect("sound").bounds().len(), bounds.len());
        }
    }

    #[test]
    fn a_described_unit_wins_over_the_name() {
        assert_eq!(Shape::of(None, "body_bytes"), Shape::In(Unit::Bytes));
        assert_eq!(Shape::of(None, "wait_ms"), Shape::In(Unit::Milliseconds));
        assert_eq!(Shape::of(None, "atoms"), Shape::In(Unit::Number));
        assert_eq!(Shape::of(None, "size"), Shape::In(Unit::Number));
        let described = Shape::of(Some(Described::Nanoseconds), "wait_ms");
        assert_eq!(described, Shape::In(Unit::Nanoseconds));
        let described = Shape::of(Some(Described::Percent), "load");
        assert_eq!(described, Shape::Percent);
    }
}
