//! Why it exists: a breach that somebody reads about a minute later has already cost what it costs. These layers do
//! something about it in the process: [`ShedLayer`] takes load off a service that is too slow, [`BreakerLayer`] leaves
//! one alone that is down.
//!
//! ```
//! use axum::{Router, routing::get};
//! use plimsoll::{Budget, Plimsoll, Select, act::ShedLayer, http::MeasureLayer};
//! use std::time::Duration;
//!
//! let plimsoll = Plimsoll::builder()
//!     .budget(
//!         Budget::quantile("request-p95", Select::http(), 0.95)
//!             .at_most(Duration::from_millis(200))
//!             .over(Duration::from_secs(10))
//!             .min_events(20),
//!     )
//!     .build()?;
//! let shed = ShedLayer::builder(&plimsoll, "request-p95")
//!     .except(|request| request.uri.path() == "/health")
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/orders", get(|| async { "orders" }))
//!     .route("/health", get(|| async { "well" }))
//!     .layer(shed)
//!     .layer(MeasureLayer::new(&plimsoll)); // outside: it sees what was shed
//! # let _ = app;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When
//!
//! While the named budget is in breach, by its window, its `min_events`, its `sustained` and `keep_firing`: whatever
//! is a breach to the callbacks is one here. Any level counts, or the one that [`level`](ShedBuilder::level) names. A
//! layer reads the budget's [`StateCell`] and nothing else of the engine. What it knows is a tick old at most; under
//! [`manual_tick`](crate::Builder::manual_tick) it stands still between ticks. A layer keeps its instance alive, so that
//! somebody judges; do not let one of its callbacks hold the layer.
//!
//! # Shedding
//!
//! Of all requests a share (0.9) is answered with 503 and `Retry-After: 1`, spread evenly: of any N that follow one another
//! the share of N, give or take one. The rest go through: they do the work that can be done, and they are the probes by
//! which the budget sees that the overload is over. From then on the share falls in steps of a tick, and is 0 after 5 s.
//!
//! An overload that lasts does come back: the budget recovers because of the shedding, the ramp ends, the breach
//! returns. Each such turn takes at least the time in which the window fills with bad operations, the time in which they
//! leave it again, and the ramp; [`keep_firing`](crate::Budget::keep_firing) and a longer [`ramp`](ShedBuilder::ramp) make
//! it slower and flatter. A share close to what is too much makes it harmless; the right answer is more capacity.
//!
//! Requests that come in a fixed pattern may meet the even spread with a fixed pattern of their own: of pairs of calls, with
//! a share of 0.5, one kind is always refused.
//!
//! # Breaking
//!
//! ```
//! use plimsoll::act::{BreakerError, BreakerLayer};
//! use plimsoll::{Budget, ManualClock, Outcome, Plimsoll, Select};
//! use std::time::Duration;
//! use tower::{Service, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (clock, window) = (ManualClock::new(), Duration::from_secs(30));
//! let tax = || Select::operation("tax");
//! let plimsoll = Plimsoll::builder()
//!     .clock(clock.clone())
//!     .manual_tick()
//!     // The error ratio, the window and the least number of calls ...
//!     .budget(Budget::error_ratio("tax-errors", tax()).at_most(0.5).over(window).min_events(10))
//!     // ... and the ratio of slow calls: more than 0.8 of them take over 1 s.
//!     .budget(Budget::quantile("tax-slow", tax(), 0.2).at_most(Duration::from_secs(1)).over(window).min_events(10))
//!     .build()?;
//! let mut tax = ServiceBuilder::new()
//!     .layer(BreakerLayer::new(&plimsoll, "tax-errors")?)
//!     .service_fn(|price: u32| async move { Ok::<_, std::io::Error>(price / 5) });
//! assert_eq!(tax.ready().await?.call(10).await?, 2);
//!
//! let calls = plimsoll.operation("tax");
//! (0..10).for_each(|_| calls.record(Outcome::Error, Duration::from_millis(5)));
//! clock.advance(Duration::from_secs(1));
//! plimsoll.tick();
//! let refused = tax.ready().await?.call(10).await.unwrap_err();
//! assert!(matches!(refused, BreakerError::Open { retry_after, .. } if retry_after == Duration::from_secs(5)));
//! # Ok(())
//! # }
//! ```
//!
//! | it is       | and then                                                                                        |
//! |-------------|-------------------------------------------------------------------------------------------------|
//! | closed      | every call passes; it opens with the first call after the budget's breach                       |
//! | open        | every call is refused; half-open with the first call after the pause (5 s)                      |
//! | half-open   | up to 3 trials at a time pass, other calls are refused; open again as soon as a trial fails     |
//! |             | closed when 3 trials succeeded and the budget is not in breach (any more)                       |
//!
//! The bad calls have to leave the window before the budget recovers: a window that is much longer than the pause means a
//! long time of few trials. A trial that is dropped frees its place and says nothing; one that panics has failed. One that
//! never ends keeps its place, so put a timeout inside. The time is that of the instance's clock.
//!
//! [`BreakerLayer::http`] refuses with a response, and judges the trials by the status of theirs.
//!
//! # What is counted
//!
//! A refusal has an outcome of its own, [`Outcome::Shed`](crate::Outcome::Shed) or
//! [`Outcome::Broken`](crate::Outcome::Broken). It is in the totals and durations that are exported, under its status
//! (503), and among neither the valid nor the bad operations of any budget: otherwise shedding would feed the breach that
//! caused it, or hide it behind fast answers.
//! `http::MeasureLayer` outside of these layers knows it by the mark [`Acted`] in the response's extensions, which a layer
//! in between that makes a new response would lose. Where [`BreakerError`] is returned, give
//! `service::MeasureLayer::classify` the function [`outcome`]. A `MeasureLayer` inside of these layers does not see
//! refusals at all. `plimsoll_shed_total`, `plimsoll_broken_total` and `plimsoll_breaker_state` count for themselves; several
//! breakers of one budget share them, and the state is that of the latest change.
//!
//! # Order, readiness and cost
//!
//! A refusal comes before everything inside: timeouts, limits, authentication. `poll_ready` is that of the wrapped
//! service, so requests that wait for it (a `ConcurrencyLimit`, a `Buffer`) wait before they can be refused. A service
//! that was ready and is not called stays ready, as tower demands: what it has reserved serves the next call of this
//! clone, or is given back with it. Do not keep idle clones of a limited service.
//!
//! With no breach and no ramp a request costs one atomic load in [`ShedLayer`] and two in [`BreakerLayer`], no clock, no
//! lock and no allocation. Shedding takes no lock either, nor does an open breaker; opening, trials and what is refused
//! beside them do, shortly. The user's closures run without any lock: a panic in one is the panic of that call and
//! leaves nothing behind.

mod breaker;
mod circuit;
mod error;
mod refusal;
mod shed;

pub use breaker::{
    Answer, Breaker, BreakerBuilder, BreakerFuture, BreakerLayer, ByStatus, Fail, Http, outcome,
};
pub use error::{ActError, BreakerError};
pub use refusal::{Refusal, Refuse, Unavailable};
pub use shed::{Shed, ShedBuilder, ShedFuture, ShedLayer};

pub use crate::registry::{Acted, ByResult, Classify};

use std::sync::Arc;

use crate::budget::Level;
use crate::engine::StateCell;
use crate::instance::Plimsoll;

/// The budget that a layer acts on.
#[derive(Debug)]
struct Chosen {
    plimsoll: Plimsoll,
    budget: Arc<str>,
    /// `None` for any.
    level: Option<Level>,
}

impl Chosen {
    fn new(plimsoll: &Plimsoll, budget: &str) -> Self {
        Self {
            plimsoll: plimsoll.clone(),
            budget: budget.into(),
            level: None,
        }
    }

    fn cell(&self) -> Result<StateCell, ActError> {
        let engine = &self.plimsoll.inner().engine;
        let Some(cells) = engine.cells(&self.budget) else {
            return Err(ActError::Budget {
                budget: self.budget.to_string(),
                known: engine.budget_names(),
            });
        };
        let Some(level) = self.level else {
            return Ok(cells.any);
        };
        let unknown = || ActError::Level {
            budget: self.budget.to_string(),
            level,
            known: cells.levels.iter().map(|known| known.0).collect(),
        };
        cells.level(level).cloned().ok_or_else(unknown)
    }
}
