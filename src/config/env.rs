//! The three `PERF_*` variables.

use std::fmt;
use std::time::Duration;

use super::{Problem, Settings, set_limit};
use crate::budget::{Budget, Level, Limit, Select, Sli};
use crate::registry::Domain;

pub(crate) const API_LATENCY: &str = "PERF_API_LATENCY_MS";
pub(crate) const DB_QUERY: &str = "PERF_DB_QUERY_MS";
pub(crate) const ERROR_RATE: &str = "PERF_ERROR_RATE";

/// Where variables are looked up.
pub(crate) struct Vars(pub(crate) LookUp);

type LookUp = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vars")
    }
}

/// Lays the variables over `settings`, and adds the budgets that they speak of where none is declared.
pub(crate) fn apply(settings: &mut Settings, vars: &Vars, problems: &mut Vec<Problem>) {
    let millis = |name| {
        read(
            vars,
            name,
            "a number of milliseconds above 0: write 100 for 100 ms",
            is_millis,
        )
    };
    let (request, query) = (millis(API_LATENCY), millis(DB_QUERY));
    let ratio = read(
        vars,
        ERROR_RATE,
        "a ratio between 0 and 1: write 0.001 for 0.1 %",
        is_ratio_value,
    );
    for (result, put) in [
        (request, put_request as fn(&mut Settings, Option<f64>)),
        (query, put_query),
        (ratio, put_ratio),
    ] {
        match result {
            Ok(value) => put(settings, value),
            Err(problem) => problems.push(problem),
        }
    }
}

fn read(
    vars: &Vars,
    name: &str,
    wanted: &str,
    valid: fn(f64) -> bool,
) -> Result<Option<f64>, Problem> {
    let Some(text) = (vars.0)(name) else {
        return Ok(None);
    };
    match text.trim().parse() {
        Ok(number) if valid(number) => Ok(Some(number)),
        _ => Err(Problem::new(name, format!("{text:?} is not {wanted}"))),
    }
}

fn is_millis(millis: f64) -> bool {
    millis > 0.0 && millis <= 3_600_000.0
}

fn is_ratio_value(ratio: f64) -> bool {
    (0.0..=1.0).contains(&ratio)
}

fn put_request(settings: &mut Settings, millis: Option<f64>) {
    if let Some(millis) = millis {
        settings.slow_request = Some(from_millis(millis));
    }
    put_p95(
        settings,
        Domain::Http,
        "http-p95",
        millis.map(from_millis),
        Duration::from_millis(100),
    );
}

fn put_query(settings: &mut Settings, millis: Option<f64>) {
    if let Some(millis) = millis {
        settings.slow_query = Some(from_millis(millis));
    }
    put_p95(
        settings,
        Domain::Db,
        "db-p95",
        millis.map(from_millis),
        Duration::from_millis(50),
    );
}

fn put_p95(
    settings: &mut Settings,
    domain: Domain,
    name: &str,
    limit: Option<Duration>,
    default: Duration,
) {
    let is_p95 =
        |sli: &Sli| matches!(sli, Sli::Quantile(select, q) if of_all(select, domain) && *q == 0.95);
    let select = Select::all(domain);
    put(settings, is_p95, limit.map(Limit::from), || {
        Budget::quantile(name, select, 0.95).at_most(limit.unwrap_or(default))
    });
}

fn put_ratio(settings: &mut Settings, ratio: Option<f64>) {
    let is_ratio =
        |sli: &Sli| matches!(sli, Sli::ErrorRatio(select) if of_all(select, Domain::Http));
    put(settings, is_ratio, ratio.map(Limit::from), || {
        Budget::error_ratio("http-error-ratio", Select::http()).at_most(ratio.unwrap_or(0.001))
    });
}

/// Sets the target of every budget of a kind, or declares one.
fn put(
    settings: &mut Settings,
    is: impl Fn(&Sli) -> bool,
    limit: Option<Limit>,
    declare: impl FnOnce() -> Budget,
) {
    let mut found = false;
    for budget in settings
        .budgets
        .iter_mut()
        .filter(|budget| budget.per.is_empty() && is(&budget.sli))
    {
        found = true;
        if let Some(limit) = limit {
            set_limit(budget, Level::Target, limit);
        }
    }
    if !found {
        settings.budgets.push(declare());
    }
}

fn of_all(select: &Select, domain: Domain) -> bool {
    *select == Select::all(domain)
}

fn from_millis(millis: f64) -> Duration {
    Duration::from_nanos((millis * 1e6).round() as u64)
}
