//! Limits that were learned outlive the process.

use plimsoll::Level;
use plimsoll::band::{Dynamic, Method};
use plimsoll::state::StateFile;

use super::*;

const EVERY: Duration = Duration::from_secs(300);

fn dynamic() -> Dynamic {
    Dynamic::new(Method::HourOfWeek).window(14 * 24 * HOUR)
}

/// A budget on a gauge.
fn depth(dynamic: Dynamic) -> impl FnOnce(Builder) -> Builder {
    let depth = Expr::select(Selector::new("depth")).sum();
    let budget = Budget::value("depth", depth).dynamic(dynamic);
    |builder| {
        let builder = builder.expect_family("depth").budget(budget);
        builder.state_every(24 * HOUR)
    }
}

/// Its value goes up and down with the day.
fn observe(service: &Service, instances: &[&Plimsoll], times: u32) {
    let gauges = instances.iter().map(|plimsoll| {
        let gauge = plimsoll.gauge("depth").register();
        gauge.unwrap()
    });
    let gauges: Vec<_> = gauges.collect();
    for nth in 0..times {
        service.clock.advance(EVERY);
        let of_day = (service.now_ms() / 1_000 % 86_400) as f64 / 86_400.0;
        let value = 100.0 + 50.0 * (of_day * std::f64::consts::TAU).sin() + f64::from(nth % 5);
        gauges.iter().for_each(|gauge| gauge.set(value));
        instances.iter().for_each(|plimsoll| plimsoll.tick());
    }
}

fn limits(plimsoll: &Plimsoll) -> Vec<f64> {
    let learned = [Level::Warning, Level::Critical];
    let readings = plimsoll.budgets().into_iter();
    let readings = readings.filter(|reading| learned.contains(&reading.level));
    readings.map(|reading| reading.limit).collect()
}

/// The file after an hour and a half of learning.
fn learned(dynamic: Dynamic) -> Service {
    let service = Service::new();
    let first = service.start(depth(dynamic));
    observe(&service, &[&first], 18);
    assert!(limits(&first).iter().all(|limit| limit.is_finite()));
    service
}

#[test]
fn what_was_learned_in_two_weeks_is_known_at_once() {
    let service = Service::new();
    let other = tempfile::tempdir().unwrap();
    let stays = service.start(|builder| {
        let builder = builder.state_file(other.path().join("stays.state"));
        depth(dynamic())(builder)
    });
    let first = service.start(depth(dynamic()));
    observe(&service, &[&stays, &first], 14 * 288);
    drop(first);
    let second = service.start(depth(dynamic()));
    observe(&service, &[&stays, &second], 1);
    assert_eq!(warned(&second), []);
    let limits = [limits(&stays), limits(&second)];
    assert!(limits[0].iter().all(|limit| (60.0..250.0).contains(limit)));
    assert_eq!(limits[0], limits[1]);
}

#[test]
fn a_band_that_is_damaged_begins_anew() {
    let service = learned(dynamic());
    let file = StateFile::new(service.path());
    let mut sections = file.load().sections;
    let bands = sections.get_mut("bands").unwrap();
    let middle = bands.len() / 2;
    bands[middle] ^= 1;
    let sections: Vec<_> = sections.iter().map(|of| (&**of.0, &**of.1)).collect();
    file.store(&sections).unwrap();
    let second = service.start(depth(dynamic()));
    observe(&service, &[&second], 1);
    assert_eq!(dropped(&second), ["saved limits of depth"]);
    assert!(limits(&second).iter().all(|limit| limit.is_nan()));
}

#[test]
fn a_section_that_is_none_is_named() {
    let service = learned(dynamic());
    let file = StateFile::new(service.path());
    let mut sections = file.load().sections;
    sections.insert("bands".to_owned(), vec![255; 5]);
    let sections: Vec<_> = sections.iter().map(|of| (&**of.0, &**of.1)).collect();
    file.store(&sections).unwrap();
    let second = service.start(depth(dynamic()));
    observe(&service, &[&second], 1);
    assert!(dropped(&second)[0].ends_with("plimsoll.state (bands)"));
    assert!(limits(&second).iter().all(|limit| limit.is_nan()));
}

#[test]
fn what_was_learned_otherwise_begins_anew() {
    let others = [
        dynamic().sensitivity(2.0),
        dynamic().offset_minutes(60),
        dynamic().window(21 * 24 * HOUR),
        Dynamic::new(Method::Classic),
    ];
    for other in others {
        let service = learned(dynamic());
        let second = service.start(depth(other));
        observe(&service, &[&second], 1);
        assert_eq!(dropped(&second), ["learned limits of depth"]);
        assert!(limits(&second).iter().all(|limit| limit.is_nan()));
    }
    let service = learned(dynamic());
    let second = service.start(|builder| {
        let twice = Expr::select(Selector::new("depth")).sum();
        let twice = twice.binary(Op::Mul, Expr::Number(2.0));
        let budget = Budget::value("depth", twice).dynamic(dynamic());
        builder.expect_family("depth").budget(budget)
    });
    observe(&service, &[&second], 1);
    assert_eq!(
        dropped(&second),
        ["learned limits of depth"],
        "another value"
    );
}

#[test]
fn floor_and_margin_may_change() {
    let service = learned(dynamic());
    let second = service.start(depth(dynamic().floor(1_000.0).margin(0.5)));
    observe(&service, &[&second], 1);
    assert_eq!(warned(&second), []);
    assert_eq!(limits(&second), [1_000.0; 2]);
}

#[test]
fn a_part_that_comes_later_gets_what_it_learned() {
    let service = Service::new();
    let by_operation = |builder: Builder| {
        let all = Select::operation("*");
        let errors = Budget::error_ratio("errors", all).over(15 * MINUTE);
        let dynamic = Dynamic::new(Method::HourOfWeek).floor(0.01);
        builder.budget(errors.per("operation").dynamic(dynamic))
    };
    let run = |plimsoll: &Plimsoll, times: u32| {
        for _ in 0..times {
            for (name, failed) in [("mail", 10), ("web", 30)] {
                let operation = plimsoll.operation(name);
                (0..100).for_each(|nth| {
                    let failed = nth < failed;
                    let outcome = if failed { Outcome::Error } else { Outcome::Ok };
                    operation.record(outcome, SECOND);
                });
            }
            service.clock.advance(EVERY);
            plimsoll.tick();
        }
    };
    let first = service.start(by_operation);
    run(&first, 20);
    let before = limits(&first);
    assert_eq!(before.len(), 4);
    assert!(before.iter().all(|limit| limit.is_finite()), "{before:?}");
    drop(first);
    // One that lives for an hour and does nothing hands on what it was given.
    let second = service.start(by_operation);
    for _ in 0..12 {
        service.clock.advance(EVERY);
        second.tick();
    }
    assert_eq!((limits(&second), dropped(&second)), (vec![], vec![]));
    drop(second);
    let third = service.start(by_operation);
    third.tick();
    run(&third, 1);
    let after = limits(&third);
    assert!(after.iter().all(|limit| limit.is_finite()), "{after:?}");
    let off = before.iter().zip(&after).map(|(a, b)| (a / b - 1.0).abs());
    assert!(off.fold(0.0, f64::max) < 0.05, "{before:?} {after:?}");
}
