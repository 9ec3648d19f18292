//! Budgets of routes: by label and pattern, by layer and extension, added late; those that match nothing, and routes
//! that nothing covers.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Router};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use plimsoll::http::{BudgetLayer, MeasureLayer, RouteBudget};
use plimsoll::{
    AlertState, Budget, Builder, Event, EventKind, ManualClock, Outcome, Plimsoll, Select,
    Subscription, UNMATCHED_AFTER,
};
use tower::ServiceExt;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
    events: Subscription,
}

impl Bench {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let plimsoll = configure(builder).build().unwrap();
        let events = plimsoll.subscribe();
        Self {
            plimsoll,
            clock,
            events,
        }
    }

    /// Answers `/a`, `/b` and `/api/{id}`; a request to `/…?ms=N` takes N ms, one to `/…?fail` fails.
    fn router(&self) -> Router {
        let clock = self.clock.clone();
        let answer = move |request: Request<Body>| async move {
            let query = request.uri().query().unwrap_or_default();
            let ms = query.strip_prefix("ms=").map(|ms| ms.parse().unwrap());
            clock.advance(MS * ms.unwrap_or(0));
            match query {
                "fail" => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::OK,
            }
        };
        let all = get(answer.clone()).post(answer);
        Router::new()
            .route("/a", all.clone())
            .route("/b", all.clone())
            .route("/api/{id}", all)
    }

    fn measured(&self, router: Router) -> Router {
        router.layer(MeasureLayer::new(&self.plimsoll))
    }

    /// Moves on by a second, ticks, and returns what was announced.
    fn tick(&self) -> Vec<Event> {
        self.clock.advance(SECOND);
        self.plimsoll.tick();
        std::iter::from_fn(|| self.events.try_recv()).collect()
    }

    /// The samples of a family, by their labels.
    fn samples(&self, family: &str) -> BTreeMap<String, String> {
        let page = self.plimsoll.render();
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        let of_family = lines.filter_map(|line| line.strip_prefix(family)?.split_once(' '));
        of_family
            .map(|(labels, value)| (labels.to_owned(), value.to_owned()))
            .collect()
    }

    /// How many operations a budget's route has, and how many of them were bad.
    fn sli(&self, budget: &str, route: &str) -> Option<(u64, u64)> {
        let labels = format!("{{budget=\"{budget}\",level=\"target\",route=\"{route}\"}}");
        let count = |family| self.samples(family).get(&labels)?.parse().ok();
        Some((
            count("plimsoll_sli_valid_total")?,
            count("plimsoll_sli_bad_total")?,
        ))
    }
}

async fn send(app: &Router, method: &str, path: &str) -> u16 {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    response.into_body().collect().await.unwrap();
    status
}

/// (kind, budget, route) of each.
fn edges(events: &[Event]) -> Vec<(EventKind, &str, &str)> {
    let route = |event: &Event| event.labels.iter().position(|label| label.0 == "route");
    let edge = |event| match route(event) {
        Some(at) => (event.kind, &*event.budget, &*event.labels[at].1),
        None => (event.kind, &*event.budget, ""),
    };
    events.iter().map(edge).collect()
}

fn p95() -> Budget {
    Budget::quantile("p95", Select::http(), 0.95)
        .at_most(100 * MS)
        .over(5 * SECOND)
}

fn errors(name: &str) -> Budget {
    Budget::error_ratio(name, Select::http())
        .at_most(0.0)
        .over(5 * SECOND)
}

#[tokio::test]
async fn each_route_is_judged_by_itself() {
    let bench = Bench::new(|builder| builder.budget(p95().per("route")));
    let app = bench.measured(bench.router());
    assert_eq!(bench.tick(), []);
    send(&app, "GET", "/a?ms=101").await;
    send(&app, "POST", "/a?ms=100").await;
    for _ in 0..100 {
        send(&app, "GET", "/b").await;
    }
    send(&app, "GET", "/nowhere").await;
    let events = bench.tick();
    assert_eq!(edges(&events), [(EventKind::Breach, "p95", "/a")]);
    let text = events[0].to_string();
    assert!(
        text.starts_with("BREACH p95 route=/a level=target "),
        "{text}"
    );
    assert_eq!(bench.sli("p95", "/a"), Some((2, 1)));
    assert_eq!(bench.sli("p95", "/b"), Some((100, 0)));
    assert_eq!(bench.sli("p95", "unmatched"), None);

    let state = |route| bench.plimsoll.budget_state_of("p95", &[("route", route)]);
    assert!(state("/a").unwrap().is_breached());
    assert_eq!(state("/b").unwrap().state(), AlertState::Inactive);
    assert!(state("/c").is_none());
    let whole = bench.plimsoll.budget_state("p95").unwrap();
    assert!(whole.is_breached(), "as grave as the gravest of its routes");
    let readings = bench.plimsoll.budgets().into_iter();
    let mut readings: Vec<_> = readings
        .map(|reading| (reading.labels[0].1.clone(), reading.state.as_number()))
        .collect();
    readings.sort();
    assert_eq!(readings, [("/a".to_owned(), 2), ("/b".to_owned(), 0)]);
    let states = bench.samples("plimsoll_budget_state");
    assert_eq!(states[r#"{budget="p95",level="target",route="/a"}"#], "2");

    for _ in 0..6 {
        let events = bench.tick();
        if !events.is_empty() {
            assert_eq!(edges(&events), [(EventKind::Recovery, "p95", "/a")]);
        }
    }
    assert!(!whole.is_breached() && whole.recovered_for().is_some());
}

#[tokio::test]
async fn the_first_error_of_a_route_counts_and_methods_can_be_kept_apart() {
    let bench = Bench::new(|builder| builder.budget(errors("e").per("route").per("method")));
    let app = bench.measured(bench.router());
    send(&app, "GET", "/a").await;
    assert_eq!(bench.tick(), []);
    send(&app, "POST", "/a?fail").await;
    let events = bench.tick();
    assert_eq!(events.len(), 1);
    let labels = [("route", "/a".to_owned()), ("method", "POST".to_owned())];
    assert_eq!(*events[0].labels, labels);
}

#[cfg(feature = "config")]
#[tokio::test]
async fn a_pattern_in_toml_selects_routes() {
    let toml = r#"
        [[budget]]
        name = "api"
        on = "http"
        labels = { route = "/api/*" }
        per = "route"
        sli = "error_ratio"
        at_most = 0.0

        [[budget]]
        name = "gets"
        on = "http"
        labels = { method = "G*", route = "/*" }
        per = ["method", "route"]
        sli = "error_ratio"
        at_most = 0.999
        for = "1h"
    "#;
    let bench = Bench::new(|builder| builder.toml(toml));
    let app = bench.measured(bench.router());
    send(&app, "GET", "/a?fail").await;
    send(&app, "POST", "/api/7?fail").await;
    let events = bench.tick();
    assert_eq!(edges(&events), [(EventKind::Breach, "api", "/api/{id}")]);
    let gets = r#"{budget="gets",level="target",method="GET",route="/a"}"#;
    let valid = bench.samples("plimsoll_sli_valid_total");
    assert_eq!(valid[gets], "1");
    assert_eq!(valid.len(), 2, "{valid:?}");

    let refused = |toml: &str| {
        Plimsoll::builder()
            .toml(toml)
            .build()
            .unwrap_err()
            .to_string()
    };
    let error = refused(
        "[[budget]]\nname = \"x\"\non = \"http\"\nper = 7\nsli = \"throughput\"\nat_least = 1",
    );
    assert!(
        error.contains("budget \"x\": per 7 is not a string or a list of strings"),
        "{error}"
    );
    let error = refused("[[budget]]\nname = \"x\"\nper = \"route\"");
    assert!(
        error.contains("budget \"x\": per needs on = \"...\" beside it"),
        "{error}"
    );
}

#[tokio::test]
async fn a_layer_puts_a_budget_on_one_route() {
    let bench = Bench::new(|builder| builder);
    // Routers are built several times.
    let app = || {
        let layer = || BudgetLayer::new(&bench.plimsoll, errors("checkout")).unwrap();
        let checkout = get(|| async { StatusCode::INTERNAL_SERVER_ERROR });
        let router = bench.router().route("/checkout", checkout.layer(layer()));
        bench.measured(router)
    };
    let (app, again) = (app(), app());
    send(&app, "GET", "/a?fail").await;
    assert_eq!(bench.tick(), []);
    send(&app, "GET", "/checkout").await;
    send(&again, "GET", "/checkout").await;
    send(&again, "GET", "/checkout").await;
    let events = bench.tick();
    assert_eq!(
        edges(&events),
        [(EventKind::Breach, "checkout", "/checkout")]
    );
    assert_eq!(bench.sli("checkout", "/checkout"), Some((3, 3)));
    assert_eq!(bench.sli("checkout", "/a"), None);
}

#[tokio::test]
async fn a_layer_on_a_router_judges_each_of_its_routes() {
    let bench = Bench::new(|builder| builder);
    let select = Select::http().label("method", "GET");
    let budget = Budget::error_ratio("e", select).at_most(0.0);
    let layer = BudgetLayer::new(&bench.plimsoll, budget).unwrap();
    let app = bench.measured(bench.router().layer(layer));
    for path in ["/a?fail", "/b", "/nowhere"] {
        send(&app, "GET", path).await;
    }
    send(&app, "POST", "/b?fail").await;
    assert_eq!(edges(&bench.tick()), [(EventKind::Breach, "e", "/a")]);
    assert_eq!(bench.sli("e", "/a"), Some((1, 1)));
    assert_eq!(bench.sli("e", "/b"), Some((1, 0)), "only GET was selected");
    assert_eq!(bench.plimsoll.budgets().len(), 2);
}

#[tokio::test]
async fn a_request_can_bring_the_budget_of_its_route() {
    let bench = Bench::new(|builder| builder);
    let budget = RouteBudget::new(&bench.plimsoll, errors("e")).unwrap();
    let promised = bench.router().layer(Extension(budget));
    let other = Router::new().route(
        "/other",
        get(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
    );
    // Outside of the middleware there is nothing to be read yet.
    let router = promised
        .merge(other.clone())
        .layer(BudgetLayer::of_requests());
    let app = bench.measured(router);
    send(&app, "GET", "/a?fail").await;
    assert_eq!(bench.tick(), []);

    let budget = RouteBudget::new(&bench.plimsoll, errors("e")).unwrap();
    let read = bench.router().layer(BudgetLayer::of_requests());
    let promised = read.layer(Extension(budget)).merge(other);
    let app = bench.measured(promised);
    send(&app, "GET", "/a").await;
    send(&app, "GET", "/other").await;
    assert_eq!(bench.sli("e", "/a"), Some((1, 0)), "not what came before");
    send(&app, "GET", "/a?fail").await;
    assert_eq!(edges(&bench.tick()), [(EventKind::Breach, "e", "/a")]);
    assert_eq!(bench.sli("e", "/other"), None);
}

#[tokio::test]
async fn a_budget_can_come_later_and_counts_from_then_on() {
    let bench = Bench::new(|builder| {
        builder.budget(Budget::error_ratio("e", Select::http()).at_most(0.999))
    });
    let app = bench.measured(bench.router());
    for _ in 0..10 {
        send(&app, "GET", "/a?ms=300").await;
    }
    let page = bench.plimsoll.render();
    bench.plimsoll.add_budget(p95()).unwrap();
    bench
        .plimsoll
        .add_budget(errors("each").per("route"))
        .unwrap();
    assert!(!page.contains(r#"budget="each""#));
    assert_eq!(bench.tick(), []);
    send(&app, "GET", "/a?ms=300").await;
    send(&app, "GET", "/b?fail").await;
    let valid = bench.samples("plimsoll_sli_valid_total");
    let expected = [
        (r#"{budget="e",level="target"}"#, "12"),
        (r#"{budget="each",level="target",route="/a"}"#, "1"),
        (r#"{budget="each",level="target",route="/b"}"#, "1"),
        (r#"{budget="p95",level="target"}"#, "2"),
    ];
    assert!(
        valid.iter().map(|(a, b)| (&**a, &**b)).eq(expected),
        "{valid:?}"
    );
    let bad = bench.samples("plimsoll_sli_bad_total");
    assert_eq!(bad[r#"{budget="p95",level="target"}"#], "1");
    let events = bench.tick();
    let expected = [
        (EventKind::Breach, "p95", ""),
        (EventKind::Breach, "each", "/b"),
    ];
    assert_eq!(edges(&events), expected);
    assert_eq!(
        bench.plimsoll.budget_state("p95").unwrap().state(),
        AlertState::Firing
    );
    let value = bench
        .plimsoll
        .budgets()
        .into_iter()
        .find(|reading| reading.budget == "p95");
    let value = value.unwrap().value.unwrap();
    assert!((value - 0.3).abs() < 0.3 * 0.0055, "{value}");
}

#[test]
fn mistakes_surface_when_a_budget_is_made() {
    let bench = Bench::new(|builder| builder.budget(errors("e")));
    let plimsoll = &bench.plimsoll;
    let message = |result: Result<(), plimsoll::BuildError>| {
        let error = result.unwrap_err();
        assert_eq!(error.problems().len(), 1);
        error.problems()[0].to_string()
    };
    let taken = r#"budget "e": name is declared twice: give one of the two another name"#;
    assert_eq!(message(plimsoll.add_budget(errors("e"))), taken);
    let layer = |budget| BudgetLayer::new(plimsoll, budget).map(drop);
    assert_eq!(message(layer(errors("e"))), taken);
    layer(errors("f")).unwrap();
    layer(errors("f")).unwrap();
    let other = r#"budget "f": name is declared twice: give one of the two another name"#;
    assert_eq!(message(layer(errors("f").min_events(2))), other);
    assert_eq!(message(plimsoll.add_budget(errors("f"))), other);

    let slow = Budget::quantile("slow", Select::http(), 0.95).at_most(300 * MS);
    let bound = "budget \"slow\": limit 0.3 s is no bound of http, and bounds are fixed once the instance is built: \
        the nearest ones are 0.25 s and 0.5 s, or declare it before";
    assert_eq!(message(layer(slow.clone())), bound);
    assert_eq!(message(plimsoll.add_budget(slow)), bound);
    let slow = Budget::quantile("slow", Select::http(), 0.95).at_most(3000 * SECOND);
    assert!(message(layer(slow)).contains("the nearest one is 10 s"));
    let queries = Budget::error_ratio("q", Select::db()).at_most(0.1);
    let select = r#"budget "q": select does not select requests: a route's budget is one over Select::http()"#;
    assert_eq!(message(layer(queries)), select);
    assert_eq!(plimsoll.budgets().len(), 1, "nothing was added");
}

#[tokio::test]
async fn a_budget_that_matches_nothing_for_five_minutes_is_reported_until_it_does() {
    let of = |name: &str, route: &str| {
        let select = Select::http().label("route", route);
        Budget::error_ratio(name, select).at_most(0.999)
    };
    let full = |name, route| {
        let select = Select::http().label("method", "GET").label("route", route);
        Budget::error_ratio(name, select).at_most(0.999)
    };
    let bench = Bench::new(|builder| {
        builder
            .budget(of("pattern", "/api/*").per("route"))
            .budget(of("route", "/a"))
            .budget(full("named", "/b"))
            .budget(full("named-too", "/b").min_events(2))
            .budget(full("declared", "/d"))
            .budget(errors("all"))
    });
    let plimsoll = &bench.plimsoll;
    let layer = BudgetLayer::new(plimsoll, of("attribute", "*")).unwrap();
    let app = bench.router().layer(layer);
    let app = app.layer(MeasureLayer::new(plimsoll).declare_routes([("GET", "/d")]));
    let unmatched = || {
        let gauge = bench.samples("plimsoll_budget_unmatched");
        assert_eq!(gauge.len(), 7);
        let ones = gauge.iter().filter(|(_, value)| *value == "1");
        let ones: Vec<_> = ones.map(|(labels, _)| labels.clone()).collect();
        let names = plimsoll.unmatched_budgets();
        let labels = names.iter().map(|name| format!("{{budget=\"{name}\"}}"));
        assert!(labels.eq(ones), "{names:?}");
        names
    };
    bench.tick();
    bench.clock.advance(UNMATCHED_AFTER - 2 * SECOND);
    plimsoll.tick();
    assert_eq!(unmatched(), [""; 0], "not for so long yet");
    bench.tick();
    assert_eq!(
        unmatched(),
        ["attribute", "named", "named-too", "pattern", "route"]
    );
    send(&app, "GET", "/b").await;
    bench.tick();
    assert_eq!(unmatched(), ["pattern", "route"]);
    send(&app, "POST", "/api/7").await;
    send(&app, "GET", "/a").await;
    assert_eq!(unmatched(), [""; 0]);
    let late = of("late", "/gone");
    plimsoll.add_budget(late).unwrap();
    bench.clock.advance(UNMATCHED_AFTER - SECOND);
    plimsoll.tick();
    assert_eq!(plimsoll.unmatched_budgets(), [""; 0]);
    bench.tick();
    assert_eq!(plimsoll.unmatched_budgets(), ["late"]);
}

#[test]
fn an_operation_that_only_a_budget_names_is_seen_when_it_is_used() {
    let of = |name: &str, operation| {
        Budget::error_ratio(name, Select::operation(operation)).at_most(0.999)
    };
    let bench = Bench::new(|builder| builder.budget(of("used", "a")).budget(of("unused", "b")));
    bench.plimsoll.operation("a").record(Outcome::Ok, MS);
    bench.clock.advance(UNMATCHED_AFTER);
    bench.plimsoll.tick();
    assert_eq!(bench.plimsoll.unmatched_budgets(), ["unused"]);
    bench.plimsoll.operation("b").record(Outcome::Ok, MS);
    bench.tick();
    assert_eq!(bench.plimsoll.unmatched_budgets(), [""; 0]);
}

#[test]
fn a_budget_that_matches_nothing_is_warned_of_once() {
    let select = || Select::http().label("route", "/gone");
    let gone = |name| Budget::error_ratio(name, select()).at_most(0.999);
    let bench = Bench::new(|builder| builder.budget(gone("first")));
    let warned = || -> Vec<String> {
        let warnings = bench.plimsoll.warnings().into_iter();
        warnings.map(|warning| warning.to_string()).collect()
    };
    bench.clock.advance(UNMATCHED_AFTER);
    bench.plimsoll.tick();
    let first = warned();
    assert_eq!(first.len(), 1);
    let expected =
        "budget_unmatched \"first\" matches no operation that was declared or seen in 300s; mend: ";
    assert!(first[0].starts_with(expected), "{first:?}");
    bench.plimsoll.add_budget(gone("second")).unwrap();
    bench.tick();
    bench.clock.advance(UNMATCHED_AFTER);
    bench.plimsoll.tick();
    let second = warned();
    assert_eq!(second.len(), 2);
    assert!(
        second[1].starts_with("budget_unmatched \"second\""),
        "{second:?}"
    );
}

#[tokio::test]
async fn routes_without_a_budget_are_listed_and_counted() {
    let bench = Bench::new(|builder| {
        let api = Select::http().label("route", "/api/*");
        builder
            .max_series(3)
            .budget(Budget::throughput("api", api).at_least(0.0))
    });
    let plimsoll = &bench.plimsoll;
    let layer = BudgetLayer::new(plimsoll, errors("attribute")).unwrap();
    let here = get(|| async {}).layer(layer);
    let app = bench.router().route("/here", here);
    let app = app.layer(MeasureLayer::new(plimsoll).declare_routes([("POST", "/declared")]));
    let uncovered = || -> Vec<String> {
        let list = plimsoll.uncovered().into_iter();
        let list: Vec<_> = list
            .map(|it| format!("{} {} {}", it.kind, it.labels[0].1, it.labels[1].1))
            .collect();
        let gauge = bench.samples("plimsoll_operations_without_budget");
        assert_eq!(gauge[r#"{kind="http"}"#], list.len().to_string());
        list
    };
    assert_eq!(uncovered(), ["http POST /declared"]);
    for path in ["/a", "/api/7", "/here", "/b", "/nowhere"] {
        send(&app, "GET", path).await;
    }
    // `/b` came after the cap: `other` is no route, nor is `unmatched`.
    assert_eq!(uncovered(), ["http GET /a", "http POST /declared"]);
    plimsoll.add_budget(errors("all")).unwrap();
    assert_eq!(uncovered(), [""; 0]);
}

#[tokio::test]
async fn one_page_grows_into_the_next() {
    let bench = Bench::new(|builder| builder.budget(p95().per("route")));
    let app = bench.measured(bench.router());
    let twin = Bench::new(|builder| builder.budget(p95().per("route")));
    let twin_app = twin.measured(twin.router());
    // Of one instance every page is taken, of the other only the last.
    for (at, path) in ["/a", "/a", "/b", "/api/7", "/a"].into_iter().enumerate() {
        for plimsoll in [&bench.plimsoll, &twin.plimsoll] {
            let late = errors(&format!("late-{at}")).per("route");
            plimsoll.add_budget(late).unwrap();
        }
        send(&app, "GET", path).await;
        send(&twin_app, "GET", path).await;
        bench.plimsoll.render();
        bench.tick();
        twin.tick();
        bench.plimsoll.render();
    }
    assert_eq!(bench.plimsoll.render(), twin.plimsoll.render());
    assert_eq!(bench.sli("p95", "/a"), Some((3, 0)));
    assert_eq!(bench.sli("late-1", "/a"), Some((2, 0)));
}
