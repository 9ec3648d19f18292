//! The page of one alert.

use std::fmt::{self, Display, Formatter};

use super::checks::{self, Check};
use super::families::Families;
use super::words::{self, percent, tidy, time};
use super::{Alert, Declaration, Origin, tree};
use crate::budget::{Budget, Level, Sli};
use crate::generate::markdown::{block, shell, text};
use crate::rule::{AlertRule, Rule};
use crate::slo::{Slo, window_name};

pub(super) struct Page<'a> {
    declaration: &'a Declaration,
    alert: &'a Alert<'a>,
    checks: Vec<Check>,
}

impl<'a> Page<'a> {
    pub(super) fn new(declaration: &'a Declaration, alert: &'a Alert<'a>) -> Self {
        let families = Families::new(&declaration.naming, declaration.job());
        Self {
            declaration,
            alert,
            checks: checks::of(alert, &families),
        }
    }

    fn head(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}\n", text(&self.alert.name))?;
        writeln!(
            f,
            "An alert of the service {} (job {}). [All alerts](../README.md)\n",
            text(&self.declaration.service),
            text(self.declaration.job())
        )?;
        writeln!(f, "## What it means\n\n{}\n", words::meaning(self.alert))
    }

    fn conditions(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(
            "## When it fires and clears\n\n\
             | scope | severity | limit | clears at | window | for | keeps firing for | told |\n|---|---|---|---|---|---|---|---|\n",
        )?;
        for (rule, alert) in &self.alert.rules {
            let [limit, clears, window] = bounds(self.alert.origin, rule);
            let severity = rule.labels.get("severity");
            let told = match self.alert.origin {
                Origin::Written => "by its labels",
                _ => {
                    let escalation = rule.labels.get("escalation");
                    let operations = &self.declaration.extras.operations;
                    operations.receiver(severity, escalation)
                }
            };
            let scope = rule.labels.get("scope");
            let AlertRule {
                sustained,
                keep_firing,
                ..
            } = alert;
            writeln!(
                f,
                "| {} | {} | {limit} | {clears} | {window} | {} | {} | {} |",
                text(scope),
                text(severity),
                time(*sustained),
                time(*keep_firing),
                text(told)
            )?;
        }
        f.write_str(
            "\nScope `instance` is each process by itself, `fleet` all of them together. An alert fires once its condition has held for \
             the time under *for*, and resolves by itself when it no longer holds. Several rows of one severity are windows, or levels \
             of escalation: who is told later is told only if it still fires then.\n\n",
        )?;
        self.promql(f)
    }

    /// Each condition once: levels of escalation have the same.
    fn promql(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut told: Vec<String> = Vec::new();
        for (rule, _) in &self.alert.rules {
            let condition = rule.expr.to_string();
            if told.contains(&condition) {
                continue;
            }
            let (scope, severity) = (rule.labels.get("scope"), rule.labels.get("severity"));
            writeln!(f, "Condition, {} {}:\n", text(scope), text(severity))?;
            writeln!(f, "{}", block("promql", &condition))?;
            told.push(condition);
        }
        Ok(())
    }

    fn queries(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("## What to look at first\n\n")?;
        let operations = &self.declaration.extras.operations;
        if let Some(url) = &operations.dashboard_url {
            writeln!(f, "The dashboard <{url}>, and in Grafana:\n")?;
        }
        for dashboard in self.declaration.dashboards() {
            writeln!(
                f,
                "* {} (`/d/{}`)",
                text(dashboard.title()),
                dashboard.uid()
            )?;
        }
        f.write_str("\nThen ask, in this order:\n\n")?;
        for (at, check) in self.checks.iter().enumerate() {
            writeln!(f, "{}. {}\n", at + 1, text(&check.question))?;
            for line in block("promql", &check.query).lines() {
                writeln!(f, "    {line}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn causes(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "## How to find the cause\n\n{}",
            block("mermaid", &tree::chart(&self.checks))
        )?;
        f.write_str("## What to do\n\n")?;
        for (at, check) in self.checks.iter().enumerate() {
            let (question, action) = (text(&check.question), text(&check.action));
            writeln!(f, "{}. {question} {action}.", at + 1)?;
        }
        f.write_str("\nWhat helped belongs into the declaration or the code, what was new into the notes of the incident.\n\n")
    }

    fn escalation(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("## Who is called\n\n")?;
        let operations = &self.declaration.extras.operations;
        let receivers = &operations.receivers;
        if operations.escalation.is_empty() {
            writeln!(f, "* `critical`, `page`: {}", text(&receivers.page))?;
        }
        for level in &operations.escalation {
            let after = match level.after.is_zero() {
                true => "at once".to_owned(),
                false => format!("after {}", time(level.after)),
            };
            writeln!(
                f,
                "* `critical`, `page`, {after}: {}",
                text(&level.receiver)
            )?;
        }
        writeln!(f, "* `warning`, `ticket`: {}", text(&receivers.ticket))?;
        writeln!(f, "* `info`: {}\n", text(&receivers.info))
    }

    fn silence(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let matcher = |key: &str, value: &str| {
            // As Alertmanager's matchers quote.
            let value = value.replace('\\', r"\\").replace('"', "\\\"");
            shell(&format!("{key}=\"{value}\""))
        };
        let command = format!(
            "amtool silence add {} {} --duration=2h --comment='why, and until what'",
            matcher("alertname", &self.alert.name),
            matcher("job", self.declaration.job())
        );
        writeln!(
            f,
            "## How to silence it\n\nOnly while somebody works on it, and for no longer than that takes. \
             For planned work declare a maintenance instead: SLOs leave it out.\n\n{}",
            block("sh", &command).trim_end()
        )
    }
}

impl Display for Page<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        self.conditions(f)?;
        self.queries(f)?;
        self.causes(f)?;
        self.escalation(f)?;
        self.silence(f)
    }
}

const NONE: &str = "–";

/// Limit, limit at which it clears, and window of a rule.
fn bounds(origin: Origin<'_>, rule: &Rule) -> [String; 3] {
    match origin {
        Origin::Budget(budget) => of_budget(budget, rule.labels.get("level")),
        Origin::Slo(slo) => of_slo(slo, rule.labels.get("long")),
        Origin::Down(_) => ["no scrape answered", "the next answer", NONE].map(str::to_owned),
        Origin::Written => ["in the condition", NONE, NONE].map(str::to_owned),
    }
}

fn of_budget(budget: &Budget, level: &str) -> [String; 3] {
    let level = budget.levels().find(|known| known.as_str() == level);
    let level = level.unwrap_or(Level::Target);
    let window = match &budget.sli {
        Sli::Value(_) => NONE.to_owned(),
        _ => window_name(budget.window(level)),
    };
    let bound = if budget.floor { "at least" } else { "at most" };
    let unit = match budget.unit() {
        "" => String::new(),
        unit => format!(" {unit}"),
    };
    let at = match &budget.schedule {
        Some(_) => " (another one at some times)",
        None => "",
    };
    let amount = |limit: f64| format!("{bound} {}{unit}{at}", tidy(limit));
    let limit = match budget.limit(level) {
        Some(limit) => amount(limit),
        None if level == Level::Absent => "something to judge".to_owned(),
        None => "what is usual at this time".to_owned(),
    };
    let clears = budget
        .clear_limit(level)
        .map_or_else(|| "the limit".to_owned(), amount);
    [limit, clears, window]
}

fn of_slo(slo: &Slo, long: &str) -> [String; 3] {
    let mut burns = slo.burns().into_iter();
    match burns.find(|burn| window_name(burn.long) == long) {
        Some(burn) => [
            format!(
                "{} bad",
                percent(burn.limit(slo.period, slo.error_budget()))
            ),
            "the limit".to_owned(),
            format!("{long} and {}", window_name(burn.short())),
        ],
        None => ["something to judge", "the limit", NONE].map(str::to_owned),
    }
}
