//! What is promised, in words.

use std::time::Duration;

use super::{length, percent};
use crate::budget::{Budget, Level, Select, Sli};
use crate::registry::Domain;
use crate::slo::{self, Alerting, Slo};

pub(super) fn of_budget(budget: &Budget) -> Vec<String> {
    let mut said: Vec<String> = budget
        .levels()
        .map(|level| promised(budget, level))
        .collect();
    said.extend(kept_by(&budget.per));
    if budget.schedule.is_some() {
        said.push(
            "A schedule changes the limits with the time: the conditions below name the hours."
                .to_owned(),
        );
    }
    said
}

fn promised(budget: &Budget, level: Level) -> String {
    let name = level.as_str();
    let Some(limit) = budget.limit(level) else {
        return match budget.is_learned(level) {
            true => format!("{name}: what is usual at this time of the week, which is learned."),
            false => format!("{name}: there is something to judge at all."),
        };
    };
    let bound = if budget.floor { "at least" } else { "at most" };
    let over = length(budget.window(level));
    match &budget.sli {
        Sli::Quantile(select, q) => format!(
            "{name}: at most {} of {} take longer than {} (p{}), over {over}.",
            percent(1.0 - q),
            operations(select),
            seconds(limit),
            (q * 1e8).round() / 1e6
        ),
        Sli::ErrorRatio(select) => {
            format!(
                "{name}: {bound} {} of {} fail, over {over}.",
                percent(limit),
                operations(select)
            )
        }
        Sli::SuccessRatio(select) => {
            format!(
                "{name}: {bound} {} of {} succeed, over {over}.",
                percent(limit),
                operations(select)
            )
        }
        Sli::Throughput(select) => format!(
            "{name}: {bound} {limit} {} per second, over {over}.",
            operations(select)
        ),
        Sli::Freshness(select) => format!(
            "{name}: the latest of {} that did not fail was {bound} {} ago.",
            operations(select),
            seconds(limit)
        ),
        Sli::Age(gauge) => format!(
            "{name}: {} was {bound} {} ago.",
            gauge.name(),
            seconds(limit)
        ),
        Sli::Ratio(part, _) => {
            format!(
                "{name}: {} is {bound} {} of all, over {over}.",
                part.name(),
                percent(limit)
            )
        }
        Sli::Value(value) => format!("{name}: {value} is {bound} {limit}."),
    }
}

/// What makes a level fire and stop, ahead of its condition.
pub(super) fn of_level(budget: &Budget, level: Level) -> String {
    let (sustained, keep_firing) = budget.patience(level);
    let severity = level.severity();
    let mut text = format!("{} (severity {severity})", level.as_str());
    text += &match sustained.is_zero() {
        true => " fires as soon as this holds".to_owned(),
        false => format!(" fires when this has held for {}", length(sustained)),
    };
    text += &match keep_firing.is_zero() {
        true => "; it clears as soon as it does not".to_owned(),
        false => format!("; it clears when it has not for {}", length(keep_firing)),
    };
    text + ":"
}

pub(super) fn of_slo(slo: &Slo) -> Vec<String> {
    let good = percent(slo.objective.unwrap_or_default());
    let what = match &slo.sli {
        slo::Sli::Availability(select) => format!("{good} of {} do not fail", operations(select)),
        slo::Sli::Latency(select, threshold) => {
            format!(
                "{good} of {} take no longer than {}",
                operations(select),
                length(*threshold)
            )
        }
        slo::Sli::Ratio {
            part,
            valid,
            part_is_good,
        } => {
            let is = if *part_is_good { "are" } else { "are not" };
            format!("{good} of {} {is} {}", valid.name(), part.name())
        }
        slo::Sli::Time(condition) => format!("in {good} of the time {condition}"),
        slo::Sli::TimeSlice(condition, slice) => {
            format!(
                "at the end of {good} of all slices of {} {condition}",
                length(*slice)
            )
        }
        slo::Sli::RatioSlices(_, slice) => format!(
            "{good} is good in the mean of all slices of {}",
            length(*slice)
        ),
        slo::Sli::Weighted(of) => format!("{good} in the weighted mean of {}", named(of)),
        slo::Sli::AllOf(of) => format!("in {good} of the time all of {} are kept", named(of)),
    };
    let budget = slo.error_budget();
    let outage = Duration::from_secs_f64((slo.period.nominal().as_secs_f64() * budget).round());
    let mut said = vec![
        format!("{what}, over a {} period.", slo.period),
        format!(
            "Its error budget is {}, as much as {} of full outage.",
            percent(budget),
            length(outage)
        ),
    ];
    said.extend(kept_by(&slo.per));
    said
}

fn named(of: &[(String, f64)]) -> String {
    let names: Vec<_> = of.iter().map(|part| part.0.as_str()).collect();
    names.join(", ")
}

/// What an alert of an SLO is, ahead of its condition.
pub(super) fn of_alert(slo: &Slo, alert: &Alerting) -> String {
    let severity = alert.severity.as_str();
    let Some(burn) = alert.burn else {
        return format!(
            "{severity}, when there has been no event for {}:",
            length(slo.absent_after.unwrap_or_default())
        );
    };
    let mut text = format!(
        "{severity}, when {} of the error budget go within {}: a burn rate above {}, there and in the latest {}",
        percent(burn.share),
        length(burn.long),
        alert.limit,
        length(burn.short())
    );
    if !alert.sustained.is_zero() {
        text += &format!(", for {}", length(alert.sustained));
    }
    text + ":"
}

fn kept_by(per: &[String]) -> Option<String> {
    (!per.is_empty()).then(|| format!("It is kept for each {} by itself.", per.join(", ")))
}

pub(super) fn unseen_of_budget(budget: &Budget) -> Vec<String> {
    let mut unseen = Vec::new();
    if budget.min_events > 1 {
        unseen.push(format!(
            "windows with fewer than {} events",
            budget.min_events
        ));
    }
    if budget.min_bad > 0 {
        unseen.push(format!(
            "windows with fewer than {} bad events, whatever their share",
            budget.min_bad
        ));
    }
    if let Some(confidence) = budget.confidence {
        unseen.push(format!(
            "what may be chance: it must be sure to {}",
            percent(confidence)
        ));
    }
    if !budget.warm_up.is_zero() {
        unseen.push(format!("the first {} of a process", length(budget.warm_up)));
    }
    if let Some(when) = &budget.when {
        unseen.push(format!("times at which this does not hold: {when}"));
    }
    if budget.absent_after.is_none() {
        unseen.push(
            "silence: without events there is nothing to judge (absent_after would tell)"
                .to_owned(),
        );
    }
    unseen.extend(of_operations(budget.select()));
    unseen
}

pub(super) fn unseen_of_slo(slo: &Slo) -> Vec<String> {
    let mut unseen = Vec::new();
    if slo.min_events > 0 {
        unseen.push(format!(
            "long windows with fewer than {} events",
            slo.min_events
        ));
    }
    if let Some(confidence) = slo.confidence {
        unseen.push(format!(
            "what may be chance: it must be sure to {}",
            percent(confidence)
        ));
    }
    if slo.absent_after.is_none() {
        unseen.push(
            "silence: without events there is nothing to judge (absent_after would tell)"
                .to_owned(),
        );
    }
    unseen.extend(
        slo.maintenance
            .first()
            .map(|_| "events within announced maintenance".to_owned()),
    );
    unseen.extend(of_operations(slo.select()));
    unseen
}

fn of_operations(select: Option<&Select>) -> Vec<String> {
    let Some(select) = select else {
        return Vec::new();
    };
    let mut unseen: Vec<String> = select
        .except
        .iter()
        .map(|(key, value)| format!("{} whose {key} is {value}", kind(select.domain)))
        .collect();
    unseen.push("what a layer refused in place of the service (shed, broken)".to_owned());
    unseen
        .push("a process that is down: it counts nothing; Prometheus sees that by `up`".to_owned());
    unseen
}

fn operations(select: &Select) -> String {
    let labels = select.labels.iter();
    let labels: Vec<_> = labels
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    match labels.is_empty() {
        true => kind(select.domain).to_owned(),
        false => format!("{} with {}", kind(select.domain), labels.join(" and ")),
    }
}

fn kind(domain: Domain) -> &'static str {
    match domain {
        Domain::Http => "HTTP requests",
        Domain::Service => "calls of services",
        Domain::Db => "queries",
        Domain::Modbus => "Modbus transactions",
        Domain::Connect => "attempts to connect to devices",
        Domain::Acquire => "waits for pooled connections",
        Domain::Create => "openings of pooled connections",
        Domain::Cycle => "polling cycles",
        Domain::Check => "looks at devices",
        Domain::Point => "values of devices",
        Domain::Operation => "operations",
    }
}

fn seconds(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration.as_millis() > 0 => length(duration),
        _ => format!("{seconds}s"),
    }
}
