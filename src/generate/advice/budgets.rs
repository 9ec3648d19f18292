//! Of budgets.

use std::time::Duration;

use crate::budget::check::LONGEST;
use crate::budget::{Budget, Level, Pattern, Select, Sli};
use crate::config::Problem;

pub(super) fn of(budget: &Budget, scrape: Duration) -> Vec<Problem> {
    let mut warnings = Vec::new();
    let mut warn = |field: &str, message: String| {
        let warning = Problem::new(format!("budget {:?}: {field}", budget.name), message);
        // Levels have windows in common.
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    };
    if is_silent(budget) {
        warn("absent_after", silence("10m"));
    }
    for level in budget.levels().filter(|level| *level != Level::Absent) {
        if let Some(message) = unreachable(budget, level) {
            warn(level.as_str(), message);
        }
        if !matches!(budget.sli, Sli::Value(_) | Sli::Age(_) | Sli::Freshness(_))
            && let Some(message) = seldom(budget.window(level), scrape)
        {
            warn("over", message);
        }
    }
    for (field, message) in budget
        .select()
        .into_iter()
        .flat_map(|of| fixed(of, &budget.per))
    {
        warn(field, message);
    }
    warnings
}

pub(super) fn silence(example: &str) -> String {
    format!(
        "is missing: without events there is nothing to judge, and nobody hears of it; write absent_after = \"{example}\""
    )
}

/// Whether nobody hears that there is nothing any more: what asks for events, or counts the time without them, tells by itself; an
/// age that nobody shows does not.
pub(crate) fn is_silent(budget: &Budget) -> bool {
    let tells = match budget.sli {
        Sli::Freshness(_) => true,
        Sli::Throughput(_) => budget.floor,
        _ => false,
    };
    budget.absent_after.is_none() && !tells
}

/// Why a level can never fire, or says nothing that a graver one does not.
fn unreachable(budget: &Budget, level: Level) -> Option<String> {
    let limit = budget.limit(level)?;
    match budget.sli {
        Sli::Quantile(..) if limit >= LONGEST => {
            return Some(format!(
                "{limit} s can never be exceeded: nothing longer is measured"
            ));
        }
        Sli::Throughput(_) if budget.floor && limit == 0.0 => {
            return Some("0 can never be undercut: write operations per second".to_owned());
        }
        _ => {}
    }
    let same = |graver: &(Level, _)| {
        graver.0 > level
            && budget.limit(graver.0) == Some(limit)
            && budget.window(graver.0) == budget.window(level)
            && budget.patience(graver.0) == budget.patience(level)
    };
    let graver = budget.limits.iter().find(|graver| same(graver))?;
    Some(format!(
        "is exceeded only when {} is, which has the same limit: give it another one, or leave it out",
        graver.0
    ))
}

/// Windows that hold no two samples.
pub(super) fn seldom(window: Duration, scrape: Duration) -> Option<String> {
    (window < scrape * 2).then(|| {
        format!(
            "{window:?} is shorter than two scrapes ({scrape:?} each): Prometheus has no rate in it; widen it, or scrape more often"
        )
    })
}

/// Labels that tell nothing apart, or leave nothing out.
pub(super) fn fixed(select: &Select, per: &[String]) -> Vec<(&'static str, String)> {
    let value = |key: &str| {
        let mut labels = select.labels.iter();
        let label = labels.find(|label| label.0 == key)?;
        Pattern::new(&label.1).exact().map(str::to_owned)
    };
    let one = per.iter().filter_map(|key| {
        let only = value(key)?;
        Some((
            "per",
            format!("{key:?} tells nothing apart: labels say that it is {only:?}"),
        ))
    });
    let kept = select.except.iter().filter_map(|(key, except)| {
        let only = value(key)?;
        let message =
            format!("{key} = {except:?} leaves nothing out: labels say that it is {only:?}");
        (!Pattern::new(except).matches(&only)).then_some(("except", message))
    });
    one.chain(kept).collect()
}
