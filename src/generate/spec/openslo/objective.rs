//! Objectives of OpenSLO, and the SLOs that they make.

use std::time::Duration;

use super::super::cursor::At;
use super::super::fields::Fields;
use super::super::imported::Indicator;
use super::super::shares::objective;
use super::super::write::slug;
use super::window;
use crate::expr::{Expr, Op, Over};
use crate::slo::Slo;

/// How the error budget is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Method {
    Occurrences,
    Timeslices,
    RatioTimeslices,
}

/// One entry of `objectives`.
pub(super) struct Objective<'a> {
    pub(super) at: At<'a>,
    pub(super) target: Option<f64>,
    pub(super) weight: f64,
    display_name: Option<&'a str>,
    op: Option<Op>,
    value: Option<f64>,
    slice_target: Option<f64>,
    slice: Option<Duration>,
}

impl Method {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "Occurrences" => Some(Self::Occurrences),
            "Timeslices" => Some(Self::Timeslices),
            "RatioTimeslices" => Some(Self::RatioTimeslices),
            _ => None,
        }
    }
}

impl<'a> Objective<'a> {
    pub(super) fn read(at: At<'a>) -> Self {
        let fields = at.fields();
        fields.ignore(&["indicator", "indicatorRef"]);
        let read = Self {
            target: target(&fields),
            weight: weight(&fields),
            display_name: fields.get("displayName").and_then(|at| at.text()),
            op: operator(&fields),
            value: fields.get("value").and_then(|at| at.number()),
            slice_target: slice_target(&fields),
            slice: fields
                .get("timeSliceWindow")
                .and_then(|at| window::slice(&at)),
            at,
        };
        fields.finish();
        read
    }

    /// The name of one among several.
    pub(super) fn name(&self, of: &str, at: usize) -> String {
        match self.display_name.map(slug) {
            Some(name) => format!("{of}-{name}"),
            None => format!("{of}-{at}"),
        }
    }

    /// Its own indicator, in a composite.
    pub(super) fn indicator(&self) -> Option<At<'a>> {
        let found = super::slo::shared_indicator(&self.at.fields());
        if found.is_none() {
            self.at
                .refuse("has no indicator, but others of the objectives have one: give it one too");
        }
        found
    }

    /// The SLO that counts this.
    pub(super) fn slo(&self, name: &str, of: Indicator, method: Method) -> Option<Slo> {
        match (of, method) {
            (Indicator::Known(slo), Method::Occurrences) => Some(*slo),
            (Indicator::Known(_), _) => {
                self.at.refuse("is over counters of plimsoll, which are counted as they are to be judged: write budgetingMethod: Occurrences");
                None
            }
            (Indicator::Events(events), Method::Occurrences) => Some(events.slo(name)),
            (Indicator::Ratio { ratio, .. }, Method::Occurrences) => {
                self.at.refuse(format!("is over `{ratio}`, a ratio of which no events are known: write good and total, or budgetingMethod: RatioTimeslices"));
                None
            }
            (Indicator::Threshold(query), Method::Occurrences) => {
                Some(Slo::time_based(name, self.compared(query)?))
            }
            (of, Method::Timeslices) => self.sliced(name, of),
            (Indicator::Events(events), Method::RatioTimeslices) => {
                let slice = self.slice()?;
                Some(Slo::ratio_time_slices(
                    name,
                    events.error_ratio(slice),
                    slice,
                ))
            }
            (Indicator::Ratio { ratio, good }, Method::RatioTimeslices) => {
                let bad = if good {
                    Expr::Number(1.0) - ratio
                } else {
                    ratio
                };
                Some(Slo::ratio_time_slices(name, bad, self.slice()?))
            }
            (Indicator::Threshold(_), Method::RatioTimeslices) => {
                self.at.refuse("is over a thresholdMetric, which has no ratio: write budgetingMethod: Timeslices");
                None
            }
        }
    }

    /// Slices that are good or not.
    fn sliced(&self, name: &str, of: Indicator) -> Option<Slo> {
        let (slice, target) = (self.slice(), self.slice_target);
        if target.is_none() {
            self.missing(
                "timeSliceTarget",
                "write 0.99, the share that makes a slice a good one",
            );
        }
        let (slice, target) = (slice?, target?);
        let condition = match of {
            Indicator::Events(events) => events.kept(slice, target),
            Indicator::Ratio { ratio, good: true } => ratio.greater_equal(target),
            Indicator::Ratio { ratio, .. } => {
                let limit = crate::slo::error_budget(target);
                ratio.binary(Op::LessEqual, Expr::Number(limit))
            }
            Indicator::Threshold(query) => self.throughout(query, slice, target)?,
            Indicator::Known(_) => return None,
        };
        Some(Slo::time_slice(name, condition, slice))
    }

    /// A threshold that is kept in all of a slice.
    fn throughout(&self, query: Expr, slice: Duration, target: f64) -> Option<Expr> {
        let Expr::Select(selector) = query else {
            self.at.note(format!(
                "is looked at once in each slice, at its end, so that timeSliceTarget says nothing: `{query}` is no plain selector"
            ));
            return self.compared(query);
        };
        if target < 1.0 {
            self.at.refuse(format!(
                "keeps a slice for which {target} of the samples hold: write timeSliceTarget: 1, for which the worst of them tells"
            ));
            return None;
        }
        let worst = match self.op {
            Some(Op::Less | Op::LessEqual) => Over::Max,
            _ => Over::Min,
        };
        self.compared(Expr::Over(worst, selector, slice))
    }

    fn compared(&self, query: Expr) -> Option<Expr> {
        if self.op.is_none() {
            self.missing("op", "write lte, lt, gte or gt");
        }
        if self.value.is_none() {
            self.missing("value", "write what the metric is compared with");
        }
        Some(query.binary(self.op?, Expr::Number(self.value?)))
    }

    fn slice(&self) -> Option<Duration> {
        if self.slice.is_none() && !self.at.holds("timeSliceWindow") {
            self.missing("timeSliceWindow", "write 5m");
        }
        self.slice
    }

    fn missing(&self, field: &str, mend: &str) {
        if !self.at.holds(field) {
            let fields = self.at.fields();
            fields.refuse(field, format!("is missing: {mend}"));
        }
    }
}

fn target(fields: &Fields<'_>) -> Option<f64> {
    match (fields.get("target"), fields.get("targetPercent")) {
        (Some(_), Some(percent)) => {
            percent.refuse("stands beside target: keep one of both");
            None
        }
        (Some(share), None) => objective(&share, false),
        (None, Some(percent)) => objective(&percent, true),
        (None, None) => {
            fields.refuse("target", "is missing: write 0.999 for 99.9 %");
            None
        }
    }
}

fn weight(fields: &Fields<'_>) -> f64 {
    let Some(at) = fields.get("compositeWeight") else {
        return 1.0;
    };
    let weight = at.number().unwrap_or(1.0);
    if weight <= 0.0 {
        at.refuse(format!("{weight} is no weight: write a number above 0"));
    }
    weight
}

fn operator(fields: &Fields<'_>) -> Option<Op> {
    let at = fields.get("op")?;
    let op = match at.text()? {
        "lt" => Op::Less,
        "lte" => Op::LessEqual,
        "gt" => Op::Greater,
        "gte" => Op::GreaterEqual,
        _ => {
            at.refuse("is no comparison: write lte, lt, gte or gt");
            return None;
        }
    };
    Some(op)
}

fn slice_target(fields: &Fields<'_>) -> Option<f64> {
    let at = fields.get("timeSliceTarget")?;
    let target = at.number()?;
    let sound = target > 0.0 && target <= 1.0;
    if !sound {
        at.refuse(format!(
            "{target} is no share above 0 and up to 1: write 0.99 for 99 %"
        ));
    }
    sound.then_some(target)
}
