//! Budgets of queries: by statement, by operation, by pool; each level by itself, told of and taken back.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use plimsoll::{Budget, EventKind, Level, ManualClock, Outcome, Plimsoll, Select};

const MS: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(20);

/// (kind, budget, level) of an edge.
type Edge = (EventKind, String, Level);

struct Site {
    plimsoll: Plimsoll,
    clock: ManualClock,
    edges: Receiver<Edge>,
}

impl Site {
    fn new(budgets: impl IntoIterator<Item = Budget>) -> Self {
        let (clock, (send, edges)) = (ManualClock::new(), channel());
        let recovered = send.clone();
        let builder = Plimsoll::builder()
            .clock(clock.clone())
            .manual_tick()
            .on_breach(move |it| {
                send.send((it.kind, it.budget.to_string(), it.level))
                    .unwrap()
            })
            .on_recovery(move |it| {
                recovered
                    .send((it.kind, it.budget.to_string(), it.level))
                    .unwrap()
            });
        let plimsoll = budgets
            .into_iter()
            .fold(builder, |b, budget| b.budget(budget));
        Self {
            plimsoll: plimsoll.build().unwrap(),
            clock,
            edges,
        }
    }

    /// Ticks so much later, and what the callbacks were told, sorted.
    fn after(&self, time: Duration) -> Vec<Edge> {
        self.clock.advance(time);
        self.plimsoll.tick();
        assert!(self.plimsoll.flush(SOON));
        let mut edges: Vec<_> = self.edges.try_iter().collect();
        edges.sort_by(|a, b| (&a.1, a.2.as_str()).cmp(&(&b.1, b.2.as_str())));
        edges
    }

    fn second(&self) -> Vec<Edge> {
        self.after(Duration::from_secs(1))
    }
}

fn edges(kind: EventKind, budget: &str, levels: &[Level]) -> Vec<Edge> {
    let edge = |level: &Level| (kind, budget.to_owned(), *level);
    levels.iter().map(edge).collect()
}

#[test]
fn the_preset_has_these_limits() {
    let site = Site::new(Budget::db_latency("db", Select::db()));
    let limits = site.plimsoll.budgets().into_iter().map(|reading| {
        let ms = (reading.limit * 1e3).round() as u64;
        (reading.budget, reading.level, ms)
    });
    let (t, w, c) = (Level::Target, Level::Warning, Level::Critical);
    let expected = [
        ("db-p50", [(t, 10), (w, 25), (c, 50)]),
        ("db-p95", [(t, 50), (w, 75), (c, 100)]),
        ("db-p99", [(t, 100), (w, 150), (c, 250)]),
    ];
    let expected = expected.iter().flat_map(|(name, levels)| {
        levels
            .iter()
            .map(|(level, ms)| ((*name).to_owned(), *level, *ms))
    });
    assert!(limits.eq(expected));
}

#[test]
fn each_level_of_each_quantile_breaches_by_itself_and_recovers() {
    use Level::{Critical, Target, Warning};
    // Of a hundred queries so many take so long, the others 1 ms: what the quantile at hand alone sees.
    let cases = [
        ("db-p50", 60, [11, 26, 51]),
        ("db-p95", 6, [51, 76, 101]),
        ("db-p99", 2, [101, 151, 251]),
    ];
    // The gravest, which folds the milder ones.
    let levels = [&[Target][..], &[Warning], &[Critical]];
    for (budget, slow, took) in cases {
        for (ms, levels) in took.into_iter().zip(levels) {
            let site = Site::new(Budget::db_latency("db", Select::db()));
            site.second();
            let record = |count, duration| {
                for _ in 0..count {
                    let plimsoll = &site.plimsoll;
                    plimsoll.track_db_query("list", "devices", duration, Outcome::Ok);
                }
            };
            record(slow, MS * ms);
            record(100 - slow, MS);
            let told = |kind| move |edge: &Edge| edge.0 == kind && edge.1 == budget;
            let breached = site.second().into_iter().filter(told(EventKind::Breach));
            let breached: Vec<_> = breached.collect();
            assert_eq!(
                breached,
                edges(EventKind::Breach, budget, levels),
                "{ms} ms"
            );
            let recovered = site.after(MINUTE).into_iter();
            let recovered: Vec<_> = recovered.filter(told(EventKind::Recovery)).collect();
            assert_eq!(recovered, edges(EventKind::Recovery, budget, levels));
        }
    }
}

/// A budget of 20 ms for the slower half of what `select` selects.
fn of(name: &str, select: Select) -> Budget {
    Budget::quantile(name, select, 0.5)
        .at_most(20 * MS)
        .over(MINUTE)
}

#[test]
fn a_statement_has_a_budget_by_its_summary_or_its_name() {
    let query = |name: &str| Select::db().label("query", name);
    let site = Site::new([
        of("orders", query("SELECT orders")),
        of("named", query("orders.by_id")),
        of("customers", query("SELECT customers")),
    ]);
    site.second();
    let shop = site.plimsoll.database("shop").open();
    let run = |sql: &str, name| {
        let guard = shop.begin_sql(sql, name);
        site.clock.advance(30 * MS);
        guard.finish(&Ok::<_, ()>(()));
    };
    run("SELECT * FROM orders WHERE id = 7", None);
    let target = [Level::Target];
    let breach = |budget| edges(EventKind::Breach, budget, &target);
    assert_eq!(site.second(), breach("orders"));
    run("SELECT * FROM orders WHERE id = 7", Some("orders.by_id"));
    assert_eq!(site.second(), breach("named"));
    let recovered = ["named", "orders"].map(|name| edges(EventKind::Recovery, name, &target));
    assert_eq!(site.after(MINUTE), recovered.concat());
}

#[test]
fn an_operation_has_one_and_so_has_each_statement_of_its_own() {
    let inserts = Select::db().label("operation", "INSERT");
    let site = Site::new([
        of("inserts", inserts),
        of("each", Select::db()).per("query"),
    ]);
    site.second();
    let shop = site.plimsoll.database("shop").open();
    for (sql, took) in [
        ("INSERT INTO orders VALUES (1)", 30),
        ("SELECT * FROM orders", 5),
    ] {
        let guard = shop.begin_sql(sql, None);
        site.clock.advance(MS * took);
        guard.finish(&Ok::<_, ()>(()));
    }
    let breached = site.second();
    let names: Vec<_> = breached.iter().map(|edge| &*edge.1).collect();
    assert_eq!(names, ["each", "inserts"]);
    let of_statement = |query| site.plimsoll.budget_state_of("each", &[("query", query)]);
    let state = |query| of_statement(query).unwrap().state();
    assert_eq!(state("INSERT orders"), plimsoll::AlertState::Firing);
    assert_eq!(state("SELECT orders"), plimsoll::AlertState::Inactive);
}

#[test]
fn a_pool_has_one_for_waits_and_one_for_timeouts() {
    let waits = || Select::acquire().label("pool", "shop");
    let timeouts = Budget::error_ratio("timeouts", waits())
        .at_most(0.25)
        .over(MINUTE);
    let site = Site::new([of("waits", waits()), timeouts]);
    site.second();
    let [shop, other] = ["shop", "other"].map(|name| site.plimsoll.pool(name).unwrap());
    for _ in 0..3 {
        let waiting = shop.begin();
        site.clock.advance(30 * MS);
        waiting.finish(&Ok::<_, ()>(()));
    }
    other.begin().timed_out();
    let target = [Level::Target];
    let breach = |budget| edges(EventKind::Breach, budget, &target);
    assert_eq!(site.second(), breach("waits"));
    shop.begin().timed_out();
    assert_eq!(site.second(), [], "a quarter is just kept");
    shop.begin().timed_out();
    assert_eq!(site.second(), breach("timeouts"));
    let recovered = ["timeouts", "waits"].map(|name| edges(EventKind::Recovery, name, &target));
    assert_eq!(site.after(MINUTE), recovered.concat());
}
