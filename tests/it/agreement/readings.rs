//! What `budgets()` and `slos()` say, tick by tick over three hours, beside what Prometheus makes of the same pages: states and since
//! when, values, burn rates, what is left of error budgets, and limits that are learned.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plimsoll::band::Dynamic;
use plimsoll::expr::{Labels, Samples};
use plimsoll::rule::{Evaluator, Rule, RuleFile, RuleGroup};
use plimsoll::{
    AlertState, Budget, BudgetReading, Expr, Plimsoll, Sampling, Select, Selector, SloReading,
};

use super::promises::slos;
use super::trace::{self, Process, SCRAPE_MS, STEADY, Trace};
use super::{judged, together};
use crate::parity::trace::Random;
use crate::promql::promtool::{Folder, versions};

const MINUTE: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_millis(SCRAPE_MS as u64);
/// From before the first incident, over the gap between scrapes and the pause, to after the idle half of an hour.
const SPAN_MS: std::ops::Range<i64> = 50 * 60_000..228 * 60_000;

/// Limits that are learned come with the page.
fn learned() -> Vec<Budget> {
    let dynamic = || Dynamic::default().every(MINUTE);
    let read = || Select::operation("read");
    vec![
        Budget::quantile("learned-p95", read(), 0.95)
            .at_most(Duration::from_millis(210))
            .dynamic(dynamic())
            .over(5 * MINUTE),
        Budget::error_ratio("learned-errors", read())
            .dynamic(dynamic().floor(0.04))
            .over(4 * MINUTE)
            .sustained(MINUTE)
            .min_events(20),
        Budget::throughput("learned-floor", Select::operation("job-*"))
            .dynamic(dynamic().margin(0.5))
            .over(3 * MINUTE)
            .per("operation"),
    ]
}

/// Everything that is judged at every tick.
fn groups() -> Vec<RuleGroup> {
    let learned = learned().into_iter().map(|budget| budget.rule_group());
    let groups = together().into_iter().chain(learned);
    groups.map(|group| group.every(EVERY)).collect()
}

/// What a reader says at a moment; numbers by their bits.
#[derive(Debug, Default, PartialEq)]
struct Said {
    /// By labels, the state and since when its condition holds.
    alerts: BTreeMap<String, (AlertState, i64)>,
    values: BTreeMap<String, u64>,
}

impl Said {
    fn alert(&mut self, labels: Labels, state: AlertState, since_ms: i64) {
        if state != AlertState::Inactive {
            let stands = (state, since_ms);
            let same = self.alerts.insert(labels.to_string(), stands);
            assert!(same.is_none_or(|same| same == stands), "{labels}");
        }
    }

    fn value(&mut self, what: String, value: Option<f64>) {
        if let Some(value) = value.filter(|value| !value.is_nan()) {
            self.values.insert(what, value.to_bits());
        }
    }

    /// While nobody scrapes, a process alone knows what its budgets' parts are: absent data are then one alert of all of them.
    fn budget(&mut self, reading: &BudgetReading, gone: bool) {
        let name = &*reading.budget;
        let level = reading.level.as_str();
        let parts = reading.labels.iter().map(|(key, value)| (*key, &**value));
        let own = [
            ("alertname", name),
            ("budget", name),
            ("level", level),
            ("severity", reading.level.severity()),
        ];
        let known = parts.clone().filter(|_| !gone || level != "absent");
        let labels = Labels::new(own.into_iter().chain(known));
        self.alert(labels, reading.state, ms(reading.since));
        let parts = Labels::new(parts);
        if is_told(name) && level != "absent" {
            self.value(format!("value of {name} {level} {parts}"), reading.value);
        }
        if learned().iter().any(|budget| budget.name() == name) && level != "target" {
            self.value(
                format!("limit of {name} {level} {parts}"),
                Some(reading.limit),
            );
        }
    }

    fn slo(&mut self, reading: &SloReading) {
        let name = &*reading.slo;
        let parts = reading.labels.iter().map(|(key, value)| (*key, &**value));
        for alert in &reading.alerts {
            let (long, short) = (alert.long.as_deref(), alert.short.as_deref());
            let own = [
                ("alertname", name),
                ("slo", name),
                ("severity", alert.severity.as_str()),
                ("long", long.unwrap_or_default()),
                ("short", short.unwrap_or_default()),
                ("absent", if long.is_none() { "true" } else { "" }),
            ];
            let labels = Labels::new(own.into_iter().chain(parts.clone()));
            self.alert(labels, alert.state, ms(alert.since));
        }
        let parts = Labels::new(parts);
        for rate in reading.burn_rates.iter().filter(|_| is_told(name)) {
            let window = &rate.window;
            self.value(format!("burn rate of {name} {window} {parts}"), rate.rate);
        }
        if OF_OPERATIONS.contains(&name) {
            let left = reading.error_ratio.map(|_| reading.error_budget.remaining);
            self.value(format!("left of {name} {parts}"), left);
        }
    }

    /// While nobody scrapes, a process alone knows what is left of its error budgets.
    fn forget_what_is_left(&mut self, at_ms: i64) {
        if trace::is_gone(at_ms) {
            self.values.retain(|what, _| !what.starts_with("left of"));
        }
    }

    fn engine(plimsoll: &Plimsoll, at_ms: i64) -> Self {
        let mut said = Self::default();
        let gone = trace::is_gone(at_ms);
        let budgets = plimsoll.budgets();
        budgets.iter().for_each(|of| said.budget(of, gone));
        plimsoll.slos().iter().for_each(|of| said.slo(of));
        said.forget_what_is_left(at_ms);
        said
    }
}

/// SLOs whose counters on a page are those of the tick; others count at the tick.
const OF_OPERATIONS: [&str; 4] = ["api", "api-fast", "month", "jobs-kept"];

/// Whether what is shown is what is judged: quantiles are shown by histograms, and where evidence is asked for, the plain share is.
fn is_told(name: &str) -> bool {
    let unsure = ["accepted", "reports"].contains(&name) || name.contains("-sure");
    !name.contains("-p9") && !unsure
}

fn ms(since: Option<SystemTime>) -> i64 {
    let since = since.and_then(|since| since.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_millis() as i64)
}

/// What both readers tell of a rule, in words, with what it is in Prometheus.
fn told() -> Vec<(String, Expr)> {
    let mut told = Vec::new();
    for rule in groups().iter().flat_map(|group| &group.rules) {
        let label = |key| rule.labels.get(key);
        let mut compared = Vec::new();
        judged(&rule.expr, &mut compared);
        if let [value, ..] = &compared[..]
            && is_told(label("budget"))
            && label("slo").is_empty()
            && label("level") != "absent"
        {
            let what = format!("value of {} {}", label("budget"), label("level"));
            told.push((what, value.clone()));
        }
        if let [long, short, ..] = &compared[..]
            && !label("slo").is_empty()
            && is_told(label("slo"))
        {
            for (window, ratio) in [("long", long), ("short", short)] {
                let what = format!("burn rate of {} {}", label("slo"), label(window));
                let rate = ratio.clone() / Expr::Number(budget_of(label("slo")));
                told.push((what, rate));
            }
        }
    }
    for name in OF_OPERATIONS {
        let counter = |family: &str| {
            let counter = Selector::new(family).label("budget", name);
            let by = (name == "jobs-kept").then_some("operation");
            Expr::select(counter).sum_by(by)
        };
        let ratio = counter("plimsoll_sli_bad_total") / counter("plimsoll_sli_valid_total");
        let left = Expr::Number(1.0) - ratio / Expr::Number(budget_of(name));
        told.push((format!("left of {name}"), left));
    }
    for budget in learned() {
        for level in ["warning", "critical"] {
            let band = Selector::new("plimsoll_budget_band");
            let band = band.label("budget", budget.name()).label("level", level);
            let what = format!("limit of {} {level}", budget.name());
            told.push((what, Expr::select(band)));
        }
    }
    told
}

/// The error budget of an SLO, as it is written: 0.005, not 0.0050000000000000044.
fn budget_of(slo: &str) -> f64 {
    let of = slos().into_iter().find(|known| known.0.name() == slo);
    ((1.0 - of.unwrap().1) * 1e12).round() / 1e12
}

/// Labels that a target gives do not tell parts apart.
fn without_target<'a>(labels: &'a Labels, but: &[&'a str]) -> Labels {
    let own = labels.iter();
    Labels::new(
        own.filter(|label| !["job", "instance"].contains(&label.0) && !but.contains(&label.0)),
    )
}

/// The pages, and what the process said after each tick.
type Run = (Trace, Vec<(i64, Said)>);

fn run() -> &'static Run {
    static RUN: LazyLock<Run> = LazyLock::new(run_anew);
    &RUN
}

fn run_anew() -> Run {
    let process = Process::new(SPAN_MS.start, |builder| {
        builder
            .sampling(Sampling::Scrape)
            .target(STEADY.job, STEADY.instance)
            .budgets(learned())
    });
    let (mut trace, mut said) = (Trace::default(), Vec::new());
    let mut random = Random(5);
    for at_ms in SPAN_MS.step_by(SCRAPE_MS as usize).skip(1) {
        process.work_to(&mut random, at_ms);
        if !trace::is_gone(at_ms) {
            trace.scrape(&STEADY, &process, at_ms);
        }
        process.plimsoll.tick();
        said.push((at_ms, Said::engine(&process.plimsoll, at_ms)));
    }
    (trace, said)
}

/// What the evaluator says of the same pages.
fn evaluated(
    evaluator: &mut Evaluator,
    samples: &Samples,
    at_ms: i64,
    told: &[(String, Expr)],
) -> Said {
    evaluator.evaluate(samples, at_ms);
    let mut said = Said::default();
    for alert in evaluator.alerts() {
        let labels = without_target(alert.labels(), &[]);
        said.alert(labels, alert.state(), alert.active_at_ms());
    }
    for (what, expr) in told {
        let value = evaluator.eval(expr, samples, at_ms).unwrap();
        for point in value.into_points() {
            let parts = without_target(&point.labels, &["__name__", "budget", "level"]);
            said.value(format!("{what} {parts}"), point.value.as_float());
        }
    }
    said.forget_what_is_left(at_ms);
    said
}

#[test]
fn readings_are_those_of_the_rules_at_every_tick() {
    let (trace, all) = run();
    let told = told();
    let mut evaluator = Evaluator::new(groups());
    let mut samples = Samples::new();
    let (mut alerts, mut values) = (0, 0);
    for (at_ms, engine) in all {
        trace.insert(&mut samples, at_ms - SCRAPE_MS, *at_ms);
        let rules = evaluated(&mut evaluator, &samples, *at_ms, &told);
        for (what, here) in &engine.alerts {
            assert_eq!(Some(here), rules.alerts.get(what), "{what} at {at_ms}");
        }
        for (what, here) in &engine.values {
            let there = rules.values.get(what).map(|bits| f64::from_bits(*bits));
            assert_eq!(Some(f64::from_bits(*here)), there, "{what} at {at_ms}");
        }
        assert_eq!(engine, &rules, "at {at_ms}");
        alerts += engine.alerts.len();
        values += engine.values.len();
    }
    eprintln!("{alerts} alerts and {values} values, all equal");
    assert!(alerts > 3_000 && values > 30_000, "{alerts} {values}");
}

/// The states that the process told at each tick, as a test of promtool.
fn as_tests(said: &[(i64, Said)]) -> String {
    let mut yaml = String::new();
    for (at_ms, said) in said {
        let elements = said.alerts.iter().map(|(labels, (state, _))| {
            let labels = labels.trim_end_matches('}');
            format!(
                "{{labels: '{labels}, alertstate=\"{}\"}}', value: 1}}",
                state.as_str()
            )
        });
        let elements: Vec<String> = elements.collect();
        let (second, elements) = (at_ms / 1_000, elements.join(", "));
        let expr = "max without (job, instance) (ALERTS)";
        writeln!(
            yaml,
            "      - {{expr: '{expr}', eval_time: {second}s, exp_samples: [{elements}]}}"
        )
        .unwrap();
    }
    yaml
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn states_at_every_tick_are_those_of_prometheus() {
    let (trace, said) = run();
    let [_, (promtool, _)] = versions();
    let groups = groups();
    let rules: Vec<&Rule> = groups.iter().flat_map(|group| &group.rules).collect();
    let exprs: Vec<&Expr> = rules.iter().map(|rule| &rule.expr).collect();
    let given = trace.of(&exprs).to_yaml();
    let folder = Folder::new();
    folder.write("rules.yml", &RuleFile::new(groups.clone()).to_string());
    let tests = format!(
        "rule_files: [rules.yml]\nevaluation_interval: 15s\ntests:\n  - interval: 3s\n    input_series:\n{given}    \
         promql_expr_test:\n{}",
        as_tests(said)
    );
    folder.write("tests.yml", &tests);
    let (fine, output) = folder.run(&promtool, &["test", "rules", "tests.yml"]);
    let start: String = output.chars().take(4_000).collect();
    assert!(fine, "{promtool:?}: {start}");
    let alerts: usize = said.iter().map(|(_, said)| said.alerts.len()).sum();
    eprintln!(
        "{promtool:?}: {} ticks, {alerts} states, all equal",
        said.len()
    );
}
