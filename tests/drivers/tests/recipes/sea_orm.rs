//! sea-orm, by its callback and by a connection of one's own.

mod callback;
mod measured;

use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, ExecResult};

use crate::shop::CREATE;

/// One connection, since each in memory is a database of its own.
async fn open() -> DatabaseConnection {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    let connection = Database::connect(options).await.expect("SQLite");
    connection.execute_unprepared(CREATE).await.expect("table");
    connection
}

async fn insert(connection: &impl ConnectionTrait, name: &str) -> Result<ExecResult, DbErr> {
    let insert = Query::insert()
        .into_table(Alias::new("orders"))
        .columns([Alias::new("name")])
        .values_panic([name.into()])
        .to_owned();
    connection.execute(&insert).await
}

/// The names of all orders.
async fn names(connection: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let select = Query::select()
        .column(Alias::new("name"))
        .from(Alias::new("orders"))
        .to_owned();
    let rows = connection.query_all(&select).await?;
    rows.iter().map(|row| row.try_get("", "name")).collect()
}
