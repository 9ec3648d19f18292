//! What an instance remembers of the one before.

mod bands;
mod disk;
mod dropped;
mod files;
mod maintenance;
mod toml;

use std::time::Duration;

use plimsoll::expr::{Labels, Op, Samples, eval};
use plimsoll::rule::{Rule, RuleGroup};
use plimsoll::{
    AlertState, Budget, Builder, EventKind, Expr, ManualClock, Outcome, Plimsoll, Select, Selector,
    Slo,
};
use plimsoll::{Event, Subscription};
use tempfile::TempDir;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// A service that is started again and again.
struct Service {
    folder: TempDir,
    clock: ManualClock,
}

impl Service {
    fn new() -> Self {
        let clock = ManualClock::new();
        clock.advance(1_000 * HOUR);
        let folder = tempfile::tempdir().unwrap();
        Self { folder, clock }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("plimsoll.state")
    }

    fn start(&self, configure: impl FnOnce(Builder) -> Builder) -> Plimsoll {
        let builder = Plimsoll::builder()
            .clock(self.clock.clone())
            .manual_tick()
            .state_file(self.path());
        configure(builder).build().unwrap()
    }

    fn now_ms(&self) -> i64 {
        use plimsoll::Clock;
        (self.clock.now_ns() / 1_000_000) as i64
    }

    /// Seconds with an operation each, every nth of which fails.
    fn work(&self, plimsoll: &Plimsoll, seconds: u32, nth: u32) {
        let work = plimsoll.operation("work");
        for second in 1..=seconds {
            let failed = nth > 0 && second % nth == 0;
            let outcome = if failed { Outcome::Error } else { Outcome::Ok };
            work.record(outcome, SECOND);
            self.clock.advance(SECOND);
            plimsoll.tick();
        }
    }
}

fn work() -> Select {
    Select::operation("work")
}

/// Kinds of warnings, and what they are about.
fn warned(plimsoll: &Plimsoll) -> Vec<(&'static str, String)> {
    let warnings = plimsoll.warnings().into_iter();
    warnings
        .map(|warning| (warning.kind, warning.subject))
        .collect()
}

/// What the warnings of kind `state_dropped` are about.
fn dropped(plimsoll: &Plimsoll) -> Vec<String> {
    let warned = warned(plimsoll).into_iter();
    let dropped = warned.filter(|warning| warning.0 == "state_dropped");
    dropped.map(|warning| warning.1).collect()
}

fn slo() -> Slo {
    Slo::availability("work", work())
        .objective(0.99)
        .rolling(30)
}

fn errors() -> Budget {
    let errors = Budget::error_ratio("errors", work()).at_most(0.05);
    errors.over(10 * MINUTE).sustained(15 * MINUTE)
}

fn sli(what: &str) -> Labels {
    let name = format!("plimsoll_sli_{what}_total");
    Labels::new([
        ("__name__", &*name),
        ("budget", "work"),
        ("level", "target"),
    ])
}

/// What Prometheus has of the counters of `work` if it scrapes each second: from `from_ms` on, one more each second.
fn sample(samples: &mut Samples, from_ms: i64, seconds: i64, nth: i64) {
    for second in 0..=seconds {
        let at_ms = from_ms + second * 1_000;
        let bad = if nth > 0 { second / nth } else { 0 };
        samples.insert(&sli("valid"), at_ms, second as f64);
        samples.insert(&sli("bad"), at_ms, bad as f64);
    }
}

#[test]
fn two_minutes_without_a_process_are_a_gap_and_nothing_else() {
    let service = Service::new();
    let mut samples = Samples::new();
    let configure = |builder: Builder| builder.slo(slo()).budget(errors());
    let begun_ms = service.now_ms();
    let first = service.start(configure);
    service.work(&first, 600, 10);
    sample(&mut samples, begun_ms, 600, 10);
    let before = (first.slos().remove(0), first.budgets().remove(0));
    drop(first);
    service.clock.advance(2 * MINUTE);

    let begun_ms = service.now_ms();
    let second = service.start(configure);
    assert_eq!(warned(&second), []);
    service.work(&second, 30, 5);
    sample(&mut samples, begun_ms, 30, 5);
    let (slo, budget) = (second.slos().remove(0), second.budgets().remove(0));

    assert_eq!((slo.valid, slo.bad), (630.0, 66.0));
    assert_eq!(slo.period.start, before.0.period.start);
    let covered = 630.0 / (30.0 * 86_400.0);
    assert!(
        (slo.period.coverage - covered).abs() < 1e-12,
        "{:?}",
        slo.period
    );
    let now_ms = service.now_ms();
    for rate in &slo.burn_rates {
        let range = humantime::parse_duration(&rate.window).unwrap();
        let of = |what: &str| {
            let selector = Selector::new(sli(what).get("__name__"));
            let selector = selector.label("budget", "work");
            Expr::rate(selector.label("level", "target"), range).sum()
        };
        let expected = of("bad").binary(Op::Div, of("valid"));
        let expected = expected.binary(Op::Div, Expr::Number(1.0 - 0.99));
        let expected = eval(&expected, &samples, now_ms).unwrap().as_float();
        let (Some(found), Some(expected)) = (rate.rate, expected) else {
            panic!("{rate:?} {expected:?}");
        };
        assert!(
            (found / expected - 1.0).abs() < 1e-12,
            "{rate:?} {expected}"
        );
    }
    // What nobody looked at does not count for how long it was exceeded.
    assert_eq!(before.1.state, AlertState::Pending, "{:?}", before.1);
    assert_eq!(budget.state, AlertState::Pending, "{budget:?}");
    assert_eq!(budget.since, before.1.since.map(|since| since + 2 * MINUTE));
}

#[test]
fn a_breach_that_goes_on_is_not_told_twice_and_its_recovery_is() {
    let service = Service::new();
    let errors = || {
        let errors = Budget::error_ratio("errors", work()).at_most(0.5);
        errors.over(MINUTE)
    };
    let first = service.start(|builder| builder.budget(errors()));
    let events = first.subscribe();
    service.work(&first, 90, 1);
    assert_eq!(told(&events).len(), 1);
    let since = first.budgets()[0].since;
    drop(first);
    service.clock.advance(10 * SECOND);
    let second = service.start(|builder| builder.budget(errors()));
    let events = second.subscribe();
    service.work(&second, 1, 1);
    assert_eq!(told(&events).len(), 0);
    assert_eq!(second.budgets()[0].since, since);
    service.work(&second, 90, 0);
    let told = told(&events);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (told[0].kind, Some(told[0].since)),
        (EventKind::Recovery, since)
    );
}

#[test]
fn after_more_than_an_hour_alerts_begin_anew() {
    let service = Service::new();
    let configure = |builder: Builder| builder.budget(errors());
    let first = service.start(configure);
    service.work(&first, 60, 1);
    assert_eq!(first.budgets()[0].state, AlertState::Pending);
    drop(first);
    service.clock.advance(HOUR + SECOND);
    let second = service.start(configure);
    assert_eq!(second.budgets()[0].state, AlertState::Inactive);
}

#[test]
fn what_was_declared_otherwise_begins_anew() {
    let service = Service::new();
    let slow = |millis| {
        let slow = Slo::latency("work", work(), Duration::from_millis(millis));
        slow.objective(0.9).reachable_burn_alerts()
    };
    let first = service.start(|builder| builder.slo(slow(200)).budget(errors()));
    service.work(&first, 60, 1);
    assert_eq!(first.slos()[0].bad, 60.0);
    drop(first);
    service.clock.advance(SECOND);
    let sharper = || {
        let errors = Budget::error_ratio("errors", work()).at_most(0.04);
        errors.over(10 * MINUTE).sustained(15 * MINUTE)
    };
    let second = service.start(|builder| builder.slo(slow(2_000)).budget(sharper()));
    service.work(&second, 2, 0);
    let slo = second.slos().remove(0);
    assert_eq!((slo.valid, slo.bad), (2.0, 0.0));
    assert!(
        slo.burn_rates.iter().all(|rate| rate.rate == Some(0.0)),
        "{slo:?}"
    );
    assert_eq!(
        dropped(&second),
        [
            "windows of work",
            "error budgets of work",
            "alerts of errors/target"
        ]
    );
    // The counters of the budget count what they counted.
    let value = second.budgets()[0].value.expect("a value");
    assert!((value - 60.0 / 62.0).abs() < 1e-12, "{value}");
}

#[test]
fn groups_of_rules_go_on() {
    let service = Service::new();
    let configure = |builder: Builder| {
        let failed = Expr::rate(Selector::new("plimsoll_sli_bad_total"), 5 * MINUTE).sum();
        let recorded = Rule::record("work:failed", failed);
        let mean = Expr::avg_over_time(Selector::new("work:failed"), HOUR);
        let alert = Rule::alert("Failing", mean.greater(0.0)).sustained(15 * MINUTE);
        builder
            .slo(slo())
            .rules([RuleGroup::new("ours", [recorded, alert])])
    };
    let first = service.start(configure);
    service.work(&first, 120, 2);
    let before = first.alerts().remove(0);
    drop(first);
    service.clock.advance(2 * MINUTE);
    let second = service.start(configure);
    service.work(&second, 1, 0);
    let after = second.alerts().remove(0);
    assert_eq!(after.labels(), before.labels());
    assert_eq!(after.active_at_ms(), before.active_at_ms() + 120_000);
    service.work(&second, 15 * 60, 0);
    assert_eq!(second.alerts()[0].state(), AlertState::Firing);
}

#[test]
fn labels_that_do_not_come_again_still_count_in_the_windows_that_hold_them() {
    let service = Service::new();
    let configure = |builder: Builder| {
        let done = Selector::new("jobs_total");
        builder
            .expect_family("jobs_total")
            .budget(Budget::value("jobs", Expr::increase(done, HOUR).sum()).at_most(1e9))
    };
    let first = service.start(configure);
    service.work(&first, 1, 0);
    for queue in ["mail", "web"] {
        let done = first
            .counter("jobs_total")
            .label("queue", queue)
            .register()
            .unwrap();
        (0..60).for_each(|_| {
            done.add(1);
            service.work(&first, 1, 0);
        });
    }
    drop(first);
    let second = service.start(configure);
    let done = second
        .counter("jobs_total")
        .label("queue", "web")
        .register()
        .unwrap();
    (0..60).for_each(|_| {
        done.add(1);
        service.work(&second, 1, 0);
    });
    let grown = second.budgets()[0].value.unwrap();
    assert!((grown - 180.0).abs() < 4.0, "{grown}");
}

fn told(events: &Subscription) -> Vec<Event> {
    std::iter::from_fn(|| events.try_recv()).collect()
}
