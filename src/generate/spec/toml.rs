//! SLOs as the TOML that this crate reads.

mod slo;
#[cfg(test)]
mod tests;

use std::fmt::Write;
use std::time::Duration;

use toml::Value;

use crate::config::{BuildError, Problem};
use crate::generate::{Declaration, Operations};
use crate::naming::Naming;

/// Lines of a file.
#[derive(Debug, Default)]
struct Lines(String);

impl Lines {
    fn table(&mut self, head: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.0, "{gap}{head}");
    }

    fn put(&mut self, key: &str, value: impl Into<Value>) {
        let _ = writeln!(self.0, "{key} = {}", value.into());
    }

    fn put_some(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }
}

/// A duration as it is read.
fn duration(length: Duration) -> String {
    humantime::format_duration(length).to_string()
}

pub(super) fn write(declaration: &Declaration) -> Result<String, BuildError> {
    let mut problems = unsaid(declaration);
    let mut lines = Lines::default();
    lines.put("service", declaration.service());
    if declaration.tick != Duration::from_secs(1) {
        lines.put("tick", duration(declaration.tick));
    }
    if !declaration.expected.is_empty() {
        lines.put("expect_families", declaration.expected.clone());
    }
    operations(&mut lines, &declaration.extras.operations);
    for slo in &declaration.slos {
        problems.extend(slo::write(&mut lines, slo));
    }
    BuildError::check(problems)?;
    Ok(lines.0)
}

/// What of a declaration is no SLO.
fn unsaid(declaration: &Declaration) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |field: String, mend: &str| {
        problems.push(Problem::new(
            field,
            format!("is not written, only SLOs are: {mend}"),
        ));
    };
    for budget in &declaration.budgets {
        let field = format!("budget {:?}", budget.name);
        refuse(
            field,
            "keep its table in the file or the code that it comes from",
        );
    }
    for dashboard in &declaration.extras.dashboards {
        let field = format!("dashboard {:?}", dashboard.uid);
        refuse(
            field,
            "keep its table in the file or the code that it comes from",
        );
    }
    if !declaration.rules.is_empty() {
        refuse("rules".to_owned(), "name the files in `rules` by hand");
    }
    if declaration.naming != Naming::otel() {
        refuse("naming".to_owned(), "write [naming] by hand");
    }
    if declaration.target.is_some() {
        refuse(
            "target".to_owned(),
            "leave it in the code, with Builder::target",
        );
    }
    if declaration.remembers {
        refuse("state_file".to_owned(), "write it by hand");
    }
    problems
}

/// `[generate]`, as far as it differs from what goes without saying.
fn operations(lines: &mut Lines, operations: &Operations) {
    let usual = Operations::new();
    if *operations == usual {
        return;
    }
    lines.table("[generate]");
    lines.put_some("job", operations.job.clone());
    lines.put_some("runbook_url", operations.runbook_url.clone());
    lines.put_some("dashboard_url", operations.dashboard_url.clone());
    for (key, words, usual) in [
        ("targets", &operations.targets, &usual.targets),
        ("rule_files", &operations.rule_files, &usual.rule_files),
        (
            "alertmanagers",
            &operations.alertmanagers,
            &usual.alertmanagers,
        ),
    ] {
        lines.put_some(key, (words != usual).then(|| words.clone()));
    }
    for (key, interval, usual) in [
        (
            "scrape_interval",
            operations.scrape_interval,
            usual.scrape_interval,
        ),
        (
            "evaluation_interval",
            operations.evaluation_interval,
            usual.evaluation_interval,
        ),
    ] {
        lines.put_some(key, (interval != usual).then(|| duration(interval)));
    }
    let (own, usual) = (&operations.receivers, &usual.receivers);
    for (key, name, usual) in [
        ("receivers.page", &own.page, &usual.page),
        ("receivers.ticket", &own.ticket, &usual.ticket),
        ("receivers.info", &own.info, &usual.info),
    ] {
        lines.put_some(key, (name != usual).then_some(name.as_str()));
    }
    for level in &operations.escalation {
        lines.table("[[generate.escalation]]");
        lines.put("after", duration(level.after));
        lines.put("receiver", level.receiver.as_str());
    }
}
