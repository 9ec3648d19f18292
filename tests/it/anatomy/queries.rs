//! Requests that query too much: found at their end, blamed on the right statement, and told of without a flood.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, channel};

use http::Request;
use plimsoll::http::Route;
use plimsoll::{Builder, Outcome, QueryFinding, QueryFindingKind, TraceId};
use tower::{Layer, Service, service_fn};

use super::*;

const SOON: Duration = Duration::from_secs(30);
const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// An instance, its clock, and what it found.
struct Watched {
    plimsoll: Plimsoll,
    clock: ManualClock,
    found: Receiver<QueryFinding>,
}

impl Watched {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let (clock, (send, found)) = (ManualClock::new(), channel());
        let builder = Plimsoll::builder()
            .clock(clock.clone())
            .manual_tick()
            .on_query_finding(move |found| send.send(found.clone()).unwrap());
        let plimsoll = configure(builder).build().unwrap();
        Self {
            plimsoll,
            clock,
            found,
        }
    }

    fn defaults() -> Self {
        Self::new(|builder| builder)
    }

    /// A layer that keeps a record.
    fn layer(&self) -> MeasureLayer {
        MeasureLayer::new(&self.plimsoll).anatomy()
    }

    /// Serves a request to this route that does so, on the very thread.
    fn serve(&self, layer: &MeasureLayer, route: &'static str, work: impl Fn() + Clone) {
        let mut service = layer.layer(service_fn(move |_: Request<()>| {
            let work = work.clone();
            async move {
                work();
                Ok::<_, Infallible>(Response::new(Full::new(bytes::Bytes::new())))
            }
        }));
        let mut request = Request::new(());
        request.extensions_mut().insert(Route::from_static(route));
        let header = format!("00-{ID}-00f067aa0ba902b7-01");
        let headers = request.headers_mut();
        headers.insert("traceparent", header.parse().unwrap());
        drop(at_once(service.call(request)).unwrap());
    }

    /// What was found until the end of the period.
    fn told(&self) -> Vec<QueryFinding> {
        self.clock.advance(Duration::from_secs(10));
        self.plimsoll.tick();
        assert!(self.plimsoll.flush(SOON));
        self.found.try_iter().collect()
    }

    /// How many requests of a route were counted.
    fn total(&self, name: &str, route: &str) -> Option<f64> {
        let name = format!("http_server_{name}_requests_total");
        sample(&self.plimsoll, &name, route)
    }
}

/// (kind, route, statement, how often, what it took).
fn told(found: &QueryFinding) -> (QueryFindingKind, &str, &str, u64, Duration) {
    let route = found.label("route");
    (found.kind, route, &found.query, found.count, found.duration)
}

#[test]
fn a_statement_that_is_run_for_each_row_is_found_whatever_its_values() {
    let watched = Watched::defaults();
    let (shop, clock) = (watched.plimsoll.database("shop").open(), &watched.clock);
    let orders = |count: u64| {
        let list = shop.begin_sql("SELECT id FROM customers", None);
        clock.advance(ms(3));
        list.finish_as(Outcome::Ok);
        for id in 0..count {
            let sql = format!("SELECT * FROM orders WHERE customer = {id}");
            let query = shop.begin_sql(&sql, None);
            clock.advance(ms(2));
            query.finish_as(Outcome::Ok);
        }
    };
    let layer = watched.layer().trace_ids();
    watched.serve(&layer, "/few", || orders(9));
    watched.serve(&layer, "/many", || orders(10));
    let total = |route| watched.total("n_plus_one", route);
    assert_eq!((total("/few"), total("/many")), (Some(0.0), Some(1.0)));
    assert_eq!(watched.total("max_queries", "/many"), Some(0.0));
    let found = watched.told();
    let (kind, took) = (QueryFindingKind::NPlusOne, ms(20));
    assert_eq!(told(&found[0]), (kind, "/many", "SELECT orders", 10, took));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].label("method"), "GET");
    assert_eq!(found[0].trace_id, ID.parse::<TraceId>().ok());
    assert_eq!(found[0].suppressed, 0);
    assert_eq!(watched.told(), [], "each period by itself");
}

#[test]
fn statements_with_one_summary_are_two() {
    let watched = Watched::defaults();
    let shop = watched.plimsoll.database("shop").open();
    let layer = watched.layer();
    watched.serve(&layer, "/a", || {
        for column in 0..20 {
            let sql = format!("SELECT * FROM orders WHERE column_{} = 1", column % 4);
            shop.begin_sql(&sql, None).finish_as(Outcome::Ok);
        }
    });
    assert_eq!(watched.total("n_plus_one", "/a"), Some(0.0));
    assert_eq!(watched.told(), []);
}

#[test]
fn every_door_counts_and_each_query_once() {
    let watched = Watched::new(|builder| builder.n_plus_one(5).max_queries(0));
    let plimsoll = &watched.plimsoll;
    let db = plimsoll.db("orders");
    let by_id = move || {
        at_once(db.time("by_id", std::future::ready(Ok::<_, ()>(())))).unwrap();
        db.time_sync("by_id", || Ok::<_, ()>(())).unwrap();
        db.guard("by_id").partial();
        drop(db.guard("by_id"));
        plimsoll.track_db_query("by_id", "orders", ms(1), Outcome::Error);
    };
    let shop = plimsoll.database("shop").open();
    let named = || {
        for nth in 0..3 {
            let sql = format!("SELECT {nth} FROM t{nth}");
            shop.begin_sql(&sql, Some("t.any")).finish_as(Outcome::Ok);
            let sql = "UPDATE t SET a = 1";
            at_once(shop.time_sql(sql, std::future::ready(Ok::<_, ()>(())))).unwrap();
        }
        for sql in ["UPDATE t SET a = 2", "UPDATE t SET a = 3"] {
            shop.begin_bytes(sql.as_bytes(), None)
                .finish_as(Outcome::Ok);
        }
    };
    let layer = watched.layer();
    watched.serve(&layer, "/by_id", by_id);
    watched.serve(&layer, "/named", named);
    let found = watched.told();
    let found: Vec<_> = found.iter().map(|it| (&*it.query, it.count)).collect();
    assert_eq!(found, [("by_id orders", 5), ("UPDATE t", 5)]);
    assert_eq!(watched.total("max_queries", "/by_id"), None, "turned off");
}

#[test]
fn too_many_queries_are_a_finding_whichever_they_are() {
    let watched = Watched::new(|builder| builder.n_plus_one(0).max_queries(40));
    let names: Vec<_> = (0..40).map(|nth| format!("query_{nth}")).collect();
    let db = watched.plimsoll.db("orders");
    let layer = watched.layer();
    for count in [39, 40] {
        let route = if count == 40 { "/many" } else { "/few" };
        watched.serve(&layer, route, || {
            for name in &names[..count] {
                db.guard(name).finish_as(Outcome::Ok);
            }
        });
    }
    let found = watched.told();
    let kind = QueryFindingKind::MaxQueries;
    assert_eq!(found.len(), 1);
    assert_eq!(told(&found[0]), (kind, "/many", "", 40, Duration::ZERO));
    let total = |route| watched.total("max_queries", route);
    assert_eq!((total("/few"), total("/many")), (Some(0.0), Some(1.0)));
    assert_eq!(watched.total("n_plus_one", "/many"), None, "turned off");
}

#[test]
fn a_flood_is_one_line_with_the_gravest_of_it() {
    let watched = Watched::defaults();
    let db = watched.plimsoll.db("orders");
    let layer = watched.layer();
    let run = |route, times: u64| {
        watched.serve(&layer, route, || {
            (0..times).for_each(|_| db.guard("by_id").finish_as(Outcome::Ok));
        });
    };
    for times in [10, 20, 50, 30, 10] {
        run("/a", times);
    }
    run("/b", 11);
    let found = watched.told();
    let lines = found.iter().map(|it| (it.label("route"), it.count));
    assert_eq!(lines.collect::<Vec<_>>(), [("/a", 50), ("/b", 11)]);
    let suppressed = found.iter().map(|it| it.suppressed);
    assert_eq!(suppressed.collect::<Vec<_>>(), [4, 0]);
    assert_eq!(watched.total("n_plus_one", "/a"), Some(5.0));
}

#[test]
fn what_differs_in_more_than_twenty_ways_is_counted() {
    let watched = Watched::defaults();
    let names: Vec<_> = (0..25).map(|nth| format!("query_{nth}")).collect();
    let db = watched.plimsoll.db("orders");
    let layer = watched.layer();
    for name in &names {
        watched.serve(&layer, "/a", || {
            (0..10).for_each(|_| db.guard(name).finish_as(Outcome::Ok));
        });
    }
    assert_eq!(watched.told().len(), 20);
    let dropped = "plimsoll_query_findings_dropped_total";
    let dropped = |label| sample(&watched.plimsoll, dropped, label);
    assert_eq!(dropped(r#"reason="limit""#), Some(5.0));
    assert_eq!(dropped(r#"reason="busy""#), Some(0.0));
}

#[test]
fn what_came_after_a_cap_is_no_statement() {
    let watched = Watched::new(|builder| builder.max_series(4));
    let shop = watched.plimsoll.database("shop").max_statements(2).open();
    let db = watched.plimsoll.db("orders");
    let layer = watched.layer();
    watched.serve(&layer, "/a", || {
        for nth in 0..30 {
            let sql = format!("SELECT * FROM t{nth}");
            shop.begin_sql(&sql, None).finish_as(Outcome::Ok);
            db.guard(&format!("query_{nth}")).finish_as(Outcome::Ok);
        }
    });
    assert_eq!(watched.total("n_plus_one", "/a"), Some(0.0));
}

#[test]
fn a_layer_may_be_asked_for_this_alone_and_without_a_record_there_is_nothing() {
    let watched = Watched::defaults();
    let db = watched.plimsoll.db("orders");
    let work = || (0..10).for_each(|_| db.guard("by_id").finish_as(Outcome::Ok));
    let bare = MeasureLayer::new(&watched.plimsoll);
    watched.serve(&bare, "/bare", work);
    watched.serve(&bare.clone().trace_ids(), "/traced", work);
    watched.serve(&bare.clone().n_plus_one(), "/asked", work);
    let total = |route| watched.total("n_plus_one", route);
    assert_eq!(total("/bare"), None);
    assert_eq!((total("/traced"), total("/asked")), (Some(1.0), Some(1.0)));
    let page = watched.plimsoll.render();
    assert!(!page.contains("stage_duration"), "no anatomy: {page}");
    let found = watched.told();
    let traces: Vec<_> = found.iter().map(|found| found.trace_id).collect();
    assert_eq!(traces, [ID.parse().ok(), None]);
}

#[test]
fn the_slow_log_names_it() {
    let watched = Watched::defaults();
    let db = watched.plimsoll.db("orders");
    watched.serve(&watched.layer(), "/a", || {
        for _ in 0..12 {
            let query = db.guard("by_id");
            watched.clock.advance(ms(10));
            query.finish_as(Outcome::Ok);
        }
    });
    watched.told();
    let slow = watched.plimsoll.slowest();
    let anatomy = slow[0].anatomy.as_ref().unwrap();
    let repeated = anatomy.n_plus_one.as_ref().unwrap();
    assert_eq!(repeated.to_string(), "by_id orders x 12 in 120ms");
    assert_eq!(anatomy.queries, 12);
}

#[cfg(feature = "tracing")]
#[test]
fn findings_go_to_tracing_and_so_does_the_slow_request_that_had_one() {
    let (watched, log) = crate::log::listening(Watched::defaults);
    let db = watched.plimsoll.db("orders");
    let layer = watched.layer().trace_ids();
    for _ in 0..2 {
        watched.serve(&layer, "/a", || {
            for _ in 0..10 {
                let query = db.guard("by_id");
                watched.clock.advance(ms(11));
                query.finish_as(Outcome::Ok);
            }
        });
    }
    watched.told();
    let text = log.text();
    let finding = format!(
        " WARN plimsoll::queries: too many queries kind=n_plus_one method=\"GET\" route=\"/a\" query=\"by_id orders\" \
         count=10 duration=0.11 trace_id={ID} suppressed=1\n"
    );
    assert!(text.contains(&finding), "{text}");
    let slow = "queries=10 n_plus_one=by_id orders x 10 in 110ms anatomy=query=110ms rest=0ns\n";
    assert_eq!(text.matches(slow).count(), 2, "{text}");
}

#[test]
fn a_limit_of_one_is_a_mistake() {
    let built = Plimsoll::builder().n_plus_one(1).build();
    let error = built.unwrap_err().to_string();
    assert!(error.contains("n_plus_one 1 makes"), "{error}");
}

#[tokio::test]
async fn a_query_for_each_row_is_found_in_tasks_that_are_joined() {
    let watched = Watched::defaults();
    let (db, clock) = (watched.plimsoll.db("orders"), watched.clock.clone());
    let handler = move || async move {
        let mut tasks = Vec::new();
        for _ in 0..11 {
            let clock = clock.clone();
            let query = db.time("by_id", async move {
                tokio::task::yield_now().await;
                clock.advance(ms(1));
                Ok::<_, ()>(7)
            });
            tasks.push(tokio::spawn(scope::fork(query)));
        }
        for (nth, task) in tasks.into_iter().enumerate() {
            let forked = task.await.unwrap();
            // The last one was spawned and is nobody's.
            if nth < 10 {
                assert_eq!(forked.join(), Ok(7));
            }
        }
    };
    let app = Router::new()
        .route("/a", get(handler))
        .layer(watched.layer());
    let response = app.oneshot(request("/a")).await.unwrap();
    response.into_body().collect().await.unwrap();
    let found = watched.told();
    assert_eq!((&*found[0].query, found[0].count), ("by_id orders", 10));
    let queries = "http_server_request_queries_sum";
    assert_eq!(sample(&watched.plimsoll, queries, "/a"), Some(10.0));
}
