//! What rules may read, and what is wrong with those that read something else.

use std::collections::{BTreeSet, HashSet};

use super::Inner;
use crate::budget::BREACH_DURATIONS;
use crate::config::{Advice, Mend, Problem};
use crate::export::{Present, present};
use crate::expr::{Compare, Expr, Matcher, Selector, TARGET_LABELS};
use crate::naming::{Naming, sample_names};

/// What alerts are kept under; nobody scrapes them.
const ALERTS: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];

/// The names that there are, and those that will be.
pub(crate) struct Readable<'a> {
    ours: HashSet<String>,
    expected: &'a [String],
    recorded: HashSet<String>,
    target: Option<&'a [String; 2]>,
    /// Once it is built: it knows the instruments too, and all bounds.
    inner: Option<&'a Inner>,
}

impl<'a> Readable<'a> {
    /// Before there is an instance.
    pub(super) fn new(
        naming: &Naming,
        expected: &'a [String],
        target: Option<&'a [String; 2]>,
    ) -> Self {
        Self {
            // How long breaches last is there with the first one.
            ours: naming
                .readable()
                .into_iter()
                .chain(sample_names(BREACH_DURATIONS, true))
                .collect(),
            expected,
            recorded: HashSet::new(),
            target,
            inner: None,
        }
    }

    /// In an instance.
    pub(super) fn of(inner: &'a Inner) -> Self {
        Self {
            inner: Some(inner),
            recorded: inner.recorded.lock().iter().cloned().collect(),
            ..Self::new(&inner.naming, &inner.expected, inner.target.as_ref())
        }
    }

    /// Rules record these names.
    pub(super) fn recorded(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.recorded.extend(names);
        self
    }

    /// Whether a family of ours bears this name.
    pub(super) fn is_ours(&self, name: &str) -> bool {
        self.ours.contains(name)
    }

    /// What is wrong with what an expression reads and how to mend it, each once.
    pub(super) fn problems(&self, expr: &Expr) -> BTreeSet<Advice> {
        let mut problems = BTreeSet::new();
        expr.visit(&mut |selector, _| problems.extend(self.problem(selector)));
        problems
    }

    /// The same of what somebody gave to read in these fields, and what makes it ill-formed.
    pub(super) fn problems_of(
        &self,
        promise: &str,
        sources: &[(&'static str, Expr)],
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (field, expr) in sources {
            let mut found = self.problems(expr);
            found.extend(expr.check().err().map(|error| error.to_string().into()));
            let found = found.into_iter();
            let field = format!("{promise}: {field}");
            problems.extend(found.map(|advice| Problem::advised(&*field, advice)));
        }
        problems
    }

    fn problem(&self, selector: &Selector) -> Option<Advice> {
        let name = selector.name();
        if ALERTS.contains(&name) || self.recorded.contains(name) {
            return None;
        }
        let present = self.inner.and_then(|inner| present(inner, name));
        if present.is_none() && !self.ours.contains(name) && !self.is_expected(name) {
            return Some(Advice {
                what: format!("names {name}, which this process does not export"),
                mend: Mend::Announce(name.to_owned()),
            });
        }
        let of_target = selector.matchers().iter();
        let mut of_target = of_target.filter_map(|matcher| self.target_problem(matcher));
        of_target.next().or_else(|| match present {
            Some(Present::Histogram) => Some(format!(
                "names the histogram {name}, which has no samples of that name: write {name}_bucket, {name}_sum or {name}_count"
            ).into()),
            Some(Present::Buckets(bounds)) => bound_problem(selector, &bounds).map(Advice::from),
            Some(Present::Numbers) | None => None,
        })
    }

    fn is_expected(&self, name: &str) -> bool {
        let is = |known: &String| {
            let suffix = name.strip_prefix(&**known);
            suffix.is_some_and(|suffix| matches!(suffix, "" | "_bucket" | "_sum" | "_count"))
        };
        self.expected.iter().any(is)
    }

    /// A label that only a scrape adds, and not like this.
    fn target_problem(&self, matcher: &Matcher) -> Option<Advice> {
        let label = matcher.label();
        let at = TARGET_LABELS.iter().position(|key| *key == label)?;
        let Some(target) = self.target else {
            return Some(Advice {
                what: format!("asks for {matcher}, a label that Prometheus adds when it scrapes"),
                mend: Mend::Target,
            });
        };
        let here = &target[at];
        (!matcher.holds(here)).then(|| {
            let what = format!("asks for {matcher}, but this process is {label}={here:?}");
            format!("{what}: its series are not here, so leave the rule to Prometheus").into()
        })
    }
}

/// A bucket that there is not.
fn bound_problem(selector: &Selector, bounds: &[(f64, String)]) -> Option<String> {
    let matchers = selector.matchers().iter();
    let mut asked = matchers.filter(|matcher| {
        let equal = matcher.compare() == Compare::Equal && matcher.label() == "le";
        equal && !bounds.iter().any(|bound| bound.1 == matcher.value())
    });
    let asked = asked.next()?;
    let nearest = match asked.value().parse::<f64>() {
        Ok(value) => match bounds.iter().find(|bound| bound.0 == value) {
            Some((_, text)) => format!("it is written le={text:?}"),
            None => nearest(bounds, value),
        },
        Err(_) => "it is a number in quotes, or +Inf".to_owned(),
    };
    let name = selector.name();
    Some(format!(
        "asks for {asked}, which is no bound of {name}: {nearest}"
    ))
}

fn nearest(bounds: &[(f64, String)], value: f64) -> String {
    let below = bounds.iter().rfind(|bound| bound.0 < value);
    let above = bounds.iter().find(|bound| bound.0 > value);
    match (below, above) {
        (Some((_, below)), Some((_, above))) => {
            format!("the nearest ones are le={below:?} and le={above:?}")
        }
        (Some((_, one)), None) | (None, Some((_, one))) => format!("the nearest one is le={one:?}"),
        (None, None) => "there is none".to_owned(),
    }
}
