use super::*;
use crate::expr::{Samples, eval};

/// The first Sunday of 1970, 0:00 UTC, in hours.
const SUNDAY: i64 = 3 * 24;

/// Which periods the conditions say there are in an hour of the week that begins on Sunday, UTC.
fn periods(schedule: &Schedule, hour: i64) -> Vec<&str> {
    let at_ms = (SUNDAY + hour) * 3_600_000 + 1_800_000;
    let holds = |during: &Expr| {
        !eval(during, &Samples::new(), at_ms)
            .expect("it is there")
            .is_empty()
    };
    let judged = schedule.judged().filter(|(_, during)| holds(during));
    judged.map(|(period, _)| period.name.as_str()).collect()
}

fn business() -> Schedule {
    Schedule::at(Offset::UTC)
        .period("business", Hours::daily(9, 18).weekdays(), 1.0)
        .otherwise("off-peak", 1.2)
}

#[test]
fn every_hour_of_the_week_is_in_the_period_that_its_condition_says() {
    let schedule = business();
    assert_eq!(schedule.problems(), [] as [String; 0]);
    for hour in 0..168 {
        let at_work = (1..=5).contains(&(hour / 24)) && (9..18).contains(&(hour % 24));
        let expected = if at_work { "business" } else { "off-peak" };
        assert_eq!(periods(&schedule, hour), [expected], "hour {hour}");
    }
}

#[test]
fn hours_go_over_midnight_on_the_days_that_they_lie_in() {
    let schedule = Schedule::at(Offset::UTC)
        .period("night", Hours::daily(22, 6).on([5, 0]), 1.0)
        .otherwise_pause("rest");
    for hour in 0..168 {
        let night = hour % 24 >= 22 || hour % 24 < 6;
        let is = night && [0, 5].contains(&(hour / 24));
        assert_eq!(
            periods(&schedule, hour).len(),
            usize::from(is),
            "hour {hour}"
        );
    }
}

#[test]
fn days_that_are_no_row_are_told_one_by_one() {
    let schedule = |hours: Hours| {
        Schedule::at(Offset::UTC)
            .period("some", hours, 1.0)
            .otherwise_pause("rest")
    };
    for (hours, days) in [
        (Hours::daily(18, 24).on([1, 3, 5]), vec![1, 3, 5]),
        (Hours::daily(18, 24).weekend(), vec![0, 6]),
        (Hours::daily(18, 24).on([2, 3, 4, 5]), vec![2, 3, 4, 5]),
    ] {
        let schedule = schedule(hours);
        assert_eq!(schedule.problems(), [] as [String; 0]);
        for hour in 0..168 {
            let is = days.contains(&(hour / 24)) && hour % 24 >= 18;
            assert_eq!(
                periods(&schedule, hour).len(),
                usize::from(is),
                "{days:?} hour {hour}"
            );
        }
    }
}

#[test]
fn an_offset_moves_the_hours_and_the_days() {
    let east = Offset::minutes(330).expect("it is there");
    let schedule = Schedule::at(east)
        .period("monday", Hours::daily(0, 24).on([1]), 1.0)
        .otherwise("rest", 1.0);
    // Monday begins at half past six of Sunday evening, UTC; the moments are half past.
    assert_eq!(periods(&schedule, 17), ["rest"]);
    assert_eq!(periods(&schedule, 18), ["monday"]);
    assert_eq!(periods(&schedule, 41), ["monday"]);
    assert_eq!(periods(&schedule, 42), ["rest"]);
    let west = Schedule::at(Offset::minutes(-60).expect("it is there"))
        .period("first", Hours::daily(0, 1).on([0]), 1.0)
        .otherwise("rest", 1.0);
    assert_eq!(periods(&west, 0), ["rest"]);
    assert_eq!(periods(&west, 1), ["first"]);
}

#[test]
fn a_period_is_promql() {
    let schedule = business();
    let during: Vec<String> = schedule
        .judged()
        .map(|period| period.1.to_string())
        .collect();
    let business = "((day_of_week(vector(time())) >= 1) and (day_of_week(vector(time())) <= 5)) and \
                    ((hour(vector(time())) >= 9) and (hour(vector(time())) < 18))";
    assert_eq!(
        during,
        [
            business.to_owned(),
            format!("vector(1) unless ({business})")
        ]
    );
}

#[test]
fn a_gap_and_an_overlap_name_the_hours() {
    let days = || Hours::daily(8, 20);
    let gap = Schedule::at(Offset::UTC).period("day", days(), 1.0).period(
        "night",
        Hours::daily(20, 8).weekdays(),
        1.2,
    );
    assert_eq!(
        gap.problems(),
        [
            "leaves a gap at Sunday 0..8, Sunday 20..24, Saturday 0..8, Saturday 20..24: \
          add otherwise, or a period for these hours"
        ]
    );
    let overlap = Schedule::at(Offset::UTC)
        .period("day", days(), 1.0)
        .period("noon", Hours::daily(12, 13).on([3]), 1.1)
        .otherwise("night", 1.2);
    assert_eq!(
        overlap.problems(),
        ["overlaps at Wednesday 12..13: let one period end before the other begins"]
    );
}

#[test]
fn mistakes_are_named() {
    for (schedule, expected) in [
        (
            Schedule::at(Offset::UTC).period("a", Hours::daily(9, 9), 1.0),
            "period \"a\" has no hours",
        ),
        (
            Schedule::at(Offset::UTC).period("a", Hours::daily(24, 6), 1.0),
            "period \"a\" has no hours",
        ),
        (
            Schedule::at(Offset::UTC).period("a", Hours::daily(0, 24), f64::INFINITY),
            "period \"a\" multiplies by what is no number above 0",
        ),
        (
            Schedule::at(Offset::UTC).period("a", Hours::daily(9, 25), 1.0),
            "period \"a\" has no hours",
        ),
        (
            Schedule::at(Offset::UTC).period("a", Hours::daily(0, 24).on([7]), 1.0),
            "period \"a\" has no hours",
        ),
        (
            Schedule::at(Offset::UTC).period("a", Hours::daily(0, 24), 0.0),
            "period \"a\" multiplies by what is no number above 0",
        ),
        (
            Schedule::at(Offset::UTC)
                .otherwise("a", 1.0)
                .otherwise("b", 1.0),
            "says otherwise twice",
        ),
        (
            Schedule::at(Offset::UTC).pause("a", Hours::daily(0, 24)),
            "judges at no time",
        ),
        (Schedule::at(Offset::UTC), "judges at no time"),
        (
            Schedule::at(Offset::UTC)
                .period("a", Hours::daily(0, 12), 1.0)
                .otherwise("a", 1.0),
            "has two periods named \"a\"",
        ),
        (
            Schedule::at(Offset::UTC).otherwise("", 1.0),
            "has a period without a name",
        ),
    ] {
        let problems = schedule.problems().join("\n");
        assert!(
            problems.contains(expected),
            "{problems:?} should say {expected:?}"
        );
    }
}
