//! Traffic that keeps a promise, breaks it, and keeps it again, made up for the series that a rule reads.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use plimsoll::expr::{Compare, Labels, Samples};
use plimsoll::rule::{Rule, RuleKind};
use plimsoll::{Expr, Selector};

/// What a series does while a promise is broken; at other times it is as if nothing had happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Course {
    /// A counter that grows all the time.
    Grows,
    /// One that grows only while it is bad.
    GrowsWhileBad,
    /// One that does not grow while it is bad.
    StopsWhileBad,
    /// One that grows much faster while it is bad.
    Rushes,
    /// The time, which stands while it is bad.
    Clock,
    /// The time.
    Time,
    /// A gauge that is not there while it is bad.
    Gone,
    /// A gauge at one of two values: when all is well, and when it is not.
    Level(f64, f64),
}

/// The moments of a story, in steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Story {
    pub(super) step: Duration,
    pub(super) bad_from: u64,
    pub(super) bad_to: u64,
    pub(super) end: u64,
}

/// The series of a story.
#[derive(Debug, Clone)]
pub(super) struct Traffic {
    pub(super) series: Vec<(Labels, Vec<f64>)>,
}

/// How a series is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Read {
    Latest,
    Range(Duration),
}

/// The selectors of an expression, each with how it is read.
pub(super) fn selectors(expr: &Expr, into: &mut Vec<(Selector, Read)>) {
    match expr {
        Expr::Select(selector) => into.push((selector.clone(), Read::Latest)),
        Expr::Over(_, selector, range) => into.push((selector.clone(), Read::Range(*range))),
        Expr::Aggregate(_, _, inner) | Expr::Call(_, inner) | Expr::Negate(inner) => {
            selectors(inner, into);
        }
        Expr::Quantile(left, right) | Expr::Binary(left, _, _, right) => {
            selectors(left, into);
            selectors(right, into);
        }
        _ => {}
    }
}

/// What distinguishes the series that rules read from others, by the labels that are asked for.
pub(super) fn read_by<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> BTreeMap<Labels, Read> {
    let rules: Vec<&Rule> = rules.into_iter().collect();
    let mut read = Vec::new();
    rules
        .iter()
        .for_each(|rule| selectors(&rule.expr, &mut read));
    let recorded = rules
        .iter()
        .filter(|rule| matches!(rule.kind, RuleKind::Record(_)));
    let made = |name: &str| name == "ALERTS" || recorded.clone().any(|rule| rule.name() == name);
    let read = read
        .into_iter()
        .filter(|(selector, _)| !made(selector.name()));
    let mut series: BTreeMap<Labels, Read> = BTreeMap::new();
    for (selector, how) in read {
        let asked = selector
            .matchers()
            .iter()
            .filter(|matcher| matcher.compare() == Compare::Equal);
        let asked = asked.map(|matcher| (matcher.label(), matcher.value()));
        let labels = Labels::new([("__name__", selector.name())].into_iter().chain(asked));
        let known = series.entry(labels).or_insert(how);
        if let (Read::Range(range), Read::Range(other)) = (how, *known) {
            *known = Read::Range(range.max(other));
        } else if *known == Read::Latest {
            *known = how;
        }
    }
    series
}

/// What a series may do, by what it is.
pub(super) fn courses(name: &str, how: Read) -> Vec<Course> {
    use Course::{Clock, Gone, Grows, GrowsWhileBad, Level, Rushes, StopsWhileBad, Time};
    match (name, how) {
        ("plimsoll_sli_valid_total", _) => vec![Grows, StopsWhileBad, Rushes],
        ("plimsoll_sli_bad_total", _) => vec![GrowsWhileBad],
        ("plimsoll_sli_last_good_timestamp_seconds", _) => vec![Clock],
        ("plimsoll_uptime_seconds", _) => vec![Time],
        ("plimsoll_budget_band", _) => {
            vec![Level(50.0, 50.0), Level(-50.0, -50.0), Level(1.0, 1.0)]
        }
        ("plimsoll_budget_observed", _) => vec![Level(1.0, 100.0)],
        ("up", _) => vec![Level(1.0, 0.0)],
        (_, Read::Range(_)) if name.ends_with("_total") => {
            vec![Grows, GrowsWhileBad, StopsWhileBad, Rushes]
        }
        _ if name.contains("timestamp") => vec![Clock, Gone],
        _ => vec![
            Level(1.0, 1.0),
            Level(0.0, 1e12),
            Level(1e12, 0.0),
            Level(1e12, 1.0),
            Gone,
        ],
    }
}

impl Traffic {
    /// The series of two instances; in what is said of each one, only the first ever does badly.
    pub(super) fn new(
        read: &BTreeMap<Labels, Read>,
        courses: &[Course],
        parts: &[String],
        story: Story,
        all_bad: bool,
    ) -> Self {
        let mut series = Vec::new();
        for ((labels, _), course) in read.iter().zip(courses) {
            for (instance, bad) in [("a:1", true), ("b:2", all_bad)] {
                let own = [("job", "api"), ("instance", instance)];
                let parts = parts.iter().map(|part| (part.as_str(), "x"));
                let all = own.into_iter().chain(parts).chain(labels.iter());
                let samples = (0..=story.end).map(|step| course.at(step, story, bad));
                series.push((Labels::new(all), samples.collect()));
            }
        }
        Self { series }
    }

    pub(super) fn insert(&self, samples: &mut Samples, step: u64, story: Story) {
        let at_ms = (story.step.as_millis() as u64 * step) as i64;
        for (labels, values) in &self.series {
            let value = values[step as usize];
            if !value.is_nan() {
                samples.insert(labels, at_ms, value);
            }
        }
    }

    /// As promtool wants it.
    pub(super) fn to_yaml(&self) -> String {
        let mut yaml = String::new();
        for (labels, values) in &self.series {
            let series = labels.to_string().replace('\'', "''");
            write!(yaml, "      - series: '{series}'\n        values: '").unwrap();
            for value in values {
                match value.is_nan() {
                    true => yaml += "_ ",
                    false => write!(yaml, "{value} ").unwrap(),
                }
            }
            yaml += "'\n";
        }
        yaml
    }
}

impl Course {
    fn at(self, step: u64, story: Story, may_be_bad: bool) -> f64 {
        let bad = if may_be_bad {
            step.clamp(story.bad_from, story.bad_to) - story.bad_from
        } else {
            0
        };
        let is_bad = may_be_bad && (story.bad_from + 1..=story.bad_to).contains(&step);
        let seconds = story.step.as_secs_f64();
        // More than any floor on throughput that is declared, and what grows in a rush more than any ceiling.
        let usual = 1e8 * seconds;
        match self {
            Self::Grows => usual * step as f64,
            Self::GrowsWhileBad => usual * bad as f64,
            Self::StopsWhileBad => usual * (step - bad) as f64,
            Self::Rushes => 0.1 * seconds * (step - bad) as f64 + usual * bad as f64,
            Self::Clock if is_bad => story.bad_from as f64 * seconds,
            Self::Clock => step as f64 * seconds,
            Self::Time => 1e6 + step as f64 * seconds,
            Self::Gone if is_bad => f64::NAN,
            Self::Gone => 1.0,
            Self::Level(_, bad) if is_bad => bad,
            Self::Level(good, _) => good,
        }
    }
}
