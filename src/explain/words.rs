//! What is promised, in words.

mod budget;
mod slo;
mod unseen;

pub(super) use budget::{of_budget, of_level};
pub(super) use slo::{of_alert, of_slo};
pub(super) use unseen::{unseen_of_budget, unseen_of_slo};

use std::time::Duration;

use super::length;
use crate::budget::Select;
use crate::registry::Domain;

fn kept_by(per: &[String]) -> Option<String> {
    (!per.is_empty()).then(|| format!("It is kept for each {} by itself.", per.join(", ")))
}

fn operations(select: &Select) -> String {
    let (names, labels): (Vec<_>, Vec<_>) = select
        .labels
        .iter()
        .partition(|label| select.domain == Domain::Operation && label.0 == "operation");
    let mut text = kind(select.domain).to_owned();
    for (_, name) in names {
        text += &format!(" named {name}");
    }
    let labels = labels.iter().map(|(key, value)| format!("{key} {value}"));
    let labels: Vec<_> = labels.collect();
    if !labels.is_empty() {
        text += &format!(" with {}", labels.join(" and "));
    }
    text
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
    // A limit is a number of seconds, which may lie a billionth beside what was written.
    let micros = (seconds * 1e6).round();
    match Duration::try_from_secs_f64(micros / 1e6) {
        Ok(duration) if micros > 0.0 && micros % 1e3 == 0.0 => length(duration),
        Ok(_) if (1.0..1e9).contains(&micros) => format!("{micros}µs"),
        _ => format!("{seconds}s"),
    }
}
