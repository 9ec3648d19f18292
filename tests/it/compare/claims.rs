//! What a test says of operations without a declared budget.

use std::time::Duration;

use plimsoll::compare::{Claim, check_claim};
use plimsoll::{Outcome, Plimsoll, Select, assert_budget};

use super::{MS, SECOND, instance, record};

fn failure(plimsoll: &Plimsoll, claim: Claim) -> (bool, String) {
    let failure = check_claim(plimsoll, &Select::operation("parse"), claim).expect_err("a failure");
    (failure.is_undecided(), failure.to_string())
}

#[test]
fn claims_that_hold_pass() {
    const LIMIT: Duration = Duration::from_millis(5);
    let (plimsoll, clock) = instance([]);
    record(&plimsoll, "parse", 4_000, 2 * MS);
    clock.advance(10 * SECOND);
    let parse = || Select::operation("parse");
    assert_budget!(plimsoll, parse(), p99 <= 5 ms);
    assert_budget!(plimsoll, parse(), p999 <= 2500 us, p50 <= 2500000 ns, p75 <= 0.1 min, p90 <= 2.5 ms, p95 <= 1 s,);
    assert_budget!(
        plimsoll,
        parse(),
        p95 <= LIMIT,
        mean <= 2 * MS,
        max <= LIMIT
    );
    assert_budget!(
        plimsoll,
        parse(),
        error_ratio <= 0.01,
        success_ratio >= 0.99,
        throughput >= 400.0
    );
    assert_budget!(&plimsoll, Select::operation("par*"), error_ratio <= 0.0);
}

#[test]
#[should_panic(expected = "operation{operation=\"parse\"}: p99 <= 5 ms does not hold")]
fn one_that_does_not_hold_panics() {
    let (plimsoll, _clock) = instance([]);
    record(&plimsoll, "parse", 960, 2 * MS);
    record(&plimsoll, "parse", 40, 6 * MS);
    assert_budget!(plimsoll, Select::operation("parse"), p95 <= 5 ms, p99 <= 5 ms);
}

#[test]
fn a_failure_says_what_was_measured_and_how_sure_it_is() {
    let (plimsoll, _clock) = instance([]);
    record(&plimsoll, "parse", 960, 2 * MS);
    record(&plimsoll, "parse", 40, 6 * MS);
    let (undecided, text) = failure(&plimsoll, Claim::quantile(0.99, 5 * MS));
    assert!(!undecided);
    for line in [
        "p50         2.007 ms (1.996 ms to 2.018 ms with 95 % confidence)",
        "operations  1,000 since the instance was built (0 failed: 0 % to 0.3682 %",
        "share       4 % are above 5 ms, 1 % may be (2.873 % to 5.407 % with 95 % confidence)",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    for (claim, line) in [
        (Claim::mean(2 * MS), "mean        2.16 ms ("),
        (Claim::max(5 * MS), "above       40 operations"),
    ] {
        let (undecided, text) = failure(&plimsoll, claim);
        assert!(!undecided && text.contains(line), "{text}");
    }
}

#[test]
fn too_few_to_tell_is_a_failure_that_says_so() {
    let (plimsoll, _clock) = instance([]);
    let nothing = failure(&plimsoll, Claim::quantile(0.5, MS));
    assert!(
        nothing.0 && nothing.1.contains("no operation has ended"),
        "{nothing:?}"
    );
    for (claim, needed) in [
        (Claim::quantile(0.5, MS), 6),
        (Claim::mean(MS), 30),
        (Claim::quantile(0.95, MS), 72),
        (Claim::error_ratio(0.01), 368),
        (Claim::success_ratio(0.99), 368),
    ] {
        let (plimsoll, _clock) = instance([]);
        record(&plimsoll, "parse", needed - 1, MS / 2);
        let (undecided, text) = failure(&plimsoll, claim);
        let expected = format!("too few operations to tell, it takes {needed}");
        assert!(undecided && text.contains(&expected), "{text}");
        record(&plimsoll, "parse", 1, MS / 2);
        assert_eq!(
            check_claim(&plimsoll, &Select::operation("parse"), claim),
            Ok(())
        );
    }
    // One that is bad enough needs no more.
    let (plimsoll, _clock) = instance([]);
    record(&plimsoll, "parse", 1, 2 * MS);
    assert!(!failure(&plimsoll, Claim::quantile(0.99, MS)).0);
    let (undecided, text) = failure(&plimsoll, Claim::throughput(1.0));
    assert!(undecided && text.contains("no time has passed"), "{text}");
}

#[test]
fn a_limit_inside_a_bucket_that_decides_is_not_guessed() {
    let (plimsoll, _clock) = instance([]);
    record(&plimsoll, "parse", 1_000, Duration::from_nanos(2_000_000));
    for claim in [Claim::quantile(0.5, 2 * MS), Claim::max(2 * MS)] {
        let (undecided, text) = failure(&plimsoll, claim);
        assert!(undecided && text.contains("lies inside a bucket"), "{text}");
    }
    // A bound of a budget is exact.
    let budget = super::p95("p95").warning(6 * MS);
    let (plimsoll, _clock) = instance([budget]);
    record(&plimsoll, "parse", 1_000, 5 * MS);
    assert_budget!(plimsoll, Select::operation("parse"), max <= 5 ms);
    record(&plimsoll, "parse", 1, 5 * MS + Duration::from_nanos(1));
    assert!(!failure(&plimsoll, Claim::max(5 * MS)).0);
}

#[test]
fn what_cannot_be_meant_is_said() {
    let (plimsoll, _clock) = instance([]);
    for (claim, expected) in [
        (
            Claim::quantile(95.0, MS),
            "quantile 95 is not between 0 and 1: write 0.95 for p95",
        ),
        (
            Claim::error_ratio(1.5),
            "1.5 is not a ratio between 0 and 1",
        ),
        (Claim::success_ratio(f64::NAN), "NaN is not a ratio"),
        (
            Claim::throughput(f64::INFINITY),
            "throughput inf is not a number",
        ),
    ] {
        let (undecided, text) = failure(&plimsoll, claim);
        assert!(undecided && text.contains(expected), "{text}");
    }
    for (select, expected) in [
        (
            Select::http().label("path", "/a"),
            "label \"path\": is not a label of http: it has method",
        ),
        (
            Select::data_points(),
            "point has no durations: claim a success_ratio",
        ),
    ] {
        let failure = check_claim(&plimsoll, &select, Claim::max(MS)).unwrap_err();
        assert!(
            failure.is_undecided() && failure.to_string().contains(expected),
            "{failure}"
        );
    }
}

#[test]
fn what_a_layer_refused_is_no_evidence() {
    let (plimsoll, _clock) = instance([]);
    record(&plimsoll, "parse", 400, MS);
    let parse = plimsoll.operation("parse");
    (0..1_000).for_each(|_| parse.record(Outcome::Shed, SECOND));
    assert_budget!(plimsoll, Select::operation("parse"), p99 <= 2 ms, max <= 2 ms, error_ratio <= 0.01);
}
