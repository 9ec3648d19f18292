//! Single things that trouble comes from, each with the query that shows whether it is that one.

use super::checks::{Check, check};
use super::families::{Families, keys};
use super::words;
use crate::naming::{Label, Spec, Take};
use crate::registry::{Domain, Outcome, QueryFindingKind, Way};

pub(super) fn load(of: Domain, durations: &Spec, families: &Families<'_>) -> Check {
    let now = families.rate(&format!("{}_count", durations.name), "");
    let before = now.replace("[5m]", "[5m] offset 1d");
    check(
        format!(
            "Are there half as many {} again as a day ago?",
            words::noun(of)
        ),
        format!("{now} > 1.5 * {before}"),
        "Add instances, or stop who sends them; shed load until then",
    )
}

/// Where the time of requests goes.
pub(super) fn anatomy(families: &Families<'_>) -> Vec<Check> {
    let stages = families.find(Domain::Http, |take| matches!(take, Take::Stage { .. }));
    let stages = stages.map(|spec| {
        let by = keys(spec);
        let by = format!("{by}, stage");
        check(
            "Does one stage take most of the time (anatomy)?",
            format!("topk(5, {})", families.rate(&format!("{}_sum", spec.name), &by)),
            "Mend that one: query is the database, device the field, rest the service's own code or its processor",
        )
    });
    let looping = families.find(Domain::Http, |take| {
        take == Take::Found(QueryFindingKind::NPlusOne)
    });
    let looping = looping.map(|spec| {
        check(
            "Do requests run one statement over and over (N+1)?",
            format!("topk(5, {}) > 0", families.rate(&spec.name, &keys(spec))),
            "Make one query of them; which statement it is says the log, target plimsoll::queries",
        )
    });
    stages.into_iter().chain(looping).collect()
}

pub(super) fn slow_queries(families: &Families<'_>) -> Option<Check> {
    let durations = families.durations(Domain::Db)?;
    Some(check(
        "Are queries slow?",
        families.worst(0.95, durations),
        "Look for a missing index, locks, and what else the database does",
    ))
}

pub(super) fn failed_queries(families: &Families<'_>) -> Option<Check> {
    let failed = |take| take == Take::EndedAs(Outcome::Error);
    let spec = families.find(Domain::Db, failed)?;
    let kind = spec
        .labels
        .iter()
        .find(|(_, label)| *label == Label::ErrorType);
    let by = kind.map_or("", |(key, _)| key.as_str());
    Some(check(
        "Do queries fail?",
        format!("{} > 0", families.rate(&spec.name, by)),
        "By kind: connection and resources are the database's, syntax and data the service's, retryable is contention",
    ))
}

pub(super) fn pool(families: &Families<'_>) -> Option<Check> {
    let waiting = families.durations(Domain::Acquire)?;
    Some(check(
        "Do they wait for a pooled connection?",
        format!("{} > 0.05", families.worst(0.95, waiting)),
        "Shorten transactions or widen the pool, within what the database takes",
    ))
}

pub(super) fn exhausted(families: &Families<'_>) -> Vec<Check> {
    let active = families.instrument("connection_pool_active");
    let max = families.instrument("connection_pool_max");
    let mut checks = vec![check(
        "Are all connections of a pool in use?",
        format!("{active} / {max} >= 0.9"),
        "Find who keeps them: long transactions, forgotten connections. Then widen the pool",
    )];
    let create = families.find(Domain::Create, |take| matches!(take, Take::EndedAs(_)));
    checks.extend(create.map(|spec| {
        check(
            "Can no connection be opened?",
            format!("{} > 0", families.rate(&spec.name, &keys(spec))),
            "Look at the database: is it there, does it take more connections, is the password right?",
        )
    }));
    checks
}

pub(super) fn timeouts(families: &Families<'_>) -> Option<Check> {
    let timed_out = |take| take == Take::EndedBy(Way::POOL_TIMEOUT);
    let spec = families.find(Domain::Acquire, timed_out)?;
    Some(check(
        "Does no connection come free in time?",
        format!("{} > 0", families.rate(&spec.name, &keys(spec))),
        "Shorten transactions or widen the pool, within what the database takes",
    ))
}

pub(super) fn not_connected(families: &Families<'_>) -> Check {
    check(
        "Is a device not connected?",
        format!("{} == 0", families.instrument("device_connected")),
        "Look at its power, its line and its gateway",
    )
}

pub(super) fn devices(families: &Families<'_>) -> [Check; 2] {
    let reconnects = families.instrument("reconnects_total");
    [
        not_connected(families),
        check(
            "Do connections come and go?",
            format!("topk(5, increase({reconnects}[15m])) > 0"),
            "Look for a bad line, two masters on it, or a time limit that is too short",
        ),
    ]
}

pub(super) fn processor(families: &Families<'_>) -> Check {
    let used = families.of_job("process_cpu_seconds_total");
    check(
        "Is the processor or the runtime busy (feature process)?",
        format!(
            "rate({used}[5m]) > 0.9 or {} > 0.9",
            families.of_job("tokio_busy_ratio")
        ),
        "Profile it, move blocking work off the runtime, or add instances",
    )
}
