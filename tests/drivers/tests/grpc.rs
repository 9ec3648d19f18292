//! A gRPC server made with tonic, its client, and the layer between them on loopback.

use std::time::Duration;

use plimsoll::http::MeasureLayer;
use plimsoll::{Naming, Plimsoll};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

fn plimsoll() -> Plimsoll {
    let builder = Plimsoll::builder().naming(Naming::classic());
    builder.build().unwrap()
}

/// A server with a health service that knows `orders`, and a client of it. Calls that `refuses` picks are refused;
/// `paths` are those that the layer is told of.
async fn start(
    plimsoll: &Plimsoll,
    paths: &[&str],
    refuses: fn(Request<()>) -> Result<Request<()>, Status>,
) -> HealthClient<Channel> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let serving = ServingStatus::Serving;
    reporter.set_service_status("orders", serving).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let layer = MeasureLayer::new(plimsoll).grpc();
    let server = Server::builder()
        .layer(layer.declare_paths("POST", paths.iter().copied()))
        .add_service(InterceptedService::new(health, refuses));
    tokio::spawn(async move {
        // What keeps the health service informed lives as long as the server.
        let _reporter = reporter;
        let incoming = TcpIncoming::from(listener);
        server.serve_with_incoming(incoming).await
    });
    let channel = Channel::from_shared(address).unwrap();
    HealthClient::new(channel.connect().await.unwrap())
}

fn asks(service: &str) -> HealthCheckRequest {
    let service = service.to_owned();
    HealthCheckRequest { service }
}

/// `route end count`, one line for each.
fn ends(plimsoll: &Plimsoll) -> Vec<String> {
    let text = plimsoll.render();
    let ends = text.lines().filter_map(|line| {
        let labels = line.strip_prefix("request_ends_total{method=\"POST\",route=\"")?;
        let (route, labels) = labels.split_once("\",end=\"")?;
        let (end, count) = labels.split_once("\"} ")?;
        (count != "0").then(|| format!("{route} {end} {count}"))
    });
    ends.collect()
}

/// Waits until the ends are these: a server learns of a client that leaves when it has left.
async fn wait_for(plimsoll: &Plimsoll, expected: &[String]) {
    let same = async {
        while ends(plimsoll) != expected {
            sleep(Duration::from_millis(5)).await;
        }
    };
    if timeout(Duration::from_secs(30), same).await.is_err() {
        assert_eq!(ends(plimsoll), expected);
    }
}

#[tokio::test]
async fn calls_are_counted_by_the_status_that_grpc_gives_them() {
    let plimsoll = plimsoll();
    let mut client = start(&plimsoll, &[CHECK, WATCH], Ok).await;

    let serving = client.check(asks("orders")).await.unwrap();
    assert_eq!(serving.into_inner().status, ServingStatus::Serving as i32);
    let unknown = client.check(asks("nobody")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    // A stream that goes on for ever, and a client that does not.
    let mut watch = client.watch(asks("orders")).await.unwrap().into_inner();
    assert!(watch.message().await.unwrap().is_some());
    let operations = plimsoll.stats().operations;
    let watched = operations.iter().find(|it| it.labels[1].1 == WATCH);
    assert_eq!(watched.unwrap().in_flight, 1);
    drop(watch);

    let expected = [
        format!("{CHECK} NOT_FOUND 1"),
        format!("{CHECK} ok 1"),
        format!("{WATCH} body_dropped 1"),
    ];
    wait_for(&plimsoll, &expected).await;
    let errors: u64 = plimsoll.stats().operations.iter().map(|it| it.errors).sum();
    assert_eq!(
        errors, 0,
        "a name that nobody knows is the client's mistake"
    );
}

#[tokio::test]
async fn a_call_that_is_refused_has_its_status_in_the_headers() {
    let plimsoll = plimsoll();
    let refuses = |_| Err(Status::unavailable("closed for today"));
    let mut client = start(&plimsoll, &[], refuses).await;
    let refused = client.check(asks("orders")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    // tonic applies layers outside of its router: a path that was not declared has no route.
    wait_for(&plimsoll, &["unmatched UNAVAILABLE 1".to_owned()]).await;
    let errors: u64 = plimsoll.stats().operations.iter().map(|it| it.errors).sum();
    assert_eq!(errors, 1);
}
