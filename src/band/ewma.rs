//! An exponentially weighted mean and mean deviation: what is known before there are weeks to compare.

use super::bytes::Reader;
use super::hour_of_week::Usual;
use super::local::{HOUR_MS, INTERVAL_MS};
use super::{BandError, FEWEST};

/// σ of normal values over their mean absolute deviation: √(π/2).
const TO_SIGMA: f64 = 1.253_314_137_315_500_1;

#[derive(Debug, Clone, Default)]
pub(super) struct Ewma {
    level: f64,
    deviation: f64,
    seen: u64,
    latest_ms: i64,
}

impl Ewma {
    /// Takes in a value, no more of it than `most`.
    ///
    /// A gap counts as five minutes: the first value after it is no better than any other.
    pub(super) fn observe(&mut self, at_ms: i64, value: f64, most: f64) {
        let value = value.min(most);
        let passed = at_ms.saturating_sub(self.latest_ms).clamp(0, INTERVAL_MS);
        let weight = if self.seen < FEWEST as u64 {
            1.0 / (self.seen + 1) as f64
        } else {
            1.0 - (-(passed as f64) / HOUR_MS as f64).exp2()
        };
        if self.seen > 0 {
            self.deviation += weight * ((value - self.level).abs() - self.deviation);
        }
        self.level += weight * (value - self.level);
        self.seen += 1;
        self.latest_ms = at_ms;
    }

    pub(super) fn usual(&self) -> Option<Usual> {
        let usual = Usual {
            baseline: self.level,
            sigma: self.deviation * TO_SIGMA,
        };
        (self.seen >= FEWEST as u64).then_some(usual)
    }

    pub(super) fn save(&self, out: &mut Vec<u8>) {
        out.extend(self.level.to_le_bytes());
        out.extend(self.deviation.to_le_bytes());
        out.extend(self.seen.to_le_bytes());
        out.extend(self.latest_ms.to_le_bytes());
    }

    pub(super) fn restore(reader: &mut Reader<'_>) -> Result<Self, BandError> {
        let restored = Self {
            level: f64::from_bits(reader.u64()?),
            deviation: f64::from_bits(reader.u64()?),
            seen: reader.u64()?,
            latest_ms: reader.i64()?,
        };
        let sound = restored.level.is_finite() && restored.deviation.is_finite();
        if sound {
            Ok(restored)
        } else {
            Err(BandError::Torn)
        }
    }
}
