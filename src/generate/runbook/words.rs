//! What alerts mean, in words.

use std::time::Duration;

use super::{Alert, Origin};
use crate::budget::{Budget, Select, Sli};
use crate::generate::markdown::text;
use crate::registry::Domain;
use crate::slo::{self, Slo};

/// One sentence, escaped for Markdown.
pub(super) fn meaning(alert: &Alert<'_>) -> String {
    match alert.origin {
        Origin::Budget(budget) => of_budget(budget),
        Origin::Slo(slo) => format!("{} This uses up the error budget too fast.", of_slo(slo)),
        Origin::Down(slo) => format!(
            "A process does not answer the scrape, or none does: what is promised by {} cannot be judged.",
            text(&slo.name)
        ),
        Origin::Written => {
            "A rule that was given to be judged as it stands holds; its condition says what it means.".to_owned()
        }
    }
}

fn of_budget(budget: &Budget) -> String {
    let beyond = if budget.floor { "below" } else { "above" };
    match &budget.sli {
        Sli::Quantile(select, q) => format!(
            "More than {} of {} take longer than the limit: their p{} is {beyond} it.",
            percent(1.0 - q),
            subject(select),
            tidy(q * 100.0)
        ),
        Sli::ErrorRatio(select) => {
            format!(
                "The share of {} that fail is {beyond} the limit.",
                subject(select)
            )
        }
        Sli::SuccessRatio(select) => format!(
            "The share of {} that succeed is {beyond} the limit.",
            subject(select)
        ),
        Sli::Throughput(select) => {
            format!(
                "The number of {} per second is {beyond} the limit.",
                subject(select)
            )
        }
        Sli::Freshness(select) => {
            format!(
                "None of {} has succeeded for longer than the limit.",
                subject(select)
            )
        }
        Sli::Age(selector) => format!(
            "The newest time that {} tells is longer ago than the limit.",
            text(selector.name())
        ),
        Sli::Ratio(part, _) => format!(
            "The share that {} counts is {beyond} the limit.",
            text(part.name())
        ),
        Sli::Value(_) => format!("A value of the service's own is {beyond} the limit."),
    }
}

fn of_slo(slo: &Slo) -> String {
    let objective = percent(slo.objective.unwrap_or(1.0));
    let (what, good) = match &slo.sli {
        slo::Sli::Availability(select) => (subject(select), "succeed".to_owned()),
        slo::Sli::Latency(select, threshold) => (
            subject(select),
            format!("take at most {}", time(*threshold)),
        ),
        slo::Sli::Ratio { valid, .. } => (
            format!("what {} counts", text(valid.name())),
            "be good".to_owned(),
        ),
        slo::Sli::Time(_) | slo::Sli::TimeSlice(..) | slo::Sli::RatioSlices(..) => {
            ("the time".to_owned(), "be good by its condition".to_owned())
        }
        slo::Sli::Weighted(parts) | slo::Sli::AllOf(parts) => {
            let parts: Vec<String> = parts.iter().map(|(name, _)| text(name)).collect();
            (
                format!("what the SLOs {} promise", parts.join(", ")),
                "be kept".to_owned(),
            )
        }
    };
    format!(
        "{objective} of {what} are to {good} in each period ({}), and too many do not.",
        slo.period
    )
}

/// The operations that are spoken of.
fn subject(select: &Select) -> String {
    let mut subject = noun(select.domain).to_owned();
    let list = |labels: &[(String, String)]| -> String {
        let pairs: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{} {}", text(key), text(value)))
            .collect();
        pairs.join(", ")
    };
    if !select.labels.is_empty() {
        subject += &format!(" ({})", list(&select.labels));
    }
    if !select.except.is_empty() {
        subject += &format!(" (without {})", list(&select.except));
    }
    subject
}

/// Several of them.
pub(super) fn noun(domain: Domain) -> &'static str {
    match domain {
        Domain::Http => "HTTP requests",
        Domain::Service => "calls of services",
        Domain::Db => "queries",
        Domain::Modbus => "Modbus transactions",
        Domain::Connect => "attempts to connect",
        Domain::Acquire => "waits for a pooled connection",
        Domain::Create => "openings of pooled connections",
        Domain::Cycle => "rounds of polling",
        Domain::Check => "looks at devices",
        Domain::Point => "values of devices",
        Domain::Operation => "operations",
    }
}

pub(super) fn percent(share: f64) -> String {
    format!("{} %", tidy(share * 100.0))
}

/// Without the noise of a calculation.
pub(super) fn tidy(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

pub(super) fn time(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}
