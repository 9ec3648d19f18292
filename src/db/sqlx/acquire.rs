//! Generic code that takes a pool, a connection or a transaction alike.

use std::future::ready;
use std::ops::{Deref, DerefMut};

use futures_core::future::BoxFuture;
use sqlx_core::acquire::Acquire as Foreign;
use sqlx_core::connection::Connection as _;
use sqlx_core::database::Database;
use sqlx_core::error::Error;
use sqlx_core::pool::MaybePoolConnection;
use sqlx_core::transaction::Transaction as Unmeasured;

use super::connection::{Connection, PoolConnection};
use super::pool::Pool;
use super::transaction::Transaction;

/// sqlx' `Acquire` of connections whose statements are counted: import this one instead, and generic code stays as it is.
///
/// ```
/// use plimsoll::db::sqlx::Acquire; // instead of sqlx::Acquire
/// # use sqlx_core::{database::Database, error::Error, executor::Executor};
///
/// async fn clean<'a, DB: Database>(database: impl Acquire<'a, Database = DB>) -> Result<(), Error>
/// where
///     for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
/// {
///     let mut connection = database.acquire().await?;
///     connection.execute("DELETE FROM sessions").await?;
///     Ok(())
/// }
/// ```
///
/// sqlx' own is implemented as well, for `migrate!` and other code that is not yours. It promises a connection of the
/// driver's, on which nobody can count: each one is counted in `connections_unmeasured_total`.
pub trait Acquire<'c> {
    /// The database.
    type Database: Database;

    /// A pooled connection, or a borrowed one.
    type Connection: DerefMut<Target = Connection<Self::Database>> + Send;

    /// A connection, for which a pool may have to be waited for.
    fn acquire(self) -> BoxFuture<'c, Result<Self::Connection, Error>>;

    /// A transaction, or a savepoint inside of one.
    fn begin(self) -> BoxFuture<'c, Result<Transaction<'c, Self::Database>, Error>>;
}

impl<'c, DB: Database> Acquire<'c> for &'_ Pool<DB> {
    type Database = DB;
    type Connection = PoolConnection<DB>;

    fn acquire(self) -> BoxFuture<'c, Result<Self::Connection, Error>> {
        Box::pin(self.acquire())
    }

    fn begin(self) -> BoxFuture<'c, Result<Transaction<'c, DB>, Error>> {
        let begin = self.begin();
        Box::pin(async move {
            let transaction: Transaction<'c, DB> = begin.await?;
            Ok(transaction)
        })
    }
}

impl<'c, DB: Database> Foreign<'c> for &'_ Pool<DB> {
    type Database = DB;
    type Connection = Unseen<DB>;

    fn acquire(self) -> BoxFuture<'c, Result<Self::Connection, Error>> {
        self.meter().lost_sight();
        let acquire = self.acquire();
        Box::pin(async move { acquire.await.map(Unseen) })
    }

    fn begin(self) -> BoxFuture<'c, Result<Unmeasured<'c, DB>, Error>> {
        self.meter().lost_sight();
        let acquire = self.acquire();
        Box::pin(async move {
            let connection = acquire.await?.into_inner();
            Unmeasured::begin(MaybePoolConnection::PoolConnection(connection), None).await
        })
    }
}

/// A connection of a pool that is known to be lent out, and of whose statements nothing is known.
#[derive(Debug)]
pub struct Unseen<DB: Database>(PoolConnection<DB>);

impl<DB: Database> Deref for Unseen<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        self.0.inner()
    }
}

impl<DB: Database> DerefMut for Unseen<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.0.inner_mut()
    }
}

/// Whatever has a connection already lends it.
macro_rules! lends {
    ($($type:ty),+) => {$(
        impl<'c, DB: Database> Acquire<'c> for &'c mut $type {
            type Database = DB;
            type Connection = &'c mut Connection<DB>;

            fn acquire(self) -> BoxFuture<'c, Result<Self::Connection, Error>> {
                Box::pin(ready(Ok::<Self::Connection, _>(self)))
            }

            fn begin(self) -> BoxFuture<'c, Result<Transaction<'c, DB>, Error>> {
                let connection: &'c mut Connection<DB> = self;
                Box::pin(connection.begin())
            }
        }

        impl<'c, DB: Database> Foreign<'c> for &'c mut $type {
            type Database = DB;
            type Connection = &'c mut DB::Connection;

            fn acquire(self) -> BoxFuture<'c, Result<Self::Connection, Error>> {
                self.meter().lost_sight();
                Box::pin(ready(Ok(self.inner_mut())))
            }

            fn begin(self) -> BoxFuture<'c, Result<Unmeasured<'c, DB>, Error>> {
                self.meter().lost_sight();
                Box::pin(self.inner_mut().begin())
            }
        }
    )+};
}

lends!(Connection<DB>, PoolConnection<DB>, Transaction<'_, DB>);
