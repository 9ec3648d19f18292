//! Alerts on how fast the error budget burns.

use std::fmt;
use std::time::Duration;

use super::period::Period;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Who has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Severity {
    /// Somebody should look at it in working hours.
    Ticket,
    /// Somebody is called.
    Page,
}

impl Severity {
    /// `page` or `ticket`: the value of the label `severity`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Page => "page",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Fires while the error budget burns so fast that a share of it is gone within a window, and still does so in a shorter one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurnAlert {
    pub(crate) severity: Severity,
    pub(crate) share: f64,
    pub(crate) long: Duration,
}

impl BurnAlert {
    /// Of a share (`0.0..=1.0`) of the period's error budget within `long`: 0.02 in an hour is a burn rate of 14.4 for 30 days.
    /// The short window is a twelfth of the long one.
    pub fn new(severity: Severity, share: f64, long: Duration) -> Self {
        Self {
            severity,
            share,
            long,
        }
    }

    /// The four of the SRE workbook: pages for 2 % in an hour and 5 % in six, tickets for 10 % in a day and in three. Windows
    /// that are longer than half the period are left out.
    pub(crate) fn usual(period: Period) -> Vec<Self> {
        let usual = [
            Self::new(Severity::Page, 0.02, Duration::from_secs(HOUR)),
            Self::new(Severity::Page, 0.05, Duration::from_secs(6 * HOUR)),
            Self::new(Severity::Ticket, 0.1, Duration::from_secs(DAY)),
            Self::new(Severity::Ticket, 0.1, Duration::from_secs(3 * DAY)),
        ];
        let half = period.nominal() / 2;
        usual
            .into_iter()
            .filter(|alert| alert.long <= half)
            .collect()
    }

    /// The window that tells whether it still burns.
    pub(crate) fn short(&self) -> Duration {
        self.long / 12
    }

    /// The burn rate above which it fires: share · period ÷ long.
    pub(crate) fn factor(&self, period: Period) -> f64 {
        clean(self.share * period.nominal().as_secs_f64() / self.long.as_secs_f64())
    }

    /// The error ratio above which it fires, for this error budget.
    pub(crate) fn limit(&self, period: Period, budget: f64) -> f64 {
        clean(self.factor(period) * budget)
    }

    /// What is wrong with it and how to mend it.
    pub(crate) fn problem(
        &self,
        period: Period,
        objective: f64,
        budget: f64,
        tick: Duration,
    ) -> Option<String> {
        let Self { share, long, .. } = *self;
        let (whole, factor) = (period.nominal(), self.factor(period));
        if !(share > 0.0 && share <= 1.0) {
            return Some(format!(
                "{share} is not a share of the error budget: write 0.02 for 2 %"
            ));
        }
        if !self.short().as_nanos().is_multiple_of(1_000_000) || self.short() < tick * 2 {
            return Some(format!(
                "{long:?} has a short window of {:?}, which takes whole milliseconds and at least two ticks of {tick:?}",
                self.short()
            ));
        }
        if long > whole {
            return Some(format!(
                "{long:?} is longer than the period of {whole:?}: take a shorter window"
            ));
        }
        let limit = self.limit(period, budget);
        (limit >= 1.0).then(|| {
            let least = 1.0 - 1.0 / factor;
            format!(
                "over {} can never fire: a burn rate of {factor} is an error ratio of {limit}; take an objective above {least:.4} \
                 instead of {objective}, other burn_alerts, or reachable_burn_alerts to do without it",
                window(long)
            )
        })
    }
}

/// A window as PromQL writes it: `1h30m`.
pub(crate) fn window(length: Duration) -> String {
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    let mut left = length.as_millis();
    let mut text = String::new();
    for (unit, long) in units {
        if left >= long {
            text += &format!("{}{unit}", left / long);
            left %= long;
        }
    }
    text
}

/// To twelve significant digits: 14.4, not 14.399999999999999.
fn clean(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::super::arithmetic::error_budget;
    use super::super::period::Calendar;
    use super::*;
    use crate::expr::Offset;

    fn rolling(days: u64) -> Period {
        Period::Rolling(Duration::from_secs(days * DAY))
    }

    fn factors(period: Period) -> Vec<f64> {
        let usual = BurnAlert::usual(period).into_iter();
        usual.map(|alert| alert.factor(period)).collect()
    }

    #[test]
    fn factors_are_recomputed_for_the_period() {
        assert_eq!(factors(rolling(30)), [14.4, 6.0, 3.0, 1.0]);
        assert_eq!(factors(rolling(28)), [13.44, 5.6, 2.8, 0.933333333333]);
        assert_eq!(factors(rolling(7)), [3.36, 1.4, 0.7, 0.233333333333]);
        assert_eq!(
            factors(rolling(1)),
            [0.48, 0.2],
            "no window longer than half of it"
        );
        let month = Period::Calendar(Calendar::Month, Offset::UTC);
        assert_eq!(factors(month), [14.4, 6.0, 3.0, 1.0]);
        assert_eq!(factors(rolling(6)).len(), 4, "three days are half of it");
    }

    #[test]
    fn somebody_is_called_for_what_is_fast() {
        let usual = BurnAlert::usual(rolling(30)).into_iter();
        let severities: Vec<_> = usual.map(|alert| alert.severity).collect();
        use Severity::{Page, Ticket};
        assert_eq!(severities, [Page, Page, Ticket, Ticket]);
    }

    #[test]
    fn short_windows_are_a_twelfth() {
        let usual = BurnAlert::usual(rolling(30)).into_iter();
        let windows: Vec<_> = usual
            .map(|alert| (window(alert.long), window(alert.short())))
            .collect();
        let expected = [("1h", "5m"), ("6h", "30m"), ("1d", "2h"), ("3d", "6h")];
        assert_eq!(
            windows,
            expected.map(|(long, short)| (long.to_owned(), short.to_owned()))
        );
    }

    #[test]
    fn limits_are_numbers_that_people_know() {
        let usual = BurnAlert::usual(rolling(30)).into_iter();
        let limits: Vec<f64> = usual
            .map(|alert| alert.limit(rolling(30), error_budget(0.999)))
            .collect();
        assert_eq!(limits, [0.0144, 0.006, 0.003, 0.001]);
    }

    #[test]
    fn one_that_can_never_fire_is_refused() {
        let page = BurnAlert::usual(rolling(30))[0];
        let problem = |objective: f64| {
            page.problem(
                rolling(30),
                objective,
                error_budget(objective),
                Duration::from_secs(1),
            )
        };
        assert_eq!(problem(0.9306), None);
        let refused = problem(0.93).expect("14.4 · 0.07 > 1");
        assert!(
            refused.contains("above 0.9306") && refused.contains("1.008"),
            "{refused}"
        );
        // Exactly 1 is no ratio that could be exceeded.
        let ten = BurnAlert::new(Severity::Page, 1.0, Duration::from_secs(3 * DAY));
        assert!(
            ten.problem(rolling(30), 0.9, error_budget(0.9), Duration::from_secs(1))
                .is_some()
        );
    }

    #[test]
    fn windows_are_at_least_two_ticks_and_at_most_the_period() {
        let problem = |share, long| {
            let alert = BurnAlert::new(Severity::Page, share, Duration::from_secs(long));
            alert.problem(rolling(1), 0.999, 0.001, Duration::from_secs(1))
        };
        assert!(problem(0.1, 12).is_some() && problem(0.1, 24).is_none());
        assert!(problem(0.1, DAY).is_none() && problem(0.1, DAY + 12).is_some());
        assert!(problem(0.0, HOUR).is_some() && problem(1.1, HOUR).is_some());
        assert!(problem(1.0, HOUR).is_none());
        let uneven = BurnAlert::new(Severity::Page, 0.1, Duration::from_millis(24_001));
        let refused = uneven.problem(rolling(1), 0.999, 0.001, Duration::from_secs(1));
        assert!(refused.is_some_and(|problem| problem.contains("whole milliseconds")));
    }
}
