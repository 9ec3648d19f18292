//! What the HTTP layer promises, in process; `wire` has what only a socket shows.

mod classifiers;
mod ends;
mod foreign;
mod requests;
mod sizes;

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use plimsoll::Plimsoll;
use plimsoll::http::{MeasureLayer, Route};
use tower::{Layer, ServiceExt, service_fn};

/// Operation, and how many ended, failed, were cancelled and are under way.
type Line = (String, [u64; 4]);

fn plimsoll() -> Plimsoll {
    Plimsoll::builder().build().unwrap()
}

fn lines(plimsoll: &Plimsoll) -> Vec<Line> {
    let line = |operation: plimsoll::OperationStats| {
        let labels: Vec<_> = operation
            .labels
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        let counts = [
            operation.count,
            operation.errors,
            operation.cancelled,
            operation.in_flight,
        ];
        (labels.join(" "), counts)
    };
    plimsoll.stats().operations.into_iter().map(line).collect()
}

fn line(operation: &str, counts: [u64; 4]) -> Line {
    (operation.to_owned(), counts)
}

fn request(method: &str, path: &str) -> Request<Body> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap()
}

/// Sends one request, reads its answer to the end and returns the status.
async fn send(app: &Router, method: &str, path: &str) -> u16 {
    let response = app.clone().oneshot(request(method, path)).await.unwrap();
    let status = response.status().as_u16();
    response.into_body().collect().await.unwrap();
    status
}

#[test]
fn handles_are_cheap_clones_for_any_thread() {
    fn handle<T: Clone + Send + Sync + std::fmt::Debug>(_: &T) {}
    let layer = MeasureLayer::new(&plimsoll());
    handle(&layer);
    handle(&layer.layer(()));
    handle(&Route::from_static("/a"));
    assert_eq!(size_of::<MeasureLayer>(), size_of::<usize>());
    assert_eq!(Route::from_static("/a"), Route::new("/a"));
}

#[tokio::test]
async fn the_route_is_the_template_of_whichever_router_matched() {
    let plimsoll = plimsoll();
    let devices = Router::new().route("/{id}", get(|| async { "device" }));
    let files = Router::new().route("/{name}", get(|| async { "file" }));
    let app = Router::new()
        .route("/", get(|| async { "root" }))
        .nest("/api", Router::new().nest("/devices", devices))
        .nest_service("/files", files)
        .layer(MeasureLayer::new(&plimsoll));
    assert_eq!(send(&app, "GET", "/").await, 200);
    assert_eq!(send(&app, "GET", "/api/devices/7?verbose=1").await, 200);
    assert_eq!(send(&app, "GET", "/api/devices/8").await, 200);
    assert_eq!(send(&app, "DELETE", "/api/devices/7").await, 405);
    assert_eq!(send(&app, "GET", "/files/a").await, 200);
    let expected = [
        line("DELETE /api/devices/{id}", [1, 0, 0, 0]),
        line("GET /", [1, 0, 0, 0]),
        line("GET /api/devices/{id}", [2, 0, 0, 0]),
        line("GET unmatched", [1, 0, 0, 0]),
    ];
    assert_eq!(lines(&plimsoll), expected);
}

#[tokio::test]
async fn a_layer_inside_a_nested_service_sees_the_whole_template() {
    let plimsoll = plimsoll();
    let files = Router::new()
        .route("/{name}", get(|| async { "file" }))
        .layer(MeasureLayer::new(&plimsoll));
    let app = Router::new().nest_service("/files", files);
    assert_eq!(send(&app, "GET", "/files/a").await, 200);
    assert_eq!(lines(&plimsoll), [line("GET /files/{name}", [1, 0, 0, 0])]);
}

#[tokio::test]
async fn a_route_in_the_extensions_names_what_axum_did_not_match() {
    let plimsoll = plimsoll();
    let app = Router::new()
        .route("/{page}", get(|| async { "page" }))
        .layer(MeasureLayer::new(&plimsoll));
    for path in ["/a", "/nowhere/at/all"] {
        let mut request = request("GET", path);
        request.extensions_mut().insert(Route::new("/named"));
        app.clone().oneshot(request).await.unwrap();
    }
    // The body of `/a` was not read: its client is gone.
    let expected = [
        line("GET /named", [1, 0, 0, 0]),
        line("GET /{page}", [1, 0, 1, 0]),
    ];
    assert_eq!(lines(&plimsoll), expected);
}

#[tokio::test]
async fn no_client_can_invent_a_series() {
    let plimsoll = plimsoll();
    let app = Router::new()
        .route("/devices/{id}", any(|| async { "device" }))
        .layer(MeasureLayer::new(&plimsoll))
        .with_state(());
    let mut methods: Vec<_> = "GET POST PUT DELETE HEAD OPTIONS CONNECT PATCH TRACE"
        .split(' ')
        .map(str::to_owned)
        .collect();
    for n in 0..10_000_u32 {
        let random = n.wrapping_mul(2_654_435_761);
        methods.truncate(9);
        methods.push(format!("M{random:x}"));
        let method = &methods[n as usize % 10];
        let path = if n % 3 == 0 { "/devices" } else { "" };
        send(&app, method, &format!("{path}/{random:x}?q={n}")).await;
    }
    let lines = lines(&plimsoll);
    let operations: BTreeSet<_> = lines.iter().map(|(operation, _)| operation).collect();
    assert_eq!(operations.len(), 20, "{operations:?}");
    assert!(operations.contains(&"_OTHER unmatched".to_owned()));
    assert_eq!(
        lines.iter().map(|(_, counts)| counts[0]).sum::<u64>(),
        10_000
    );
}

#[tokio::test]
async fn declared_routes_and_unmatched_stay_when_the_cap_is_reached() {
    let plimsoll = plimsoll();
    let layer = MeasureLayer::new(&plimsoll)
        .declare_routes([("GET", "/declared")])
        .declare_routes([(Method::POST, "/declared".to_owned())]);
    let expected = ["GET /declared", "POST /declared"].map(|declared| line(declared, [0; 4]));
    assert_eq!(lines(&plimsoll), expected);

    let service = layer.layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    let mut routes: Vec<_> = (0..1_200).map(|n| Some(format!("/{n}"))).collect();
    routes.extend([Some("/declared".to_owned()), None]);
    for route in routes {
        let mut request = Request::new(());
        if let Some(route) = route {
            request.extensions_mut().insert(Route::new(route));
        }
        service.clone().oneshot(request).await.unwrap();
    }
    let lines = lines(&plimsoll);
    for (operation, count) in [
        ("GET /declared", 1),
        ("GET unmatched", 1),
        ("other other", 200),
    ] {
        assert!(
            lines.contains(&line(operation, [count, 0, 0, 0])),
            "{operation}"
        );
    }
    assert_eq!(lines.len(), 1_000 + 4);
}

#[tokio::test]
async fn excluded_routes_pass_uncounted() {
    let plimsoll = plimsoll();
    let app = Router::new()
        .route("/health", get(|| async { "well" }))
        .route("/healthy", get(|| async { "food" }))
        .layer(MeasureLayer::new(&plimsoll).exclude(["/health", "/metrics"]));
    let response = app.clone().oneshot(request("GET", "/health")).await;
    let body = response.unwrap().into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "well");
    assert_eq!(lines(&plimsoll), []);
    send(&app, "GET", "/healthy").await;
    assert_eq!(lines(&plimsoll), [line("GET /healthy", [1, 0, 0, 0])]);
}

#[tokio::test]
async fn the_response_is_unchanged() {
    #[derive(Clone, Debug, PartialEq)]
    struct Note(&'static str);

    let service = service_fn(|_: Request<()>| async {
        let trailers =
            HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("\"end\""))]);
        let body = Full::new(bytes::Bytes::from_static(b"four"))
            .with_trailers(std::future::ready(Some(Ok::<_, Infallible>(trailers))));
        Response::builder()
            .status(StatusCode::IM_A_TEAPOT)
            .version(Version::HTTP_2)
            .header("x-kind", "a")
            .header("x-kind", "b")
            .extension(Note("kept"))
            .body(body)
    });
    let measured = MeasureLayer::new(&plimsoll()).layer(service);
    let (bare, bare_body) = service
        .oneshot(Request::new(()))
        .await
        .unwrap()
        .into_parts();
    let (parts, body) = measured
        .oneshot(Request::new(()))
        .await
        .unwrap()
        .into_parts();
    assert_eq!(
        (parts.status, parts.version, parts.headers),
        (bare.status, bare.version, bare.headers)
    );
    assert_eq!(parts.extensions.get(), Some(&Note("kept")));
    use http_body::Body as _;
    assert_eq!(body.size_hint().exact(), bare_body.size_hint().exact());
    assert_eq!(body.is_end_stream(), bare_body.is_end_stream());
    let (body, bare_body) = (
        body.collect().await.unwrap(),
        bare_body.collect().await.unwrap(),
    );
    assert_eq!(body.trailers(), bare_body.trailers());
    assert!(body.trailers().is_some());
    assert_eq!(body.to_bytes(), bare_body.to_bytes());
}

/// Routers come and go, and the text of a route may lie where another one's lay before.
#[tokio::test]
async fn routes_of_routers_that_are_gone_are_not_mixed_up() {
    let plimsoll = plimsoll();
    let layer = MeasureLayer::new(&plimsoll);
    for nth in 100..300 {
        let path = format!("/routes/{nth}");
        let app = Router::new().route(&path, get(|| async {}));
        let request = Request::get(&path).body(Body::empty()).unwrap();
        let answer = app.layer(layer.clone()).oneshot(request).await;
        assert_eq!(answer.unwrap().status(), 200);
    }
    let operations = plimsoll.stats().operations;
    assert_eq!(operations.len(), 200);
    assert!(operations.iter().all(|operation| operation.count == 1));
}
