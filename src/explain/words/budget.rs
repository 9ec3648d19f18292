//! What a budget promises.

use super::{kept_by, operations, seconds};
use crate::budget::{Budget, Level, Sli, Whole};
use crate::explain::{length, percent};

pub(in crate::explain) fn of_budget(budget: &Budget) -> Vec<String> {
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
        Sli::Age(gauge) => format!("{name}: {gauge} was {bound} {} ago.", seconds(limit)),
        Sli::Ratio(part, Whole::Of(whole)) => format!(
            "{name}: {bound} {} of what {whole} counts is counted by {part}, over {over}.",
            percent(limit)
        ),
        Sli::Ratio(part, Whole::With(rest)) => format!(
            "{name}: {bound} {} of what {part} and {rest} count is counted by {part}, over {over}.",
            percent(limit)
        ),
        Sli::Value(value) => format!("{name}: {value} is {bound} {limit}."),
    }
}

/// What makes a level fire and stop, ahead of its condition.
pub(in crate::explain) fn of_level(budget: &Budget, level: Level) -> String {
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
