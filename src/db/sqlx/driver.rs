//! What a connection can do, said of its database.

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx_core::Either;
use sqlx_core::database::Database;
use sqlx_core::describe::Describe;
use sqlx_core::error::Error;
use sqlx_core::executor::Executor;
use sqlx_core::sql_str::SqlStr;

use super::query::Taken;

/// What a driver streams: the rows of each statement, and after them what became of it.
pub(super) type Step<DB> = Either<<DB as Database>::QueryResult, <DB as Database>::Row>;

/// `for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>`, as a trait of `DB`.
///
/// With the bound itself on an implementation for `&mut Connection<DB>`, a compiler that does not know `DB` yet would look
/// for it among connections of connections, without end.
pub(super) trait Driver: Database {
    fn execute(
        connection: &mut Self::Connection,
        query: Taken<Self>,
    ) -> BoxFuture<'_, Result<Self::QueryResult, Error>>;

    fn fetch_many(
        connection: &mut Self::Connection,
        query: Taken<Self>,
    ) -> BoxStream<'_, Result<Step<Self>, Error>>;

    fn fetch_all(
        connection: &mut Self::Connection,
        query: Taken<Self>,
    ) -> BoxFuture<'_, Result<Vec<Self::Row>, Error>>;

    fn fetch_one(
        connection: &mut Self::Connection,
        query: Taken<Self>,
    ) -> BoxFuture<'_, Result<Self::Row, Error>>;

    fn fetch_optional(
        connection: &mut Self::Connection,
        query: Taken<Self>,
    ) -> BoxFuture<'_, Result<Option<Self::Row>, Error>>;

    fn prepare_with<'e>(
        connection: &'e mut Self::Connection,
        sql: SqlStr,
        parameters: &'e [Self::TypeInfo],
    ) -> BoxFuture<'e, Result<Self::Statement, Error>>;

    fn describe(
        connection: &mut Self::Connection,
        sql: SqlStr,
    ) -> BoxFuture<'_, Result<Describe<Self>, Error>>;
}

impl<DB: Database> Driver for DB
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    fn execute(
        connection: &mut DB::Connection,
        query: Taken<DB>,
    ) -> BoxFuture<'_, Result<DB::QueryResult, Error>> {
        connection.execute(query)
    }

    fn fetch_many(
        connection: &mut DB::Connection,
        query: Taken<DB>,
    ) -> BoxStream<'_, Result<Step<DB>, Error>> {
        connection.fetch_many(query)
    }

    fn fetch_all(
        connection: &mut DB::Connection,
        query: Taken<DB>,
    ) -> BoxFuture<'_, Result<Vec<DB::Row>, Error>> {
        connection.fetch_all(query)
    }

    fn fetch_one(
        connection: &mut DB::Connection,
        query: Taken<DB>,
    ) -> BoxFuture<'_, Result<DB::Row, Error>> {
        connection.fetch_one(query)
    }

    fn fetch_optional(
        connection: &mut DB::Connection,
        query: Taken<DB>,
    ) -> BoxFuture<'_, Result<Option<DB::Row>, Error>> {
        connection.fetch_optional(query)
    }

    fn prepare_with<'e>(
        connection: &'e mut DB::Connection,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, Error>> {
        connection.prepare_with(sql, parameters)
    }

    fn describe(
        connection: &mut DB::Connection,
        sql: SqlStr,
    ) -> BoxFuture<'_, Result<Describe<DB>, Error>> {
        connection.describe(sql)
    }
}
