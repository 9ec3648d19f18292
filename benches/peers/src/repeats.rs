//! Queries of one request, with and without somebody who looks out for statements that repeat.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::extract::Request;
use axum::response::Response;
use plimsoll::db::Database;
use plimsoll::http::MeasureLayer;
use plimsoll::{Outcome, Plimsoll, TscClock};
use tower::{Layer, Service, service_fn};

/// A query outside of any request: what all others are compared with.
pub const OUTSIDE: &str = "guard, no request";
/// A request whose parts are told apart.
pub const OFF: &str = "in a request";
/// The same that looks out for N+1, and runs one statement again and again.
pub const ONE: &str = "in a request, N+1 of one statement";
/// The same with four statements in turn.
pub const FOUR: &str = "in a request, N+1 of four in turn";
/// More statements than are told apart.
pub const TWENTY: &str = "in a request, N+1 of twenty in turn";

/// A number that no request reaches: nothing is found.
const NEVER: u64 = u64::MAX;

/// One way to run queries.
pub struct Contender {
    /// What the tables call it.
    pub name: &'static str,
    shop: Database,
    /// Around the request, if there is one. It does not keep its instance there, which the database does not either.
    layer: Option<MeasureLayer>,
    _plimsoll: Plimsoll,
    texts: Vec<String>,
}

/// All of them.
pub fn all() -> Vec<Contender> {
    let new = |name, limit, layered: bool, statements| {
        let mut builder = Plimsoll::builder()
            .n_plus_one(limit)
            .max_queries(0)
            .manual_tick();
        if let Some(clock) = TscClock::new() {
            builder = builder.clock(clock);
        }
        let plimsoll = builder.build().expect("no mistakes");
        let texts = (0..statements).map(|nth| format!("SELECT * FROM t{nth} WHERE id = 7"));
        Contender {
            name,
            shop: plimsoll.database("shop").open(),
            layer: layered.then(|| MeasureLayer::new(&plimsoll).anatomy()),
            _plimsoll: plimsoll,
            texts: texts.collect(),
        }
    };
    vec![
        new(OUTSIDE, 0, false, 1),
        new(OFF, 0, true, 1),
        new(ONE, NEVER, true, 1),
        new(FOUR, NEVER, true, 4),
        new(TWENTY, NEVER, true, 20),
        // What the texts themselves cost.
        new("in a request, four in turn", 0, true, 4),
        new("in a request, twenty in turn", 0, true, 20),
    ]
}

impl Contender {
    /// So many queries, all in one request.
    pub fn query(&self, times: usize) {
        let queries = || {
            for sql in self.texts.iter().cycle().take(times) {
                self.shop.begin_sql(sql, None).finish_as(Outcome::Ok);
            }
        };
        let Some(layer) = &self.layer else {
            return queries();
        };
        let mut service = layer.layer(service_fn(|_: Request| async {
            queries();
            Ok::<_, Infallible>(Response::new(axum::body::Body::empty()))
        }));
        let answer = pin!(service.call(Request::default()));
        let polled = answer.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(_))));
    }
}
