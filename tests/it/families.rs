//! Rules over whatever the page shows: the same samples, the same labels, the same numbers.

use std::time::{Duration, UNIX_EPOCH};

use plimsoll::expr::{Labels, Samples, eval};
use plimsoll::{
    AlertState, Budget, Builder, Clock, Expr, Layout, ManualClock, Outcome, Plimsoll, Sampling,
    Select, Selector,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const MS: Duration = Duration::from_millis(1);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
}

impl Bench {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let plimsoll = configure(builder).build().unwrap();
        Self { plimsoll, clock }
    }

    fn tick(&self) {
        self.clock.advance(SECOND);
        self.plimsoll.tick();
    }

    fn now_ms(&self) -> i64 {
        let since = self.clock.system_time().duration_since(UNIX_EPOCH);
        since.unwrap().as_millis() as i64
    }

    fn record(&self, operation: &str, outcome: Outcome, duration: Duration) {
        self.plimsoll.operation(operation).record(outcome, duration);
    }

    fn value(&self, budget: &str) -> Option<f64> {
        let readings = self.plimsoll.budgets();
        let mut readings = readings.iter();
        readings.find(|known| known.budget == budget).unwrap().value
    }

    fn state(&self, budget: &str) -> AlertState {
        self.plimsoll.budget_state(budget).unwrap().state()
    }
}

fn value(name: &str, expr: Expr) -> Budget {
    Budget::value(name, expr).at_most(1e9)
}

/// What is wrong with a budget, when it is built with and when it comes later.
fn refused(budget: Budget, configure: impl Fn(Builder) -> Builder) -> String {
    let builder = || configure(Plimsoll::builder().manual_tick());
    let first = builder().budget(budget.clone()).build().unwrap_err();
    let later = builder().build().unwrap().add_budget(budget).unwrap_err();
    assert_eq!(first.to_string(), later.to_string());
    first.to_string()
}

#[test]
fn an_exported_histogram_is_judged_by_its_buckets() {
    let count = |le: &str| {
        let bucket = Selector::new("operation_duration_seconds_bucket").label("operation", "work");
        Expr::increase(bucket.label("le", le), MINUTE).sum()
    };
    let slow = || count("+Inf") - count("0.1");
    let bench = Bench::new(|builder| builder.budget(value("slow", slow())));
    bench.tick();
    bench.record("work", Outcome::Ok, 500 * MS);
    bench.record("work", Outcome::Ok, 5 * MS);
    bench.tick();
    assert_eq!(bench.value("slow"), Some(1.0));
    bench.plimsoll.add_budget(value("late", slow())).unwrap();
    bench.tick();
    assert_eq!(
        bench.value("late"),
        bench.value("slow"),
        "they share the samples"
    );
}

#[test]
fn the_first_error_of_a_series_that_is_new_counts() {
    let errors = Selector::new("operation_duration_seconds_count").label("outcome", "error");
    let errors = Budget::value("errors", Expr::increase(errors, MINUTE).sum()).at_most(0.5);
    let bench = Bench::new(|builder| builder.budget(errors));
    bench.tick();
    bench.record("work", Outcome::Error, MS);
    bench.tick();
    assert_eq!(bench.value("errors"), Some(1.0));
    assert_eq!(bench.state("errors"), AlertState::Firing);
}

#[test]
fn our_own_families_and_vectors_by_label_are_judged() {
    let ticks = Expr::select(Selector::new("plimsoll_ticks_total")).sum();
    let value_of = |budget: &str| {
        let selector = Selector::new("plimsoll_budget_value").label("budget", budget);
        Expr::select(selector).sum()
    };
    let depths = Expr::select(Selector::new("depth"))
        .sum_by(["queue"])
        .greater(3.0);
    let bench = Bench::new(|builder| {
        let deep = Budget::value("deep", depths).at_most(3.0);
        builder
            .expect_family("depth")
            .budget(deep)
            .budget(value("ticks", ticks))
            .budget(value("twice", value_of("ticks") + value_of("ticks")))
    });
    let gauge = bench.plimsoll.gauge("depth");
    gauge.label("queue", "a").register().unwrap().set(5.0);
    for _ in 0..3 {
        bench.tick();
    }
    assert_eq!(bench.value("ticks"), Some(2.0), "before this one");
    assert_eq!(bench.value("twice"), Some(2.0), "one tick later");
    assert_eq!(bench.value("deep"), Some(5.0));
}

#[test]
fn a_rule_reads_what_another_one_says() {
    let deep = Expr::select(Selector::new("depth")).sum();
    let firing = Selector::new("ALERTS")
        .label("alertname", "deep")
        .label("alertstate", "firing");
    let held = deep.clone().greater(2.0).while_any(Expr::select(firing));
    let condition = deep.clone().greater(10.0).or(held);
    let bench = Bench::new(|builder| {
        let deep = Budget::value("deep", condition).at_most(0.0);
        builder.expect_family("depth").budget(deep)
    });
    let depth = bench.plimsoll.gauge("depth").register().unwrap();
    let states = [5.0, 11.0, 5.0, 3.0, 2.0, 5.0].map(|value| {
        depth.set(value);
        bench.tick();
        bench.state("deep") == AlertState::Firing
    });
    assert_eq!(states, [false, true, true, true, false, false]);
}

#[test]
fn a_gauge_that_is_gone_has_no_value() {
    let bench = Bench::new(|builder| {
        let depth = Expr::select(Selector::new("depth")).sum();
        builder.expect_family("depth").budget(value("depth", depth))
    });
    let gone = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_gone = gone.clone();
    let read = move || (!is_gone.load(std::sync::atomic::Ordering::Relaxed)).then_some(4.0);
    bench.plimsoll.gauge("depth").observe(read).unwrap();
    bench.tick();
    assert_eq!(bench.value("depth"), Some(4.0));
    gone.store(true, std::sync::atomic::Ordering::Relaxed);
    bench.tick();
    assert_eq!(bench.value("depth"), None);
}

#[cfg(feature = "metrics")]
#[test]
fn metrics_of_the_facade_are_judged() {
    let orders = Expr::increase(Selector::new("orders_total").label("shop", "north"), MINUTE);
    let packed = Expr::quantile(0.5, Selector::new("packing_seconds"), MINUTE);
    let bench = Bench::new(|builder| {
        builder
            .expect_family("orders_total")
            .expect_family("packing_seconds")
            .budget(value("orders", orders.sum()))
            .budget(value("packed", packed))
    });
    bench.tick();
    metrics::with_local_recorder(&bench.plimsoll.metrics_recorder(), || {
        metrics::counter!("orders_total", "shop" => "north").increment(2);
        metrics::counter!("orders_total", "shop" => "south").increment(5);
        metrics::histogram!("packing_seconds").record(0.02);
    });
    bench.tick();
    assert_eq!(bench.value("orders"), Some(2.0));
    assert_eq!(bench.value("packed"), Some(0.0175), "half of 0.01 to 0.025");
}

/// Adds what a page says to samples, as a server would.
fn scrape(samples: &mut Samples, page: &str, at_ms: i64) {
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap().split("\",");
        let labels = labels.filter_map(|label| label.split_once("=\""));
        let labels = labels.map(|(key, value)| (key, value.trim_end_matches('"')));
        let own = [("__name__", name), ("job", "shop"), ("instance", "one:80")];
        let labels = Labels::new(labels.chain(own));
        samples.insert(&labels, at_ms, value.parse().unwrap());
    }
}

/// Conditions of several kinds over what the page shows.
fn readings() -> Vec<(String, Expr)> {
    let work = |name: &str| Selector::new(name).label("job", "shop");
    let buckets = || work("operation_duration_seconds_bucket");
    let sli = |name| Selector::new(name).label("budget", "errors");
    let mut all = vec![
        Expr::increase(work("operation_duration_seconds_count"), 10 * SECOND).sum(),
        Expr::rate(buckets(), MINUTE)
            .sum_by(["le"])
            .histogram_quantile(0.9),
        Expr::rate(sli("plimsoll_sli_bad_total"), 30 * SECOND).sum()
            / Expr::rate(sli("plimsoll_sli_valid_total"), 30 * SECOND).sum(),
        Expr::select(work("size_sum")).sum() / Expr::select(work("size_count")).sum(),
        Expr::avg_over_time(work("depth"), MINUTE).sum(),
        Expr::select(Selector::new("plimsoll_uptime_seconds")).sum(),
    ];
    let slow = Expr::increase(buckets().label("le", "0.1"), MINUTE).sum();
    all.push(all[0].clone() - slow);
    let named = |(at, expr)| (format!("reading-{at}"), expr);
    all.into_iter().enumerate().map(named).collect()
}

#[test]
fn pages_are_samples_and_rules_say_what_prometheus_says_of_them() {
    let errors = Budget::error_ratio("errors", Select::operation("work")).at_most(0.1);
    let bench = Bench::new(|builder| {
        let builder = builder
            .sampling(Sampling::Scrape)
            .target("shop", "one:80")
            .expect_family("size")
            .expect_family("depth")
            .budget(errors);
        let readings = readings().into_iter();
        readings.fold(builder, |builder, (name, expr)| {
            builder.budget(value(&name, expr))
        })
    });
    let depth = bench.plimsoll.gauge("depth").register().unwrap();
    let size = bench
        .plimsoll
        .histogram("size", Layout::counts(), &[1.0, 10.0]);
    let size = size.register().unwrap();
    let mut samples = Samples::new();
    let mut compared = 0;
    for second in 1..=300_u64 {
        let outcome = [Outcome::Ok, Outcome::Error][usize::from(second % 7 == 0)];
        bench.record("work", outcome, MS * (second as u32 * 37 % 300 + 1));
        depth.set((second * 31 % 17) as f64);
        size.record(second * 13 % 29);
        bench.clock.advance(SECOND);
        // A scraper with gaps, between two ticks.
        if second % 3 != 0 && second % 100 < 80 {
            let at_ms = bench.now_ms();
            scrape(&mut samples, &bench.plimsoll.render(), at_ms);
            bench
                .clock
                .advance(Duration::from_millis(second * 17 % 400));
        }
        bench.plimsoll.tick();
        let now_ms = bench.now_ms();
        for (name, expr) in readings() {
            let expected = eval(&expr, &samples, now_ms).unwrap().as_float();
            let expected = expected.filter(|value| !value.is_nan());
            assert_eq!(bench.value(&name), expected, "{expr} at {now_ms}");
            compared += usize::from(expected.is_some());
        }
    }
    assert!(compared > 1500, "{compared} values");
}

#[test]
fn a_family_that_is_not_there_is_refused() {
    let of = |name: &str| value("of", Expr::rate(Selector::new(name), MINUTE).sum());
    let plain = |builder| builder;
    assert_eq!(
        refused(of("requests_totl"), plain),
        "1 mistake in the configuration\n  budget \"of\": value names requests_totl, which this process does not export: \
         correct the name, or announce it with Builder::expect_family(\"requests_totl\") if its instrument comes later"
    );
    let histogram = refused(of("operation_duration_seconds"), plain);
    assert!(
        histogram.contains("write operation_duration_seconds_bucket, "),
        "{histogram}"
    );
    let plimsoll = Plimsoll::builder().manual_tick().build().unwrap();
    plimsoll.counter("drops_total").register().unwrap();
    plimsoll.add_budget(of("drops_total")).unwrap();
}

#[test]
fn labels_of_the_scrape_need_a_target() {
    let of = |job: &str| {
        let selector = Selector::new("plimsoll_ticks_total").label("job", job);
        value("of", Expr::rate(selector, MINUTE).sum())
    };
    let none = refused(of("shop"), |builder| builder);
    assert!(
        none.contains("asks for job=\"shop\", a label that Prometheus adds"),
        "{none}"
    );
    assert!(none.contains("Builder::target(job, instance)"), "{none}");
    let other = refused(of("shop"), |builder| builder.target("mill", "one:80"));
    assert!(
        other.contains("but this process is job=\"mill\""),
        "{other}"
    );
    let builder = Plimsoll::builder().manual_tick().target("shop", "one:80");
    builder.budget(of("shop")).build().unwrap();
}

#[test]
fn a_bucket_that_is_no_bound_is_refused() {
    let of = |le: &str| {
        let bucket = Selector::new("operation_duration_seconds_bucket").label("le", le);
        value("of", Expr::rate(bucket, MINUTE).sum())
    };
    let told = |le| refused(of(le), |builder| builder);
    let between = told("0.2");
    let expected = "value asks for le=\"0.2\", which is no bound of operation_duration_seconds_bucket: the nearest ones are le=\"0.1\" and le=\"0.25\"";
    assert!(between.contains(expected), "{between}");
    let spelt = told("10");
    assert!(spelt.contains("it is written le=\"10.0\""), "{spelt}");
    let words = told("inf");
    assert!(words.contains("it is written le=\"+Inf\""), "{words}");
}
