//! Who says how a request ended.

use std::future::ready;
use std::io;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use plimsoll::http::{
    Acted, ClassifyFailure, ClassifyHead, ClassifyRequest, MeasureLayer, Verdict,
};
use plimsoll::{Outcome, Plimsoll};
use tower::{Layer, ServiceExt, service_fn};
use tower_http::classify::{
    ClassifiedResponse, ClassifyResponse, NeverClassifyEos, ServerErrorsAsFailures,
    SharedClassifier, StatusInRangeAsFailures,
};

use super::plimsoll;

type Part = io::Result<Frame<Bytes>>;
type Answer = Result<Response<UnsyncBoxBody<Bytes, io::Error>>, String>;

fn data(text: &'static str) -> Part {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn trailers(status: &'static str) -> Part {
    let status = HeaderValue::from_static(status);
    Ok(Frame::trailers(HeaderMap::from_iter([(
        HeaderName::from_static("grpc-status"),
        status,
    )])))
}

/// A response of these parts.
fn answer(status: u16, headers: &[(&'static str, &'static str)], parts: Vec<Part>) -> Answer {
    let body = StreamBody::new(stream::iter(parts));
    let mut response = Response::new(BodyExt::boxed_unsync(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(*name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// What came back: status, data and the trailer `grpc-status`, or what failed.
type Seen = Result<(u16, String, Option<String>), String>;

/// Asks once, and reads what comes to its end.
async fn ask<C>(layer: &MeasureLayer<C>, answer: Answer) -> Seen
where
    C: ClassifyRequest<Head: ClassifyHead<String, End: ClassifyFailure<io::Error>>> + Clone,
{
    let mut answer = Some(answer);
    let service = service_fn(move |_: Request<()>| ready(answer.take().unwrap()));
    let response = layer.layer(service).oneshot(Request::new(())).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await;
    let body = body.map_err(|error| error.to_string())?;
    let trailer = body
        .trailers()
        .and_then(|trailers| trailers.get("grpc-status"));
    let trailer = trailer.map(|value| value.to_str().unwrap().to_owned());
    let bytes = body.to_bytes();
    Ok((status, String::from_utf8(bytes.to_vec()).unwrap(), trailer))
}

/// (word, how many) of each end, and how many were errors and cancelled.
fn ends(plimsoll: &Plimsoll) -> (Vec<(String, u64)>, u64, u64) {
    let text = plimsoll.render();
    let ends = text.lines().filter_map(|line| {
        let labels = line.strip_prefix("request_ends_total{")?;
        let (_, end) = labels.split_once("end=\"")?;
        let (end, count) = end.split_once("\"} ")?;
        Some((end.to_owned(), count.parse().unwrap()))
    });
    let operation = &plimsoll.stats().operations[0];
    (ends.collect(), operation.errors, operation.cancelled)
}

fn classic() -> Plimsoll {
    let builder = Plimsoll::builder().manual_tick();
    builder.naming(plimsoll::Naming::classic()).build().unwrap()
}

fn end(word: &str, count: u64) -> (String, u64) {
    (word.to_owned(), count)
}

#[tokio::test]
async fn a_closure_decides_by_the_head() {
    let plimsoll = classic();
    let layer = MeasureLayer::new(&plimsoll).classify(|head| match head.status().as_u16() {
        429 => Verdict::new(Outcome::Error, "rate_limited"),
        404 => Outcome::Error.into(),
        _ if head.headers().contains_key("x-fine") => Outcome::Ok.into(),
        500.. => Outcome::Error.into(),
        _ => Outcome::Ok.into(),
    });
    for (status, headers) in [
        (200, &[][..]),
        (404, &[]),
        (429, &[]),
        (400, &[]),
        (503, &[]),
        (503, &[("x-fine", "yes")]),
    ] {
        let seen = ask(&layer, answer(status, headers, vec![data("body")])).await;
        assert_eq!(seen, Ok((status, "body".to_owned(), None)));
    }
    let expected = vec![
        end("client_error", 1),
        end("failure", 1),
        end("ok", 2),
        end("rate_limited", 1),
        end("server_error", 1),
    ];
    assert_eq!(ends(&plimsoll), (expected, 3, 0));
}

#[tokio::test]
async fn what_needs_no_judgement_is_not_judged() {
    let plimsoll = classic();
    let layer = MeasureLayer::new(&plimsoll).classify(|_| Outcome::Ok);
    let failing = vec![data("a"), Err(io::Error::other("broken pipe"))];
    let seen = ask(&layer, answer(200, &[], failing)).await;
    assert_eq!(seen, Err("broken pipe".to_owned()));
    let seen = ask(&layer, Err("refused".to_owned())).await;
    assert_eq!(seen, Err("refused".to_owned()));
    let mut shed = answer(503, &[], vec![]).unwrap();
    shed.extensions_mut().insert(Acted::Shed);
    ask(&layer, Ok(shed)).await.unwrap();
    let unread = service_fn(|_: Request<()>| ready(answer(200, &[], vec![data("a"), data("b")])));
    drop(layer.layer(unread).oneshot(Request::new(())).await);
    let expected = vec![
        end("body_dropped", 1),
        end("body_error", 1),
        end("service_error", 1),
        end("shed", 1),
    ];
    assert_eq!(ends(&plimsoll), (expected, 2, 1));
}

#[tokio::test]
async fn the_classifiers_of_a_trace_layer_are_taken_as_they_are() {
    let plimsoll = classic();
    let layer = MeasureLayer::new(&plimsoll);
    let server = layer
        .clone()
        .make_classifier(ServerErrorsAsFailures::make_classifier());
    let ranged = StatusInRangeAsFailures::new(400..=599).into_make_classifier();
    let ranged = layer.make_classifier(ranged);
    for status in [200, 404, 500] {
        ask(&server, answer(status, &[], vec![])).await.unwrap();
        ask(&ranged, answer(status, &[], vec![])).await.unwrap();
    }
    ask(&ranged, Err("refused".to_owned())).await.unwrap_err();
    let expected = vec![
        end("client_error", 1),
        end("failure", 1),
        end("ok", 2),
        end("server_error", 2),
        end("service_error", 1),
    ];
    assert_eq!(ends(&plimsoll), (expected, 4, 0));
}

#[tokio::test]
async fn a_failure_class_gets_a_word() {
    use tower_http::classify::ServerErrorsFailureClass as Class;
    let plimsoll = classic();
    let layer = MeasureLayer::new(&plimsoll).make_classifier_with(
        ServerErrorsAsFailures::make_classifier(),
        |class| match class {
            Class::StatusCode(StatusCode::GATEWAY_TIMEOUT) => {
                Verdict::new(Outcome::Error, "upstream_timeout")
            }
            Class::Error(text) if text == "gone" => Verdict::new(Outcome::Cancelled, "gone"),
            _ => Outcome::Error.into(),
        },
    );
    ask(&layer, answer(504, &[], vec![])).await.unwrap();
    ask(&layer, Err("gone".to_owned())).await.unwrap_err();
    let expected = vec![end("gone", 1), end("upstream_timeout", 1)];
    assert_eq!(ends(&plimsoll), (expected, 1, 1));
}

#[tokio::test]
async fn grpc_has_its_status_in_the_trailers_or_in_the_headers() {
    let plimsoll = classic();
    let layer = MeasureLayer::new(&plimsoll).grpc();
    let seen = ask(&layer, answer(200, &[], vec![data("a"), trailers("0")])).await;
    assert_eq!(seen, Ok((200, "a".to_owned(), Some("0".to_owned()))));
    for status in ["14", "5", "1", "99", "garbage"] {
        let parts = vec![data("a"), trailers(status)];
        ask(&layer, answer(200, &[], parts)).await.unwrap();
    }
    for status in ["0", "4"] {
        let headers = [("grpc-status", status)];
        ask(&layer, answer(200, &headers, vec![])).await.unwrap();
    }
    // Nobody said anything: a stream that just ends, a router's 404, a proxy's 503.
    for status in [200, 404, 503] {
        ask(&layer, answer(status, &[], vec![])).await.unwrap();
    }
    let expected = vec![
        end("CANCELLED", 1),
        end("DEADLINE_EXCEEDED", 1),
        end("NOT_FOUND", 1),
        end("UNAVAILABLE", 2),
        end("UNKNOWN", 3),
        end("client_error", 1),
        end("ok", 2),
    ];
    assert_eq!(ends(&plimsoll), (expected, 6, 1));
}

#[tokio::test]
async fn a_body_that_is_dropped_after_its_trailers_was_read_to_its_end() {
    let plimsoll = classic();
    let layer = MeasureLayer::new(&plimsoll).grpc();
    let parts = || vec![data("a"), trailers("13"), data("never asked for")];
    let service = service_fn(|_: Request<()>| ready(answer(200, &[], parts())));
    let response = layer.layer(service).oneshot(Request::new(())).await;
    let mut body = response.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(ends(&plimsoll), (vec![end("INTERNAL", 1)], 1, 0));
}

/// Panics at the head.
#[derive(Clone)]
struct Panics;

impl ClassifyResponse for Panics {
    type FailureClass = ();
    type ClassifyEos = NeverClassifyEos<()>;

    fn classify_response<B>(self, _: &Response<B>) -> ClassifiedResponse<(), Self::ClassifyEos> {
        std::panic::resume_unwind(Box::new("on purpose"))
    }

    fn classify_error<E: std::fmt::Display + 'static>(self, _: &E) {
        std::panic::resume_unwind(Box::new("on purpose"))
    }
}

#[tokio::test]
async fn a_classifier_that_panics_changes_nothing_for_the_client() {
    let plimsoll = classic();
    let layer = MeasureLayer::new(&plimsoll);
    let classifier = layer.clone().make_classifier(SharedClassifier::new(Panics));
    for status in [200, 500] {
        let seen = ask(&classifier, answer(status, &[], vec![data("body")])).await;
        assert_eq!(seen, Ok((status, "body".to_owned(), None)));
    }
    let seen = ask(&classifier, Err("refused".to_owned())).await;
    assert_eq!(seen, Err("refused".to_owned()));
    let closure = layer.classify(|_| -> Outcome { std::panic::resume_unwind(Box::new("too")) });
    let seen = ask(&closure, answer(404, &[], vec![data("body")])).await;
    assert_eq!(seen, Ok((404, "body".to_owned(), None)));
    let expected = vec![
        end("client_error", 1),
        end("ok", 1),
        end("server_error", 1),
        end("service_error", 1),
    ];
    assert_eq!(ends(&plimsoll), (expected, 2, 0));
    plimsoll.tick();
    assert_eq!(plimsoll.warnings()[0].kind, "classifier_panic");
    let text = plimsoll.render();
    assert!(
        text.contains("plimsoll_classifier_panics_total 4"),
        "{text}"
    );
}

#[tokio::test]
async fn excluded_routes_are_not_judged() {
    let plimsoll = plimsoll();
    let layer = MeasureLayer::new(&plimsoll).exclude(["/health"]);
    let layer = layer.classify(|_| -> Outcome { unreachable!("nobody asks") });
    let service = service_fn(|_: Request<()>| ready(answer(200, &[], vec![])));
    let mut request = Request::new(());
    let route = plimsoll::http::Route::from_static("/health");
    request.extensions_mut().insert(route);
    layer.layer(service).oneshot(request).await.unwrap();
    assert!(plimsoll.stats().operations.is_empty());
}

#[tokio::test]
async fn declared_paths_are_routes_and_others_are_not() {
    let plimsoll = plimsoll();
    let layer = MeasureLayer::new(&plimsoll)
        .grpc()
        .declare_paths("POST", ["/shop.Orders/Place", "/shop.Orders/Cancel"]);
    for path in ["/shop.Orders/Place", "/shop.Orders/Invented"] {
        let service = service_fn(|_: Request<()>| ready(answer(200, &[], vec![trailers("0")])));
        let request = Request::post(path).body(()).unwrap();
        let response = layer.layer(service).oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    let lines = super::lines(&plimsoll);
    let expected = [
        super::line("POST /shop.Orders/Cancel", [0, 0, 0, 0]),
        super::line("POST /shop.Orders/Place", [1, 0, 0, 0]),
        super::line("POST unmatched", [1, 0, 0, 0]),
    ];
    assert_eq!(lines, expected);
}
