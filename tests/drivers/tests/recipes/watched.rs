//! What looks after queries, whatever the driver: budgets, the watchdog, requests that query too much.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use plimsoll::db::TopBy;
use plimsoll::{Budget, Builder, ManualClock, Outcome, Plimsoll, Select};

const SOON: Duration = Duration::from_secs(20);

fn watched(builder: Builder, tell: Sender<String>) -> Builder {
    let (found, running) = (tell.clone(), tell);
    let by_id = Select::db().label("query", "orders.by_id");
    let budgets = Budget::db_latency("orders", by_id);
    let builder = budgets.into_iter().fold(builder, Builder::budget);
    builder
        .query_watchdog(Duration::from_secs(5), move |query| {
            let (name, age) = (query.name(), query.age);
            _ = running.send(format!("{name} is still running after {age:?}"));
        })
        .on_query_finding(move |finding| {
            let (route, query) = (finding.label("route"), &finding.query);
            _ = found.send(format!("{route} ran {query} {} times", finding.count));
        })
}

#[test]
fn what_looks_after_queries() {
    let (clock, (tell, told)) = (ManualClock::new(), channel());
    let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
    let plimsoll = watched(builder, tell).build().expect("no mistakes");
    let shop = plimsoll.database("shop").open();
    let query = || shop.begin_sql("SELECT * FROM orders WHERE id = $1", Some("orders.by_id"));
    for _ in 0..100 {
        let quick = query();
        clock.advance(Duration::from_millis(30));
        quick.finish_as(Outcome::Ok);
    }
    let hanging = query();
    clock.advance(Duration::from_secs(6));
    plimsoll.tick();
    let said = told.recv_timeout(SOON).expect("a query that hangs");
    assert_eq!(said, "orders.by_id is still running after 6s");
    drop(hanging);
    let breached = plimsoll
        .budgets()
        .into_iter()
        .filter(|reading| reading.state == plimsoll::AlertState::Firing);
    let breached: Vec<_> = breached
        .map(|reading| format!("{} {}", reading.budget, reading.level))
        .collect();
    assert_eq!(breached, ["orders-p50 target", "orders-p50 warning"]);
    let top = &plimsoll.top_queries(1, TopBy::Total)[0];
    assert_eq!((&*top.query, top.count), ("orders.by_id", 101));
}
