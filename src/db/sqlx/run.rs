//! One statement on one connection, counted from its first poll to its end.

use std::future::Future;

use futures_core::future::BoxFuture;
use sqlx_core::error::Error;
use sqlx_core::sql_str::SqlStr;

use super::super::Guard;
use super::super::guard::Counted;
use super::connection::Connection;
use super::driver::Driver;
use super::ended::end;
use super::query::Taken;

/// What stands for the preparing of a statement by hand; preparing is no run of the statement.
const PREPARE: &str = "PREPARE";

pub(super) fn execute<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Taken<DB>,
) -> impl Future<Output = Result<DB::QueryResult, Error>> {
    let counted = connection.meter().find_query(&query);
    let result = DB::execute(connection.inner_mut(), query);
    // How many it changed, each driver tells in its own way.
    run(counted, result, |_| None)
}

pub(super) fn fetch_all<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Taken<DB>,
) -> impl Future<Output = Result<Vec<DB::Row>, Error>> {
    let counted = connection.meter().find_query(&query);
    let result = DB::fetch_all(connection.inner_mut(), query);
    run(counted, result, |rows| Some(rows.len() as u64))
}

pub(super) fn fetch_one<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Taken<DB>,
) -> impl Future<Output = Result<DB::Row, Error>> {
    let counted = connection.meter().find_query(&query);
    let result = DB::fetch_one(connection.inner_mut(), query);
    run(counted, result, |_| Some(1))
}

pub(super) fn fetch_optional<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Taken<DB>,
) -> impl Future<Output = Result<Option<DB::Row>, Error>> {
    let counted = connection.meter().find_query(&query);
    let result = DB::fetch_optional(connection.inner_mut(), query);
    run(counted, result, |row| Some(row.is_some().into()))
}

pub(super) fn prepare<'e, DB: Driver>(
    connection: &'e mut Connection<DB>,
    sql: SqlStr,
    parameters: &'e [DB::TypeInfo],
) -> impl Future<Output = Result<DB::Statement, Error>> {
    let counted = connection.meter().find(PREPARE);
    let result = DB::prepare_with(connection.inner_mut(), sql, parameters);
    run(counted, result, |_| None)
}

/// Counts a statement that is made already, and so is little to be moved about; `rows` says how many of it were read.
async fn run<T>(
    counted: Counted,
    result: BoxFuture<'_, Result<T, Error>>,
    rows: impl FnOnce(&T) -> Option<u64>,
) -> Result<T, Error> {
    let guard = Guard::begin(counted);
    let result = result.await;
    end(guard, &result, rows);
    result
}
