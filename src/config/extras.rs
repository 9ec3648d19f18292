//! What a file says of the files that are generated from it.

mod dashboards;

use super::fields::Fields;
pub(crate) use crate::generate::Extras;
use crate::generate::Operations;

/// The tables of these, out of `root`.
pub(super) fn read(root: &mut Fields<'_>) -> Extras {
    let operations = operations(root);
    for problem in operations.problems() {
        root.report(&problem.field, problem.message);
    }
    Extras {
        operations,
        dashboards: dashboards::read(root),
    }
}

/// `[generate]`
fn operations(root: &mut Fields<'_>) -> Operations {
    let mut operations = Operations::new();
    let Some(mut fields) = root.inner("generate") else {
        return operations;
    };
    operations.job = fields.string("job");
    operations.runbook_url = fields.string("runbook_url");
    operations.dashboard_url = fields.string("dashboard_url");
    for (field, words) in [
        ("targets", &mut operations.targets),
        ("rule_files", &mut operations.rule_files),
        ("alertmanagers", &mut operations.alertmanagers),
    ] {
        let given = fields.words(field);
        if !given.is_empty() {
            *words = given;
        }
    }
    for (field, interval) in [
        ("scrape_interval", &mut operations.scrape_interval),
        ("evaluation_interval", &mut operations.evaluation_interval),
    ] {
        *interval = fields.duration(field).unwrap_or(*interval);
    }
    if let Some(mut named) = fields.inner("receivers") {
        let receivers = &mut operations.receivers;
        for (field, receiver) in [
            ("page", &mut receivers.page),
            ("ticket", &mut receivers.ticket),
            ("info", &mut receivers.info),
        ] {
            *receiver = named.string(field).unwrap_or(std::mem::take(receiver));
        }
        named.finish();
    }
    for (place, table) in (1..).zip(fields.tables("escalation")) {
        let mut level = fields.beside(&format!("escalation {place}: "), table);
        let (after, receiver) = (level.duration("after"), level.string("receiver"));
        let after = level.needed("after", after, "write after = \"15m\"");
        let receiver = level.needed("receiver", receiver, "write receiver = \"team-lead\"");
        level.finish();
        if let (Some(after), Some(receiver)) = (after, receiver) {
            operations = operations.escalation(after, receiver);
        }
    }
    fields.finish();
    operations
}
