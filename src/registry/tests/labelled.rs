//! Operations with labels that the user adds.

use super::*;

/// All label values, in the order of their making.
fn values(set: &OperationSet) -> Vec<String> {
    let operations = set.operations();
    let values = operations
        .iter()
        .map(|operation| operation.labels().join(" "));
    values.collect()
}

#[test]
fn a_declared_route_never_falls_to_the_cap_whatever_the_labels() {
    let closed = Label::new("tier", Side::Request, Box::new(())).values(["free", "paid"]);
    let open = Label::new("tenant", Side::Request, Box::new(())).at_most(3);
    let (registry, _) = labelled(2, vec![closed, open]);
    let set = registry.set(Domain::Http);
    set.declare(&["GET", "/declared"]);
    set.get(&["GET", "/a", "free", ""]);
    set.get(&["GET", "/b", "free", ""]);
    // The cap is reached.
    for tier in ["free", "paid", "_OTHER", ""] {
        set.get(&["GET", "/declared", tier, ""]);
        set.get_declared(&["GET", "unmatched", tier, ""]);
        set.get(&["GET", "/c", tier, ""]);
    }
    for tenant in ["a", "b"] {
        set.get(&["GET", "/declared", "free", tenant]);
        set.get_declared(&["GET", "unmatched", "", tenant]);
    }
    let expected = [
        "GET /declared  ",
        "GET /a free ",
        "GET /b free ",
        "GET /declared free ",
        "GET unmatched free ",
        "other other other other",
        "GET /declared paid ",
        "GET unmatched paid ",
        "GET /declared _OTHER ",
        "GET unmatched _OTHER ",
        "GET unmatched  ",
        "GET /declared free other",
        "GET unmatched  other",
    ];
    assert_eq!(values(set), expected);
    assert_eq!(set.overflow(), 8);
}

#[test]
fn a_route_may_be_declared_after_its_first_request_and_twice() {
    let label = Label::new("tier", Side::Request, Box::new(())).values(["free"]);
    let (registry, _) = labelled(1, vec![label]);
    let set = registry.set(Domain::Http);
    set.get(&["GET", "/a", ""]);
    assert_eq!(
        set.get(&["GET", "/a", "free"]).labels().join(" "),
        "other other other"
    );
    for _ in 0..2 {
        set.declare(&["GET", "/a"]);
    }
    assert_eq!(
        set.get(&["GET", "/a", "free"]).labels().join(" "),
        "GET /a free"
    );
    assert_eq!(set.operations().len(), 3);
}

#[test]
fn what_a_budget_names_has_a_place_among_the_values() {
    let label = Label::new("tenant", Side::Request, Box::new(())).at_most(2);
    let (registry, _) = labelled(1, vec![label]);
    let set = registry.set(Domain::Http);
    set.declare(&["GET", "/a", "vip"]);
    let tenants = &set.labels.request[0];
    for tenant in ["a", "b", "vip"] {
        tenants.place(Some(tenant));
    }
    assert_eq!(tenants.place(Some("vip")).1, "vip");
    assert_eq!(tenants.overflows(), 1);
    assert_eq!(values(set), ["GET /a vip"]);
}

#[test]
fn racing_threads_keep_to_the_cap() {
    for _ in 0..50 {
        let (registry, _) = registry(4);
        let set = registry.set(Domain::Http);
        let routes = ["/a", "/b", "/c", "/d", "/e", "/f"];
        thread::scope(|scope| {
            for first in 0..4 {
                scope.spawn(move || {
                    (0..6)
                        .for_each(|nth| drop(set.get(&["GET", routes[(first + nth) % 6]]).clone()));
                });
            }
        });
        let made = values(set);
        let routes = made.iter().filter(|made| *made != "other other").count();
        assert!((1..=4).contains(&routes), "{made:?}");
        // Whoever lost a race has given its place back.
        for route in ["/g", "/h", "/i", "/j"] {
            set.get(&["PUT", route]);
        }
        let kept = values(set).into_iter().filter(|made| made != "other other");
        assert_eq!(kept.count(), 4);
    }
}

#[test]
fn ends_beyond_the_cap_lose_their_labels_only_where_they_have_some() {
    let (registry, _) = registry(3);
    let operation = registry.set(Domain::Http).get(&["GET", "/proxy"]).clone();
    let mut places = Places::default();
    for status in 200..300 {
        places.set(0, 2 + (status % 50) as u8);
        let end: End = (Outcome::Ok, status).into();
        operation.record(end.labelled(places), 5_000);
    }
    let beyond = operation.each_series().find(|series| series.end.code == 0);
    let beyond = beyond.expect("too many ends");
    assert_eq!((beyond.end.labels.get(0), beyond.end.labels.get(1)), (1, 0));
    assert_eq!(beyond.histogram.count(), 36);
}
