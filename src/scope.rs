//! Why it exists: that a request was slow says little; where its time went says what to mend.
//!
//! While a request is polled whose layer keeps its anatomy ([`MeasureLayer::anatomy`]), the thread knows its scope:
//! queries and device calls that end meanwhile are counted there with the time they took, and so are the stages that
//! you name. What is left is the rest.
//!
//! [`MeasureLayer::anatomy`]: https://docs.rs/plimsoll/latest/plimsoll/http/struct.MeasureLayer.html#method.anatomy
//!
//! ```
//! # fn user_of(_: &str) -> Result<u32, ()> { Ok(7) }
//! # async fn load(_: u32) {}
//! use plimsoll::{scope, stage};
//!
//! async fn handler(token: &str) -> Result<(), ()> {
//!     let user = {
//!         let _auth = stage("auth");
//!         user_of(token)?
//!     };
//!     scope::time("load", load(user)).await;
//!     Ok(())
//! }
//! ```
//!
//! # What a part is
//!
//! * `query`: queries timed by `db`; `device`: Modbus requests, connecting included. Cancelled ones count too.
//! * A stage: from [`stage`] to the drop of its guard, less the queries, device calls and stages that ended meanwhile.
//!   So a query inside `auth` is part of `query`, and no time is counted twice.
//! * `rest`: what is left of the request's duration, waiting for the client to read its body included.
//!
//! A request keeps eight stages; those with other names are its stage `other`. Stages named `query`, `device` or `rest` are added
//! to the parts of that name.
//!
//! # Limits
//!
//! What overlaps (`join!`) counts in full: two queries of 5 ms at the same time are 10 ms of queries. Shares are then of the
//! sum of all parts, so that they still add up to 1, and the rest is 0. A query timed inside another one counts twice.
//!
//! A task that was spawned, and a closure on another thread, has no scope: `stage` does nothing there, its queries are no
//! part of the request and have no trace; a stage around awaiting them counts the time. Unless they are forked off and
//! joined ([`fork`], [`fork_sync`]); what is joined counts in full beside a stage that awaits it. The guard of a stage may
//! live across awaits and move between threads with its request; dropped outside of it, or after its end, it counts nothing.

mod fork;
#[cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "only this probe has scopes")
)]
mod here;
mod reading;
#[cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "only this probe has scopes")
)]
mod record;
#[cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "only this probe has scopes")
)]
mod repeats;
mod stage;

pub use fork::{Forked, fork, fork_sync};
pub use reading::{Anatomy, Part, Repeated};
pub use stage::{Stage, stage, time};

#[cfg(feature = "http")]
pub(crate) use here::{Here, is_at};
pub(crate) use here::{called, name_latest, trace_id};
pub(crate) use record::{Call, OTHER, Scope, Tally};
pub(crate) use repeats::{QueryLimits, StatementId};

#[cfg(all(test, feature = "http"))]
mod tests;
