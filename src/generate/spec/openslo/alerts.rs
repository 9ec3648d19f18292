//! Alert policies of OpenSLO as burn alerts.

use std::time::Duration;

use super::super::cursor::At;
use super::super::fields::Fields;
use super::super::shares::burn_share;
use super::NAME_ONLY;
use super::documents::{Documents, named};
use super::window::{stretch, whole_minutes};
use crate::slo::{BurnAlert, Period, Severity, window_name};

/// The alerts of one SLO, each with how long it waits.
#[derive(Default)]
pub(super) struct Burns(Vec<(BurnAlert, Duration)>);

impl Burns {
    pub(super) fn alerts(&self) -> Vec<BurnAlert> {
        self.0.iter().map(|(alert, _)| *alert).collect()
    }

    /// Whether each waits for half of its short window, in whole minutes as everything is here.
    pub(super) fn wait_half(&self) -> bool {
        let half =
            |(alert, after): &(BurnAlert, Duration)| *after == whole_minutes(alert.short() / 2);
        !self.0.is_empty() && self.0.iter().all(half)
    }
}

pub(super) fn read<'a>(
    documents: &Documents<'a>,
    fields: &Fields<'a>,
    period: Option<Period>,
) -> Burns {
    let policies = fields.get("alertPolicies").map(|at| at.list());
    let mut burns = Burns::default();
    for policy in policies.into_iter().flatten() {
        let conditions = documents.policy(&policy).unwrap_or_default();
        for condition in conditions {
            let alert = documents.condition(&condition, period);
            burns.0.extend(alert);
        }
    }
    if !burns.wait_half() {
        for (alert, after) in burns.0.iter().filter(|(_, after)| !after.is_zero()) {
            fields.at.note(format!(
                "waits {} for an alert: instead, it must still burn in the short window of {}",
                window_name(*after),
                window_name(alert.short())
            ));
        }
    }
    burns
}

impl<'a> Documents<'a> {
    /// The conditions of a policy that tells of breaches.
    fn policy(&self, at: &At<'a>) -> Option<Vec<At<'a>>> {
        let spec = self.referred("AlertPolicy", "alertPolicyRef", at)?;
        let fields = spec.fields();
        fields.leave(&["description"], NAME_ONLY);
        fields.leave(
            &["notificationTargets"],
            "is not kept: alerts go by their severity, to who subscribes or to Alertmanager",
        );
        let is = |key, value| {
            let at = fields.get(key);
            at.filter(|at: &At<'_>| at.boolean() == Some(value))
        };
        if let Some(at) = is("alertWhenNoData", true) {
            at.note("is not kept, since it does not say after how long: see Slo::absent_after");
        }
        if let Some(at) = is("alertWhenResolved", false) {
            at.note("is not kept: a recovery is always told of");
        }
        let silent = is("alertWhenBreaching", false);
        let conditions = fields.need("conditions", "write one of kind burnrate");
        fields.finish();
        if let Some(at) = silent {
            at.note("leaves the policy without an alert");
            return None;
        }
        Some(conditions?.list())
    }

    fn condition(&self, at: &At<'a>, period: Option<Period>) -> Option<(BurnAlert, Duration)> {
        let spec = self.referred("AlertCondition", "conditionRef", at)?;
        let fields = spec.fields();
        fields.leave(&["description"], NAME_ONLY);
        let severity = fields.need("severity", "write page or ticket");
        let severity = severity.and_then(|at| severity_of(&at));
        let condition = fields.need("condition", "write one of kind burnrate");
        fields.finish();
        let condition = condition?.fields();
        if let Some(kind) = condition.get("kind")
            && kind.text() != Some("burnrate")
        {
            kind.refuse("is no kind of condition: write burnrate");
        }
        compared(&condition);
        let threshold = condition.need("threshold", "write the burn rate to alert above");
        let rate = threshold.as_ref().and_then(|at| at.number());
        let long = condition.need("lookbackWindow", "write 1h");
        let long = long.and_then(|at| stretch(&at));
        let after = condition.get("alertAfter").map(|at| stretch(&at));
        condition.finish();
        let (threshold, rate, long, period) = (threshold?, rate?, long?, period?);
        let share = burn_share(rate, long, period);
        if !(share > 0.0 && share <= 1.0) {
            threshold.refuse(format!(
                "{rate} over {} spends {share} of the error budget before it fires: take one for a share between 0 and 1",
                window_name(long)
            ));
            return None;
        }
        let alert = BurnAlert::new(severity?, share, long);
        Some((alert, after.unwrap_or(Some(Duration::ZERO))?))
    }

    /// The spec of what stands in its place, or is referred to.
    fn referred(&self, kind: &'static str, reference: &'static str, at: &At<'a>) -> Option<At<'a>> {
        if at.is_text() {
            return self.find(kind, at)?.spec.clone();
        }
        let fields = at.fields();
        if let Some(name) = fields.get(reference) {
            fields.finish();
            return self.find(kind, &name)?.spec.clone();
        }
        if let Some(metadata) = fields.get("metadata") {
            named(&metadata, NAME_ONLY);
        }
        fields.ignore(&["kind", "apiVersion"]);
        let spec = fields.need("spec", "or refer to one");
        fields.finish();
        spec
    }
}

fn severity_of(at: &At<'_>) -> Option<Severity> {
    match &*at.text()?.to_ascii_lowercase() {
        "page" | "critical" => Some(Severity::Page),
        "ticket" | "warning" => Some(Severity::Ticket),
        _ => {
            at.refuse("is no severity here: write page (or critical) or ticket (or warning)");
            None
        }
    }
}

/// Alerts fire above their burn rate.
fn compared(condition: &Fields<'_>) {
    let Some(op) = condition.get("op") else {
        return;
    };
    match op.text() {
        Some("gt") | None => {}
        Some("gte") => op.note("becomes gt: alerts fire above their burn rate, not at it"),
        Some(_) => op.refuse("is no comparison for a burn rate: write gt"),
    }
}
