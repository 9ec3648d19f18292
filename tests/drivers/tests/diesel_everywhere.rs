//! diesel's default instrumentation, which is one for the whole process.

use std::sync::OnceLock;

use diesel::connection::{Instrumentation, set_default_instrumentation};
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use plimsoll::Plimsoll;
use plimsoll::db::diesel::Diesel;
use plimsoll_drivers::value;

static SHOP: OnceLock<Diesel> = OnceLock::new();

fn instrumentation() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(SHOP.get()?.instrumentation()))
}

#[test]
fn every_connection_is_counted() {
    set_default_instrumentation(instrumentation).unwrap();
    // Before there is anything to count with, nothing is.
    SqliteConnection::establish(":memory:").unwrap();
    let plimsoll = Plimsoll::builder().build().unwrap();
    SHOP.get_or_init(|| plimsoll.diesel("shop").unwrap());
    for _ in 0..3 {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        sql_query("SELECT 1").execute(&mut connection).unwrap();
    }
    assert!(SqliteConnection::establish("/nowhere/orders.db").is_err());
    let page = plimsoll.render();
    for (name, expected) in [
        ("db_client_operation_duration_seconds_count", 3.0),
        ("connection_create_duration_seconds_count", 4.0),
        ("connection_create_errors_total", 1.0),
    ] {
        assert_eq!(value(&page, name, &[]), expected, "{name}");
    }
}
