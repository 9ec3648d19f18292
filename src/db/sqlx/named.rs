//! Queries that the user calls something.

use std::fmt;
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::ops::DerefMut;

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx_core::database::Database;
use sqlx_core::describe::Describe;
use sqlx_core::error::Error;
use sqlx_core::executor::{Execute, Executor};
use sqlx_core::ext::async_stream::TryAsyncStream;
use sqlx_core::sql_str::SqlStr;

use super::connection::Connection;
use super::driver::{Driver, Step};
use super::pool::Pool;
use super::query::Taken;
use super::rows::Rows;
use super::run;

/// An executor whose statements go by a name; made by [`Pool::named`] and [`Connection::named`].
///
/// The name is their identity and their label `query`, whatever their text.
pub struct Named<S, DB> {
    source: S,
    name: &'static str,
    database: PhantomData<fn() -> DB>,
}

impl<S, DB> Named<S, DB> {
    fn new(source: S, name: &'static str) -> Self {
        let database = PhantomData;
        Self {
            source,
            name,
            database,
        }
    }

    fn taken<'q>(&self, query: impl Execute<'q, DB>) -> Taken<DB>
    where
        DB: Database,
    {
        Taken::of(query).named(self.name)
    }
}

impl<DB: Database> Pool<DB> {
    /// The pool as an executor whose statements go by this name (`orders.by_id`) instead of a summary of their text.
    ///
    /// For statements that are put together from varying names or columns, and for those that share a summary. A name is one
    /// statement under the cap on statements, and beside it where it is [declared](crate::db::Database::declare_queries) for the
    /// database that has the pool's name. Cost: one more reference to the pool; of a stream no more.
    ///
    /// ```
    /// # use plimsoll::db::sqlx::Pool;
    /// # mod sqlx { pub use sqlx_core::{error::Error, query::query}; }
    /// # use sqlx_core::{arguments::IntoArguments, database::Database, executor::Executor};
    /// # async fn run<DB: Database>(pool: Pool<DB>) -> Result<(), sqlx::Error>
    /// # where DB::Arguments: IntoArguments<DB>, for<'c> &'c mut DB::Connection: Executor<'c, Database = DB> {
    /// sqlx::query("DELETE FROM carts").execute(pool.named("carts.expire")).await?;
    /// let mut tx = pool.begin().await?;
    /// sqlx::query("UPDATE orders SET paid = true").execute(tx.named("orders.pay")).await?;
    /// # tx.commit().await
    /// # }
    /// ```
    pub fn named(&self, name: &'static str) -> Named<Self, DB> {
        Named::new(self.clone(), name)
    }
}

impl<DB: Database> Connection<DB> {
    /// The connection as an executor whose statements go by this name; see [`Pool::named`].
    pub fn named(&mut self, name: &'static str) -> Named<&mut Self, DB> {
        Named::new(self, name)
    }
}

/// Where a connection comes from.
pub(super) trait Source<DB: Driver>: Send {
    /// A connection.
    fn hold(
        self,
    ) -> impl Future<Output = Result<impl DerefMut<Target = Connection<DB>> + Send, Error>> + Send;
}

impl<DB: Driver> Source<DB> for &mut Connection<DB> {
    fn hold(
        self,
    ) -> impl Future<Output = Result<impl DerefMut<Target = Connection<DB>> + Send, Error>> + Send
    {
        ready(Ok(self))
    }
}

impl<DB: Driver> Source<DB> for Pool<DB> {
    fn hold(
        self,
    ) -> impl Future<Output = Result<impl DerefMut<Target = Connection<DB>> + Send, Error>> + Send
    {
        self.acquire()
    }
}

impl<'c, DB: Driver, S: Source<DB> + 'c> Executor<'c> for Named<S, DB> {
    type Database = DB;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<DB::QueryResult, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = self.taken(query);
        Box::pin(async move { run::execute(&mut *self.source.hold().await?, query).await })
    }

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step<DB>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = self.taken(query);
        Box::pin(TryAsyncStream::new(move |yielder| async move {
            let mut connection = self.source.hold().await?;
            let mut rows = Rows::new(&mut connection, query);
            while let Some(row) = rows.next().await {
                yielder.r#yield(row?).await;
            }
            Ok(())
        }))
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<DB::Row>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = self.taken(query);
        Box::pin(async move { run::fetch_all(&mut *self.source.hold().await?, query).await })
    }

    fn fetch_one<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<DB::Row, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = self.taken(query);
        Box::pin(async move { run::fetch_one(&mut *self.source.hold().await?, query).await })
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = self.taken(query);
        Box::pin(async move { run::fetch_optional(&mut *self.source.hold().await?, query).await })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, Error>>
    where
        'c: 'e,
    {
        Box::pin(
            async move { run::prepare(&mut *self.source.hold().await?, sql, parameters).await },
        )
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { DB::describe(self.source.hold().await?.inner_mut(), sql).await })
    }
}

impl<S, DB> fmt::Debug for Named<S, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
