//! A change is found where there is one, and hardly ever where there is none.

use std::time::Duration;

use plimsoll::compare::{Baseline, Comparison, Criteria, Measure, Verdict};
use plimsoll::{Outcome, Plimsoll, Select};

use super::random::Random;
use super::{MS, SECOND, instance, record};

/// What was recorded by `work` on an instance of its own.
fn recorded(work: impl FnOnce(&Plimsoll)) -> Baseline {
    let (plimsoll, clock) = instance([]);
    clock.advance(10 * SECOND);
    work(&plimsoll);
    Baseline::capture(&plimsoll)
}

/// One instance, stretch after stretch: building one takes longer than filling it.
struct Run {
    plimsoll: Plimsoll,
    random: Random,
    last: Baseline,
}

impl Run {
    fn new(seed: u64) -> Self {
        let (plimsoll, _clock) = instance([]);
        Self {
            last: Baseline::capture(&plimsoll),
            random: Random(seed),
            plimsoll,
        }
    }

    fn stretch(&mut self, work: impl FnOnce(&Plimsoll, &mut Random)) -> Baseline {
        work(&self.plimsoll, &mut self.random);
        let now = Baseline::capture(&self.plimsoll);
        let stretch = now.since(&self.last).unwrap();
        self.last = now;
        stretch
    }

    /// Three operations of different shapes, everything `factor` times as slow.
    fn service(&mut self, count: u64, factor: f64) -> Baseline {
        let (base, tail) = (MS.mul_f64(factor), (20 * MS).mul_f64(factor));
        self.stretch(|plimsoll, random| {
            let names = ["steady", "waiting", "heavy"];
            let [steady, waiting, heavy] = names.map(|name| plimsoll.operation(name));
            for _ in 0..count {
                let failed = random.uniform() < 0.01;
                let outcome = if failed { Outcome::Error } else { Outcome::Ok };
                steady.record(outcome, random.log_normal(base, 0.5));
                waiting.record(outcome, random.exponential(tail));
                heavy.record(Outcome::Ok, random.log_normal(base, 1.5));
            }
        })
    }

    /// One operation.
    fn parse(&mut self, count: u64, factor: f64) -> Baseline {
        self.stretch(|plimsoll, random| {
            let (parse, median) = (plimsoll.operation("parse"), MS.mul_f64(factor));
            (0..count).for_each(|_| parse.record(Outcome::Ok, random.log_normal(median, 0.5)));
        })
    }
}

fn verdicts(comparison: &Comparison) -> Vec<Verdict> {
    comparison
        .operations
        .iter()
        .map(|operation| operation.verdict)
        .collect()
}

#[test]
fn nothing_new_is_a_regression_in_one_run_of_twenty_at_most() {
    let mut run = Run::new(7);
    let false_alarms = (0..1_000)
        .map(|_| [1_000; 2].map(|count| run.service(count, 1.0)))
        .filter(|[before, now]| before.compare(now).is_regressed())
        .count();
    assert!(false_alarms <= 50, "{false_alarms} in 1,000 repetitions");
}

#[test]
fn ten_percent_of_ten_thousand_calls_are_found() {
    let mut run = Run::new(8);
    let pairs: Vec<_> = (0..300)
        .map(|_| [1.0, 1.1].map(|factor| run.parse(10_000, factor)))
        .collect();
    let found = pairs
        .iter()
        .filter(|[before, now]| before.compare(now).is_regressed())
        .count();
    assert!(found >= 297, "{found} of 300");
    // The same the other way round is as much of an improvement.
    let better = |[now, before]: &&[Baseline; 2]| {
        let comparison = before.compare(now);
        !comparison.is_regressed() && comparison.count(Verdict::Improved) == 1
    };
    let found = pairs.iter().filter(better).count();
    assert!(found >= 297, "{found} of 300");
    // It is within what a tolerance of a fifth allows.
    let tolerant = Criteria::new().tolerance(0.2);
    let found = pairs
        .iter()
        .filter(|[before, now]| tolerant.compare(before, now).is_regressed());
    assert_eq!(found.count(), 0);
}

#[test]
fn ten_percent_are_found_in_other_shapes_too() {
    let mut run = Run::new(9);
    for _ in 0..20 {
        let [before, now] = [1.0, 1.1].map(|factor| run.service(10_000, factor));
        let comparison = before.compare(&now);
        let steady = comparison
            .operations
            .iter()
            .find(|change| change.labels["operation"] == "steady");
        assert_eq!(
            steady.map(|steady| steady.verdict),
            Some(Verdict::Regressed),
            "{comparison}"
        );
    }
}

#[test]
fn one_slow_call_is_no_regression() {
    let mut random = Random(10);
    for slow in [SECOND, 60 * SECOND, 3600 * SECOND] {
        let mut calls = |slow: Option<Duration>| {
            recorded(|plimsoll| {
                let operation = plimsoll.operation("parse");
                (0..10_000).for_each(|_| operation.record(Outcome::Ok, random.log_normal(MS, 0.3)));
                slow.iter()
                    .for_each(|slow| operation.record(Outcome::Error, *slow));
            })
        };
        let comparison = calls(None).compare(&calls(Some(slow)));
        assert_eq!(verdicts(&comparison), [Verdict::Unchanged], "{comparison}");
    }
}

#[test]
fn one_error_against_many_calls_is_no_regression() {
    let calls = |count, errors| {
        recorded(|plimsoll| {
            record(plimsoll, "parse", count, MS);
            let operation = plimsoll.operation("parse");
            (0..errors).for_each(|_| operation.record(Outcome::Error, MS));
        })
    };
    let (before, now) = (calls(1_000_000, 0), calls(1_000, 1));
    assert!(!before.compare(&now).is_regressed());
    let comparison = before.compare(&calls(1_000, 20));
    assert!(comparison.is_regressed());
    let change = comparison.operations[0].changes.last().unwrap();
    assert_eq!(
        (change.measure, change.verdict),
        (Measure::ErrorRatio, Verdict::Regressed)
    );
    assert_eq!(change.improvement, None, "it was 0");
}

#[test]
fn operations_come_and_go_and_are_too_few() {
    let before = recorded(|plimsoll| {
        record(plimsoll, "gone", 1_000, MS);
        record(plimsoll, "rare", 100, MS);
        record(plimsoll, "same", 1_000, MS);
        plimsoll.operation("silent");
    });
    let now = recorded(|plimsoll| {
        record(plimsoll, "new", 1_000, MS);
        record(plimsoll, "rare", 1_000, MS);
        record(plimsoll, "same", 1_000, MS);
    });
    let comparison = before.compare(&now);
    let expected = [
        Verdict::Gone,
        Verdict::New,
        Verdict::TooFewData,
        Verdict::Unchanged,
    ];
    assert_eq!(verdicts(&comparison), expected, "{comparison}");
    assert!(!comparison.is_regressed() && !comparison.is_conclusive());
    assert_eq!(comparison.comparisons, 10);
    let table = comparison.to_string();
    for line in [
        "operation{operation=\"gone\"}: gone (1,000 operations before, 0 after)\n",
        "  p99          1.003 ms (?)",
        "1 unchanged, 1 too few data, 1 new, 1 gone; 95 % confidence over 10 comparisons together, tolerance 0 %",
    ] {
        assert!(table.contains(line), "{line}\n{table}");
    }
    let median = Criteria::new().measures([Measure::Quantile(0.5)]);
    assert_eq!(
        median.compare(&before, &now).operations[2].verdict,
        Verdict::Unchanged
    );
    let empty = recorded(|_| ());
    let comparison = empty.compare(&empty);
    assert!(!comparison.is_conclusive() && comparison.to_string().starts_with("no operations"));
}

#[test]
fn throughput_is_compared_where_it_is_asked_for() {
    let calls = |count| recorded(|plimsoll| record(plimsoll, "parse", count, MS));
    let criteria = Criteria::new()
        .measures([Measure::Throughput])
        .confidence(0.99);
    let comparison = criteria.compare(&calls(2_000), &calls(1_500));
    let change = &comparison.operations[0].changes[0];
    assert_eq!(
        (change.improvement, change.verdict),
        (Some(-0.25), Verdict::Regressed)
    );
    assert_eq!(change.before.map(|before| before.value), Some(200.0));
    assert_eq!(
        verdicts(&criteria.compare(&calls(2_000), &calls(1_950))),
        [Verdict::Unchanged]
    );
    assert_eq!(
        verdicts(&criteria.compare(&calls(1_500), &calls(2_000))),
        [Verdict::Improved]
    );
}

#[test]
fn before_and_after_are_two_stretches_of_one_run() {
    let (plimsoll, clock) = instance([]);
    let work = |duration| {
        record(&plimsoll, "parse", 1_000, duration);
        clock.advance(SECOND);
        Baseline::capture(&plimsoll)
    };
    let (start, first, second) = (Baseline::capture(&plimsoll), work(2 * MS), work(MS));
    let (before, after) = (first.since(&start).unwrap(), second.since(&first).unwrap());
    assert_eq!((before.covered(), after.covered()), (SECOND, SECOND));
    assert_eq!(after.operations()[0].durations.sum_ns(), 1_000_000_000);
    let comparison = before.compare(&after);
    assert_eq!(verdicts(&comparison), [Verdict::Improved], "{comparison}");
    let mean = &comparison.operations[0].changes[3];
    assert_eq!((mean.measure, mean.improvement), (Measure::Mean, Some(0.5)));
    // What did not happen in between is not there.
    let nothing = Baseline::capture(&plimsoll).since(&second).unwrap();
    assert_eq!(nothing.operations(), []);
    let error = first.since(&second).unwrap_err().to_string();
    assert!(
        error.contains("operation{operation=\"parse\"}: holds more in the recording"),
        "{error}"
    );
    let other = recorded(|plimsoll| record(plimsoll, "other", 1, MS));
    assert!(first.since(&other).is_err());
}

#[test]
fn bounds_may_differ_between_the_two() {
    let calls = |budgets: Vec<plimsoll::Budget>| {
        let (plimsoll, _clock) = instance(budgets);
        record(&plimsoll, "parse", 1_000, MS);
        record(&plimsoll, "parse", 1_000, MS + Duration::from_nanos(100));
        Baseline::capture(&plimsoll)
    };
    let exact = super::p95("p95").warning(5 * MS + Duration::from_nanos(50));
    let comparison = calls(vec![]).compare(&calls(vec![exact]));
    assert_eq!(verdicts(&comparison), [Verdict::Unchanged], "{comparison}");
}

#[test]
fn some_operations_only() {
    let (plimsoll, _clock) = instance([]);
    record(&plimsoll, "parse", 10, MS);
    record(&plimsoll, "print", 10, MS);
    let parse = Baseline::capture_selected(&plimsoll, &Select::operation("par*")).unwrap();
    assert_eq!(parse.operations().len(), 1);
    assert_eq!(
        parse.operations()[0].to_string(),
        "operation{operation=\"parse\"}"
    );
    let wrong = Select::http().label("path", "/a");
    let error = Baseline::capture_selected(&plimsoll, &wrong)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("label \"path\": is not a label of http"),
        "{error}"
    );
}

#[cfg(feature = "serde")]
#[test]
fn a_comparison_is_a_value_for_programs_too() {
    let calls = |duration| recorded(|plimsoll| record(plimsoll, "parse", 2_000, duration));
    let comparison = calls(MS).compare(&calls(2 * MS));
    let value = serde_json::to_value(&comparison).unwrap();
    let operation = &value["operations"][0];
    assert_eq!(operation["verdict"], "regressed");
    assert_eq!(operation["labels"]["operation"], "parse");
    assert_eq!(operation["changes"][1]["measure"], "p95");
    assert_eq!(operation["changes"][3]["improvement"], -1.0);
    assert_eq!(operation["changes"][3]["after"]["value"], 0.002);
}

#[test]
#[should_panic(expected = "confidence 95 is not between 0 and 1: write 0.95 for 95 %")]
fn percent_are_no_confidence() {
    let _ = Criteria::new().confidence(95.0);
}

#[test]
#[should_panic(expected = "tolerance -0.1 is not a share from 0 up")]
fn a_tolerance_is_not_negative() {
    let _ = Criteria::new().tolerance(-0.1);
}
