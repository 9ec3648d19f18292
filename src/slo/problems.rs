//! What is wrong with a declaration, and how to mend it.

use std::time::Duration;

use super::{Period, Sli, Slo};

const DAY: u64 = 86_400;

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
        let mut problems = Vec::new();
        if self.name.is_empty() {
            problems.push(("name", "is empty: give the SLO a name".to_owned()));
        }
        let objective = self.objective_problem();
        let sound = objective.is_none();
        problems.extend(objective.map(|message| ("objective", message)));
        if let Period::Rolling(length) = self.period
            && !(DAY..=366 * DAY).contains(&length.as_secs())
        {
            let days = length.as_secs() / DAY;
            problems.push((
                "rolling",
                format!("{days} is not a number of days from 1 to 366"),
            ));
        }
        problems.extend(self.sli_problems(tick));
        problems.extend(self.composite_problems(all));
        problems.extend(self.label_problems(keys));
        if sound {
            problems.extend(self.alert_problems(tick));
        }
        let maintenance = self.maintenance.iter().filter_map(|known| known.problem());
        problems.extend(maintenance.map(|message| ("maintenance", message)));
        let at = |(field, message)| (format!("slo {:?}: {field}", self.name), message);
        problems.into_iter().map(at).collect()
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

    fn composite_problems(&self, all: &[Self]) -> Vec<(&'static str, String)> {
        let (of, weighted) = match &self.sli {
            Sli::Weighted(of) => (of, true),
            Sli::AllOf(of) => (of, false),
            _ => return Vec::new(),
        };
        let mut problems = Vec::new();
        if of.is_empty() {
            problems.push((
                "of",
                "names no SLO: name those that it is made of".to_owned(),
            ));
        }
        for (name, weight) in of {
            match all.iter().find(|known| known.name == *name) {
                _ if *name == self.name => problems.push((
                    "of",
                    format!("names {name:?}, which is itself: name what it is made of"),
                )),
                None => problems.push((
                    "of",
                    format!(
                        "names {name:?}, which is no SLO of this instance: declare that one too"
                    ),
                )),
                Some(part) if matches!(part.sli, Sli::Weighted(_)) => {
                    problems.push(("of", format!("names {name:?}, which counts nothing of its own: name what it is made of")));
                }
                Some(part) if part.needs(&self.name, all) => problems.push((
                    "of",
                    format!("names {name:?}, which needs {:?} itself: take one of them out of the other", self.name),
                )),
                Some(part) if weighted && part.period != self.period => {
                    problems.push((
                        "of",
                        format!(
                            "names {name:?}, whose period is {}: give both the same",
                            part.period
                        ),
                    ));
                }
                Some(part) if weighted && !part.per.is_empty() => {
                    problems.push((
                        "of",
                        format!(
                            "names {name:?}, which is kept by labels: name one that is kept as one"
                        ),
                    ));
                }
                Some(_) => {}
            }
            if weighted && !(weight.is_finite() && *weight > 0.0) {
                problems.push((
                    "of",
                    format!("weighs {name:?} with {weight}: it takes a number above 0"),
                ));
            }
        }
        if weighted && self.confidence.is_some() {
            problems.push((
                "confidence",
                "is not for a weighted SLO, whose parts have events of their own: ask for it there"
                    .to_owned(),
            ));
        }
        if weighted && !self.maintenance.is_empty() {
            problems.push(("maintenance", WEIGHTED_MAINTENANCE.to_owned()));
        }
        problems
    }

    fn label_problems(&self, keys: &[&str]) -> Vec<(&'static str, String)> {
        let Some(select) = self.select() else {
            let message = "is only for SLOs over operations: leave it out".to_owned();
            return self
                .per
                .first()
                .map(|_| ("per", message))
                .into_iter()
                .collect();
        };
        let unknown = select.unknown_labels(keys).into_iter();
        let unknown = unknown.map(|(key, message)| ("label", format!("{key:?} {message}")));
        let per = self.per.iter().enumerate().filter_map(|(at, key)| {
            if self.per[..at].contains(key) {
                return Some(("per", format!("names {key:?} twice: name it once")));
            }
            let message = select.no_label(key, keys)?;
            Some(("per", format!("{key:?} {message}")))
        });
        unknown.chain(per).collect()
    }

    fn alert_problems(&self, tick: Duration) -> Vec<(&'static str, String)> {
        let (objective, budget) = (self.objective.unwrap_or(0.0), self.error_budget());
        let burns = self.burns().into_iter();
        let problem = |burn: super::BurnAlert| burn.problem(self.period, objective, budget, tick);
        let mut problems: Vec<_> = burns
            .filter_map(problem)
            .map(|message| ("burn alert", message))
            .collect();
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
mod tests {
    use super::super::{BurnAlert, Maintenance, Severity};
    use super::*;
    use crate::budget::Select;
    use crate::expr::{Expr, Selector};
    use std::time::UNIX_EPOCH;

    const KEYS: &[&str] = &["method", "route"];

    fn api() -> Slo {
        Slo::availability("api", Select::http())
    }

    #[track_caller]
    fn refused(slo: Slo, all: &[Slo], field: &str, mend: &str) {
        let problems = slo.problems(Duration::from_secs(1), KEYS, all);
        let found = problems
            .iter()
            .any(|(at, message)| at.ends_with(field) && message.contains(mend));
        assert!(found, "{field} {mend}: {problems:?}");
    }

    #[test]
    fn a_sound_one_has_no_problems() {
        let slo = api()
            .objective(0.999)
            .per("route")
            .absent_after(Duration::from_secs(600));
        assert_eq!(slo.problems(Duration::from_secs(1), KEYS, &[]), []);
    }

    #[test]
    fn objectives_that_cannot_be_meant_are_refused() {
        refused(api(), &[], "objective", "write 0.999");
        refused(api().objective(0.0), &[], "objective", "promises nothing");
        refused(api().objective(1.0), &[], "objective", "no error budget");
        refused(
            api().objective(99.9),
            &[],
            "objective",
            "write 0.999 for 99.9 %",
        );
        refused(
            api().objective(99.95),
            &[],
            "objective",
            "write 0.9995 for 99.95 %",
        );
        refused(api().objective(-0.1), &[], "objective", "not a share");
        refused(api().objective(f64::NAN), &[], "objective", "not a share");
        refused(
            api().objective(1.0 - 1e-15),
            &[],
            "objective",
            "not a share",
        );
        refused(api().objective(0.9), &[], "burn alert", "can never fire");
        let reachable = api().objective(0.9).reachable_burn_alerts();
        assert_eq!(reachable.problems(Duration::from_secs(1), KEYS, &[]), []);
        assert_eq!(reachable.burns().len(), 3);
    }

    #[test]
    fn everything_else_that_cannot_be_meant_is_refused() {
        let sound = || api().objective(0.999);
        refused(sound().rolling(0), &[], "rolling", "1 to 366");
        refused(sound().per("rout"), &[], "per", "not a label of http");
        refused(sound().per("route").per("route"), &[], "per", "twice");
        refused(sound().confidence(95.0), &[], "confidence", "0.95");
        refused(
            sound().absent_after(Duration::from_secs(3)),
            &[],
            "absent_after",
            "four ticks",
        );
        let late = UNIX_EPOCH + Duration::from_secs(9);
        refused(
            sound().maintenance(Maintenance::new(late, UNIX_EPOCH, "x")),
            &[],
            "maintenance",
            "ends before",
        );
        let short = BurnAlert::new(Severity::Page, 0.02, Duration::from_secs(12));
        refused(sound().burn_alerts([short]), &[], "burn alert", "two ticks");
        let slow = Slo::latency("slow", Select::http(), Duration::ZERO).objective(0.9);
        refused(slow, &[], "threshold", "more than 0");
        let state = || Expr::select(Selector::new("up"));
        let slices = Slo::time_slice("s", state(), Duration::from_secs(1)).objective(0.9);
        refused(slices, &[], "slice", "two ticks");
        refused(
            Slo::time_based("t", state()).objective(0.9).per("a"),
            &[],
            "per",
            "only for SLOs over operations",
        );
    }

    #[test]
    fn composites_name_what_there_is() {
        let (a, month) = (api().objective(0.999), api().objective(0.999).rolling(30));
        let both = || Slo::weighted("both", [(&a, 1.0)]).objective(0.99);
        refused(both(), &[], "of", "no SLO of this instance");
        refused(both(), std::slice::from_ref(&month), "of", "rolling 30d");
        refused(both(), &[a.clone().per("route")], "of", "kept by labels");
        refused(
            Slo::weighted("none", []).objective(0.99),
            &[],
            "of",
            "names no SLO",
        );
        refused(
            Slo::weighted("zero", [(&a, 0.0)]).objective(0.99),
            std::slice::from_ref(&a),
            "of",
            "above 0",
        );
        refused(
            both().confidence(0.95),
            std::slice::from_ref(&a),
            "confidence",
            "not for a weighted",
        );
        let nested = Slo::all_of("nested", [&both()]).objective(0.99);
        refused(nested, &[both()], "of", "counts nothing");
    }

    #[test]
    fn composites_in_a_circle_are_refused() {
        let all_of = |name: &str, part: &str| {
            let part = Slo::availability(part, Select::http());
            Slo::all_of(name, [&part]).objective(0.99)
        };
        let itself = || all_of("a", "a");
        refused(itself(), &[itself()], "of", "which is itself");
        let circle = [all_of("a", "b"), all_of("b", "c"), all_of("c", "a")];
        for slo in &circle {
            refused(slo.clone(), &circle, "of", "take one of them out");
        }
        // One that only leads into a circle is none itself.
        let beside = all_of("d", "a");
        assert_eq!(beside.problems(Duration::from_secs(1), KEYS, &circle), []);
        assert_eq!(beside.with_parts(&circle).len(), 4);
    }
}
