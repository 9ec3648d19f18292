//! Every generated alert lives through good traffic, bad traffic and good traffic again, here and in promtool.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use plimsoll::expr::{Dialect, Grouping, Samples};
use plimsoll::generate::{Declaration, RuleDialect, RuleOptions};
use plimsoll::rule::{Alert, AlertRule, Evaluator, Rule, RuleFile, RuleGroup, RuleKind};
use plimsoll::{AlertState, Expr, Selector};

use super::dashboards::{SHIPPED, shipped};
use super::declarations::{of_tables, rich};
use super::traffic::{Course, Read, Story, Traffic, courses, read_by, selectors};
use crate::promql::promtool::{Folder, versions};

const MINUTE: Duration = Duration::from_secs(60);

/// An alert, and the groups that it takes.
struct Case {
    groups: Vec<RuleGroup>,
    rule: Rule,
    /// Whether it speaks of each instance by itself.
    each: bool,
}

/// What became of an alert, in steps.
struct Life {
    story: Story,
    traffic: Traffic,
    pending: u64,
    firing: u64,
    gone: u64,
}

fn alert(rule: &Rule) -> &AlertRule {
    match &rule.kind {
        RuleKind::Alert(alert) => alert,
        _ => panic!("{} is no alert", rule.name()),
    }
}

/// Each alert with its own group; those of sloth read what two other groups record.
fn cases(file: &RuleFile) -> Vec<Case> {
    let mut cases = Vec::new();
    for group in file.groups() {
        for rule in &group.rules {
            if !matches!(rule.kind, RuleKind::Alert(_)) {
                continue;
            }
            let groups = match group.name.strip_prefix("sloth-slo-alerts-") {
                None => vec![group.clone()],
                Some(id) => {
                    let recordings = format!("sloth-slo-sli-recordings-{id}");
                    let recordings = file.groups().iter().filter(|of| of.name == recordings);
                    recordings.chain([group]).cloned().collect()
                }
            };
            cases.push(Case {
                groups,
                rule: rule.clone(),
                each: rule.labels.get("scope") == "instance",
            });
        }
    }
    cases
}

fn has_time(expr: &Expr) -> bool {
    match expr {
        Expr::Time => true,
        Expr::Aggregate(_, _, inner) | Expr::Call(_, inner) | Expr::Negate(inner) => {
            has_time(inner)
        }
        Expr::Quantile(left, right) | Expr::Binary(left, _, _, right) => {
            has_time(left) || has_time(right)
        }
        _ => false,
    }
}

/// The labels that sums keep, but those of instances.
fn parts(expr: &Expr, into: &mut Vec<String>) {
    match expr {
        Expr::Aggregate(_, grouping, inner) => {
            if let Grouping::By(labels) = grouping {
                let others = labels
                    .iter()
                    .filter(|label| !["job", "instance"].contains(&label.as_str()));
                into.extend(others.cloned());
            }
            parts(inner, into);
        }
        Expr::Call(_, inner) | Expr::Negate(inner) => parts(inner, into),
        Expr::Quantile(left, right) | Expr::Binary(left, _, _, right) => {
            parts(left, into);
            parts(right, into);
        }
        _ => {}
    }
}

impl Case {
    /// The rule, and the recordings that it reads.
    fn rules(&self) -> Vec<&Rule> {
        let mut read = Vec::new();
        selectors(&self.rule.expr, &mut read);
        let is_read = |rule: &&Rule| {
            let recorded = matches!(rule.kind, RuleKind::Record(_));
            recorded
                && read
                    .iter()
                    .any(|(selector, _)| selector.name() == rule.name())
        };
        let all = self.groups.iter().flat_map(|group| &group.rules);
        all.filter(is_read).chain([&self.rule]).collect()
    }

    /// The windows of the condition itself, which for those of sloth are told by its recordings' names.
    fn ranges(&self) -> Vec<Duration> {
        let mut read = Vec::new();
        selectors(&self.rule.expr, &mut read);
        let rules = self.rules();
        let mut recorded = Vec::new();
        for (selector, _) in &read {
            let makers = rules.iter().filter(|rule| rule.name() == selector.name());
            makers.for_each(|rule| selectors(&rule.expr, &mut recorded));
        }
        let all = read.iter().chain(&recorded);
        let mut ranges: Vec<Duration> = all
            .filter_map(|(_, how)| match how {
                Read::Range(range) => Some(*range),
                Read::Latest => None,
            })
            .collect();
        ranges.sort();
        ranges
    }

    fn query(&self) -> Expr {
        let labels = self.rule.labels.iter();
        let name = alert(&self.rule).name.as_str();
        // Labels of a rule are templates.
        let labels = labels.map(|(key, value)| (key, value.replace(r#"{{ "{{" }}"#, "{{")));
        let of = labels.fold(
            Selector::new("ALERTS").label("alertname", name),
            |selector, (key, value)| selector.label(key, value),
        );
        Expr::select(of)
    }

    /// Follows the alert through a story, until `stop` says so; the states that it was in, step by step.
    fn states(
        &self,
        traffic: &Traffic,
        story: Story,
        dialect: Dialect,
        stop: impl Fn(u64, Option<AlertState>) -> bool,
    ) -> Option<Vec<Option<AlertState>>> {
        // What others record or raise is of no account to it.
        let rules = self.rules().into_iter().cloned();
        let groups = [RuleGroup::new("all", rules).every(story.step)];
        let mut evaluator = Evaluator::new(groups);
        let mut samples = Samples::in_dialect(dialect);
        let mut states = Vec::new();
        for step in 0..=story.end {
            traffic.insert(&mut samples, step, story);
            evaluator.evaluate(&samples, (story.step.as_millis() as u64 * step) as i64);
            let state = evaluator
                .alerts()
                .map(|alert| alert.state())
                .max_by_key(|state| state.as_number());
            let of_other = |alert: &Alert| alert.labels().get("instance") == "b:2";
            if self.each && evaluator.alerts().any(of_other) {
                return None;
            }
            states.push(state);
            if stop(step, state) {
                break;
            }
        }
        assert_eq!(evaluator.failures(), 0, "{}", self.rule.expr);
        Some(states)
    }

    /// Finds the traffic that this alert is about: the first that fires it, and only then.
    fn life(&self, dialect: Dialect) -> Life {
        let read = read_by(self.rules());
        let choices: Vec<Vec<Course>> = read
            .iter()
            .map(|(labels, how)| courses(labels.get("__name__"), *how))
            .collect();
        let count: usize = choices.iter().map(Vec::len).product();
        for nth in 0..count.min(700) {
            let mut left = nth;
            let chosen: Vec<Course> = choices
                .iter()
                .map(|of| {
                    let course = of[left % of.len()];
                    left /= of.len();
                    course
                })
                .collect();
            if let Some(life) = self.lived(&read, &chosen, dialect) {
                return life;
            }
        }
        panic!(
            "no traffic fires {} {}: {}",
            self.rule.name(),
            self.rule.labels,
            self.rule.expr
        );
    }

    fn lived(
        &self,
        read: &std::collections::BTreeMap<plimsoll::expr::Labels, Read>,
        chosen: &[Course],
        dialect: Dialect,
    ) -> Option<Life> {
        let ranges = self.ranges();
        let (shortest, longest) = (
            ranges.first().copied().unwrap_or(MINUTE),
            ranges.last().copied().unwrap_or(MINUTE),
        );
        let step = Duration::from_secs((shortest.as_secs() / 4).clamp(1, 300));
        let steps = |time: Duration| time.as_secs().div_ceil(step.as_secs());
        let AlertRule {
            sustained,
            keep_firing,
            ..
        } = alert(&self.rule);
        let patience = if has_time(&self.rule.expr) {
            26 * 60 * MINUTE
        } else {
            longest + 6 * MINUTE
        };
        let bad_from = steps(longest.min(30 * MINUTE)) + 8;
        let mut story = Story {
            step,
            bad_from,
            bad_to: u64::MAX,
            end: bad_from + steps(patience + *sustained) + 8,
        };
        let mut parts_of = Vec::new();
        self.rules()
            .iter()
            .for_each(|rule| parts(&rule.expr, &mut parts_of));
        let make = |story| Traffic::new(read, chosen, &parts_of, story, !self.each);
        let is_over = |_, state| state == Some(AlertState::Firing);
        let traffic = make(story);
        let states = self.states(&traffic, story, dialect, is_over)?;
        let firing = states
            .iter()
            .position(|state| *state == Some(AlertState::Firing))? as u64;
        if firing <= bad_from || states[..=bad_from as usize].iter().any(Option::is_some) {
            return None;
        }
        let pending = states.iter().position(Option::is_some)? as u64;
        story.bad_to = firing + 2;
        story.end = story.bad_to + steps(longest + *keep_firing + 6 * MINUTE) + 8;
        let traffic = make(story);
        let states = self.states(&traffic, story, dialect, |step, state| {
            step > firing && state.is_none()
        })?;
        if states.last() != Some(&None) {
            return None;
        }
        let gone = states.len() as u64 - 1;
        story.end = gone + 2;
        let traffic = make(story);
        Some(Life {
            story,
            traffic,
            pending,
            firing,
            gone,
        })
    }
}

impl Life {
    /// The moments that matter, in steps, with the state that the alert is in.
    fn moments(&self, sustained: Duration) -> Vec<(u64, Option<&'static str>)> {
        let before = (!sustained.is_zero()).then_some("pending");
        let mut moments = vec![
            (self.story.bad_from, None),
            (self.pending - 1, None),
            (self.firing - 1, before),
            (self.firing, Some("firing")),
            (self.gone - 1, Some("firing")),
            (self.gone, None),
            (self.story.end, None),
        ];
        if !sustained.is_zero() {
            moments.push((self.pending, before));
        }
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    /// A file of tests for promtool.
    fn tests(&self, case: &Case, rules: &str) -> String {
        let seconds = self.story.step.as_secs();
        let mut text = format!(
            "rule_files: [{rules}]\nevaluation_interval: {seconds}s\ntests:\n  - interval: {seconds}s\n    input_series:\n{}    promql_expr_test:\n",
            self.traffic.to_yaml()
        );
        // How many alerts there are by state: which labels they have besides is seen where they are listed.
        let query = format!("count by (alertstate, scope, instance) ({})", case.query());
        let query = serde_json::to_string(&query).unwrap();
        for (step, state) in self.moments(alert(&case.rule).sustained) {
            let samples = state.map_or(String::new(), |state| {
                let instance = if case.each { "instance=\"a:1\"," } else { "" };
                let scope = case.rule.labels.get("scope");
                format!(
                    "{{labels: '{{alertstate=\"{state}\",{instance}scope=\"{scope}\"}}', value: 1}}"
                )
            });
            let at = step * seconds;
            writeln!(
                text,
                "      - {{expr: {query}, eval_time: {at}s, exp_samples: [{samples}]}}"
            )
            .unwrap();
        }
        text
    }
}

/// The life of each alert here, checked for what it has to be.
fn lives(
    declaration: &Declaration,
    dialect: RuleDialect,
    arithmetic: Dialect,
) -> Vec<(Case, Life)> {
    let file = declaration.rules(RuleOptions::new().dialect(dialect));
    // Budgets are the same in both.
    let sloths = dialect == RuleDialect::Sloth;
    let cases = cases(&file).into_iter();
    let cases = cases.filter(|case| !sloths || !case.rule.labels.get("sloth_id").is_empty());
    let lives = cases.map(|case| {
        let life = case.life(arithmetic);
        let lasted = life.story.step * u32::try_from(life.firing - life.pending).unwrap();
        let (sustained, step) = (alert(&case.rule).sustained, life.story.step);
        assert!(
            lasted >= sustained && lasted < sustained + step,
            "{}",
            case.rule.labels
        );
        (case, life)
    });
    lives.collect()
}

fn in_promtool(declarations: &[Declaration], dialect: RuleDialect) {
    for (promtool, arithmetic) in versions() {
        let folder = Folder::new();
        let (mut files, mut each, mut fleet) = (Vec::new(), 0, 0);
        for declaration in declarations {
            for (case, life) in lives(declaration, dialect, arithmetic) {
                let nth = files.len();
                let rules = format!("rules-{nth}.yml");
                // promtool evaluates groups of a moment in any order, so what an alert reads stands in one group with it.
                let all = case.groups.iter().flat_map(|group| group.rules.clone());
                folder.write(
                    &rules,
                    &RuleFile::new([RuleGroup::new("all", all)]).to_string(),
                );

                let tests = format!("tests-{nth}.yml");
                folder.write(&tests, &life.tests(&case, &rules));
                files.push(tests);
                *(if case.each { &mut each } else { &mut fleet }) += 1;
            }
        }
        check(&promtool, &folder, &files);
        eprintln!(
            "{promtool:?}: {each} alerts of instances and {fleet} of the fleet live as they should"
        );
        assert!(fleet > 25, "{fleet}");
    }
}

fn check(promtool: &Path, folder: &Folder, files: &[String]) {
    for some in files.chunks(50) {
        let arguments: Vec<&str> = ["test", "rules"]
            .into_iter()
            .chain(some.iter().map(String::as_str))
            .collect();
        let (fine, said) = folder.run(promtool, &arguments);
        let wrong: String = said
            .lines()
            .filter(|line| {
                !line.contains("SUCCESS")
                    && !line.contains("Unit Testing")
                    && !line.trim().is_empty()
            })
            .take(60)
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(fine, "{promtool:?}: {wrong}");
    }
}

#[test]
fn alerts_of_tables_fire_after_their_time_and_resolve() {
    let count: usize = of_tables()
        .iter()
        .map(|declaration| lives(declaration, RuleDialect::Plimsoll, Dialect::V3).len())
        .sum();
    assert!(count > 150, "{count}");
}

#[test]
#[ignore = "needs promtool: tests/run"]
fn every_alert_lives_in_promtool() {
    in_promtool(&[rich()], RuleDialect::Plimsoll);
}

#[test]
#[ignore = "needs promtool: tests/run"]
fn every_alert_of_the_tables_lives_in_promtool() {
    in_promtool(&of_tables(), RuleDialect::Plimsoll);
}

#[test]
#[ignore = "needs promtool: tests/run"]
fn every_alert_that_comes_with_the_crate_lives_in_promtool() {
    in_promtool(&SHIPPED.map(shipped), RuleDialect::Plimsoll);
}

#[test]
#[ignore = "needs promtool: tests/run"]
fn every_alert_of_sloth_lives_in_promtool() {
    in_promtool(&[rich()], RuleDialect::Sloth);
}
