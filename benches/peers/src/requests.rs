//! Queries that a request makes: what their guards do more, where the request keeps a record of them.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use plimsoll::Plimsoll;
use plimsoll::db::Db;
use plimsoll::http::MeasureLayer;
use tower::Service;

use crate::rounds::{Job, Samples, find};
use crate::selects::{ROWS, Shared, select};

/// Queries of each request.
const QUERIES: usize = 8;

/// What a request keeps of its queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    Nothing,
    Anatomy,
}

impl Keeps {
    pub const ALL: [Self; 2] = [Self::Nothing, Self::Anatomy];

    /// What the tables call a guard in such a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "guard in a request that is not measured",
            Self::Anatomy => "guard in a request with its anatomy",
        }
    }

    fn bare(self) -> &'static str {
        match self {
            Self::Nothing => "query in a request that is not measured",
            Self::Anatomy => "query in a request with its anatomy",
        }
    }

    fn around(self, router: Router, plimsoll: &Plimsoll) -> Router {
        match self {
            Self::Nothing => router,
            Self::Anatomy => router.layer(MeasureLayer::new(plimsoll).anatomy()),
        }
    }
}

/// A route whose requests make queries, and its instance, which layers do not keep there.
pub struct Contender {
    name: &'static str,
    router: Router,
    _plimsoll: Plimsoll,
}

impl Contender {
    fn new(keeps: Keeps, guarded: bool, accounts: Shared, plimsoll: &Plimsoll) -> Self {
        let db = guarded.then(|| plimsoll.db("accounts"));
        let handler = move || async move { queries(accounts, db.as_ref()) };
        let router = Router::new().route("/accounts", get(handler));
        Self {
            name: if guarded { keeps.name() } else { keeps.bare() },
            router: keeps.around(router, plimsoll),
            _plimsoll: plimsoll.clone(),
        }
    }

    /// As a job whose operation is a query.
    pub fn job(&self) -> Job<'_> {
        let run = |_, queries: usize| self.answer(queries.div_ceil(QUERIES));
        Job::new(self.name, run).sample_ns(2e6)
    }

    /// Opens a connection and answers as many requests on it.
    fn answer(&self, requests: usize) {
        let router = self.router.clone().with_state(());
        RUNTIME.with(|runtime| {
            runtime.block_on(async {
                for _ in 0..requests {
                    let request = Request::get("/accounts").body(Body::empty());
                    let response = router.clone().call(request.expect("a valid request")).await;
                    let body = response.expect("infallible").into_body().collect().await;
                    assert_eq!(body.expect("a static body").to_bytes(), "afloat");
                }
            })
        });
    }
}

fn queries(accounts: Shared, db: Option<&Db>) -> &'static str {
    let connection = accounts.lock();
    for id in 0..QUERIES as i64 {
        let id = std::hint::black_box(id * 7 % ROWS);
        let balance = match db {
            Some(db) => db.time_sync("by_id", || select(&connection, id)),
            None => select(&connection, id),
        };
        assert_eq!(balance, Ok(id * 7));
    }
    "afloat"
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
}

/// Requests of each kind, with guards and without.
pub fn all(accounts: Shared, plimsoll: &Plimsoll) -> Vec<Contender> {
    let both =
        |keeps| [false, true].map(|guarded| Contender::new(keeps, guarded, accounts, plimsoll));
    Keeps::ALL.into_iter().flat_map(both).collect()
}

/// What guards add to the queries of each kind of request.
pub fn added(all: &[Samples]) -> Vec<Samples> {
    let kinds = Keeps::ALL.into_iter();
    kinds
        .map(|keeps| find(all, keeps.name()).less(find(all, keeps.bare())))
        .collect()
}
