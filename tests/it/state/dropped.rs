//! Whatever is remembered and not taken up is told of, by name.

use plimsoll::band::{Dynamic, Method};

use super::*;

/// Later than this nothing is expected to be declared any more.
const LATE: u32 = 301;

fn queue() -> Budget {
    let done = Expr::increase(Selector::new("jobs_total"), HOUR).sum();
    Budget::value("jobs", done).at_most(1e9)
}

fn learns() -> Budget {
    let rate = Budget::throughput("rate", work()).over(5 * MINUTE);
    rate.dynamic(Dynamic::new(Method::HourOfWeek).floor(0.1))
}

fn group() -> RuleGroup {
    let failed = Expr::rate(Selector::new("plimsoll_sli_bad_total"), 5 * MINUTE).sum();
    let recorded = Rule::record("work:failed", failed.clone());
    let alert = Rule::alert("Failing", failed.greater(0.0)).sustained(15 * MINUTE);
    RuleGroup::new("ours", [recorded, alert])
}

fn everything(builder: Builder) -> Builder {
    builder
        .slo(slo())
        .budget(errors())
        .budget(queue())
        .budget(learns())
        .expect_family("jobs_total")
        .rules([group()])
}

/// The file of a process that had one of each.
fn had_everything() -> Service {
    let service = Service::new();
    let first = service.start(everything);
    let done = first.counter("jobs_total").register().unwrap();
    done.add(1);
    service.work(&first, 60, 1);
    assert_eq!(first.budgets()[0].state, AlertState::Pending);
    service
}

#[test]
fn what_is_not_declared_any_more_is_named_once_it_is_late() {
    let service = had_everything();
    let second = service.start(|builder| builder);
    service.work(&second, LATE - 1, 0);
    assert_eq!(dropped(&second), [""; 0]);
    service.work(&second, 60, 0);
    assert_eq!(
        dropped(&second),
        [
            "budgets errors, rate",
            "SLOs work",
            "rules ours/Failing, work:failed",
            "series of jobs_total",
        ]
    );
    let text = second.warnings()[0].to_string();
    assert!(
        text.contains("are not declared any more: what is remembered of them is kept"),
        "{text}"
    );
    drop(second);
    // It was handed on.
    let third = service.start(everything);
    service.work(&third, 1, 0);
    assert_eq!((dropped(&third), third.slos()[0].valid), (vec![], 61.0));
}

#[test]
fn what_is_declared_late_takes_its_own() {
    let service = had_everything();
    let second = service.start(|builder| {
        let without = builder.slo(slo()).budget(queue()).budget(learns());
        without.expect_family("jobs_total").rules([group()])
    });
    service.work(&second, LATE - 2, 0);
    second.add_budget(errors()).unwrap();
    let readings = second.budgets();
    let late = readings.iter().find(|reading| reading.budget == "errors");
    assert_eq!(late.map(|late| late.state), Some(AlertState::Pending));
    service.work(&second, 60, 0);
    assert_eq!(dropped(&second), [""; 0]);
}

#[test]
fn after_more_than_an_hour_the_alerts_that_begin_anew_are_named() {
    let service = had_everything();
    service.clock.advance(HOUR + SECOND);
    let second = service.start(everything);
    service.work(&second, 1, 0);
    assert_eq!(
        dropped(&second),
        ["earlier alerts of errors/target, ours/Failing, work/critical, work/warning"]
    );
    let text = second.warnings()[0].to_string();
    assert!(text.contains("more than an hour ago"), "{text}");
}

#[test]
fn a_level_that_is_gone_is_an_alert_that_is() {
    let service = Service::new();
    let limited = |critical: bool| {
        let errors = Budget::error_ratio("errors", work()).at_most(0.05);
        let errors = errors.over(MINUTE);
        move |builder: Builder| match critical {
            true => builder.budget(errors.critical(0.5)),
            false => builder.budget(errors),
        }
    };
    let first = service.start(limited(true));
    service.work(&first, 60, 1);
    drop(first);
    let second = service.start(limited(false));
    service.work(&second, LATE, 1);
    assert_eq!(dropped(&second), ["alerts of errors/critical"]);
}
