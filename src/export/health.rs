//! Our own health.

use super::series::DomainSeries;
use super::sheet::{Number, Sheet};
use crate::family::Kind;
use crate::instance::Inner;
use crate::registry::{Domain, LabelValues};

/// Shows it; `saturated` are the values above the range of the service's own histograms.
pub(super) fn show(
    inner: &Inner,
    domains: &[DomainSeries],
    saturated: u64,
    sheet: &mut impl Sheet,
) {
    one(
        sheet,
        "plimsoll_build_info",
        "The version of plimsoll that this process was built with; always 1.",
        ("version", env!("CARGO_PKG_VERSION")),
    );
    one(
        sheet,
        "plimsoll_clock_info",
        "What everything is timed by: tsc, instant or custom; always 1.",
        ("source", inner.registry.clock().as_str()),
    );
    sheet.family(
        "plimsoll_uptime_seconds",
        "Time since this instance was built.",
        Kind::Gauge,
    );
    sheet.sample([].into_iter(), Number::Float(inner.engine.uptime()));
    sheet.family(
        "plimsoll_shard_bytes",
        "Bytes of counters, by whether a thread owns them for itself.",
        Kind::Gauge,
    );
    for (owner, bytes) in inner.registry.memory() {
        let labels = [("owner", owner)];
        sheet.sample(labels.into_iter(), Number::Integer(bytes as u64));
    }
    by_kind(
        sheet,
        "plimsoll_series_overflow_total",
        "Operations that came after the cap on label sets and were counted under other.",
        domains.iter().map(|domain| (domain, domain.overflow)),
        inner.registry.instruments.overflow(),
    );
    by_label(
        inner,
        sheet,
        "plimsoll_label_overflow_total",
        "Values of a label that were not told apart, being too many, too long or not declared.",
        LabelValues::overflows,
    );
    by_label(
        inner,
        sheet,
        "plimsoll_label_panics_total",
        "Panics of the code that reads a label, whose value is then as if there were too many.",
        LabelValues::panics,
    );
    let oddities = &inner.registry.oddities;
    counter(
        sheet,
        "plimsoll_classifier_panics_total",
        "Panics of classifiers, in whose place the status decided.",
        oddities.classifier_panics_total(),
    );
    counter(
        sheet,
        "plimsoll_layers_stacked_total",
        "Requests that came to a layer around which another one measures them.",
        oddities.stacked_total(),
    );
    sheet.family(
        "plimsoll_warnings_total",
        "Warnings about the set-up, each of which is said once.",
        Kind::Counter,
    );
    inner.engine.each_warning_count(|kind, count| {
        sheet.sample([("kind", kind)].into_iter(), Number::Integer(count));
    });
    by_kind(
        sheet,
        "plimsoll_values_saturated_total",
        "Values above a histogram's range, which were counted as the end of the range.",
        domains.iter().map(|domain| (domain, domain.saturated())),
        saturated,
    );
    sheet.family(
        "plimsoll_values_invalid_total",
        "Values given to the facade's histograms that are no measurement: nan is ignored, negative counts as 0.",
        Kind::Counter,
    );
    for (reason, count) in inner.foreign.invalid.counts() {
        sheet.sample([("reason", reason)].into_iter(), Number::Integer(count));
    }
    sheet.family(
        "plimsoll_families_dropped_total",
        "Families of the user's that are left out, wholly or in part, because of their name or labels.",
        Kind::Counter,
    );
    sheet.sample(
        [].into_iter(),
        Number::Integer(inner.foreign.refused.count()),
    );
    sheet.family(
        "plimsoll_slow_dropped_total",
        "Slow operations that are not in the slow log: limit where slower ones were, busy where two met.",
        Kind::Counter,
    );
    inner.registry.slow.each_dropped(|domain, reason, count| {
        let labels = [("kind", domain.as_str()), ("reason", reason)];
        sheet.sample(labels.into_iter(), Number::Integer(count));
    });
    sheet.family(
        "plimsoll_query_findings_dropped_total",
        "Requests that queried too much and that nobody was told of: limit where there were too many, busy where two met.",
        Kind::Counter,
    );
    inner.registry.findings.each_dropped(|reason, count| {
        sheet.sample([("reason", reason)].into_iter(), Number::Integer(count));
    });
    #[cfg(feature = "db")]
    statements(inner, sheet);
    if let Some(running) = &inner.registry.running {
        let [overdue, unwatched] = running.totals();
        counter(
            sheet,
            "plimsoll_queries_overdue_total",
            "Queries that were still running past the watchdog's limit.",
            overdue,
        );
        counter(
            sheet,
            "plimsoll_queries_unwatched_total",
            "Queries that the watchdog had no room for.",
            unwatched,
        );
    }
}

/// What did not fit into the tables of statements, where there are any.
#[cfg(feature = "db")]
fn statements(inner: &Inner, sheet: &mut impl Sheet) {
    let databases = inner.databases.all();
    if databases.is_empty() {
        return;
    }
    sheet.family(
        "plimsoll_statement_overflow_total",
        "Queries whose statement came after the cap and was counted under _OTHER.",
        Kind::Counter,
    );
    for known in databases {
        let labels = [("database", &*known.name)];
        sheet.sample(labels.into_iter(), Number::Integer(known.overflow()));
    }
}

fn counter(sheet: &mut impl Sheet, name: &str, help: &str, count: u64) {
    sheet.family(name, help, Kind::Counter);
    sheet.sample([].into_iter(), Number::Integer(count));
}

/// A gauge that is always 1 and says something with its label.
fn one(sheet: &mut impl Sheet, name: &str, help: &str, label: (&str, &str)) {
    sheet.family(name, help, Kind::Gauge);
    sheet.sample([label].into_iter(), Number::Integer(1));
}

/// A counter by label of the user's, born at zero for each.
fn by_label(
    inner: &Inner,
    sheet: &mut impl Sheet,
    name: &str,
    help: &str,
    count: fn(&LabelValues) -> u64,
) {
    sheet.family(name, help, Kind::Counter);
    for label in inner.registry.set(Domain::Http).labels.all() {
        let labels = [("label", label.name)];
        sheet.sample(labels.into_iter(), Number::Integer(count(label)));
    }
}

/// A counter by kind of operation, born at zero for each.
fn by_kind<'a>(
    sheet: &mut impl Sheet,
    name: &str,
    help: &str,
    domains: impl Iterator<Item = (&'a DomainSeries, u64)>,
    instruments: u64,
) {
    sheet.family(name, help, Kind::Counter);
    let domains = domains.map(|(series, count)| (series.domain.as_str(), count));
    for (kind, count) in domains.chain([("instrument", instruments)]) {
        sheet.sample([("kind", kind)].into_iter(), Number::Integer(count));
    }
}
