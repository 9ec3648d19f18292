//! What people read when an alert fires. The texts are templates of Go, which Prometheus fills in.

use std::time::Duration;

use super::Scoped;
use super::scope::Scope;
use crate::budget::{Budget, Level, Sli};
use crate::expr::Labels;
use crate::slo::{Alerting, Slo, window_name};

const PERCENT: &str = "{{ $value | humanizePercentage }}";
const TIME: &str = "{{ $value | humanizeDuration }}";
const NUMBER: &str = "{{ $value | humanize }}";

/// A text that is the same as a template: what people named may have braces.
pub(super) fn plain(text: &str) -> String {
    text.replace("{{", r#"{{ "{{" }}"#)
}

/// Labels of an alert, whose texts are templates as well; those of recordings are not.
pub(super) fn plain_labels(labels: &Labels) -> Labels {
    let labels = labels.iter();
    Labels::new(labels.map(|(key, value)| (key, plain(value))))
}

impl Scoped<'_> {
    pub(super) fn texts_of_budget(self, budget: &Budget, level: Level) -> Vec<(String, String)> {
        let of = self.of(&budget.name, &budget.per);
        vec![description(&of, &said_of_budget(budget, level))]
    }

    pub(super) fn texts_of_slo(self, slo: &Slo, alerting: &Alerting) -> Vec<(String, String)> {
        let of = self.of(&slo.name, &slo.per);
        vec![description(&of, &said_of_slo(slo, alerting))]
    }

    /// What is spoken of.
    pub(super) fn of(self, name: &str, per: &[String]) -> String {
        let mut of = plain(name);
        for label in per {
            of += &format!(", {label} {{{{ $labels.{label} }}}}");
        }
        match self.scope {
            Scope::Instance => of + " on {{ $labels.instance }}",
            Scope::Fleet => of + " on all instances",
        }
    }
}

pub(super) fn description(of: &str, said: &str) -> (String, String) {
    ("description".to_owned(), format!("{of}: {said}"))
}

fn said_of_budget(budget: &Budget, level: Level) -> String {
    let bound = if budget.floor { "at least" } else { "at most" };
    let over = window_name(budget.window(level));
    if level == Level::Absent {
        let silence = time(budget.absent_after.unwrap_or_default());
        return format!("there has been nothing to judge for {silence}.");
    }
    if budget.is_learned(level) {
        let beyond = if budget.floor { "below" } else { "above" };
        let unit = budget.unit();
        return format!(
            "{} is {beyond} what is usual at this time.",
            with_unit(NUMBER, unit)
        );
    }
    let limit = budget.limit(level).unwrap_or(f64::NAN);
    let at = match &budget.schedule {
        Some(_) => ", or what it is at this time",
        None => "",
    };
    let sure = match budget.confidence {
        Some(confidence) => format!(" ({} sure)", percent(confidence)),
        None => String::new(),
    };
    match &budget.sli {
        Sli::Quantile(_, q) => format!(
            "{PERCENT} take longer than {}{at}{sure}; {} may, in {over} (p{}).",
            time(Duration::from_secs_f64(limit)),
            percent(1.0 - q),
            number(q * 100.0),
        ),
        Sli::ErrorRatio(_) => format!(
            "{PERCENT} fail{sure}; {bound} {} may{at}, in {over}.",
            percent(limit)
        ),
        Sli::SuccessRatio(_) | Sli::Ratio(..) if budget.confidence.is_some() => {
            let bad = if budget.floor { 1.0 - limit } else { limit };
            format!(
                "{PERCENT} are bad{sure}; at most {} may be{at}, in {over}.",
                percent(bad)
            )
        }
        Sli::SuccessRatio(_) => format!(
            "{PERCENT} succeed; {bound} {} are to{at}, in {over}.",
            percent(limit)
        ),
        Sli::Ratio(..) => format!(
            "{PERCENT}; {bound} {} are promised{at}, in {over}.",
            percent(limit)
        ),
        Sli::Throughput(_) => {
            format!("{NUMBER} operations per second; {bound} {limit} are promised{at}, in {over}.")
        }
        Sli::Freshness(_) | Sli::Age(_) => format!(
            "the latest was {TIME} ago; {bound} {} are promised{at}.",
            time(Duration::from_secs_f64(limit)),
        ),
        Sli::Value(_) => format!("{NUMBER}; {bound} {limit} is promised{at}."),
    }
}

fn said_of_slo(slo: &Slo, alerting: &Alerting) -> String {
    let Some(burn) = alerting.burn else {
        let silence = time(slo.absent_after.unwrap_or_default());
        return format!("there has been nothing to judge for {silence}.");
    };
    let (long, short) = (window_name(burn.long), window_name(burn.short()));
    format!(
        "{PERCENT} of the {} in {long} are bad, above {} there and in {short}: at this rate {} of the error budget ({} of {}) \
         are gone in {long}.",
        if slo.unit().is_empty() {
            "events"
        } else {
            slo.unit()
        },
        percent(burn.limit(slo.period, slo.error_budget())),
        percent(burn.share),
        percent(slo.error_budget()),
        slo.period,
    )
}

fn with_unit(value: &str, unit: &str) -> String {
    match unit {
        "" => value.to_owned(),
        unit => format!("{value} {unit}"),
    }
}

/// `0.1%`, without the noise of a calculation.
fn percent(share: f64) -> String {
    format!("{}%", number(share * 100.0))
}

fn number(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

fn time(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}
