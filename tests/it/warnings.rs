//! What is said once about a set-up that measures less than it seems to.

use std::sync::mpsc::channel;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use plimsoll::Plimsoll;
use plimsoll::http::MeasureLayer;
use tower::{Layer, Service, ServiceExt};

fn plimsoll() -> Plimsoll {
    Plimsoll::builder().manual_tick().build().unwrap()
}

fn router() -> Router {
    Router::new()
        .route("/", get(|| async { "root" }))
        .route("/devices/{id}", get(|| async { "device" }))
}

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// Asks `service` for each path and reads what comes.
async fn ask<S, B>(service: &S, paths: impl IntoIterator<Item = &str>)
where
    S: Service<Request<Body>, Response = http::Response<B>> + Clone,
    S::Error: std::fmt::Debug,
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    use http_body_util::BodyExt;
    for path in paths {
        let response = service.clone().oneshot(request(path)).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
}

fn kinds(plimsoll: &Plimsoll) -> Vec<&'static str> {
    plimsoll.tick();
    let warnings = plimsoll.warnings().into_iter();
    warnings.map(|warning| warning.kind).collect()
}

fn counted(plimsoll: &Plimsoll) -> u64 {
    let operations = plimsoll.stats().operations.into_iter();
    operations.map(|operation| operation.count).sum()
}

#[tokio::test]
async fn a_layer_around_the_router_is_warned_of_once() {
    let plimsoll = plimsoll();
    let app = MeasureLayer::new(&plimsoll).layer(router().into_service::<Body>());
    ask(&app, ["/"; 19]).await;
    assert_eq!(kinds(&plimsoll), [""; 0]);
    ask(&app, ["/"; 100]).await;
    assert_eq!(kinds(&plimsoll), ["layer_outside_router"]);
    assert_eq!(kinds(&plimsoll), ["layer_outside_router"]);
    let text = plimsoll.warnings()[0].to_string();
    assert!(text.contains("apply it with Router::layer"), "{text}");
    assert!(
        plimsoll
            .render()
            .contains("plimsoll_warnings_total{kind=\"layer_outside_router\"} 1")
    );
}

#[tokio::test]
async fn strangers_who_ask_for_what_is_not_there_are_no_mistake_of_the_layer() {
    let plimsoll = plimsoll();
    let app = router().layer(MeasureLayer::new(&plimsoll));
    ask(&app, ["/"]).await;
    ask(&app, ["/wp-login.php"; 100]).await;
    assert_eq!(kinds(&plimsoll), [""; 0]);
}

#[tokio::test]
async fn a_layer_that_is_stacked_measures_once_and_is_warned_of_once() {
    let plimsoll = plimsoll();
    let layer = || MeasureLayer::new(&plimsoll);
    let app = router().layer(layer()).layer(layer());
    ask(&app, ["/", "/devices/7", "/devices/8"]).await;
    assert_eq!(counted(&plimsoll), 3);
    assert_eq!(kinds(&plimsoll), ["layer_stacked"]);
    ask(&app, ["/"]).await;
    assert_eq!(kinds(&plimsoll), ["layer_stacked"]);
    assert_eq!(counted(&plimsoll), 4);
    assert!(
        plimsoll
            .render()
            .contains("plimsoll_layers_stacked_total 4")
    );
}

#[tokio::test]
async fn a_middleware_that_waits_in_between_hides_nothing() {
    let plimsoll = plimsoll();
    let layer = || MeasureLayer::new(&plimsoll);
    let waits = axum::middleware::from_fn(|request, next: axum::middleware::Next| async {
        tokio::task::yield_now().await;
        next.run(request).await
    });
    let app = router().layer(layer()).layer(waits).layer(layer());
    ask(&app, ["/", "/devices/7"]).await;
    assert_eq!(counted(&plimsoll), 2);
    assert_eq!(kinds(&plimsoll), ["layer_stacked"]);
}

#[tokio::test]
async fn a_request_within_a_request_is_one_of_its_own() {
    let plimsoll = plimsoll();
    let inner = router().layer(MeasureLayer::new(&plimsoll));
    let batch = move || async move {
        ask(&inner, ["/", "/devices/7"]).await;
        "both"
    };
    let outer = Router::new().route("/batch", get(batch));
    let app = outer.layer(MeasureLayer::new(&plimsoll));
    ask(&app, ["/batch"]).await;
    assert_eq!(counted(&plimsoll), 3);
    assert_eq!(kinds(&plimsoll), [""; 0]);
}

#[tokio::test]
async fn layers_of_two_instances_measure_both() {
    let (one, other) = (plimsoll(), plimsoll());
    let app = router().layer(MeasureLayer::new(&one));
    let app = app.layer(MeasureLayer::new(&other));
    ask(&app, ["/"]).await;
    assert_eq!((counted(&one), counted(&other)), (1, 1));
    assert_eq!(kinds(&one), [""; 0]);
}

#[tokio::test]
async fn callbacks_hear_of_each_once() {
    let (sender, heard) = channel();
    let builder = Plimsoll::builder().manual_tick();
    let plimsoll = builder
        .on_warning(move |warning| sender.send(warning.clone()).unwrap())
        .build()
        .unwrap();
    let app = router().layer(MeasureLayer::new(&plimsoll));
    let app = app.layer(MeasureLayer::new(&plimsoll));
    for _ in 0..3 {
        ask(&app, ["/"]).await;
        plimsoll.tick();
    }
    let minute = Duration::from_secs(60);
    assert_eq!(heard.recv_timeout(minute).unwrap().kind, "layer_stacked");
    drop((app, plimsoll));
    assert!(heard.recv_timeout(minute).is_err(), "the sender is gone");
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn a_warning_is_a_line_of_the_log() {
    let (sender, lines) = channel();
    struct Line(std::sync::mpsc::Sender<String>);
    impl std::io::Write for Line {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(String::from_utf8_lossy(bytes).into()).ok();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    // With a single dispatcher in the process, `tracing` asks the thread that meets an event first whether anybody wants
    // it, and that may be a worker of another test. With two it asks them all.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || Line(sender.clone()))
        .without_time()
        .with_ansi(false)
        .finish();
    let plimsoll = tracing::subscriber::with_default(subscriber, plimsoll);
    let app = router().layer(MeasureLayer::new(&plimsoll));
    ask(&app.layer(MeasureLayer::new(&plimsoll)), ["/"]).await;
    plimsoll.tick();
    let line = lines.recv_timeout(Duration::from_secs(60)).unwrap();
    let expected = "WARN plimsoll::setup: stands around another one of the same instance";
    assert!(line.trim().starts_with(expected), "{line}");
    assert!(
        line.contains("kind=\"layer_stacked\" subject=http::MeasureLayer mend="),
        "{line}"
    );
}
