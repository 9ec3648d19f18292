//! What may be the cause, by what was promised.

use super::checks::{Check, check};
use super::families::{Families, keys};
use super::suspects::{
    anatomy, devices, exhausted, failed_queries, load, not_connected, pool, processor,
    slow_queries, timeouts,
};
use super::words;
use crate::budget::{Budget, Level};
use crate::naming::{Label, Take};
use crate::registry::Domain;

pub(super) fn latency(of: Domain, q: f64, families: &Families<'_>) -> Vec<Check> {
    let noun = words::noun(of);
    let mut checks = Vec::new();
    if let Some(durations) = families.durations(of) {
        checks.push(load(of, durations, families));
        checks.push(check(
            format!("Are some {noun} much slower than the others?"),
            families.worst(q, durations),
            "Look at what changed there: code, data, or what they wait for; the slow log has single ones",
        ));
    }
    match of {
        Domain::Http => {
            checks.extend(anatomy(families));
            checks.extend(slow_queries(families));
            checks.extend(pool(families));
        }
        Domain::Db => checks.extend(pool(families)),
        Domain::Modbus | Domain::Connect | Domain::Cycle => checks.extend(devices(families)),
        Domain::Acquire | Domain::Create => checks.extend(exhausted(families)),
        _ => {}
    }
    checks.push(processor(families));
    checks
}

pub(super) fn errors(of: Domain, families: &Families<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for (label, what) in [
        (Label::Code, "status"),
        (Label::End, "end"),
        (Label::ErrorType, "kind"),
    ] {
        if let Some((counter, key)) = families.with(of, label) {
            checks.push(check(
                format!("Does one {what} stand out among the {}?", words::noun(of)),
                format!("topk(5, {})", families.rate(&counter, key)),
                "Search the log for it: the kind of failure says whose trouble it is",
            ));
        }
    }
    if let Some(durations) = families.durations(of) {
        checks.push(load(of, durations, families));
    }
    match of {
        Domain::Http => {
            checks.extend(failed_queries(families));
            checks.extend(timeouts(families));
            checks.push(not_connected(families));
        }
        Domain::Db => {
            checks.extend(failed_queries(families));
            checks.extend(timeouts(families));
        }
        Domain::Acquire | Domain::Create => checks.extend(exhausted(families)),
        Domain::Service | Domain::Operation => {}
        _ => checks.extend(devices(families)),
    }
    checks
}

pub(super) fn throughput(of: Domain, floor: bool, families: &Families<'_>) -> Vec<Check> {
    let Some(durations) = families.durations(of) else {
        return Vec::new();
    };
    let counter = format!("{}_count", durations.name);
    let noun = words::noun(of);
    let by = keys(durations);
    if !floor {
        let who = format!("topk(5, {})", families.rate(&counter, &by));
        let action = "Stop or limit who sends them; add instances if they are meant";
        return vec![
            load(of, durations, families),
            check(format!("Which {noun} are so many?"), who, action),
        ];
    }
    let now = families.rate(&counter, "");
    let under_way = families.find(of, |take| take == Take::InFlight);
    let under_way = under_way.map(|spec| {
        check(
            format!("Do {noun} begin and not end?"),
            format!("topk(5, sum by ({by}) ({}))", families.of_job(&spec.name)),
            "They hang: look at what they wait for, locks and time limits that are missing",
        )
    });
    let refused = families.of_job("plimsoll_shed_total");
    let less = check(
        format!("Do half as many {noun} come as a week ago at this time?"),
        format!("{now} < 0.5 * {}", now.replace("[5m]", "[5m] offset 1w")),
        "Look at who sends them: load balancer, DNS, the callers themselves",
    );
    let shed = check(
        "Are they refused (shed)?",
        format!("sum(rate({refused}[5m])) > 0"),
        "Another budget is breached: go on with its page",
    );
    under_way.into_iter().chain([less, shed]).collect()
}

pub(super) fn freshness(budget: &str, of: Domain, families: &Families<'_>) -> Vec<Check> {
    let good = families.labelled(
        "plimsoll_sli_last_good_timestamp_seconds",
        &[("budget", budget)],
    );
    let mut checks = vec![check(
        "Is the latest success older than one run of it takes?",
        format!("time() - max({good})"),
        "Start it by hand and see how far it comes",
    )];
    if let Some(durations) = families.durations(of) {
        let counter = families.of_job(&format!("{}_count", durations.name));
        checks.push(check(
            "Has it not run at all?",
            format!("sum(increase({counter}[1h])) == 0"),
            "Look at what starts it: schedule, queue, lock of another instance",
        ));
    }
    checks.extend(errors(of, families));
    checks
}

/// Of gauges and of whatever else the service shows.
pub(super) fn saturation(budget: &Budget, families: &Families<'_>) -> Vec<Check> {
    let level = budget.levels().find(|level| *level != Level::Absent);
    let value = budget.value_of_parts(level.unwrap_or(Level::Target));
    let shown = families.labelled("plimsoll_budget_value", &[("budget", budget.name())]);
    vec![
        check(
            "Is the value what it is said to be, and not an error of who reports it?",
            value.to_string(),
            "Follow where it comes from: if it is real, make room or take load away; if not, mend the report",
        ),
        check(
            "Did it get there slowly?",
            format!("deriv({shown}[1h])"),
            "Something fills up: find what grows, and when it is full",
        ),
        processor(families),
    ]
}

/// Nothing is counted any more.
pub(super) fn absence(name: &str, families: &Families<'_>) -> [Check; 2] {
    let of = [("budget", name)];
    let unmatched = families.labelled("plimsoll_budget_unmatched", &of);
    let valid = families.labelled("plimsoll_sli_valid_total", &of);
    [
        check(
            "Was what it speaks of never seen (a route that is misspelt or gone)?",
            format!("max({unmatched}) == 1"),
            "Mend the declaration, or measure what it speaks of",
        ),
        check(
            "Has it stopped coming?",
            format!("sum(increase({valid}[1h])) == 0"),
            "Look at who sends it: load balancer, queue, schedule, the callers themselves",
        ),
    ]
}

/// Of an instance that is down.
pub(super) fn gone(families: &Families<'_>) -> [Check; 2] {
    let started = families.of_job("process_start_time_seconds");
    let took = families.of_job("scrape_duration_seconds");
    [
        check(
            "Does it crash and start again (feature process)?",
            format!("changes({started}[30m]) > 1"),
            "Read the log of the process that ended; roll back what was deployed last",
        ),
        check(
            "Does the scrape take too long?",
            format!("max_over_time({took}[10m]) > 5"),
            "Give scrape_timeout more time, or the page fewer series",
        ),
    ]
}
