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
