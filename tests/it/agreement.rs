//! Budgets and SLOs of every kind over a trace of six hours, judged here and by a real Prometheus: the same alerts at every
//! evaluation, the same values.

pub(crate) mod promises;
mod readings;
mod trace;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::LazyLock;
use std::time::Duration;

use plimsoll::expr::{Dialect, Samples, eval};
use plimsoll::rule::{Evaluator, Rule, RuleFile, RuleGroup, RuleKind};
use plimsoll::{AlertState, Expr, Selector};

use crate::parity::server::{self, Prometheus};
use crate::parity::{Count, Points};
use crate::promql::promtool::{Folder, versions};
use promises::{budgets, slos};
use trace::{END_MS, SCRAPE_MS, Trace};

/// The one that all tests go by.
fn trace() -> &'static Trace {
    static TRACE: LazyLock<Trace> = LazyLock::new(|| Trace::new(5));
    &TRACE
}

/// Between two evaluations.
const EVERY_MS: i64 = 2 * SCRAPE_MS;
const EVERY: Duration = Duration::from_millis(EVERY_MS as u64);

/// What the conditions compare with their limits.
fn judged(condition: &Expr, into: &mut Vec<Expr>) {
    let Expr::Binary(left, op, _, right) = condition else {
        return;
    };
    if op.is_set() {
        judged(left, into);
        judged(right, into);
    } else if op.is_comparison() && !matches!(**left, Expr::Call(..)) {
        into.push((**left).clone());
    }
}

/// The rules of all promises: of all instances together, or one by one.
fn together() -> Vec<RuleGroup> {
    let budgets = budgets().into_iter().map(|budget| budget.rule_group());
    let slos = slos().into_iter().flat_map(|(slo, _)| slo.rule_groups());
    budgets
        .chain(slos)
        .map(|group| group.every(EVERY))
        .collect()
}

fn by_instance() -> Vec<RuleGroup> {
    let groups = budgets().into_iter();
    let groups = groups.map(|budget| budget.rule_group_by(["job", "instance"]));
    groups.map(|group| group.every(EVERY)).collect()
}

/// Records the burn rates of the SLOs over the windows of their first alert.
fn burn_rates() -> RuleGroup {
    let mut rules = Vec::new();
    for (slo, objective) in slos() {
        let budget = 1.0 - objective;
        let mut ratios = Vec::new();
        judged(&slo.rule_groups()[0].rules[0].expr, &mut ratios);
        for (nth, ratio) in ratios.into_iter().take(2).enumerate() {
            // Tests for promtool know no NaN.
            let burns = (ratio / Expr::Number(budget)).greater_equal(0.0);
            let rule = Rule::record("burn_rate", burns);
            rules.push(rule.label("slo", slo.name()).label("nth", &nth.to_string()));
        }
    }
    RuleGroup::new("burn-rates", rules).every(EVERY)
}

/// What an evaluator found over the trace.
#[derive(Default)]
struct Found {
    /// Tests for promtool.
    yaml: String,
    /// Of groups.
    evaluations: usize,
    alerts: usize,
    /// The rules with an alert that fired, and those with one that did so no more.
    fired: BTreeSet<(usize, usize)>,
    ended: BTreeSet<(usize, usize)>,
}

impl Found {
    /// Judges each group by itself, over what it reads.
    fn new(groups: &[RuleGroup], trace: &Trace, dialect: Dialect) -> Self {
        let mut found = Self::default();
        let mut elements = vec![Vec::new(); (END_MS / EVERY_MS) as usize + 1];
        for (nth, group) in groups.iter().enumerate() {
            let read: Vec<&Expr> = group.rules.iter().map(|rule| &rule.expr).collect();
            found.follow(nth, group, &trace.of(&read), dialect, &mut elements);
        }
        for (nth, [alerts, recorded]) in elements.iter().map(|those| by_family(those)).enumerate() {
            let second = nth as i64 * EVERY_MS / 1_000;
            for (family, elements) in [("ALERTS", alerts), ("burn_rate", recorded)] {
                let expected = elements.join(", ");
                let test =
                    format!("{{expr: {family}, eval_time: {second}s, exp_samples: [{expected}]}}");
                writeln!(found.yaml, "      - {test}").unwrap();
            }
        }
        found
    }

    fn follow(
        &mut self,
        nth: usize,
        group: &RuleGroup,
        trace: &Trace,
        dialect: Dialect,
        elements: &mut [Vec<String>],
    ) {
        let mut evaluator = Evaluator::new([group.clone()]);
        let mut samples = Samples::in_dialect(dialect);
        for (step, elements) in elements.iter_mut().enumerate() {
            let at_ms = step as i64 * EVERY_MS;
            trace.insert(&mut samples, at_ms - EVERY_MS, at_ms);
            for change in evaluator.evaluate(&samples, at_ms) {
                let seen = match change.to {
                    AlertState::Firing => &mut self.fired,
                    _ => &mut self.ended,
                };
                if change.to == AlertState::Firing || change.from == AlertState::Firing {
                    seen.insert((nth, change.rule));
                }
            }
            self.evaluations += 1;
            for family in ["ALERTS", "burn_rate"] {
                let select = Expr::select(Selector::new(family));
                let points = evaluator.eval(&select, &samples, at_ms).unwrap();
                elements.extend(points.into_points().into_iter().map(|point| {
                    let value = point.value.as_float().unwrap();
                    format!("{{labels: '{}', value: {value}}}", point.labels)
                }));
            }
            self.alerts += evaluator.alerts().count();
        }
        assert_eq!(evaluator.failures(), 0);
    }
}

impl Found {
    /// Whether a rule's alert fired, and ended.
    fn saw(&self, rule: &(usize, usize)) -> bool {
        self.fired.contains(rule) && self.ended.contains(rule)
    }
}

/// The alerts, and what is recorded.
fn by_family(elements: &[String]) -> [Vec<&str>; 2] {
    let of = |alerts: bool| {
        let elements = elements.iter().map(String::as_str);
        elements
            .filter(|element| element.contains("__name__=\"ALERTS\"") == alerts)
            .collect()
    };
    [of(true), of(false)]
}

fn alert_rules(groups: &[RuleGroup]) -> impl Iterator<Item = ((usize, usize), &Rule)> + Clone {
    groups.iter().enumerate().flat_map(|(group, of)| {
        let rules = of.rules.iter().enumerate();
        rules.map(move |(rule, of)| ((group, rule), of))
    })
}

fn stand_as_in_prometheus(groups: Vec<RuleGroup>, grain: &str) {
    let trace = trace();
    let exprs: Vec<&Expr> = alert_rules(&groups).map(|(_, rule)| &rule.expr).collect();
    let given = trace.of(&exprs).to_yaml();
    for (promtool, dialect) in versions() {
        let found = Found::new(&groups, trace, dialect);
        let folder = Folder::new();
        folder.write("rules.yml", &RuleFile::new(groups.clone()).to_string());
        let tests = format!(
            "rule_files: [rules.yml]\nevaluation_interval: 30s\ntests:\n  - interval: 3s\n    input_series:\n{given}    \
             promql_expr_test:\n{}",
            found.yaml
        );
        folder.write("tests.yml", &tests);
        let (fine, said) = folder.run(&promtool, &["test", "rules", "tests.yml"]);
        let start: String = said.chars().take(4_000).collect();
        assert!(fine, "{promtool:?}, {grain}: {start}");
        let rules =
            alert_rules(&groups).filter(|(_, rule)| matches!(rule.kind, RuleKind::Alert(_)));
        let (count, idle) = (
            rules.clone().count(),
            rules.filter(|(place, _)| !found.saw(place)),
        );
        // Six hours are too short for some of the long windows.
        let idle = idle.filter(|(_, rule)| ["", "12m"].contains(&rule.labels.get("long")));
        let idle: Vec<String> = idle.map(|(_, rule)| rule.labels.to_string()).collect();
        assert!(
            idle.is_empty(),
            "never fire or never end, and prove nothing: {idle:?}"
        );
        eprintln!(
            "{promtool:?}, {grain}: {} evaluations of {} groups with {count} alerting rules, {} alerts, all equal",
            found.evaluations / groups.len(),
            groups.len(),
            found.alerts
        );
    }
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn alerts_over_all_instances_stand_as_in_prometheus() {
    let groups = [together(), vec![burn_rates()]].concat();
    stand_as_in_prometheus(groups, "together");
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn alerts_of_each_instance_stand_as_in_prometheus() {
    stand_as_in_prometheus(by_instance(), "by instance");
}

/// Every distinct condition, what it judges, and the burn rates.
fn exprs() -> Vec<Expr> {
    let groups = [together(), by_instance(), vec![burn_rates()]].concat();
    let mut exprs = Vec::new();
    for (_, rule) in alert_rules(&groups) {
        judged(&rule.expr, &mut exprs);
        exprs.push(rule.expr.clone());
    }
    let mut seen = BTreeSet::new();
    exprs.retain(|expr| seen.insert(expr.to_string()));
    exprs
}

#[test]
fn conditions_are_read_as_they_are_printed() {
    let exprs = exprs();
    assert!(exprs.len() > 150, "{}", exprs.len());
    for expr in exprs {
        assert_eq!(Expr::parse(&expr.to_string()).as_ref(), Ok(&expr), "{expr}");
    }
}

/// Not the scrapes' distance, so that edges of ranges meet samples and miss them.
const STEP_MS: i64 = 95_000;

fn ours(expr: &Expr, samples: &Samples) -> Result<Points, String> {
    let mut points = Points::new();
    for at_ms in (0..=END_MS).step_by(STEP_MS as usize) {
        let value = eval(expr, samples, at_ms).map_err(|error| error.to_string())?;
        for point in value.into_points() {
            points.insert(
                (at_ms, point.labels.to_string()),
                point.value.as_float().unwrap(),
            );
        }
    }
    Ok(points)
}

fn values_are_those_of(binary: &str, dialect: Dialect) {
    let trace = trace();
    let folder = server::Folder::new(&format!("agreement-{dialect:?}"));
    server::create_blocks(&trace.open_metrics(), &folder);
    let prometheus = Prometheus::over(binary, &["--storage.tsdb.retention.time=100y"], "", folder);
    let mut count = Count::default();
    for expr in exprs() {
        let theirs = prometheus.range(&expr.to_string(), 0, END_MS, STEP_MS);
        let samples = trace.of(&[&expr]).numbers(dialect);
        count.compare(&expr, ours(&expr, &samples), theirs);
    }
    count.report(&format!("{dialect:?}"));
    assert_eq!(count.differing, 0, "{}", count.examples.join("\n"));
    assert!(count.refused == 0 && count.points > 50_000);
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn values_are_those_of_2_42() {
    values_are_those_of("prometheus", Dialect::V2_42);
}

#[test]
#[ignore = "needs Prometheus 2.53: tests/run"]
fn values_are_those_of_2_53() {
    let binary = std::env::var("PLIMSOLL_PROMETHEUS2_53").expect("set by tests/run");
    values_are_those_of(&binary, Dialect::V2_53);
}

#[test]
#[ignore = "needs Prometheus 3: tests/run"]
fn values_are_those_of_3() {
    let binary = std::env::var("PLIMSOLL_PROMETHEUS3").expect("set by tests/run");
    values_are_those_of(&binary, Dialect::V3);
}

/// What is wrong in an expression is wrong in both readers: so each one is kept as it was read by people.
#[test]
fn rules_are_those_that_were_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");
    for (name, groups) in [("rules", together()), ("rules-by-instance", by_instance())] {
        let path = format!("{folder}/{name}.yml");
        let printed = RuleFile::new(groups).to_string();
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let differing = printed
            .lines()
            .zip(kept.lines())
            .find(|lines| lines.0 != lines.1);
        assert_eq!(differing, None, "{path}: BLESS=1 writes it anew");
        assert_eq!(printed.lines().count(), kept.lines().count(), "{path}");
    }
}
