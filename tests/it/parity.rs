//! Expressions over a trace of six hours, evaluated here and by a real Prometheus: the same elements, the same numbers.

mod expressions;
mod native;
mod remote;
pub(crate) mod server;
pub(crate) mod trace;

use std::collections::BTreeMap;

use plimsoll::Expr;
use plimsoll::expr::{Dialect, Labels, Over, SampleValue, Samples, Value, eval};

use server::{Answer, Prometheus};
use trace::{END_MS, START_MS, STEP_MS, Trace};

/// What came of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) expressions: usize,
    pub(crate) refused: usize,
    pub(crate) points: usize,
    exact: usize,
    pub(crate) differing: usize,
    pub(crate) examples: Vec<String>,
}

/// Elements by moment and labels.
pub(crate) type Points = BTreeMap<(i64, String), f64>;

/// Whether Prometheus' order of operations leaves no room for another rounding.
fn is_deterministic(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Over(Over::Rate | Over::Increase, ..) | Expr::Quantile(..)
    )
}

fn ours(expr: &Expr, samples: &Samples, step_ms: i64) -> Result<Points, String> {
    let mut points = Points::new();
    for at_ms in (START_MS..=END_MS).step_by(step_ms as usize) {
        let value: Value = eval(expr, samples, at_ms).map_err(|error| error.to_string())?;
        for point in value.into_points() {
            let SampleValue::Float(value) = point.value else {
                continue;
            };
            points.insert((at_ms, point.labels.to_string()), value);
        }
    }
    Ok(points)
}

impl Count {
    pub(crate) fn compare(&mut self, expr: &Expr, ours: Result<Points, String>, theirs: Answer) {
        self.expressions += 1;
        let (ours, theirs) = match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => (ours, theirs),
            (Err(_), Err(_)) => {
                self.refused += 1;
                return;
            }
            (ours, theirs) => {
                let (ours, theirs) = (
                    ours.map(|points| points.len()),
                    theirs.map(|points| points.len()),
                );
                return self.differs(format!("{expr}: {ours:?} here, {theirs:?} there"));
            }
        };
        for (key, there) in &theirs {
            self.points += 1;
            let Some(here) = ours.get(key) else {
                self.differs(format!("{expr} at {key:?}: absent here, {there} there"));
                continue;
            };
            let exact = here.to_bits() == there.to_bits() || here.is_nan() && there.is_nan();
            let near = (here - there).abs() <= 1e-12 * there.abs();
            self.exact += usize::from(exact);
            if !exact && (is_deterministic(expr) || !near) {
                self.differs(format!("{expr} at {key:?}: {here:?} here, {there:?} there"));
            }
        }
        for (key, here) in ours.iter().filter(|(key, _)| !theirs.contains_key(*key)) {
            self.differs(format!("{expr} at {key:?}: {here} here, absent there"));
        }
    }

    pub(crate) fn report(&self, whose: &str) {
        let Self {
            expressions,
            refused,
            points,
            exact,
            differing,
            ..
        } = self;
        eprintln!(
            "{whose}: {expressions} expressions, {refused} refused by both, {points} points, {exact} equal to the bit, \
             {differing} differ"
        );
    }

    fn differs(&mut self, example: String) {
        self.differing += 1;
        if self.examples.len() < 40 {
            self.examples.push(example);
        }
    }
}

fn labels(metric: &serde_json::Value) -> String {
    let metric = metric.as_object().unwrap().iter();
    Labels::new(metric.map(|(key, value)| (key.as_str(), value.as_str().unwrap()))).to_string()
}

fn same_as(binary: &str, dialect: Dialect) {
    let trace = Trace::new(11);
    let folder = server::Folder::new(&format!("parity-{dialect:?}"));
    server::create_blocks(&trace.open_metrics(), &folder);
    let prometheus = Prometheus::over(binary, &[], "", folder);
    let samples = trace.samples(dialect);
    let mut count = Count::default();
    for expr in expressions::all() {
        let theirs = prometheus.range(&expr.to_string(), START_MS, END_MS, STEP_MS);
        count.compare(&expr, ours(&expr, &samples, STEP_MS), theirs);
    }
    count.report(&format!("{dialect:?}"));
    assert_eq!(count.differing, 0, "{}", count.examples.join("\n"));
    assert!(count.expressions >= 350 && count.points > 500_000);
    assert!(count.refused * 5 < count.expressions);
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn expressions_are_those_of_2_42() {
    same_as("prometheus", Dialect::V2_42);
}

#[test]
#[ignore = "needs Prometheus 2.53: tests/run"]
fn expressions_are_those_of_2_53() {
    let binary = std::env::var("PLIMSOLL_PROMETHEUS2_53").expect("set by tests/run");
    same_as(&binary, Dialect::V2_53);
}

#[test]
#[ignore = "needs Prometheus 3: tests/run"]
fn expressions_are_those_of_3() {
    let binary = std::env::var("PLIMSOLL_PROMETHEUS3").expect("set by tests/run");
    same_as(&binary, Dialect::V3);
}
