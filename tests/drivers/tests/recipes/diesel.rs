//! diesel's instrumentation.

mod ends;
mod pooled;
mod statements;
mod transactions;

use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryResult, RunQueryDsl};
use plimsoll::db::diesel::Diesel;

use crate::shop::{CREATE, Shop, shop};

diesel::table! {
    orders (id) {
        id -> Integer,
        name -> Text,
    }
}

/// A shop, and a connection whose statements are counted from here on.
fn open() -> (Shop, SqliteConnection) {
    open_with(|diesel| diesel)
}

fn open_with(configured: impl FnOnce(Diesel) -> Diesel) -> (Shop, SqliteConnection) {
    let shop = shop();
    let diesel = configured(shop.plimsoll.diesel("shop").expect("new names"));
    let mut connection = SqliteConnection::establish(":memory:").expect("memory");
    connection.batch_execute(CREATE).expect("a table");
    connection.set_instrumentation(diesel.instrumentation());
    (shop, connection)
}

fn insert(connection: &mut SqliteConnection, name: &str) -> QueryResult<usize> {
    use diesel::ExpressionMethods;
    diesel::insert_into(orders::table)
        .values(orders::name.eq(name))
        .execute(connection)
}
