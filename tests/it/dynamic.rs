//! Budgets whose limits are learned, over simulated weeks, and what Prometheus would say of the page.

use std::time::Duration;

use plimsoll::band::Dynamic;
use plimsoll::expr::{Labels, Samples, eval};
use plimsoll::{
    AlertState, Budget, BudgetReading, EventKind, Level, ManualClock, Operation, Outcome, Plimsoll,
    Select, Subscription,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
/// The weekly peak: Mondays at 9, for two hours. 1970 began on a Thursday.
const PEAK: u64 = 4 * DAY + 9 * HOUR;
/// Wednesday night of the third week, for an hour.
const INCIDENT: u64 = 2 * WEEK + 6 * DAY + 3 * HOUR;

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
    work: Operation,
    events: Subscription,
    budget: Budget,
    page: Samples,
    minute: u64,
}

impl Bench {
    fn new(budget: Budget) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let plimsoll = builder.budget(budget.clone()).build().unwrap();
        Self {
            work: plimsoll.operation("work"),
            events: plimsoll.subscribe(),
            page: Samples::new(),
            minute: 0,
            plimsoll,
            clock,
            budget,
        }
    }

    /// A minute with twenty operations, and what it announced.
    fn step(&mut self) -> Vec<(EventKind, Level)> {
        let duration = duration(self.minute);
        (0..20).for_each(|_| self.work.record(Outcome::Ok, duration));
        self.clock.advance(MINUTE);
        self.plimsoll.tick();
        self.minute += 1;
        let events = std::iter::from_fn(|| self.events.try_recv());
        events.map(|event| (event.kind, event.level)).collect()
    }

    /// Up to this minute.
    fn run_to(&mut self, minute: u64) -> Vec<(EventKind, Level)> {
        let mut events = Vec::new();
        while self.minute < minute {
            events.extend(self.step());
        }
        events
    }

    fn at_ms(&self) -> i64 {
        self.minute as i64 * 60_000
    }

    /// Takes what Prometheus would scrape now.
    fn scrape(&mut self) {
        let page = self.plimsoll.render();
        let of_budgets =
            |line: &&str| line.starts_with("plimsoll_sli_") || line.starts_with("plimsoll_budget_");
        for line in page.lines().filter(of_budgets) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap();
            let labels = labels.trim_end_matches('}').split("\",");
            let pairs = labels.map(|pair| pair.trim_end_matches('"').split_once("=\"").unwrap());
            let labels = Labels::new(pairs.chain([("__name__", name)]));
            let at_ms = self.at_ms();
            self.page.insert(&labels, at_ms, value.parse().unwrap());
        }
    }

    fn reading(&self, level: Level) -> BudgetReading {
        let mut readings = self.plimsoll.budgets().into_iter();
        readings.find(|reading| reading.level == level).unwrap()
    }

    /// A gauge of the budget on the latest page.
    fn gauge(&self, name: &str, level: &str) -> f64 {
        let series = format!("{name}{{budget=\"api\",level=\"{level}\"}} ");
        let page = self.plimsoll.render();
        let mut lines = page.lines().filter_map(|line| line.strip_prefix(&series));
        lines.next().unwrap().parse().unwrap()
    }

    /// Whether each level is exceeded, here and by the rules over the pages.
    fn decisions(&self) -> Vec<(Level, bool, bool)> {
        let rules = self.budget.rule_group().rules;
        let levels = [Level::Warning, Level::Critical].into_iter().zip(rules);
        let decision = |(level, rule): (Level, plimsoll::rule::Rule)| {
            let here = self.reading(level).state != AlertState::Inactive;
            let there = eval(&rule.expr, &self.page, self.at_ms()).unwrap();
            (level, here, !there.is_empty())
        };
        levels.map(decision).collect()
    }
}

/// A daily wave around 100 ms, 5 % either way by chance, 400 ms at the peak and in the incident.
fn duration(minute: u64) -> Duration {
    let of_week = minute % WEEK;
    let within = |from, hours: u64| (from..from + hours * HOUR).contains(&minute);
    let at_peak = (PEAK..PEAK + 2 * HOUR).contains(&of_week);
    if at_peak || within(INCIDENT, 1) {
        return Duration::from_millis(400);
    }
    let turn = (minute % DAY) as f64 / DAY as f64 * std::f64::consts::TAU;
    let chance = (minute.wrapping_mul(2_654_435_761) >> 7) % 1000;
    let noise = 0.95 + chance as f64 / 10_000.0;
    Duration::from_secs_f64((0.100 + 0.030 * turn.sin()) * noise)
}

fn api() -> Budget {
    Budget::quantile("api", Select::operation("work"), 0.95)
        .dynamic(Dynamic::default().floor(0.2))
        .over(5 * MINUTE)
        .sustained(10 * MINUTE)
}

#[test]
fn an_incident_breaches_and_the_weekly_peak_does_not() {
    use EventKind::{Breach, Recovery};
    use Level::Critical;
    let mut bench = Bench::new(api());
    bench.run_to(30);
    assert!(
        bench.reading(Critical).limit.is_nan(),
        "nothing is known yet"
    );
    bench.run_to(PEAK);
    assert!(
        bench.reading(Critical).limit >= 0.2,
        "never below the floor"
    );
    let first = bench.run_to(PEAK + 3 * HOUR);
    assert_eq!(
        first[0],
        (Breach, Critical),
        "nobody could know of the first one"
    );
    bench.run_to(2 * WEEK + 2 * DAY);
    assert_eq!(bench.run_to(INCIDENT), [], "the third peak is usual");
    let incident = bench.run_to(INCIDENT + HOUR);
    assert_eq!(incident, [(Breach, Critical)]);
    let reading = bench.reading(Critical);
    assert!(reading.value > Some(reading.limit) && reading.limit == 0.2);
    assert_eq!(bench.run_to(3 * WEEK), [(Recovery, Critical)]);
    assert_eq!(bench.gauge("plimsoll_budget_band", "critical"), 0.2);
}

#[test]
fn the_page_says_what_is_judged() {
    let mut bench = Bench::new(api().sustained(Duration::ZERO));
    let (mut exceeded, mut kept) = (0, 0);
    for (from, to) in [
        (PEAK - HOUR, PEAK + 3 * HOUR),
        (INCIDENT - HOUR, INCIDENT + 2 * HOUR),
    ] {
        bench.run_to(from);
        while bench.minute < to {
            bench.step();
            bench.scrape();
            if bench.minute < from + 10 {
                continue; // Prometheus has no window yet.
            }
            for (level, here, there) in bench.decisions() {
                assert_eq!(here, there, "{level} in minute {}", bench.minute);
                *if here { &mut exceeded } else { &mut kept } += 1;
                let limit = bench.reading(level).limit;
                let word = level.as_str();
                assert_eq!(bench.gauge("plimsoll_budget_band", word), limit);
                assert_eq!(bench.gauge("plimsoll_budget_limit", word), limit);
            }
        }
    }
    assert!(exceeded > 120 && kept > 300, "{exceeded} {kept}");
}
