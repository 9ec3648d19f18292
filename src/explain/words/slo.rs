//! What an SLO promises.

use std::time::Duration;

use super::{kept_by, operations};
use crate::explain::{length, percent, roughly};
use crate::slo::{Alerting, Period, Sli, Slo};

pub(in crate::explain) fn of_slo(slo: &Slo) -> Vec<String> {
    let good = percent(slo.objective.unwrap_or_default());
    let what = match &slo.sli {
        Sli::Availability(select) => format!("{good} of {} do not fail", operations(select)),
        Sli::Latency(select, threshold) => {
            format!(
                "{good} of {} take no longer than {}",
                operations(select),
                length(*threshold)
            )
        }
        Sli::Ratio {
            part,
            valid,
            part_is_good,
        } => {
            let is = if *part_is_good { "is" } else { "is not" };
            format!("{good} of what {valid} counts {is} counted by {part}")
        }
        Sli::Time(condition) => format!("{condition} holds in {good} of the time"),
        Sli::TimeSlice(condition, slice) => {
            format!(
                "{condition} holds at the end of {good} of all slices of {}",
                length(*slice)
            )
        }
        Sli::RatioSlices(ratio, slice) => format!(
            "at the end of all slices of {} the error ratio {ratio} is at most {} in the mean",
            length(*slice),
            percent(slo.error_budget())
        ),
        Sli::Weighted(of) => format!("{good} in the weighted mean of {}", named(of)),
        Sli::AllOf(of) => format!("in {good} of the time all of {} are kept", named(of)),
    };
    let budget = slo.error_budget();
    let outage = Duration::from_secs_f64((slo.period.nominal().as_secs_f64() * budget).round());
    let mut said = vec![
        match slo.period {
            Period::Rolling(_) => format!("{what}, over a {} period.", slo.period),
            Period::Calendar(calendar, _) => format!("{what}, over each {}.", calendar.as_str()),
        },
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
pub(in crate::explain) fn of_alert(slo: &Slo, alert: &Alerting) -> String {
    let severity = alert.severity.as_str();
    let Some(burn) = alert.burn else {
        return format!(
            "{severity}, when there has been no event for {}:",
            length(slo.absent_after.unwrap_or_default())
        );
    };
    let mut text = format!(
        "{severity}, when {} of the error budget go within {}: a burn rate above {}, there and in the latest {}",
        percent(roughly(burn.share)),
        length(burn.long),
        roughly(alert.limit),
        length(burn.short())
    );
    if !alert.sustained.is_zero() {
        text += &format!(", for {}", length(alert.sustained));
    }
    text + ":"
}
