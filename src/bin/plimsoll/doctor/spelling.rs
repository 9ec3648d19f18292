//! Names that are nearly alike.

use std::collections::BTreeSet;

/// A series' name without what histograms add to theirs.
pub(super) fn family(name: &str) -> &str {
    let ends = ["_bucket", "_count", "_sum"];
    ends.iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name)
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
    fn a_slip_of_two_letters_or_a_prefix_is_near() {
        let there = there(&["orders_total"]);
        for name in ["order_total", "ordres_total", "shop_orders_total"] {
            assert_eq!(near(name, &there), Some("orders_total"), "{name}");
        }
        assert_eq!(near("invoices_total", &there), None);
    }
}
