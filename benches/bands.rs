//! How many incidents dynamic thresholds find, and how often they alert without one: `cargo bench --bench bands`.

#[path = "bands/controls.rs"]
mod controls;
#[path = "bands/simulation.rs"]
mod simulation;

use controls::{HourOfWeekMean, MeanSigma, MedianMad};
use plimsoll::band::{Band, Dynamic, Limits, Method};
use simulation::{Detector, Found, Trace};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=12;

/// A band with one of its limits.
struct Of(Band, fn(Limits) -> f64);

impl Detector for Of {
    fn limit(&mut self, at_ms: i64) -> Option<f64> {
        self.0.limits(at_ms).map(self.1)
    }

    fn observe(&mut self, at_ms: i64, value: f64, breached: bool) {
        self.0.observe(at_ms, value, breached);
    }
}

fn band(method: Method, limit: fn(Limits) -> f64) -> Box<dyn Detector> {
    let band = Band::new(Dynamic::new(method)).expect("defaults have no mistakes");
    Box::new(Of(band, limit))
}

type Make = fn() -> Box<dyn Detector>;

/// Six weeks, the last two judged.
const CONTENDERS: [(&str, Make); 8] = [
    ("`HourOfWeek`, critical (median + 4 s)", || {
        band(Method::HourOfWeek, |limits| limits.critical)
    }),
    ("`HourOfWeek`, warning (median + 3 s)", || {
        band(Method::HourOfWeek, |limits| limits.warning)
    }),
    ("`Classic`, critical (mean + 3 σ, factors)", || {
        band(Method::Classic, |limits| limits.critical)
    }),
    ("`Classic`, warning (mean + 2 σ, factors)", || {
        band(Method::Classic, |limits| limits.warning)
    }),
    ("mean + 2 σ of 24 h", || Box::new(MeanSigma::new(2.0))),
    ("mean + 3 σ of 24 h", || Box::new(MeanSigma::new(3.0))),
    ("median + 3 MAD of 24 h", || Box::new(MedianMad::new(3.0))),
    ("hour of week, mean + 3 σ of 4 weeks", || {
        Box::new(HourOfWeekMean::new(3.0))
    }),
];

/// The second week, with what is there before two of them.
const EARLY: [(&str, Make); 2] = [
    ("`HourOfWeek` in its second week, critical", || {
        band(Method::HourOfWeek, |limits| limits.critical)
    }),
    ("`HourOfWeek` in its second week, warning", || {
        band(Method::HourOfWeek, |limits| limits.warning)
    }),
];

fn main() {
    // `cargo test --benches` asks for tests, of which there are none.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    println!(
        "| method | incidents found, % (min / median / max) | false alerts a day (min / median / max) |"
    );
    println!("|---|---:|---:|");
    for (days, judged_from, contenders) in [(42, 28, &CONTENDERS[..]), (14, 7, &EARLY[..])] {
        let traces: Vec<Trace> = SEEDS
            .map(|seed| Trace::new(seed, days, judged_from))
            .collect();
        for (name, make) in contenders {
            let found: Vec<Found> = traces
                .iter()
                .map(|trace| trace.judge(&mut *make()))
                .collect();
            let shares = spread(found.iter().map(|found| found.share * 100.0), 0);
            let false_alerts = spread(found.iter().map(|found| found.false_per_day), 2);
            println!("| {name} | {shares} | {false_alerts} |");
        }
    }
}

/// "least / median / most".
fn spread(figures: impl Iterator<Item = f64>, decimals: usize) -> String {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let median = (figures[(figures.len() - 1) / 2] + figures[middle]) / 2.0;
    let (least, most) = (figures[0], figures[figures.len() - 1]);
    format!("{least:.decimals$} / {median:.decimals$} / {most:.decimals$}")
}
