//! How registers become a number, and what it may be.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{Last, Rejected};

/// In which order the four bytes of a number lie in two registers; A is the most significant one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordOrder {
    /// As the protocol has its words: the higher word first.
    Abcd,
    /// The lower word first.
    Cdab,
    /// The higher word first, the bytes of each swapped.
    Badc,
    /// The lower word first, the bytes of each swapped.
    Dcba,
}

impl WordOrder {
    fn join(self, registers: [u16; 2]) -> u32 {
        let [first, second] = match self {
            Self::Abcd | Self::Cdab => registers,
            Self::Badc | Self::Dcba => registers.map(u16::swap_bytes),
        };
        let (high, low) = match self {
            Self::Abcd | Self::Badc => (first, second),
            Self::Cdab | Self::Dcba => (second, first),
        };
        u32::from(high) << 16 | u32::from(low)
    }
}

/// What the registers hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    U16,
    I16,
    U32(WordOrder),
    I32(WordOrder),
    F32(WordOrder),
}

impl Format {
    /// The pattern that the registers make and the number that it stands for; `None` if they are not as many.
    fn decode(self, registers: &[u16]) -> Option<(u32, f64)> {
        let double = |order: WordOrder| Some(order.join(registers.try_into().ok()?));
        let single = || match registers {
            [register] => Some(*register),
            _ => None,
        };
        Some(match self {
            Self::U16 => single().map(|bits| (bits.into(), bits.into()))?,
            Self::I16 => single().map(|bits| (bits.into(), bits.cast_signed().into()))?,
            Self::U32(order) => double(order).map(|bits| (bits, bits.into()))?,
            Self::I32(order) => double(order).map(|bits| (bits, bits.cast_signed().into()))?,
            Self::F32(order) => double(order).map(|bits| (bits, f32::from_bits(bits).into()))?,
        })
    }
}

/// A rule of the caller's own.
type Own = Arc<dyn Fn(&[u16]) -> Result<(), &'static str> + Send + Sync>;

/// How registers become a number, and what it may be. Cheap to clone: the same rules may serve many points.
#[derive(Clone)]
#[must_use = "nothing is checked before `Device::point`"]
pub struct Rules {
    format: Format,
    sentinels: Vec<u32>,
    range: Option<(f64, f64)>,
    monotonic: bool,
    max_step: Option<f64>,
    confirmed_by: Option<u32>,
    own: Vec<Own>,
}

impl Rules {
    fn of(format: Format) -> Self {
        Self {
            format,
            sentinels: Vec::new(),
            range: None,
            monotonic: false,
            max_step: None,
            confirmed_by: None,
            own: Vec::new(),
        }
    }

    /// One register, 0 to 65535.
    pub fn u16() -> Self {
        Self::of(Format::U16)
    }

    /// One register with a sign, in two's complement.
    pub fn i16() -> Self {
        Self::of(Format::I16)
    }

    /// Two registers.
    pub fn u32(order: WordOrder) -> Self {
        Self::of(Format::U32(order))
    }

    /// Two registers with a sign, in two's complement.
    pub fn i32(order: WordOrder) -> Self {
        Self::of(Format::I32(order))
    }

    /// Two registers that are an IEEE 754 float. What is infinite or no number is always refused, as `not_finite`.
    pub fn f32(order: WordOrder) -> Self {
        Self::of(Format::F32(order))
    }

    /// Refuses as `sentinel` registers with this pattern, which the device sends where it has no value: `0xFFFF`, `0x8000`,
    /// `0x7FC0_0000`. May be given several times.
    pub fn sentinel(mut self, pattern: u32) -> Self {
        self.sentinels.push(pattern);
        self
    }

    /// Refuses as `range` what lies outside, in units of the number.
    pub fn range(mut self, range: RangeInclusive<f64>) -> Self {
        self.range = Some(range.into_inner());
        self
    }

    /// Refuses as `decreasing` what is less than the last good value: for meters and counters.
    pub fn monotonic(mut self) -> Self {
        self.monotonic = true;
        self
    }

    /// Refuses as `step` what is further than this from the last good value, in units of the number.
    pub fn max_step(mut self, step: f64) -> Self {
        self.max_step = Some(step);
        self
    }

    /// Accepts what [`max_step`](Self::max_step) or [`monotonic`](Self::monotonic) refuse after they have refused so many
    /// values in a row: the process has really moved, or the counter begun anew. Never unless told.
    pub fn confirmed_by(mut self, values: u32) -> Self {
        self.confirmed_by = Some(values);
        self
    }

    /// Refuses what `rule` returns an error for, with its word as the reason. It is asked before those that
    /// compare with the last good value, so what it refuses confirms nothing.
    ///
    /// There should be few such words: each is a label value, and after some 60 of them the rest is `error`.
    pub fn own(
        mut self,
        rule: impl Fn(&[u16]) -> Result<(), &'static str> + Send + Sync + 'static,
    ) -> Self {
        self.own.push(Arc::new(rule));
        self
    }

    pub(super) fn validate(&self) -> Result<(), RulesError> {
        if let Some((low, high)) = self.range
            && (low.is_nan() || high.is_nan() || low > high)
        {
            return Err(RulesError::Range { low, high });
        }
        match self.max_step {
            Some(step) if step.is_nan() || step < 0.0 => Err(RulesError::Step { step }),
            _ => Ok(()),
        }
    }

    /// The reasons of ours that it may give.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &'static str> {
        let reasons = [
            ("length", true),
            ("sentinel", !self.sentinels.is_empty()),
            ("not_finite", matches!(self.format, Format::F32(_))),
            ("range", self.range.is_some()),
            ("decreasing", self.monotonic),
            ("step", self.max_step.is_some()),
        ];
        reasons
            .into_iter()
            .filter(|reason| reason.1)
            .map(|reason| reason.0)
    }

    /// The number, if every rule accepts it; `last` is brought up to date.
    pub(super) fn check(&self, registers: &[u16], last: &mut Last) -> Result<f64, Rejected> {
        let Some((pattern, value)) = self.format.decode(registers) else {
            return Err(Rejected {
                reason: "length",
                value: None,
            });
        };
        let refuse = |reason| Rejected {
            reason,
            value: Some(value).filter(|value| !value.is_nan()),
        };
        self.alone(pattern, value, registers).map_err(refuse)?;
        if let Some(reason) = self.against(last.good, value)
            && self.confirmed_by.is_none_or(|values| last.refused < values)
        {
            last.refused = last.refused.saturating_add(1);
            return Err(refuse(reason));
        }
        *last = Last {
            good: Some(value),
            refused: 0,
        };
        Ok(value)
    }

    /// What the rules say of a value by itself.
    fn alone(&self, pattern: u32, value: f64, registers: &[u16]) -> Result<(), &'static str> {
        if self.sentinels.contains(&pattern) {
            return Err("sentinel");
        }
        if !value.is_finite() {
            return Err("not_finite");
        }
        if self
            .range
            .is_some_and(|(low, high)| value < low || value > high)
        {
            return Err("range");
        }
        self.own.iter().try_for_each(|rule| rule(registers))
    }

    /// What they say of it beside the last good one.
    fn against(&self, good: Option<f64>, value: f64) -> Option<&'static str> {
        let good = good?;
        if self.monotonic && value < good {
            return Some("decreasing");
        }
        let too_far = self
            .max_step
            .is_some_and(|step| (value - good).abs() > step);
        too_far.then_some("step")
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("format", &self.format)
            .field("sentinels", &self.sentinels)
            .field("range", &self.range)
            .field("monotonic", &self.monotonic)
            .field("max_step", &self.max_step)
            .field("confirmed_by", &self.confirmed_by)
            .field("own", &self.own.len())
            .finish()
    }
}

/// A rule that no value can keep.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum RulesError {
    /// The range is empty.
    Range {
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
    /// The step is negative or no number.
    Step {
        /// The step.
        step: f64,
    },
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range { low, high } => write!(
                f,
                "range {low} to {high} holds no number: give the lower end first"
            ),
            Self::Step { step } => write!(
                f,
                "max_step {step} is not a distance: give a number of 0 or more"
            ),
        }
    }
}

impl std::error::Error for RulesError {}
