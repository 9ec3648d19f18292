mod composites;
mod counts;
mod pages;
mod times;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::expr::{Offset, Op};
use crate::{
    AlertState, Builder, BurnAlert, Calendar, Clock, EventKind, Expr, Level, Maintenance,
    ManualClock, Outcome, Plimsoll, Select, Selector, Severity, Slo, SloReading, SloState,
    Subscription,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
    events: Subscription,
}

impl Bench {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let later = [
            "points_total",
            "refused_total",
            "gets_total",
            "hits_total",
            "ratio",
            "line_up",
        ];
        let builder = later.into_iter().fold(builder, Builder::expect_family);
        let plimsoll = configure(builder).build().expect("no mistakes");
        let events = plimsoll.subscribe();
        Self {
            plimsoll,
            clock,
            events,
        }
    }

    /// Ticks `times` times, every `gap`, with so many good and bad operations before each.
    fn run(&self, times: u32, gap: Duration, good: u32, bad: u32) {
        let work = self.plimsoll.operation("work");
        for _ in 0..times {
            (0..good).for_each(|_| work.record(Outcome::Ok, SECOND / 100));
            (0..bad).for_each(|_| work.record(Outcome::Error, SECOND / 2));
            self.clock.advance(gap);
            self.plimsoll.tick();
        }
    }

    fn reading(&self) -> SloReading {
        self.plimsoll.slos().remove(0)
    }

    fn named(&self, slo: &str) -> SloReading {
        let mut slos = self.plimsoll.slos().into_iter();
        slos.find(|reading| reading.slo == slo).expect("its SLO")
    }

    fn sample(&self, line: &str) -> Option<f64> {
        let page = self.plimsoll.render();
        let mut lines = page.lines();
        let value = lines.find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
        value.map(|value| value.parse().expect("a number"))
    }
}

fn work() -> Select {
    Select::operation("work")
}

fn api() -> Slo {
    Slo::availability("api", work())
        .objective(0.999)
        .rolling(30)
}

fn counts(reading: &SloReading) -> (f64, f64, f64) {
    (reading.valid, reading.bad, reading.excluded)
}

#[test]
fn an_slo_that_nobody_could_keep_is_refused_with_its_name() {
    let twice = || Slo::availability("api", work());
    let alert = BurnAlert::new(Severity::Page, 0.5, HOUR);
    let builder = Plimsoll::builder()
        .manual_tick()
        .slo(twice().objective(99.9))
        .slo(twice().objective(0.99).burn_alerts([alert]));
    let error = builder.build().expect_err("mistakes").to_string();
    for part in [
        r#"slo "api": objective 99.9 is a percentage: write 0.999"#,
        r#"slo "api": name is that of another SLO"#,
        "can never fire",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
