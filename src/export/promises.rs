//! What was promised, how it stands, and who was told.

use super::sheet::{Number, Sheet};
use super::slos;
use crate::alert::{Hub, SubscriberStats};
use crate::budget::{BAND, Level, OBSERVED, SLI_BAD, SLI_LAST_GOOD, SLI_VALID};
use crate::engine::{BandReading, BudgetReading, Engine, Judge, SliCount};
use crate::family::Kind;
use crate::registry::Domain;

/// Shows the families of budgets, of the tick, and of subscribers.
pub(super) fn show(engine: &Engine, sheet: &mut impl Sheet) {
    engine.look(|judge| {
        slis(judge, sheet);
        readings(judge, sheet);
        bands(judge, sheet);
        slos::show(judge, sheet);
        reach(judge, sheet);
        sheet.family(
            "plimsoll_ticks_total",
            "How often budgets were judged.",
            Kind::Counter,
        );
        sheet.sample([].into_iter(), Number::Integer(judge.ticks()));
    });
    subscribers(engine.hub(), sheet);
}

/// One family, with a sample for each of `all` that has a number.
fn family<'a, T: 'a>(
    sheet: &mut impl Sheet,
    (name, help, kind): (&str, &str, Kind),
    all: impl Iterator<Item = &'a T>,
    labels: impl Fn(&'a T) -> (&'a str, Level, &'a [(&'static str, String)]),
    number: impl Fn(&T) -> Option<Number<'static>>,
) {
    sheet.family(name, help, kind);
    for one in all {
        if let Some(number) = number(one) {
            let (budget, level, kept_by) = labels(one);
            let kept_by = kept_by.iter().map(|(key, value)| (*key, value.as_str()));
            let labels = [("budget", budget), ("level", level.as_str())];
            sheet.sample(labels.into_iter().chain(kept_by), number);
        }
    }
}

fn slis(judge: &Judge, sheet: &mut impl Sheet) {
    fn labels(count: &SliCount) -> (&str, Level, &[(&'static str, String)]) {
        (&count.budget, count.level, &count.labels)
    }
    let valid = (
        SLI_VALID,
        "Operations that a budget speaks of.",
        Kind::Counter,
    );
    let bad = (
        SLI_BAD,
        "Those of them that were too slow or failed.",
        Kind::Counter,
    );
    family(sheet, valid, judge.sli_counts(), labels, |count| {
        Some(Number::Integer(count.valid))
    });
    family(sheet, bad, judge.sli_counts(), labels, |count| {
        Some(Number::Integer(count.bad))
    });
    let last_good = (
        SLI_LAST_GOOD,
        "Unix time of the last of them that did not fail, or of the beginning, for budgets of freshness.",
        Kind::Gauge,
    );
    family(sheet, last_good, judge.sli_counts(), labels, |count| {
        count.good_at.map(Number::Float)
    });
}

fn readings(judge: &Judge, sheet: &mut impl Sheet) {
    fn labels(reading: &BudgetReading) -> (&str, Level, &[(&'static str, String)]) {
        (&reading.budget, reading.level, &reading.labels)
    }
    let state = (
        "plimsoll_budget_state",
        "0 kept, 1 exceeded but not for long enough, 2 breached.",
        Kind::Gauge,
    );
    let value = (
        "plimsoll_budget_value",
        "The measured value, in the unit of the limit.",
        Kind::Gauge,
    );
    let limit = (
        "plimsoll_budget_limit",
        "The limit: seconds, operations per second, or a plain number.",
        Kind::Gauge,
    );
    family(sheet, state, judge.readings(), labels, |reading| {
        Some(Number::Integer(reading.state.as_number().into()))
    });
    family(sheet, value, judge.readings(), labels, |reading| {
        reading.value.map(Number::Float)
    });
    family(sheet, limit, judge.readings(), labels, |reading| {
        let limit = Some(reading.limit).filter(|limit| !limit.is_nan());
        limit.map(Number::Float)
    });
}

/// What is learned of budgets whose limits are.
fn bands(judge: &Judge, sheet: &mut impl Sheet) {
    let help = "What the value usually is at this time, and up to where it is still usual.";
    sheet.family(BAND, help, Kind::Gauge);
    for band in judge.band_readings() {
        for (level, limit) in band.levels() {
            if let Some(limit) = limit {
                sheet.sample(of_band(band, Some(level)), Number::Float(limit));
            }
        }
    }
    let mut gauge = |name, help, number: fn(&BandReading) -> Option<f64>| {
        sheet.family(name, help, Kind::Gauge);
        for band in judge.band_readings() {
            if let Some(number) = number(band) {
                sheet.sample(of_band(band, None), Number::Float(number));
            }
        }
    };
    let help = "The value that is judged by a band and that it learns from.";
    gauge(OBSERVED, help, |band| band.value);
    gauge(
        "plimsoll_budget_band_coverage",
        "How much of the hours that a band looks back on it has learned from, from 0 to 1.",
        |band| Some(band.coverage),
    );
}

fn of_band<'a>(
    band: &'a BandReading,
    level: Option<&'a str>,
) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
    let kept_by = band
        .labels
        .iter()
        .map(|(key, value)| (*key, value.as_str()));
    let level = level.map(|level| ("level", level));
    std::iter::once(("budget", &*band.budget))
        .chain(level)
        .chain(kept_by)
}

/// Budgets without operations, and operations without a budget.
fn reach(judge: &Judge, sheet: &mut impl Sheet) {
    sheet.family(
        "plimsoll_budget_unmatched",
        "1 for a budget none of whose operations was declared or seen within five minutes, nor since.",
        Kind::Gauge,
    );
    for (budget, unmatched) in judge.unmatched() {
        let labels = [("budget", budget)];
        sheet.sample(labels.into_iter(), Number::Integer(unmatched.into()));
    }
    sheet.family(
        "plimsoll_operations_without_budget",
        "Operations that were declared or seen and that no budget speaks of.",
        Kind::Gauge,
    );
    for kind in Domain::ALL {
        let labels = [("kind", kind.as_str())];
        let count = judge.uncovered_count(kind);
        sheet.sample(labels.into_iter(), Number::Integer(count));
    }
}

fn subscribers(hub: &Hub, sheet: &mut impl Sheet) {
    let mut counter = |name, help, count: fn(&SubscriberStats) -> u64| {
        sheet.family(name, help, Kind::Counter);
        hub.each_stats(|stats| {
            let labels = [("subscriber", &*stats.name)];
            sheet.sample(labels.into_iter(), Number::Integer(count(&stats)));
        });
    };
    counter(
        "plimsoll_events_delivered_total",
        "Breaches, recoveries and lines of the slow log that a subscriber has dealt with.",
        |stats| stats.delivered,
    );
    counter(
        "plimsoll_events_dropped_total",
        "Stale ones that were dropped because its queue was full.",
        |stats| stats.dropped,
    );
    counter(
        "plimsoll_callback_panics_total",
        "Those that its callback panicked over.",
        |stats| stats.panics,
    );
    counter(
        "plimsoll_callbacks_stuck_total",
        "Calls that took longer than ten seconds.",
        |stats| stats.stuck,
    );
}
