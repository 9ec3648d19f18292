//! What does it cost to know where a request's time goes? The request makes three queries and has two stages.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use plimsoll::http::MeasureLayer;
use plimsoll::{Clock, MonotonicClock, Plimsoll, TscClock, scope, stage};
use plimsoll_peers::counting::{Counting, allocated};
use plimsoll_peers::rounds::{Job, Ratio, Samples, find, interleave};
use plimsoll_peers::{repeats, table};
use tower::Service;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn main() {
    compare("`Instant`", MonotonicClock::new(), 3.0);
    if let Some(clock) = TscClock::new() {
        compare("TSC", clock, 2.0);
    }
    repeating();
}

/// Queries of a request that looks out for N+1 beside those of one that does not.
fn repeating() {
    let contenders = repeats::all();
    let job = |contender: &'static repeats::Contender| {
        Job::new(contender.name, |_, queries| contender.query(queries)).sample_ns(2e6)
    };
    let contenders: &'static [repeats::Contender] = contenders.leak();
    let jobs: Vec<_> = contenders.iter().map(job).collect();
    table::heading("anatomy: what it costs to look out for N+1, for each query");
    let all = interleave(&jobs, 1);
    let guard = find(&all, repeats::OUTSIDE);
    table::compare_to(&all, guard, "the guard");
    table::targets();
    let added = find(&all, repeats::ONE).less(find(&all, repeats::OFF));
    let ratio = Ratio::of(&added, guard);
    table::bound_at_most("N+1 ÷ guard", ratio, 0.2);
    let calls = |at: usize| allocated(|| contenders[at].query(1_000)).1.calls;
    // A page of a histogram now and then is none of a query's.
    let more = calls(2).saturating_sub(calls(1)) / 1_000;
    table::at_most("N+1, allocations beyond the guard's", more as f64, 0.0);
}

/// The layer with an anatomy beside the layer without, each beyond the router alone.
fn compare(clock_name: &str, clock: impl Clock + Clone, most: f64) {
    let contenders = [
        ("router alone", app(&clock, |_| None)),
        ("layer", app(&clock, |layer| Some(layer))),
        ("anatomy", app(&clock, |layer| Some(layer.anatomy()))),
        ("trace ids", app(&clock, |layer| Some(layer.trace_ids()))),
        (
            "anatomy and trace ids",
            app(&clock, |layer| Some(layer.anatomy().trace_ids())),
        ),
    ];
    let jobs: Vec<_> = contenders
        .iter()
        .map(|(name, router)| {
            Job::new(name, move |_, requests| answer(&router.0, requests)).sample_ns(2e6)
        })
        .collect();
    table::heading(&format!(
        "anatomy, {clock_name}: what a request with 3 queries and 2 stages costs beyond the router"
    ));
    let all = interleave(&jobs, 1);
    let bare = find(&all, "router alone");
    let added: Vec<Samples> = all[1..].iter().map(|samples| samples.less(bare)).collect();
    table::compare_to(&added, find(&added, "layer"), "layer");
    table::targets();
    let ratio = Ratio::of(find(&added, "anatomy"), find(&added, "layer"));
    table::ratio_at_most("anatomy ÷ layer", ratio, most);
    let calls = |at: usize| allocated(|| answer(&contenders[at].1.0, 1_000)).1.calls as f64;
    // A page of a histogram now and then is none of a request's.
    let more = ((calls(2) - calls(1)) / 1_000.0).floor();
    table::at_most("anatomy, allocations beyond the layer", more, 1.0);
}

/// A router and its instance, which layers do not keep there.
fn app(
    clock: &(impl Clock + Clone),
    layer: impl Fn(MeasureLayer) -> Option<MeasureLayer>,
) -> (Router, Plimsoll) {
    let builder = Plimsoll::builder().clock(clock.clone());
    let plimsoll = builder.build().expect("defaults");
    let db = plimsoll.db("users");
    let handler = move || async move {
        {
            let _auth = stage("auth");
            db.time("session", async { Ok::<_, ()>(()) }).await.ok();
        }
        db.time("by_id", async { Ok::<_, ()>(()) }).await.ok();
        db.time("roles", async { Ok::<_, ()>(()) }).await.ok();
        scope::time("render", async { "afloat" }).await
    };
    let router = Router::new().route("/users/{id}", get(handler));
    let router = match layer(MeasureLayer::new(&plimsoll)) {
        Some(layer) => router.layer(layer),
        None => router,
    };
    (router, plimsoll)
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
}

/// Opens a connection and answers as many requests on it.
fn answer(router: &Router, requests: usize) {
    let router = router.clone().with_state(());
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            for _ in 0..requests {
                let request = Request::get("/users/7").header("traceparent", TRACEPARENT);
                let request = request.body(Body::empty()).expect("a valid request");
                let response = router.clone().call(request).await.expect("infallible");
                let body = response.into_body().collect().await;
                assert_eq!(body.expect("a static body").to_bytes(), "afloat");
            }
        })
    });
}
