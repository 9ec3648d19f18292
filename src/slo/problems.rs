//! What is wrong with a declaration, and how to mend it.

use std::time::Duration;

use super::{BurnAlert, Period, Sli, Slo};
use crate::budget::check::name_problem;

const DAY: u64 = 86_400;

/// Mistakes as (field, what is wrong and how to mend it).
type Problems = Vec<(String, String)>;

/// Why a weighted SLO has no maintenance.
pub(super) const WEIGHTED_MAINTENANCE: &str =
    "is not for a weighted SLO, which counts nothing: declare it for its parts";

impl Slo {
    /// Every mistake, as (field, what is wrong and how to mend it); `keys` are the labels that its kind of work has, `all` the
    /// SLOs of the instance.
    pub(crate) fn problems(
        &self,
        tick: Duration,
        keys: &[&str],
        all: &[Self],
    ) -> Vec<(String, String)> {
        let mut problems = Problems::new();
        let mut add = |field: &str, message| problems.push((field.to_owned(), message));
        if let Some(message) = name_problem(&self.name) {
            add("name", message);
        }
        let of_promise = [
            ("objective", self.objective_problem()),
            ("rolling", self.period_problem()),
        ];
        let sound = of_promise.iter().all(|(_, message)| message.is_none());
        for (field, message) in of_promise {
            message.into_iter().for_each(|message| add(field, message));
        }
        for (field, message) in self.sli_problems(tick) {
            add(field, message);
        }
        for (field, message) in self.option_problems(tick) {
            add(field, message);
        }
        problems.extend(self.composite_problems(all));
        problems.extend(self.label_problems(keys));
        if sound {
            problems.extend(self.burn_problems(tick));
        }
        for (place, maintenance) in (1..).zip(&self.maintenance) {
            let message = maintenance.problem().into_iter();
            problems.extend(message.map(|message| (format!("maintenance {place}"), message)));
        }
        let at = |(field, message)| (format!("slo {:?}: {field}", self.name), message);
        problems.into_iter().map(at).collect()
    }

    fn period_problem(&self) -> Option<String> {
        let Period::Rolling(length) = self.period else {
            return None;
        };
        let days = length.as_secs() / DAY;
        let sound = (1..=366).contains(&days);
        (!sound)
            .then(|| format!("{days} is not a number of days from 1 to 366: write 30 for 30 days"))
    }

    fn objective_problem(&self) -> Option<String> {
        let Some(objective) = self.objective else {
            return Some("is missing: write 0.999 for 99.9 %".to_owned());
        };
        Some(match objective {
            within if within > 0.0 && within < 1.0 && self.error_budget() > 0.0 => return None,
            1.0 => "1 leaves no error budget, which nothing can keep: write 0.9999 for 99.99 %"
                .to_owned(),
            0.0 => "0 promises nothing: write 0.999 for 99.9 %".to_owned(),
            percent if percent > 1.0 && percent < 100.0 => {
                let share = (percent * 1e10).round() / 1e12;
                format!("{percent} is a percentage: write {share} for {percent} %")
            }
            other => format!("{other} is not a share between 0 and 1: write 0.999 for 99.9 %"),
        })
    }

    fn sli_problems(&self, tick: Duration) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        match &self.sli {
            Sli::Latency(select, threshold) => {
                if threshold.is_zero() || *threshold > Duration::from_secs(3600) {
                    let message =
                        "is outside what is measured: it takes more than 0 and at most an hour";
                    problems.push(("threshold", format!("{threshold:?} {message}")));
                }
                if !select.domain.is_timed() {
                    let kind = select.domain.as_str();
                    let message = "which has no durations: promise its availability";
                    problems.push(("threshold", format!("is not for {kind}, {message}")));
                }
            }
            Sli::TimeSlice(_, slice) | Sli::RatioSlices(_, slice) => {
                let whole = slice.as_nanos().is_multiple_of(1_000_000);
                if !whole || *slice < tick * 2 || *slice > Duration::from_secs(DAY) {
                    problems.push((
                        "slice",
                        format!("{slice:?} is not a slice: it takes whole milliseconds, at least two ticks of {tick:?} and at most a day"),
                    ));
                }
            }
            _ => {}
        }
        problems
    }

    /// Each part in its place: `all_of "name"`, `weights: name`.
    fn composite_problems(&self, all: &[Self]) -> Problems {
        let (of, weighted) = match &self.sli {
            Sli::Weighted(of) => (of, true),
            Sli::AllOf(of) => (of, false),
            _ => return Problems::new(),
        };
        let list = if weighted { "weights" } else { "all_of" };
        let mut problems = Problems::new();
        if of.is_empty() {
            let message = "names no SLO: name those that it is made of";
            problems.push((list.to_owned(), message.to_owned()));
        }
        for (name, weight) in of {
            let field = || match weighted {
                true => format!("weights: {name}"),
                false => format!("all_of {name:?}"),
            };
            let message = self.part_problem(name, weighted, all);
            problems.extend(message.map(|message| (field(), message)));
            if weighted && !(weight.is_finite() && *weight > 0.0) {
                let message = format!("{weight} is no weight: write a number above 0");
                problems.push((field(), message));
            }
        }
        if weighted && self.confidence.is_some() {
            let message =
                "is not for a weighted SLO, whose parts have events of their own: ask for it there";
            problems.push(("confidence".to_owned(), message.to_owned()));
        }
        if weighted && !self.maintenance.is_empty() {
            problems.push(("maintenance".to_owned(), WEIGHTED_MAINTENANCE.to_owned()));
        }
        problems
    }

    /// What is wrong with the SLO of this name as a part.
    fn part_problem(&self, name: &str, weighted: bool, all: &[Self]) -> Option<String> {
        if name == self.name {
            return Some("is the SLO itself: name what it is made of".to_owned());
        }
        let Some(part) = all.iter().find(|known| known.name == name) else {
            return Some("is no SLO of this instance: declare that one too".to_owned());
        };
        if matches!(part.sli, Sli::Weighted(_)) {
            Some("counts nothing of its own: name what it is made of".to_owned())
        } else if part.needs(&self.name, all) {
            let itself = &self.name;
            Some(format!(
                "needs {itself:?} itself: take one of them out of the other"
            ))
        } else if weighted && part.period != self.period {
            let period = part.period;
            Some(format!("has another period, {period}: give both the same"))
        } else if weighted && !part.per.is_empty() {
            Some("is kept by labels: name one that is kept as one".to_owned())
        } else {
            None
        }
    }

    fn label_problems(&self, keys: &[&str]) -> Problems {
        let Some(select) = self.select() else {
            let message = "is only for SLOs over operations: leave it out";
            let given = self.per.first().into_iter();
            return given
                .map(|_| ("per".to_owned(), message.to_owned()))
                .collect();
        };
        let unknown = select.unknown_labels(keys).into_iter();
        let unknown = unknown.map(|(list, key, message)| (format!("{list}: {key}"), message));
        let per = self.per.iter().enumerate().filter_map(|(at, key)| {
            let message = match self.per[..at].contains(key) {
                true => "stands twice: name it once".to_owned(),
                false => select.no_label(key, keys)?,
            };
            Some((format!("per {key:?}"), message))
        });
        unknown.chain(per).collect()
    }

    /// Of the usual burn alerts the first tells what is wrong with the objective, and with the others.
    fn burn_problems(&self, tick: Duration) -> Problems {
        let (objective, budget) = (self.objective.unwrap_or(0.0), self.error_budget());
        let kept = self.burns();
        let usual = || BurnAlert::usual(self.period);
        let declared = self.burn_alerts.clone().unwrap_or_else(usual);
        let found = (1..).zip(declared).filter_map(|(place, burn)| {
            kept.contains(&burn).then_some(())?;
            let message = burn.problem(self.period, objective, budget, tick)?;
            Some((place, message))
        });
        match self.burn_alerts {
            None => {
                let usual = found.take(1);
                usual
                    .map(|(_, message)| ("burn_alerts".to_owned(), message))
                    .collect()
            }
            Some(_) => found
                .map(|(place, message)| (format!("burn_alert {place}"), message))
                .collect(),
        }
    }

    fn option_problems(&self, tick: Duration) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if let Some(confidence) = self.confidence
            && !(0.5..1.0).contains(&confidence)
        {
            problems.push((
                "confidence",
                format!("{confidence} is not between 0.5 and 1: write 0.95 for 95 %"),
            ));
        }
        if let Some(silence) = self.absent_after
            && (silence < tick * 4 || !silence.as_nanos().is_multiple_of(2_000_000))
        {
            let message = "it takes whole milliseconds, an even number, and at least four ticks";
            problems.push((
                "absent_after",
                format!("{silence:?} is not a silence: {message}"),
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests;
