//! One family under several names.

use std::collections::BTreeSet;

/// What is the same in the profiles; the short ones have a prefix as a rule.
const SAME: [&[&str]; 4] = [
    &[
        "http_server_request_duration_seconds",
        "axum_http_requests_duration_seconds",
        "http_request_duration_ms",
        "request_duration_seconds",
    ],
    &[
        "db_client_operation_duration_seconds",
        "db_query_duration_ms",
        "db_query_duration_seconds",
    ],
    &[
        "axum_http_requests_total",
        "http_requests_total",
        "requests_total",
    ],
    &[
        "http_server_active_requests",
        "axum_http_requests_pending",
        "requests_in_flight",
    ],
];

/// A series' name without what histograms add to theirs.
fn family(name: &str) -> &str {
    let ends = ["_bucket", "_count", "_sum"];
    ends.iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name)
}

/// What the same is called that is there.
pub(super) fn elsewhere<'a>(name: &str, there: &'a BTreeSet<String>) -> Option<&'a str> {
    let row = |name: &str| {
        let is = |one: &&str| family(name).ends_with(*one);
        SAME.iter().position(|row| row.iter().any(is))
    };
    let wanted = row(name)?;
    let same = |other: &&String| row(other) == Some(wanted);
    there.iter().find(same).map(|other| family(other))
}

/// A name that differs in two letters at most, or in a prefix.
pub(super) fn near<'a>(name: &str, there: &'a BTreeSet<String>) -> Option<&'a str> {
    let wanted = family(name);
    let close = |other: &&str| {
        let prefixed = |long: &str, short: &str| long.ends_with(&format!("_{short}"));
        prefixed(other, wanted) || prefixed(wanted, other) || distance(other, wanted) <= 2
    };
    there.iter().map(|other| family(other)).find(close)
}

/// How many letters are to be changed, added or taken away.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (to, known) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(letter != known);
            diagonal = row[to + 1];
            row[to + 1] = replaced.min(diagonal + 1).min(row[to] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_same_is_found_under_the_name_of_another_profile() {
        let there = there(&["up", "shop_request_duration_seconds_bucket"]);
        let found = elsewhere("http_server_request_duration_seconds_bucket", &there);
        assert_eq!(found, Some("shop_request_duration_seconds"));
        assert_eq!(elsewhere("db_query_duration_ms", &there), None);
    }

    #[test]
    fn a_slip_of_two_letters_or_a_prefix_is_near() {
        let there = there(&["orders_total"]);
        for name in ["order_total", "ordres_total", "shop_orders_total"] {
            assert_eq!(near(name, &there), Some("orders_total"), "{name}");
        }
        assert_eq!(near("invoices_total", &there), None);
    }
}
