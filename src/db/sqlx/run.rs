//! One statement on one connection, counted from its first poll to its end.

use sqlx_core::error::Error;
use sqlx_core::sql_str::SqlStr;

use super::connection::Connection;
use super::driver::Driver;
use super::ended::end;
use super::query::Taken;

/// What stands for the preparing of a statement by hand; preparing is no run of the statement.
const PREPARE: &str = "PREPARE";

pub(super) async fn execute<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Taken<DB>,
) -> Result<DB::QueryResult, Error> {
    let guard = connection.meter.begin_query(&query);
    let result = DB::execute(connection.inner_mut(), query).await;
    // How many it changed, each driver tells in its own way.
    end(guard, &result, |_| None);
    result
}

pub(super) async fn fetch_all<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Taken<DB>,
) -> Result<Vec<DB::Row>, Error> {
    let guard = connection.meter.begin_query(&query);
    let result = DB::fetch_all(connection.inner_mut(), query).await;
    end(guard, &result, |rows| Some(rows.len() as u64));
    result
}

pub(super) async fn fetch_one<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Taken<DB>,
) -> Result<DB::Row, Error> {
    let guard = connection.meter.begin_query(&query);
    let result = DB::fetch_one(connection.inner_mut(), query).await;
    end(guard, &result, |_| Some(1));
    result
}

pub(super) async fn fetch_optional<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Taken<DB>,
) -> Result<Option<DB::Row>, Error> {
    let guard = connection.meter.begin_query(&query);
    let result = DB::fetch_optional(connection.inner_mut(), query).await;
    end(guard, &result, |row| Some(row.is_some().into()));
    result
}

pub(super) async fn prepare<DB: Driver>(
    connection: &mut Connection<DB>,
    sql: SqlStr,
    parameters: &[DB::TypeInfo],
) -> Result<DB::Statement, Error> {
    let guard = connection.meter.begin(PREPARE);
    let result = DB::prepare_with(connection.inner_mut(), sql, parameters).await;
    end(guard, &result, |_| None);
    result
}
