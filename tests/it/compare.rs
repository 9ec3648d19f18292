//! Budgets in tests: what holds, what does not, and what nobody can tell.

mod claims;
#[cfg(feature = "baseline")]
mod file;
mod random;
mod regressions;

use std::time::Duration;

use plimsoll::compare::{Baseline, check_budget};
use plimsoll::{Budget, Expr, ManualClock, Outcome, Plimsoll, Select, Selector, assert_budget};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// An instance whose time is in the test's hand.
fn instance(budgets: impl IntoIterator<Item = Budget>) -> (Plimsoll, ManualClock) {
    let clock = ManualClock::new();
    let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
    let builder = builder.expect_family("depth").expect_family("load");
    let builder = budgets.into_iter().fold(builder, plimsoll::Builder::budget);
    (builder.build().unwrap(), clock)
}

/// Records as many operations of one name.
fn record(plimsoll: &Plimsoll, name: &str, count: u64, duration: Duration) {
    let operation = plimsoll.operation(name);
    (0..count).for_each(|_| operation.record(Outcome::Ok, duration));
}

fn p95(name: &str) -> Budget {
    Budget::quantile(name, Select::operation("parse"), 0.95).at_most(5 * MS)
}

/// What is said of a budget that is not known to be kept, and whether that is for want of knowledge.
fn failure(plimsoll: &Plimsoll, name: &str) -> (bool, String) {
    let failure = check_budget(plimsoll, name).expect_err("a failure");
    (failure.is_undecided(), failure.to_string())
}

#[test]
fn a_kept_budget_passes_at_the_tick_that_it_takes() {
    let (plimsoll, clock) = instance([p95("p95").critical(10 * MS)]);
    record(&plimsoll, "parse", 100, 2 * MS);
    clock.advance(SECOND);
    assert_budget!(plimsoll, "p95");
    assert_budget!(plimsoll, "p95"); // the clock stands still: no second tick takes the first one's place
    clock.advance(SECOND);
    assert_budget!(&plimsoll, "p95",);
    assert_eq!(
        plimsoll.budgets()[0].value.map(|value| value > 0.0019),
        Some(true)
    );
}

#[test]
fn a_breach_says_all_there_is_to_say() {
    let (plimsoll, clock) = instance([p95("p95").critical(SECOND)]);
    record(&plimsoll, "parse", 1_400, 2 * MS);
    record(&plimsoll, "parse", 100, 20 * MS);
    clock.advance(SECOND);
    let (undecided, text) = failure(&plimsoll, "p95");
    assert!(!undecided);
    let expected = "\
budget \"p95\" (target) is not kept
  value       p95 19.94 ms in the window of 60s, promised is at most 5 ms
  confidence  100 of 1,500 in the window above 5 ms: 5.457 % to 8.049 % with 95 %
  operations  1,500 since the instance was built (0 failed: 0 % to 0.2456 % with 95 % confidence)
  p50         2.007 ms (1.996 ms to 2.018 ms with 95 % confidence)
  p95         19.94 ms (19.83 ms to 20.04 ms with 95 % confidence)
  p99         19.94 ms (19.83 ms to 20.04 ms with 95 % confidence)";
    assert_eq!(text, expected, "\n{text}\n");
}

#[test]
#[should_panic(expected = "budget \"p95\" (target) is not kept")]
fn the_macro_panics_with_it() {
    let (plimsoll, clock) = instance([p95("p95")]);
    record(&plimsoll, "parse", 100, 20 * MS);
    clock.advance(SECOND);
    assert_budget!(plimsoll, "p95");
}

#[test]
fn silence_is_no_pass() {
    let (plimsoll, clock) = instance([
        p95("p95").min_events(20),
        Budget::error_ratio("errors", Select::operation("parse")).at_most(0.5),
        p95("warm").warm_up(10 * SECOND),
        p95("loaded").when(Expr::select(Selector::new("load")).sum().greater(0.0)),
        Budget::quantile("routes", Select::http(), 0.95)
            .at_most(5 * MS)
            .per("route"),
    ]);
    clock.advance(SECOND);
    let holds_nothing = failure(&plimsoll, "errors");
    assert!(holds_nothing.0 && holds_nothing.1.contains("the window of 60s holds nothing"));
    record(&plimsoll, "parse", 19, 2 * MS);
    let unseen = failure(&plimsoll, "errors");
    assert!(
        unseen.0 && unseen.1.contains("after the latest tick at the same time"),
        "{unseen:?}"
    );
    clock.advance(SECOND);
    for (name, expected) in [
        (
            "p95",
            "too few operations: the window of 60s holds 19, min_events asks for 20",
        ),
        ("warm", "the instance warms up for 10s, and runs for 2 s"),
        ("loaded", "it is judged only `when` a condition holds"),
        ("routes", "none of its operations was seen yet"),
        (
            "p59",
            "is not declared: there are p95, errors, warm, loaded",
        ),
    ] {
        let (undecided, text) = failure(&plimsoll, name);
        assert!(undecided && text.contains(expected), "{name}: {text}");
    }
    assert_budget!(plimsoll, "errors");
    record(&plimsoll, "parse", 1, 2 * MS);
    plimsoll.gauge("load").register().unwrap().set(1.0);
    clock.advance(10 * SECOND);
    for name in ["p95", "warm", "loaded"] {
        assert_budget!(plimsoll, name);
    }
    // All of it is too long ago.
    clock.advance(61 * SECOND);
    assert!(failure(&plimsoll, "p95").0);
}

#[test]
fn what_the_engine_says_is_what_counts() {
    let (plimsoll, clock) = instance([p95("p95").sustained(10 * SECOND).keep_firing(20 * SECOND)]);
    let one_second = |duration| {
        record(&plimsoll, "parse", 100, duration);
        clock.advance(SECOND);
    };
    one_second(20 * MS);
    let pending = failure(&plimsoll, "p95");
    assert!(
        !pending.0 && pending.1.contains("is exceeded, though not yet"),
        "{}",
        pending.1
    );
    (0..10).for_each(|_| one_second(20 * MS));
    assert!(failure(&plimsoll, "p95").1.contains("is not kept"));
    for _ in 0..200 {
        one_second(MS);
        let said = check_budget(&plimsoll, "p95").is_ok();
        assert_eq!(
            said,
            plimsoll.budgets()[0].state == plimsoll::AlertState::Inactive
        );
    }
    assert_budget!(plimsoll, "p95");
}

#[test]
fn every_part_and_level_has_to_be_kept() {
    let jobs = Budget::error_ratio("errors", Select::operation("job-*"));
    let (plimsoll, clock) = instance([jobs.at_most(0.5).warning(0.9).per("operation")]);
    for (job, outcome) in [("job-good", Outcome::Ok), ("job-bad", Outcome::Error)] {
        plimsoll.operation(job).record(outcome, MS);
    }
    clock.advance(SECOND);
    let (undecided, text) = failure(&plimsoll, "errors");
    assert!(!undecided, "{text}");
    for level in ["target", "warning"] {
        let line = format!("budget \"errors\" operation=\"job-bad\" ({level}) is not kept");
        assert!(text.contains(&line), "{text}");
    }
    assert!(!text.contains("job-good"), "{text}");
}

#[test]
fn the_clock_may_be_a_real_one() {
    let plimsoll = Plimsoll::builder().budget(p95("p95")).build().unwrap();
    let start = Baseline::capture(&plimsoll);
    record(&plimsoll, "parse", 100, 2 * MS);
    assert_budget!(plimsoll, "p95");
    record(&plimsoll, "parse", 100, 20 * MS);
    assert!(!failure(&plimsoll, "p95").0);
    let between = Baseline::capture(&plimsoll).since(&start).unwrap();
    assert_eq!(between.operations()[0].outcomes.ok, 200);
}

#[test]
fn other_kinds_of_budgets_say_how_sure_they_are() {
    let select = || Select::operation("parse");
    let (plimsoll, clock) = instance([
        Budget::throughput("floor", select()).at_least(100.0),
        Budget::success_ratio("good", select()).at_least(0.99),
        Budget::value("depth", Expr::select(Selector::new("depth")).sum()).at_most(3.0),
    ]);
    let (undecided, text) = failure(&plimsoll, "depth");
    assert!(undecided && text.contains("holds nothing"), "{text}");
    plimsoll.operation("parse").record(Outcome::Error, MS);
    plimsoll.gauge("depth").register().unwrap().set(4.0);
    clock.advance(SECOND);
    for (name, lines) in [
        (
            "floor",
            &[
                "throughput 0.01667/s",
                "promised is at least 100/s",
                "/s with 95 %",
            ][..],
        ),
        (
            "good",
            &[
                "success ratio 0 in",
                "1 of 1 in the window failed: 2.5 % to 100 %",
            ],
        ),
        (
            "depth",
            &["value 4 in the window of 60s, promised is at most 3"],
        ),
    ] {
        let (undecided, text) = failure(&plimsoll, name);
        assert!(!undecided, "{text}");
        lines
            .iter()
            .for_each(|line| assert!(text.contains(line), "{line}: {text}"));
    }
}
