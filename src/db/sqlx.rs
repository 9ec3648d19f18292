//! Why it exists: a wrapper that has to be called at each query is forgotten at some. sqlx has one trait through which all
//! queries go, and who implements it sees them all.
//!
//! [`Plimsoll::sqlx_pool`](crate::Plimsoll::sqlx_pool) wraps a pool of sqlx 0.9, of any database. Call sites stay as they are.
//!
//! ```
//! use plimsoll::{Plimsoll, db::sqlx::Pool};
//! # mod sqlx { pub use sqlx_core::{error::Error, pool::Pool, query::query}; }
//! # use sqlx_core::{arguments::IntoArguments, database::Database, executor::Executor};
//!
//! # async fn run<DB: Database>(inner: sqlx::Pool<DB>) -> Result<(), Box<dyn std::error::Error>>
//! # where DB::Arguments: IntoArguments<DB>, for<'c> &'c mut DB::Connection: Executor<'c, Database = DB> {
//! let plimsoll = Plimsoll::builder().build()?;
//! let pool: Pool<_> = plimsoll.sqlx_pool("shop", inner)?; // made as ever, by PgPoolOptions
//!
//! sqlx::query("DELETE FROM sessions").execute(&pool).await?;
//! let mut tx = pool.begin().await?;
//! sqlx::query("UPDATE orders SET paid = true").execute(&mut *tx).await?;
//! tx.commit().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What changes
//!
//! Types in signatures: [`Pool<DB>`] for `PgPool`, [`Connection<DB>`] for `PgConnection`, [`Transaction<'_, DB>`](Transaction) for
//! sqlx' own; an alias (`type PgPool = plimsoll::db::sqlx::Pool<Postgres>`) where those of sqlx were imported. And in generic code
//! the trait [`Acquire`], of the same name. `impl Executor<'_, Database = ..>` and bounds on `DB` stay.
//!
//! Nothing else: queries are handed on as they came, so statements are prepared and kept as without the wrapper, and
//! results, errors and what happens on a drop are sqlx' own.
//!
//! # What is counted
//!
//! * Each statement, by its text without its values ([`Database`](super::Database)), from the first poll to its end; text of
//!   several statements (`raw_sql`) as one. `BEGIN`, `COMMIT`, `ROLLBACK` and savepoints are statements; preparing one by hand is
//!   `PREPARE`, not counted as a run of it. `describe`, `ping`, what sqlx does when it connects, and the rollback of a
//!   transaction that was dropped are not counted.
//! * A dropped future as cancelled, though PostgreSQL goes on with the statement, and the connection is a ghost until it ends.
//!   A stream that was left after a row as `partial`; no row as `ok`, `RowNotFound` included. Errors by SQLSTATE, those of
//!   SQLite by its codes.
//! * Rows that were read. How many a statement changed, each driver tells in its own way, and this knows none.
//! * The wait for a connection, apart from the query; `PoolTimedOut` and `PoolClosed` are ends of the wait, and no query was.
//! * Transactions by how they ended: `dropped` is what neither a commit nor a rollback ended, so sqlx rolls it back; a commit
//!   that failed is among them. A savepoint is a part of its transaction. After an error PostgreSQL answers a commit by rolling
//!   back; sqlx does not tell, so that is `committed`.
//! * The pool's gauges, [ghosts](crate::pool#ghosts) among them. How long it takes to open a connection, sqlx does not
//!   tell: its only hook (`after_connect`) comes when it is open. It is part of the wait of whoever it is
//!   opened for; a pool of your own can time it by [`Connections`](crate::pool::Connections).
//!
//! # Names
//!
//! A statement whose summary says too little goes by a name where its executor has one: `pool.named("orders.by_id")`,
//! `tx.named("orders.pay")`. Names are `&'static str`, so that no value of a user's becomes one.
//!
//! # What is not seen
//!
//! [`Pool::inner`], [`Connection::inner_mut`] and [`PoolConnection::into_inner`] say in their names that they lead past it. sqlx' own
//! `Acquire`, which `migrate!` and foreign code ask for, promises a connection of the driver's: it is implemented, its waits
//! are counted, and each connection that is handed out by it in `connections_unmeasured_total`. A transaction that it begins on
//! a pool looks like a ghost while it is open.
//!
//! So is what only one driver has: of PostgreSQL copying (`connection.inner_mut().copy_in_raw(..)`), `PgAdvisoryLock`
//! (`lock.acquire(connection.inner_mut())`), and `PgListener::connect_with(pool.inner())`, whose connection is a ghost for as
//! long as it listens. Time it by hand where it matters: [`Db::time`](super::Db::time).
//!
//! What is measured does not turn into the driver's connection by itself:
//!
//! ```compile_fail,E0308
//! # use plimsoll::db::sqlx::Transaction;
//! # use sqlx_core::database::Database;
//! fn unmeasured<DB: Database>(connection: &mut DB::Connection) {}
//!
//! fn silently<DB: Database>(mut tx: Transaction<'_, DB>) {
//!     unmeasured::<DB>(&mut tx); // `tx.inner_mut()` would do
//! }
//! ```
//!
//! # Cost
//!
//! One box, which the trait demands, and the cost of [`Database::begin_sql`](super::Database::begin_sql) for the statement and
//! of [`Waiting`](crate::pool::Waiting) for the wait. No copy of the text.

mod acquire;
mod connection;
mod driver;
mod ended;
mod executor;
mod meter;
mod named;
mod pool;
mod query;
mod rows;
mod run;
mod transaction;

pub use acquire::{Acquire, Unseen};
pub use connection::{Connection, PoolConnection};
pub use ended::class_of;
pub use named::Named;
pub use pool::Pool;
pub use transaction::Transaction;
