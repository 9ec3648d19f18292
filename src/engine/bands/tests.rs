use std::time::Duration;

use crate::band::{Dynamic, Method};
use crate::{
    Budget, BudgetReading, Builder, Expr, Level, ManualClock, Outcome, Plimsoll, Sampling, Select,
    Selector,
};

const MINUTE: Duration = Duration::from_secs(60);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
}

impl Bench {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let plimsoll = configure(builder).build().expect("no mistakes");
        Self { plimsoll, clock }
    }

    fn of(budget: Budget) -> Self {
        Self::new(|builder| builder.budget(budget))
    }

    /// Minutes with so many operations each, of which some fail.
    fn run(&self, minutes: usize, operation: &str, times: usize, failed: usize) {
        let operation = self.plimsoll.operation(operation);
        for _ in 0..minutes {
            for nth in 0..times {
                let outcome = match nth < failed {
                    true => Outcome::Error,
                    false => Outcome::Ok,
                };
                operation.record(outcome, Duration::from_millis(1));
            }
            self.clock.advance(MINUTE);
            self.plimsoll.tick();
        }
    }

    fn reading(&self, level: Level) -> BudgetReading {
        let mut readings = self.plimsoll.budgets().into_iter();
        let reading = readings.find(|reading| reading.level == level);
        reading.expect("its level")
    }

    fn shows(&self, start: &str) -> Option<f64> {
        let page = self.plimsoll.render();
        let mut lines = page.lines().filter_map(|line| line.strip_prefix(start));
        lines
            .next()
            .map(|value| value.trim().parse().expect("a number"))
    }
}

fn dynamic() -> Dynamic {
    Dynamic::default().every(MINUTE)
}

fn work() -> Select {
    Select::operation("work")
}

fn errors() -> Budget {
    Budget::error_ratio("errors", work()).over(5 * MINUTE)
}

#[test]
fn a_band_of_what_should_be_high_lies_below_it() {
    let throughput = Budget::throughput("rate", work()).over(5 * MINUTE);
    let free = Bench::of(throughput.clone().dynamic(dynamic().floor(10.0)));
    free.run(30, "work", 120, 0);
    let limit = |level| free.reading(level).limit;
    // A tenth of what never varies, and a third of that.
    assert!((limit(Level::Warning) - 1.8).abs() < 1e-9);
    assert!((limit(Level::Critical) - (2.0 - 0.8 / 3.0)).abs() < 1e-9);
    let bench = Bench::of(throughput.dynamic(dynamic().floor(1.0)));
    bench.run(30, "work", 120, 0);
    let baseline = bench.shows("plimsoll_budget_band{budget=\"rate\",level=\"baseline\"} ");
    assert!(
        (baseline.expect("it is known") - 2.0).abs() < 1e-9,
        "windows that are not full yet are not learned"
    );
    // 1.8/s would be unusual, but is no incident.
    let reading = bench.reading(Level::Warning);
    assert_eq!((reading.limit, reading.unit), (1.0, "1/s"));
    bench.run(10, "work", 12, 0);
    assert!(
        bench
            .plimsoll
            .budget_state("rate")
            .is_some_and(|state| state.is_breached())
    );
    bench.run(10, "work", 120, 0);
    assert!(
        bench
            .plimsoll
            .budget_state("rate")
            .is_some_and(|state| !state.is_breached())
    );
}

#[test]
fn neither_level_is_below_the_target() {
    let bench = Bench::of(errors().at_most(0.2).dynamic(dynamic().floor(0.1)));
    bench.run(30, "work", 100, 1);
    assert_eq!(bench.reading(Level::Warning).limit, 0.2);
    assert_eq!(bench.reading(Level::Target).limit, 0.2);
    bench.run(10, "work", 100, 15);
    assert!(
        bench
            .plimsoll
            .budget_state("errors")
            .is_some_and(|state| !state.is_breached())
    );
}

#[test]
fn nothing_is_learned_of_what_is_not_judged() {
    let bench = Bench::of(errors().min_events(100).dynamic(dynamic()));
    let observed = "plimsoll_budget_observed{budget=\"errors\"} ";
    let coverage = "plimsoll_budget_band_coverage{budget=\"errors\"} ";
    bench.run(120, "work", 10, 5);
    assert_eq!(
        (bench.shows(observed), bench.shows(coverage)),
        (None, Some(0.0))
    );
    assert!(bench.reading(Level::Warning).limit.is_nan());
    assert_eq!(
        bench.shows("plimsoll_budget_limit{budget=\"errors\",level=\"warning\"}"),
        None
    );
    bench.run(120, "work", 100, 50);
    let share = bench.shows(observed).expect("it is judged");
    assert!((share - 0.5).abs() < 1e-9 && bench.shows(coverage) > Some(0.0));
    assert!(bench.reading(Level::Warning).limit > 0.5);
    bench.run(10, "work", 10, 5);
    assert_eq!(bench.shows(observed), None, "it has ended");
}

#[test]
fn a_window_that_was_lived_through_is_learned_at_once() {
    let bench = Bench::of(errors().dynamic(dynamic()));
    let limit = || bench.reading(Level::Warning).limit;
    // The first tick is in minute 1, the first whole window ends in minute 6, and twelve of them are enough.
    bench.run(17, "work", 10, 5);
    assert!(limit().is_nan());
    bench.run(1, "work", 10, 5);
    assert!(limit() > 0.5);
}

#[test]
fn what_is_observed_in_a_breach_is_kept_apart() {
    let saved = |budget: Budget| {
        let bench = Bench::of(budget.dynamic(dynamic()));
        bench.run(60, "work", 100, 40);
        let engine = &bench.plimsoll.inner().engine;
        engine.look(|judge| judge.book.bands.all[0].band.save())
    };
    assert_eq!(saved(errors().at_most(0.5)), saved(errors()));
    assert_ne!(saved(errors().at_most(0.3)), saved(errors()));
}

#[test]
fn a_value_of_the_services_own_has_a_band() {
    let depth = Expr::select(Selector::new("depth")).sum();
    let budget = Budget::value("depth", depth).dynamic(Dynamic::new(Method::Classic));
    let bench = Bench::new(|builder| builder.expect_family("depth").budget(budget));
    let gauge = bench.plimsoll.gauge("depth").register().expect("a gauge");
    let mut values = (0..100).map(|at| f64::from(at % 7));
    for value in values.by_ref() {
        gauge.set(value);
        bench.run(5, "work", 0, 0);
    }
    // At 08:20 on a Thursday the factors are 1.
    let of = |level: &str| {
        let band = format!("plimsoll_budget_band{{budget=\"depth\",level=\"{level}\"}} ");
        bench.shows(&band).expect("it is known")
    };
    let values: Vec<f64> = (0..99).map(|at| f64::from(at % 7)).collect();
    let mean = values.iter().sum::<f64>() / 99.0;
    let variance = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / 99.0;
    assert!(
        (of("baseline") - mean).abs() < 1e-12,
        "{} {mean}",
        of("baseline")
    );
    let warning = mean + 2.0 * variance.sqrt();
    assert!(
        (of("warning") - warning).abs() < 1e-12,
        "{} {warning}",
        of("warning")
    );
}

#[test]
fn with_pages_as_samples_bands_come_with_the_page() {
    let budget = errors().dynamic(dynamic().floor(0.1));
    let bench = Bench::new(|builder| builder.sampling(Sampling::Scrape).budget(budget));
    let run = |minutes, failed| {
        for _ in 0..minutes {
            bench.plimsoll.render();
            bench.run(1, "work", 100, failed);
        }
    };
    run(30, 1);
    assert_eq!(bench.reading(Level::Critical).limit, 0.1);
    run(10, 50);
    assert!(
        bench
            .plimsoll
            .budget_state("errors")
            .is_some_and(|state| state.is_breached())
    );
}
