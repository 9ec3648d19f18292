//! From PromQL to counters: what of a query an SLO can count by itself.

use std::time::Duration;

use crate::budget::{Level, SLI_BAD, SLI_VALID};
use crate::expr::{Aggregation, Compare, Expr, Function, Grouping, Op, Over, Selector};
use crate::slo::{Sli, Slo, error_budget};

/// Stands for the range of a query while it is read.
const ANY: Duration = Duration::from_secs(300);

/// As for every expression.
const MAX_QUERY: usize = 64 << 10;

/// How others leave the range open, apart from `[{{.window}}]`.
const RANGES: [&str; 4] = [
    "[${window}]",
    "[$window]",
    "[$__rate_interval]",
    "[$__interval]",
];

/// What is counted as a part, and as valid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Events {
    pub(super) part: Selector,
    pub(super) valid: Selector,
    pub(super) part_is_good: bool,
}

/// What one query counts.
enum Counted {
    Sum(Selector),
    /// The first without the second.
    Rest(Selector, Selector),
}

impl Events {
    /// Of a query and the [`total`] of another; `good` says what the part is.
    pub(super) fn new(part: &Expr, good: bool, valid: Selector) -> Result<Self, String> {
        match counted(part)? {
            Counted::Sum(part) => Ok(Self {
                part,
                valid,
                part_is_good: good,
            }),
            Counted::Rest(all, part) if all == valid => Ok(Self {
                part,
                valid,
                part_is_good: !good,
            }),
            Counted::Rest(all, _) => Err(format!(
                "takes something away from {all}, which is not the total {valid}: take it from the total"
            )),
        }
    }

    /// Of a ratio; `good` says of what.
    pub(super) fn of_ratio(ratio: &Expr, good: bool) -> Option<Self> {
        match ratio {
            Expr::Binary(one, Op::Sub, matching, rest)
                if **one == Expr::Number(1.0) && *matching == Default::default() =>
            {
                Self::of_ratio(rest, !good)
            }
            Expr::Binary(part, Op::Div, matching, valid) if *matching == Default::default() => {
                Self::new(part, good, total(valid).ok()?).ok()
            }
            _ => None,
        }
    }

    pub(super) fn slo(&self, name: &str) -> Slo {
        let (part, valid) = (self.part.clone(), self.valid.clone());
        match self.part_is_good {
            true => Slo::good_ratio(name, part, valid),
            false => Slo::bad_ratio(name, part, valid),
        }
    }

    /// The error ratio over a stretch of time.
    pub(super) fn error_ratio(&self, over: Duration) -> Expr {
        let part = self.share(over);
        match self.part_is_good {
            true => Expr::Number(1.0) - part,
            false => part,
        }
    }

    /// Holds while the share of good events is at least `target`.
    pub(super) fn kept(&self, over: Duration, target: f64) -> Expr {
        match self.part_is_good {
            true => self.share(over).greater_equal(target),
            false => {
                let limit = Expr::Number(error_budget(target));
                self.share(over).binary(Op::LessEqual, limit)
            }
        }
    }

    fn share(&self, over: Duration) -> Expr {
        let sum = |of: &Selector| Expr::rate(of.clone(), over).sum();
        sum(&self.part) / sum(&self.valid)
    }

    /// The SLO whose own counters these are: its name, or why it has none.
    pub(super) fn own(&self) -> Option<Result<&str, String>> {
        let names = [owner(&self.part), owner(&self.valid)];
        match names {
            [None, None] => None,
            [Some((SLI_BAD, part)), Some((SLI_VALID, valid))]
                if part == valid && !self.part_is_good =>
            {
                Some(Ok(part))
            }
            _ => Some(Err(format!(
                "{} of {} are not the bad and the valid events of one SLO: write both as they are exported",
                self.part, self.valid
            ))),
        }
    }
}

/// Family and SLO of an own counter.
fn owner(selector: &Selector) -> Option<(&str, &str)> {
    let name = selector.name();
    if name != SLI_BAD && name != SLI_VALID {
        return None;
    }
    let value = |label| {
        let mut matchers = selector.matchers().iter();
        let found =
            matchers.find(|known| known.label() == label && known.compare() == Compare::Equal);
        found.map_or("", |found| found.value())
    };
    let whole = selector.matchers().len() == 2 && value("level") == Level::Target.as_str();
    Some((name, if whole { value("budget") } else { "" }))
}

/// A query with the range in place of what stands for it.
pub(super) fn parse(query: &str) -> Result<Expr, String> {
    if query.len() > MAX_QUERY {
        return Err(format!(
            "is longer than {MAX_QUERY} bytes: split it into recording rules"
        ));
    }
    let mut text = query.to_owned();
    while let Some(start) = text.find("[{{") {
        let inner = text[start..].split_once("}}]").map(|(inner, _)| inner);
        match inner.map(|inner| inner[3..].trim()) {
            Some(".window") => {
                let end = start + inner.map_or(0, str::len) + 3;
                text.replace_range(start..end, "[5m]");
            }
            _ => {
                return Err("holds a range other than [{{.window}}]: write it out".to_owned());
            }
        }
    }
    for range in RANGES {
        text = text.replace(range, "[5m]");
    }
    Expr::parse(&text).map_err(|error| error.to_string())
}

/// What a query of all events counts.
pub(super) fn total(query: &Expr) -> Result<Selector, String> {
    match counted(query)? {
        Counted::Sum(valid) => Ok(valid),
        Counted::Rest(..) => {
            Err("the total is a difference: give the query of one counter".to_owned())
        }
    }
}

fn counted(query: &Expr) -> Result<Counted, String> {
    match query {
        Expr::Binary(all, Op::Sub, matching, part) if *matching == Default::default() => {
            Ok(Counted::Rest(summed(all)?, summed(part)?))
        }
        _ => summed(query).map(Counted::Sum),
    }
}

/// The one selector that is summed up.
fn summed(query: &Expr) -> Result<Selector, String> {
    match query {
        Expr::Select(selector) | Expr::Over(Over::Rate | Over::Increase, selector, _) => {
            Ok(selector.clone())
        }
        Expr::Aggregate(Aggregation::Sum, grouping, inner) if *grouping == Grouping::default() => {
            summed(inner)
        }
        Expr::Aggregate(Aggregation::Sum, grouping, _) => Err(format!(
            "keeps labels apart (`sum{}`): an SLO is one ratio, so sum over all of them",
            grouping.to_string().trim_end()
        )),
        // An SLO counts from 0 as it is.
        Expr::Binary(counted, Op::Or, _, zero) if is_zero(zero) => summed(counted),
        other => Err(format!(
            "`{other}` is not what one counter counts: write `sum(rate(orders_total{{result=\"ok\"}}[5m]))`, or the counter alone"
        )),
    }
}

fn is_zero(expr: &Expr) -> bool {
    *expr == Expr::Number(0.0).call(Function::Vector)
}

/// The SLO that has this error ratio anyway.
pub(super) fn known_by_ratio<'a>(known: &'a [Slo], ratio: &Expr) -> Option<&'a Slo> {
    let none = crate::budget::Labels::from([]);
    known
        .iter()
        .find(|slo| matches!(slo.sli, Sli::Weighted(_)) && slo.error_ratio(ANY, &none) == *ratio)
}
