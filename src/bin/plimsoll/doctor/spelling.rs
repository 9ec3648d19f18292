//! Names that are nearly alike.

use std::collections::BTreeSet;

use strsim::levenshtein;

use super::OWN;

/// A series' name without what histograms add to theirs.
pub(super) fn family(name: &str) -> &str {
    let ends = ["_bucket", "_count", "_sum"];
    ends.iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name)
}

/// The name of the service's own that differs least: by two letters at most, of a short one by fewer, or by a prefix.
pub(super) fn near<'a>(name: &str, there: &'a BTreeSet<String>) -> Option<&'a str> {
    let wanted = family(name);
    // Two letters make any short word of any other.
    let edits = (wanted.len() / 3).min(2);
    let prefixed = |long: &str, short: &str| long.ends_with(&format!("_{short}"));
    let close = |other: &&str| {
        prefixed(other, wanted) || prefixed(wanted, other) || levenshtein(other, wanted) <= edits
    };
    let others = there.iter().map(|other| family(other));
    let others = others.filter(|other| !OWN.contains(other));
    others
        .filter(close)
        .min_by_key(|other| levenshtein(other, wanted))
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

    #[test]
    fn short_names_are_near_by_fewer_letters() {
        let there = there(&["gpu", "queue"]);
        for (name, expected) in [
            ("cpu", Some("gpu")),
            ("qeue", Some("queue")),
            ("ram", None),
            ("gc", None),
            ("cp", None),
        ] {
            assert_eq!(near(name, &there), expected, "{name}");
        }
    }

    #[test]
    fn what_prometheus_makes_itself_is_near_nothing() {
        let there = there(&["up", "ALERTS"]);
        for name in ["cpu", "ups", "shop_up", "ALERT"] {
            assert_eq!(near(name, &there), None, "{name}");
        }
    }

    #[test]
    fn of_several_the_nearest_is_meant() {
        let there = there(&["order_total", "orders_total"]);
        assert_eq!(near("orders_totl", &there), Some("orders_total"));
    }
}
