//! Why it exists: sqlx tells nobody about its queries, and a wrapper that has to be called at each of them is one that is
//! forgotten at some.
//!
//! [`Plimsoll::sqlx_pool`](crate::Plimsoll::sqlx_pool) wraps a pool of sqlx 0.9.

mod acquire;
mod connection;
mod driver;
mod ended;
mod executor;
mod meter;
mod pool;
mod query;
mod rows;
mod run;
mod transaction;

pub use acquire::{Acquire, Unseen};
pub use connection::{Connection, PoolConnection};
pub use pool::Pool;
pub use transaction::Transaction;
