//! Which unit a limit takes: 200 is not 200 ms, and a share is no duration.

use std::time::Duration;

use super::limit::Amount;
use super::{Budget, KpiUnit, Level, Sli};

/// What limits of an SLI are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Duration,
    /// Of 1, which is never a percentage.
    Share,
    PerSecond,
}

/// A limit in another unit than its SLI.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Misfit {
    /// Where it stands: `at_most`, `critical: clear`.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) what: String,
    /// What it should be in.
    pub(crate) unit: Unit,
    /// Whether it is the unit of a key figure, and so of all its limits.
    pub(crate) of_key_figure: bool,
}

impl Sli {
    /// The unit of its limits; `None` where both numbers and durations can be meant.
    pub(crate) fn unit(&self) -> Option<(Unit, &'static str)> {
        Some(match self {
            Self::Quantile(..) => (Unit::Duration, "a quantile is a duration"),
            Self::Freshness(_) => (Unit::Duration, "freshness is a duration"),
            Self::Age(_) => (Unit::Duration, "an age is a duration"),
            Self::ErrorRatio(_) => (Unit::Share, "an error ratio is a share"),
            Self::SuccessRatio(_) => (Unit::Share, "a success ratio is a share"),
            Self::Ratio(..) => (Unit::Share, "a ratio of counters is a share"),
            Self::Throughput(_) => (Unit::PerSecond, "a throughput is operations per second"),
            Self::Value(_) => return None,
        })
    }
}

impl Budget {
    /// Every limit whose unit does not fit.
    pub(crate) fn misfits(&self) -> Vec<Misfit> {
        let mut misfits = Vec::from_iter(self.wrong_unit());
        if !misfits.is_empty() {
            return misfits;
        }
        for (level, limit) in &self.limits {
            let field = self.field(*level);
            misfits.extend(self.misfit(field, limit.amount));
            let clear = limit.clear.into_iter();
            let field = format!("{field}: clear");
            misfits.extend(clear.filter_map(|clear| self.misfit(&field, clear)));
        }
        misfits
    }

    /// What is wrong with the unit of a key figure.
    fn wrong_unit(&self) -> Option<Misfit> {
        let given = self.limits_in?;
        let (unit, about) = self.sli.unit().filter(|(unit, _)| !given.fits(*unit))?;
        let what = match given.word() {
            Some(word) => format!("{word:?} does not fit"),
            // No number needs one.
            None if self.limits.is_empty() => return None,
            None => "is missing".to_owned(),
        };
        Some(Misfit {
            field: "unit".to_owned(),
            what: format!("{what}, for {about}"),
            unit,
            of_key_figure: true,
        })
    }

    /// What is wrong with an amount in this field, if its unit does not fit.
    pub(crate) fn misfit(&self, field: &str, amount: Amount) -> Option<Misfit> {
        let (unit, about) = self.sli.unit()?;
        let given = match amount {
            Amount::Number(number) if unit == Unit::Duration => {
                format!("{number} is a plain number")
            }
            Amount::Seconds(seconds) if unit != Unit::Duration => {
                let duration = Duration::try_from_secs_f64(seconds);
                let text = duration.map_or(format!("{seconds} s"), |it| format!("{it:?}"));
                format!("{text} is a duration")
            }
            _ => return None,
        };
        Some(Misfit {
            field: field.to_owned(),
            what: format!("{given}, and {about}"),
            unit,
            of_key_figure: false,
        })
    }

    /// Whether the limits of a level are in the unit of the SLI, so that they can be compared with anything.
    pub(super) fn fits(&self, level: Level) -> bool {
        let amounts = |level| {
            let limit = self.declared(level).into_iter();
            limit.flat_map(|limit| [Some(limit.amount), limit.clear])
        };
        let mut all = amounts(level).chain(amounts(Level::Target)).flatten();
        self.wrong_unit().is_none() && all.all(|amount| self.misfit("", amount).is_none())
    }

    /// The unit that its limits are declared in.
    pub(super) fn limit_unit(&self) -> KpiUnit {
        self.limits_in.unwrap_or_else(|| self.own_unit())
    }

    /// The unit that its values have.
    pub(super) fn own_unit(&self) -> KpiUnit {
        match self.sli.unit() {
            Some((Unit::Duration, _)) => KpiUnit::Seconds,
            _ => KpiUnit::Plain,
        }
    }

    /// What the limit of a level is called where it is declared.
    pub(crate) fn field(&self, level: Level) -> &'static str {
        match level {
            Level::Target if self.floor => "at_least",
            Level::Target => "at_most",
            other => other.as_str(),
        }
    }
}
