//! What is refused, and what is not.

use super::super::{Maintenance, Severity};
use super::*;
use crate::budget::Select;
use crate::expr::{Expr, Selector};
use std::time::UNIX_EPOCH;

const KEYS: &[&str] = &["method", "route"];

fn api() -> Slo {
    Slo::availability("api", Select::http())
}

#[track_caller]
fn refused(slo: Slo, all: &[Slo], field: &str, mend: &str) {
    let problems = slo.problems(Duration::from_secs(1), KEYS, all);
    let found = problems
        .iter()
        .any(|(at, message)| at.ends_with(field) && message.contains(mend));
    assert!(found, "{field} {mend}: {problems:?}");
}

#[test]
fn a_sound_one_has_no_problems() {
    let slo = api()
        .objective(0.999)
        .per("route")
        .absent_after(Duration::from_secs(600));
    assert_eq!(slo.problems(Duration::from_secs(1), KEYS, &[]), []);
}

#[test]
fn objectives_that_cannot_be_meant_are_refused() {
    refused(api(), &[], "objective", "write 0.999");
    refused(api().objective(0.0), &[], "objective", "promises nothing");
    refused(api().objective(1.0), &[], "objective", "no error budget");
    refused(
        api().objective(99.9),
        &[],
        "objective",
        "write 0.999 for 99.9 %",
    );
    refused(
        api().objective(99.95),
        &[],
        "objective",
        "write 0.9995 for 99.95 %",
    );
    refused(api().objective(-0.1), &[], "objective", "not a share");
    refused(api().objective(f64::NAN), &[], "objective", "not a share");
    refused(
        api().objective(1.0 - 1e-15),
        &[],
        "objective",
        "not a share",
    );
    refused(api().objective(0.9), &[], "burn_alerts", "can never fire");
    let reachable = api().objective(0.9).reachable_burn_alerts();
    assert_eq!(reachable.problems(Duration::from_secs(1), KEYS, &[]), []);
    assert_eq!(reachable.burns().len(), 3);
}

#[test]
fn everything_else_that_cannot_be_meant_is_refused() {
    let sound = || api().objective(0.999);
    refused(sound().rolling(0), &[], "rolling", "1 to 366");
    refused(
        sound().per("rout"),
        &[],
        "per \"rout\"",
        "not a label of http",
    );
    refused(
        sound().per("route").per("route"),
        &[],
        "per \"route\"",
        "twice",
    );
    refused(sound().confidence(95.0), &[], "confidence", "0.95");
    refused(
        sound().absent_after(Duration::from_secs(3)),
        &[],
        "absent_after",
        "four ticks",
    );
    let late = UNIX_EPOCH + Duration::from_secs(9);
    refused(
        sound().maintenance(Maintenance::new(late, UNIX_EPOCH, "x")),
        &[],
        "maintenance 1",
        "ends before",
    );
    let short = BurnAlert::new(Severity::Page, 0.02, Duration::from_secs(12));
    refused(
        sound().burn_alerts([short]),
        &[],
        "burn_alert 1",
        "two ticks",
    );
    let slow = Slo::latency("slow", Select::http(), Duration::ZERO).objective(0.9);
    refused(slow, &[], "threshold", "more than 0");
    let state = || Expr::select(Selector::new("up"));
    let slices = Slo::time_slice("s", state(), Duration::from_secs(1)).objective(0.9);
    refused(slices, &[], "slice", "two ticks");
    refused(
        Slo::time_based("t", state()).objective(0.9).per("a"),
        &[],
        "per",
        "only for SLOs over operations",
    );
}

#[test]
fn composites_name_what_there_is() {
    let (a, month) = (api().objective(0.999), api().objective(0.999).rolling(30));
    let both = || Slo::weighted("both", [(&a, 1.0)]).objective(0.99);
    refused(both(), &[], "weights: api", "no SLO of this instance");
    refused(
        both(),
        std::slice::from_ref(&month),
        "weights: api",
        "rolling 30d",
    );
    refused(
        both(),
        &[a.clone().per("route")],
        "weights: api",
        "kept by labels",
    );
    refused(
        Slo::weighted("none", []).objective(0.99),
        &[],
        "weights",
        "names no SLO",
    );
    refused(
        Slo::weighted("zero", [(&a, 0.0)]).objective(0.99),
        std::slice::from_ref(&a),
        "weights: api",
        "above 0",
    );
    refused(
        both().confidence(0.95),
        std::slice::from_ref(&a),
        "confidence",
        "not for a weighted",
    );
    let nested = Slo::all_of("nested", [&both()]).objective(0.99);
    refused(nested, &[both()], "all_of \"both\"", "counts nothing");
}

#[test]
fn composites_in_a_circle_are_refused() {
    let all_of = |name: &str, part: &str| {
        let part = Slo::availability(part, Select::http());
        Slo::all_of(name, [&part]).objective(0.99)
    };
    let itself = || all_of("a", "a");
    refused(itself(), &[itself()], "all_of \"a\"", "is the SLO itself");
    let circle = [all_of("a", "b"), all_of("b", "c"), all_of("c", "a")];
    for slo in &circle {
        refused(slo.clone(), &circle, "", "take one of them out");
    }
    // One that only leads into a circle is none itself.
    let beside = all_of("d", "a");
    assert_eq!(beside.problems(Duration::from_secs(1), KEYS, &circle), []);
    assert_eq!(beside.with_parts(&circle).len(), 4);
}
