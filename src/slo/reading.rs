//! Where an SLO stands, as a value.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::arithmetic::{Band, SloState, remaining, time_to_exhaustion};
use super::burn::Severity;
use super::ledger::{Ledger, Tally};
use super::period::time_of_millis;
use super::{Sli, Slo};
use crate::budget::Labels;
use crate::engine::AlertState;

/// Where an SLO, or a part of it, stood at the latest tick.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SloReading {
    /// The SLO's name.
    pub slo: String,
    /// The labels that it is kept by ([`Slo::per`]), with their values; empty for one that is kept as one.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialise::labels"))]
    pub labels: Arc<[(&'static str, String)]>,
    /// The share that is promised to be good, in `0.0..1.0`.
    pub objective: f64,
    /// The period, and how much of it was counted.
    pub period: PeriodReading,
    /// The share that was good in the period, in `0.0..=1.0`; `None` without events.
    pub sli: Option<f64>,
    /// The share that was bad.
    pub error_ratio: Option<f64>,
    /// What one event is: `events`, `ticks`, `slices`; empty for a weighted composite, which counts none of its own.
    pub unit: &'static str,
    /// Events in the period that were neither excluded nor invalid.
    pub valid: f64,
    /// Those of them that were bad; a fraction only for slices that count by their error ratio.
    pub bad: f64,
    /// Events in the period that were left out because of maintenance.
    pub excluded: f64,
    /// What may be bad, and what is left of it.
    pub error_budget: ErrorBudgetReading,
    /// How fast the error budget burns, by window, the shortest first.
    pub burn_rates: Vec<BurnRateReading>,
    /// How long the rest of the error budget lasts at the burn rate of the shortest long window, an hour by default; 0 once it is
    /// spent. `None` for ever, and while that window has no events.
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "crate::serialise::maybe_seconds")
    )]
    pub time_to_exhaustion: Option<Duration>,
    /// Its alerts, in the order of their declaration.
    pub alerts: Vec<AlertReading>,
    /// Whether the objective is kept.
    pub state: SloState,
    /// How much of the error budget is left, in words.
    pub band: Band,
    /// Since when the state is what it is.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialise::time"))]
    pub since: SystemTime,
    /// Every maintenance that lies in the period and has begun, the oldest first of each declaration.
    pub maintenance: Vec<MaintenanceReading>,
}

/// The period that a reading is about.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PeriodReading {
    /// `rolling 28d`, `calendar month`.
    pub name: String,
    /// How far back events were counted; at most a 720th before the beginning of a rolling period.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialise::time"))]
    pub start: SystemTime,
    /// The end of a calendar's period, the moment of the reading for a rolling one.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialise::time"))]
    pub end: SystemTime,
    /// The length of the whole period, in seconds when it is serialised.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialise::seconds"))]
    pub length: Duration,
    /// How much of a rolling period, or of what has passed of a calendar's, was looked at, in `0.0..=1.0`: less after a restart,
    /// and where a condition had no data.
    pub coverage: f64,
}

/// The error budget of the period.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ErrorBudgetReading {
    /// The share of events that may be bad: 1 − objective.
    pub share: f64,
    /// The share of the error budget that is left, in `-inf..=1.0`: negative once the objective is missed.
    pub remaining: f64,
    /// How many of the events so far may be bad; `None` for a weighted composite.
    pub events: Option<f64>,
    /// How many more of them could have been; negative once the objective is missed.
    pub events_remaining: Option<f64>,
    /// Minutes of the whole period that may be bad.
    pub minutes: f64,
    /// How many minutes of complete failure are left.
    pub minutes_remaining: f64,
}

/// How fast the error budget burned in a window.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BurnRateReading {
    /// As Prometheus writes it: `5m`, `1h`.
    pub window: String,
    /// Error ratio ÷ error budget: 1.0 spends it exactly in the period. `None` without events.
    pub rate: Option<f64>,
}

/// Where an alert stands.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AlertReading {
    /// Whom it is for.
    pub severity: Severity,
    /// The long window; `None` for the alert on silence.
    pub long: Option<String>,
    /// The short one.
    pub short: Option<String>,
    /// The burn rate above which it fires.
    pub limit: f64,
    /// Whether it does.
    pub state: AlertState,
    /// Since when its condition holds.
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "crate::serialise::maybe_time")
    )]
    pub since: Option<SystemTime>,
}

/// A time whose events were left out.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MaintenanceReading {
    /// Its beginning.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialise::time"))]
    pub start: SystemTime,
    /// Its end.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialise::time"))]
    pub end: SystemTime,
    /// Why.
    pub reason: String,
}

/// What a period's tally comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Standing {
    pub(crate) tally: Tally,
    pub(crate) error_ratio: Option<f64>,
    pub(crate) remaining: f64,
    pub(crate) coverage: f64,
}

impl Standing {
    /// `error_ratio` is of the tally, unless there is another one.
    pub(crate) fn new(slo: &Slo, tally: Tally, error_ratio: Option<f64>, coverage: f64) -> Self {
        Self {
            tally,
            error_ratio,
            remaining: remaining(error_ratio, slo.error_budget()),
            coverage,
        }
    }

    /// Of what a ledger holds.
    pub(crate) fn of(slo: &Slo, ledger: &Ledger, now_ms: i64) -> Self {
        let tally = ledger.tally();
        Self::new(slo, tally, tally.error_ratio(), ledger.coverage(now_ms))
    }
}

impl Tally {
    /// `None` without events.
    pub(crate) fn error_ratio(&self) -> Option<f64> {
        (self.valid > 0).then(|| self.bad as f64 / self.valid as f64)
    }
}

impl Slo {
    /// Puts together what a reading says; `since` is when the state began.
    pub(crate) fn reading(
        &self,
        labels: &Labels,
        ledger: &Ledger,
        standing: Standing,
        burn_rates: Vec<BurnRateReading>,
        alerts: Vec<AlertReading>,
        (state, since): (SloState, SystemTime),
    ) -> SloReading {
        let count = |number: u64| number as f64 / self.scale() as f64;
        let length = Duration::from_millis(ledger.length_ms().max(0) as u64);
        let shortest = self.burns().iter().map(|burn| burn.long).min();
        let shortest = shortest.map(super::window_name);
        let rate = burn_rates
            .iter()
            .find(|known| Some(&known.window) == shortest.as_ref());
        let stretch = ledger.stretch();
        SloReading {
            slo: self.name.clone(),
            labels: labels.clone(),
            objective: self.objective.unwrap_or(0.0),
            period: PeriodReading {
                name: self.period.to_string(),
                start: time_of_millis(stretch.start_ms),
                end: time_of_millis(stretch.end_ms),
                length,
                coverage: standing.coverage,
            },
            sli: standing.error_ratio.map(|ratio| 1.0 - ratio),
            error_ratio: standing.error_ratio,
            unit: self.unit(),
            valid: count(standing.tally.valid),
            bad: count(standing.tally.bad),
            excluded: count(standing.tally.excluded),
            error_budget: self.error_budget_reading(standing, length),
            time_to_exhaustion: time_to_exhaustion(
                standing.remaining,
                length,
                rate.and_then(|known| known.rate),
            ),
            burn_rates,
            alerts,
            state,
            band: Band::of(standing.remaining),
            since,
            maintenance: self.maintenance_readings(ledger),
        }
    }

    fn error_budget_reading(&self, standing: Standing, length: Duration) -> ErrorBudgetReading {
        let share = self.error_budget();
        let has_events = !matches!(self.sli, Sli::Weighted(_));
        let count = |number: u64| number as f64 / self.scale() as f64;
        let events = has_events.then(|| share * count(standing.tally.valid));
        let minutes = clean(share * length.as_secs_f64() / 60.0);
        ErrorBudgetReading {
            share,
            remaining: standing.remaining,
            events,
            events_remaining: events.map(|events| events - count(standing.tally.bad)),
            minutes,
            minutes_remaining: standing.remaining * minutes,
        }
    }

    fn maintenance_readings(&self, ledger: &Ledger) -> Vec<MaintenanceReading> {
        let times = |maintenance: &super::Maintenance| {
            let times = maintenance.within(ledger.begun());
            let reason = maintenance.reason().to_owned();
            times.into_iter().map(move |time| MaintenanceReading {
                start: time_of_millis(time.start_ms),
                end: time_of_millis(time.end_ms),
                reason: reason.clone(),
            })
        };
        self.maintenance.iter().flat_map(times).collect()
    }
}

/// Minutes to the microsecond: 43.2, not 43.200000000000003.
fn clean(minutes: f64) -> f64 {
    (minutes * 1e7).round() / 1e7
}

#[cfg(test)]
mod tests {
    use super::super::{Calendar, Period};
    use super::*;
    use crate::budget::Select;
    use crate::expr::Offset;

    const DAY_MS: i64 = 86_400_000;

    /// The reading of a ledger in which each day counted the same, up to the end of a day since 1970.
    fn after(period: Period, from: i64, to: i64, each: Tally) -> SloReading {
        let mut slo = Slo::availability("api", Select::http()).objective(0.999);
        slo.period = period;
        let mut ledger = Ledger::new(period, from * DAY_MS);
        for day in from + 1..=to {
            let observed_ms = DAY_MS as u64;
            ledger.add(
                day * DAY_MS,
                Tally {
                    observed_ms,
                    ..each
                },
            );
        }
        let standing = Standing::of(&slo, &ledger, to * DAY_MS);
        let hour = BurnRateReading {
            window: "1h".to_owned(),
            rate: Some(2.0),
        };
        let state = (SloState::Ok, SystemTime::UNIX_EPOCH);
        slo.reading(
            &Labels::from([]),
            &ledger,
            standing,
            vec![hour],
            Vec::new(),
            state,
        )
    }

    fn events(valid: u64, bad: u64) -> Tally {
        Tally {
            valid,
            bad,
            ..Tally::default()
        }
    }

    #[test]
    fn a_month_by_hand() {
        let month = Period::Calendar(Calendar::Month, Offset::UTC);
        // 1970: February has 28 days, March 31, April 30; 1972: February has 29.
        for (from, days, minutes) in [
            (31, 28, 40.32),
            (59, 31, 44.64),
            (90, 30, 43.2),
            (761, 29, 41.76),
        ] {
            let reading = after(month, from, from + days, events(1_000_000, 250));
            let valid = 1e6 * days as f64;
            assert_eq!(reading.period.length.as_secs(), days as u64 * 86_400);
            assert_eq!((reading.valid, reading.bad), (valid, 250.0 * days as f64));
            assert_eq!(reading.error_ratio, Some(0.000_25));
            assert_eq!(reading.sli, Some(0.999_75));
            let end = SystemTime::UNIX_EPOCH
                + Duration::from_millis((from + days) as u64 * DAY_MS as u64);
            assert_eq!(reading.period.end, end);
            let budget = &reading.error_budget;
            assert_eq!((budget.minutes, budget.remaining), (minutes, 0.75));
            assert!((budget.minutes_remaining - 0.75 * minutes).abs() < 1e-9);
            assert_eq!(budget.events, Some(valid * 0.001));
            assert_eq!(
                budget.events_remaining,
                Some(valid * 0.001 - 250.0 * days as f64)
            );
            assert_eq!(reading.period.coverage, 1.0);
            // 75 % of the period, at twice the rate.
            let seconds = days as f64 * 86_400.0 * 0.375;
            assert_eq!(
                reading.time_to_exhaustion,
                Some(Duration::from_secs_f64(seconds))
            );
        }
    }

    #[test]
    fn maintenance_that_is_to_come_is_not_listed() {
        let at = |day: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400);
        let mut slo = Slo::availability("api", Select::http()).objective(0.999);
        slo = slo.calendar(Calendar::Month, Offset::UTC);
        slo = slo.maintenance(crate::Maintenance::new(at(20), at(21), "update"));
        let listed = |day: i64| {
            let mut ledger = Ledger::new(slo.period, 0);
            ledger.add(day * DAY_MS, events(1, 0));
            slo.maintenance_readings(&ledger).len()
        };
        assert_eq!((listed(19), listed(22)), (0, 1));
    }

    #[test]
    fn slices_are_counted_in_parts() {
        let ratio = crate::Expr::Number(0.5);
        let slo = Slo::ratio_time_slices("slices", ratio, Duration::from_secs(60)).objective(0.5);
        let parts = slo.scale();
        let mut ledger = Ledger::new(slo.period, 0);
        ledger.add(DAY_MS, events(4 * parts, parts));
        let standing = Standing::of(&slo, &ledger, DAY_MS);
        let budget = slo.error_budget_reading(standing, Duration::from_secs(86_400));
        assert_eq!(
            (budget.events, budget.events_remaining),
            (Some(2.0), Some(1.0))
        );
    }

    #[test]
    fn half_a_month_has_the_minutes_of_all_of_it() {
        let month = Period::Calendar(Calendar::Month, Offset::UTC);
        let reading = after(month, 90, 105, events(1000, 2));
        assert_eq!(reading.error_budget.minutes, 43.2);
        assert_eq!(reading.error_budget.remaining, -1.0);
        assert_eq!(reading.error_budget.minutes_remaining, -43.2);
        assert_eq!(reading.error_budget.events_remaining, Some(15.0 - 30.0));
        assert_eq!(reading.time_to_exhaustion, Some(Duration::ZERO));
        assert_eq!(reading.band, Band::Exhausted);
    }

    #[test]
    fn rolling_periods_have_their_own_length() {
        let rolling = |days: u64| Period::Rolling(Duration::from_secs(days * 86_400));
        for (days, minutes) in [(28, 40.32), (30, 43.2), (31, 44.64)] {
            let reading = after(rolling(days), 0, 100, events(10, 0));
            assert_eq!(reading.error_budget.minutes, minutes);
            assert_eq!(reading.valid, 10.0 * days as f64);
            assert_eq!(
                reading.period.start,
                SystemTime::UNIX_EPOCH + Duration::from_secs((100 - days) * 86_400)
            );
        }
    }

    #[test]
    fn without_events_nothing_is_spent() {
        let reading = after(
            Period::Rolling(Duration::from_secs(30 * 86_400)),
            0,
            3,
            events(0, 0),
        );
        assert_eq!((reading.sli, reading.error_ratio), (None, None));
        let budget = reading.error_budget;
        assert_eq!(
            (budget.remaining, budget.events_remaining),
            (1.0, Some(0.0))
        );
        assert_eq!(reading.period.coverage, 0.1);
    }
}
