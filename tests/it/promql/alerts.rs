//! Alerts beside Prometheus' own, at every evaluation.

use std::collections::BTreeSet;
use std::fmt::Write;

use plimsoll::expr::{Dialect, Labels, Samples};
use plimsoll::rule::{Evaluator, RuleFile};
use plimsoll::{Expr, Selector};

use super::promtool::{Folder, versions};

const STEP_MS: i64 = 15_000;
const STEPS: i64 = 160;

/// A generator of pseudo-random numbers, always the same for a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What is at one step of a series.
#[derive(Clone, Copy)]
enum Given {
    Value(u64),
    Nothing,
    End,
}

struct Trace(Vec<(Labels, Vec<Given>)>);

impl Trace {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut series = Vec::new();
        for instance in ["0", "1", "2"] {
            for (name, counts) in [("x", false), ("bad_total", true), ("valid_total", true)] {
                let labels = Labels::new([("__name__", name), ("i", instance)]);
                series.push((labels, given(&mut random, counts)));
            }
        }
        Self(series)
    }

    fn at(&self, samples: &mut Samples, step: i64) {
        for (labels, given) in &self.0 {
            match given[step as usize] {
                Given::Value(value) => samples.insert(labels, step * STEP_MS, value as f64),
                Given::End => samples.insert_stale(labels, step * STEP_MS),
                Given::Nothing => {}
            }
        }
    }

    /// As promtool wants it.
    fn to_yaml(&self) -> String {
        let mut yaml = String::new();
        for (labels, given) in &self.0 {
            let values = given.iter().map(|given| match given {
                Given::Value(value) => value.to_string(),
                Given::Nothing => "_".to_owned(),
                Given::End => "stale".to_owned(),
            });
            let values: Vec<String> = values.collect();
            writeln!(
                yaml,
                "      - series: '{labels}'\n        values: '{}'",
                values.join(" ")
            )
            .unwrap();
        }
        yaml
    }
}

/// Calm and trouble by turns, gaps, ends; for counters resets too.
fn given(random: &mut Random, counts: bool) -> Vec<Given> {
    let (mut calm, mut total, mut gone) = (true, 0, 0);
    let step = |_| {
        if random.below(8) == 0 {
            calm = !calm;
        }
        if gone > 0 {
            gone -= 1;
            return Given::Nothing;
        }
        if random.below(25) == 0 {
            gone = random.below(4);
            return Given::End;
        }
        if random.below(30) == 0 {
            gone = random.below(30);
            return Given::Nothing;
        }
        let value = random.below(if calm { 6 } else { 10 });
        total = if random.below(40) == 0 {
            0
        } else {
            total + value
        };
        Given::Value(if counts { total } else { value })
    };
    (0..STEPS).map(step).collect()
}

/// Every shape of rule with many a `for` and `keep_firing_for`.
fn rules() -> String {
    let mut yaml = "groups:\n- name: all\n  interval: 15s\n  rules:\n".to_owned();
    let shapes = [
        ("Level", "x > 4"),
        ("Summed", "sum(x) > 12"),
        ("Absent", "absent(x{i='1'})"),
        ("Gone", "absent(x > 4)"),
        ("Recorded", "level > 4"),
        ("Smoothed", "avg_over_time(level[1m]) > 4"),
        (
            "Ratio",
            "sum by (i) (rate(bad_total[1m])) / sum by (i) (rate(valid_total[1m])) > 0.8",
        ),
        (
            "Guarded",
            "sum(rate(bad_total[1m])) / sum(rate(valid_total[1m])) > 0.9 and sum(increase(valid_total[1m])) >= 40",
        ),
        ("Late", "later > 5"),
        (
            "Crowd",
            "count(ALERTS{alertname='Level',alertstate='firing'}) >= 2",
        ),
        (
            "Old",
            "time() - max by (i) (ALERTS_FOR_STATE{alertname='Level'}) > 30",
        ),
        (
            "Unless",
            "x > 3 unless on (i) ALERTS{alertname='Level',alertstate='firing'}",
        ),
        ("Number", "vector(1)"),
        ("Scalar", "scalar(sum(x))"),
    ];
    yaml += "  - record: level\n    expr: max by (i) (x)\n    labels: {kind: recorded}\n";
    yaml += "  - record: filtered\n    expr: x > 5\n";
    let times = [
        ("0s", "0s"),
        ("15s", "0s"),
        ("30s", "15s"),
        ("40s", "30s"),
        ("0s", "40s"),
        ("1m", "1m"),
        ("14s", "16s"),
    ];
    for (nth, (held, kept)) in times.into_iter().enumerate() {
        for (name, expr) in shapes {
            write!(yaml, "  - alert: {name}\n    expr: {expr}\n    for: {held}\n    keep_firing_for: {kept}\n    labels: {{nth: n{nth}}}\n")
                .unwrap();
        }
        let own = format!("ALERTS{{alertname='Hysteresis',nth='n{nth}',alertstate='firing'}}");
        let expr = format!("x > 6 or (x > 2 and ignoring (alertname, alertstate, nth) {own})");
        write!(yaml, "  - alert: Hysteresis\n    expr: {expr}\n    for: {held}\n    keep_firing_for: {kept}\n    labels: {{nth: n{nth}}}\n")
            .unwrap();
    }
    yaml + "  - record: later\n    expr: sum(filtered)\n"
}

/// The elements of a family as the evaluator has them, as promtool expects them.
fn elements(
    evaluator: &Evaluator,
    samples: &Samples,
    family: &str,
    at_ms: i64,
) -> BTreeSet<String> {
    let select = Expr::select(Selector::new(family));
    let points = evaluator
        .eval(&select, samples, at_ms)
        .unwrap()
        .into_points();
    let element = |point: plimsoll::expr::Point| {
        format!(
            "{{labels: '{}', value: {}}}",
            point.labels,
            point.value.as_float().unwrap()
        )
    };
    points.into_iter().map(element).collect()
}

/// What our own evaluator finds at each step, as tests for promtool, and how many elements of `ALERTS` that are.
fn tests(file: &RuleFile, trace: &Trace, dialect: Dialect) -> (String, usize) {
    let mut evaluator = Evaluator::new(file.groups().iter().cloned());
    let mut samples = Samples::in_dialect(dialect);
    let (mut yaml, mut count) = (String::new(), 0);
    for step in 0..STEPS {
        let at_ms = step * STEP_MS;
        trace.at(&mut samples, step);
        evaluator.evaluate(&samples, at_ms);
        let alerts = elements(&evaluator, &samples, "ALERTS", at_ms);
        let told = evaluator.alerts().count();
        assert_eq!(alerts.len(), told, "what is told is what is in ALERTS");
        count += told;
        for family in ["ALERTS", "ALERTS_FOR_STATE", "level", "filtered", "later"] {
            let expected: Vec<String> = elements(&evaluator, &samples, family, at_ms)
                .into_iter()
                .collect();
            let expected = expected.join(", ");
            writeln!(
                yaml,
                "      - {{expr: {family}, eval_time: {}s, exp_samples: [{expected}]}}",
                at_ms / 1_000
            )
            .unwrap();
        }
    }
    assert_eq!(evaluator.failures(), 0);
    (yaml, count)
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn alerts_stand_as_in_prometheus_at_every_evaluation() {
    let text = rules();
    let file = RuleFile::parse(&text).unwrap();
    for (promtool, dialect) in versions() {
        let (mut found, mut evaluations) = (0, 0);
        for seed in 1..=4 {
            let trace = Trace::new(seed);
            let (tests, count) = tests(&file, &trace, dialect);
            let folder = Folder::new();
            // What people wrote, and what we print of it.
            let given = if seed % 2 == 0 {
                text.clone()
            } else {
                file.to_string()
            };
            folder.write("rules.yml", &given);
            folder.write(
                "tests.yml",
                &format!(
                    "rule_files: [rules.yml]\nevaluation_interval: 15s\ntests:\n  - interval: 15s\n    input_series:\n{}    \
                     promql_expr_test:\n{tests}",
                    trace.to_yaml()
                ),
            );
            let (fine, said) = folder.run(&promtool, &["test", "rules", "tests.yml"]);
            let start: String = said.chars().take(4_000).collect();
            assert!(fine, "{promtool:?}, seed {seed}: {start}");
            found += count;
            evaluations += STEPS;
        }
        println!(
            "{promtool:?}: {evaluations} evaluations of {} rules, {found} alerts, all equal",
            file.groups()[0].rules.len()
        );
    }
}
