//! Labels of requests beyond method and route.

mod bounds;
mod routes;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::{Request, StatusCode, Version};
use http_body_util::BodyExt;
use plimsoll::http::{Label, MeasureLayer};
use plimsoll::{AlertState, Budget, Builder, ManualClock, Naming, Plimsoll, Select, Watch};
use std::time::Duration;
use tower::ServiceExt;

/// (label values, how many ended) of each operation.
fn lines(plimsoll: &Plimsoll) -> Vec<(String, u64)> {
    let operations = plimsoll.stats().operations.into_iter();
    let line = |operation: plimsoll::OperationStats| {
        let values: Vec<_> = operation.labels.iter().map(|label| &*label.1).collect();
        (values.join(" "), operation.count)
    };
    operations.map(line).collect()
}

fn line(values: &str, count: u64) -> (String, u64) {
    (values.to_owned(), count)
}

/// Answers with the status that the path ends in, and with the header `x-cache` of the request.
fn app(layer: MeasureLayer) -> Router {
    let answer = |request: Request<Body>| async move {
        let status = request.uri().path().rsplit('/').next().unwrap();
        let mut response = http::Response::new(Body::from("body"));
        *response.status_mut() = StatusCode::from_bytes(status.as_bytes()).unwrap();
        if let Some(cache) = request.headers().get("x-cache") {
            response.headers_mut().insert("x-cache", cache.clone());
        }
        response
    };
    let app = Router::new().route("/answer/{status}", any(answer));
    app.layer(layer).with_state(())
}

fn request(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

async fn send(app: &Router, request: Request<Body>) -> (StatusCode, bytes::Bytes) {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    (
        status,
        response.into_body().collect().await.unwrap().to_bytes(),
    )
}

fn tier() -> Label {
    Label::request("tier", |head| head.headers().get("x-tier")?.to_str().ok())
}

fn cache() -> Label {
    Label::response("cache", |head| head.headers().get("x-cache")?.to_str().ok())
}

/// The message of a build that is refused.
fn refused(builder: Builder) -> String {
    builder.build().unwrap_err().to_string()
}

/// The value of a sample of the page.
fn sample(plimsoll: &Plimsoll, name: &str) -> Option<f64> {
    let page = plimsoll.render();
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

#[tokio::test]
async fn scheme_and_version_are_one_of_a_few() {
    let builder = Plimsoll::builder().http_label(Label::scheme());
    let plimsoll = builder.http_label(Label::version()).build().unwrap();
    let app = app(MeasureLayer::new(&plimsoll));
    let forwarded = |proto: &'static str| request("/answer/200", &[("x-forwarded-proto", proto)]);
    send(&app, request("/answer/200", &[])).await;
    send(&app, request("http://example.com/answer/200", &[])).await;
    send(&app, forwarded("HTTPS, http")).await;
    send(&app, forwarded("gopher")).await;
    let mut second = request("https://example.com/answer/200", &[]);
    *second.version_mut() = Version::HTTP_2;
    send(&app, second).await;
    let expected = [
        line("GET /answer/{status}  1.1", 1),
        line("GET /answer/{status} _OTHER 1.1", 1),
        line("GET /answer/{status} http 1.1", 1),
        line("GET /answer/{status} https 1.1", 1),
        line("GET /answer/{status} https 2", 1),
    ];
    assert_eq!(lines(&plimsoll), expected);
    let labels = plimsoll.stats().operations[4].labels.clone();
    assert_eq!(
        labels[2..],
        [("scheme", "https".to_owned()), ("version", "2".to_owned())]
    );
    let otel = "http_server_request_duration_seconds_count{http_request_method=\"GET\",\
                http_route=\"/answer/{status}\",http_response_status_code=\"200\",error_type=\"\",\
                url_scheme=\"https\",network_protocol_version=\"2\"}";
    assert_eq!(sample(&plimsoll, otel), Some(1.0));
}

#[tokio::test]
async fn what_is_read_from_the_response_is_a_label_of_its_end() {
    let naming = Naming::classic().errors_family();
    let builder = Plimsoll::builder()
        .naming(naming)
        .http_label(cache().at_most(2));
    let plimsoll = builder
        .http_label(tier().values(["free", "paid"]))
        .build()
        .unwrap();
    let app = app(MeasureLayer::new(&plimsoll));
    for (status, tier, cache) in [
        (200, "free", "hit"),
        (200, "free", "hit"),
        (200, "gold", "miss"),
        (503, "paid", "stale"),
    ] {
        let headers = [("x-tier", tier), ("x-cache", cache)];
        send(&app, request(&format!("/answer/{status}"), &headers)).await;
    }
    send(&app, request("/answer/404", &[])).await;
    // Its client goes away when it has seen the headers.
    let left = request("/answer/200", &[("x-cache", "hit")]);
    drop(app.clone().oneshot(left).await.unwrap());
    let page = plimsoll.render();
    let of = |family: &str| {
        let lines = page.lines().filter(|line| line.starts_with(family));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let route = "method=\"GET\",route=\"/answer/{status}\"";
    let expected = [
        ("status=\"200\",tier=\"_OTHER\",cache=\"miss\"", 1),
        ("status=\"200\",tier=\"free\",cache=\"hit\"", 2),
        ("status=\"404\",tier=\"\",cache=\"\"", 1),
        ("status=\"499\",tier=\"\",cache=\"hit\"", 1),
        ("status=\"503\",tier=\"paid\",cache=\"other\"", 1),
    ];
    let expected =
        expected.map(|(rest, count)| format!("responses_total{{{route},{rest}}} {count}"));
    assert_eq!(of("responses_total"), expected);
    let expected = [("", 2), ("_OTHER", 1), ("free", 2), ("paid", 1)]
        .map(|(tier, count)| format!("requests_total{{{route},tier=\"{tier}\"}} {count}"));
    assert_eq!(of("requests_total"), expected);
    assert_eq!(
        of("plimsoll_label_overflow_total").join("\n"),
        overflow(&[("cache", 1), ("tier", 1)])
    );
}

fn overflow(counts: &[(&str, u64)]) -> String {
    let line =
        |(label, count)| format!("plimsoll_label_overflow_total{{label=\"{label}\"}} {count}");
    counts
        .iter()
        .copied()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn a_budget_and_a_watch_select_by_a_label_of_requests() {
    let clock = ManualClock::new();
    let paid = || Select::http().label("tier", "paid");
    let minute = Duration::from_secs(60);
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .http_label(tier().at_most(1))
        .budget(Budget::error_ratio("paid", paid()).at_most(0.1))
        .budget(Budget::error_ratio("free", Select::http().label("tier", "free")).at_most(0.1))
        .watch(Watch::new("paid", paid()).over(minute))
        .build()
        .unwrap();
    let app = app(MeasureLayer::new(&plimsoll));
    send(&app, request("/answer/503", &[("x-tier", "paid")])).await;
    send(&app, request("/answer/503", &[])).await;
    clock.advance(Duration::from_secs(1));
    plimsoll.tick();
    let states: Vec<_> = plimsoll
        .budgets()
        .iter()
        .map(|budget| budget.state)
        .collect();
    assert_eq!(states, [AlertState::Firing, AlertState::Inactive]);
    assert_eq!(plimsoll.window("paid", minute).unwrap().count, 1);
}

#[test]
fn what_no_request_has_cannot_be_selected() {
    let by = |key: &str| Budget::error_ratio("paid", Select::http().label(key, "x")).at_most(0.1);
    let builder = || Plimsoll::builder().http_label(tier()).http_label(cache());
    assert!(builder().budget(by("tier")).build().is_ok());
    let message = refused(builder().budget(by("cache")));
    let expected =
        "budget \"paid\": labels: cache is not a label of http: it has method, route, tier";
    assert!(message.contains(expected), "{message}");
    let watch = Watch::new("paid", Select::http().label("teir", "x")).over(Duration::from_secs(60));
    let message = refused(builder().watch(watch));
    let expected =
        "watch \"paid\": label \"teir\" is not a label of http: it has method, route, tier";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn every_mistake_surfaces_at_once_with_its_mend() {
    let named = |name| Label::request(name, |_| None);
    let builder = Plimsoll::builder().naming(Naming::classic());
    let builder = builder
        .http_label(named("status"))
        .http_label(named("route"));
    let message = refused(
        builder
            .http_label(named("le"))
            .http_label(named("a").at_most(0)),
    );
    let expected = "4 mistakes in the configuration\n  \
         http_label \"route\": is what every request has already: choose another name\n  \
         http_label \"le\": must match [a-zA-Z_][a-zA-Z0-9_]*, must not start with __ and must not be le or quantile\n  \
         http_label \"a\": at_most(0) is no cap: it takes 1 to 250\n  \
         http_label \"status\": is a label of requests_total already: choose another name";
    let lines = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&message), lines(expected));
}

#[tokio::test]
async fn a_status_class_stands_for_its_statuses_in_every_profile() {
    for (naming, family, rest) in [
        (
            Naming::otel(),
            "http_server_request_duration_seconds_count",
            [
                "http_response_status_code=\"2xx\",error_type=\"\"",
                "http_response_status_code=\"4xx\",error_type=\"\"",
                "http_response_status_code=\"5xx\",error_type=\"5xx\"",
            ],
        ),
        (
            Naming::classic(),
            "requests_total",
            ["status=\"2xx\"", "status=\"4xx\"", "status=\"5xx\""],
        ),
        (
            Naming::classic().errors_family(),
            "responses_total",
            ["status=\"2xx\"", "status=\"4xx\"", "status=\"5xx\""],
        ),
        (
            Naming::millis(),
            "http_requests_total",
            [
                "status_code=\"2xx\"",
                "status_code=\"4xx\"",
                "status_code=\"5xx\"",
            ],
        ),
    ] {
        let plimsoll = Plimsoll::builder()
            .naming(naming.status_class())
            .build()
            .unwrap();
        let app = app(MeasureLayer::new(&plimsoll));
        for status in [200, 204, 404, 429, 500, 503] {
            send(&app, request(&format!("/answer/{status}"), &[])).await;
        }
        let page = plimsoll.render();
        let found = page
            .lines()
            .filter(|line| line.starts_with(&format!("{family}{{")));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 3, "{found:?}");
        for (line, rest) in found.iter().zip(rest) {
            assert!(
                line.ends_with(&format!("{rest}}} 2")),
                "{line} is not {rest}"
            );
        }
    }
}
