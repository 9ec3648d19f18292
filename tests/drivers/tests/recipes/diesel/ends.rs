//! How queries end, and as what they count.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::connection::DefaultLoadingMode;
use diesel::deserialize::{self, FromSql};
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::{Sqlite, SqliteValue};
use diesel::{deserialize::FromSqlRow, expression::AsExpression, sql_query};
use plimsoll::db::ErrorClass;
use plimsoll::db::diesel::class_of;

use super::{insert, open, open_with, orders};

#[test]
fn errors_have_a_class() {
    let (shop, mut connection) = open();
    insert(&mut connection, "one").unwrap();
    assert!(insert(&mut connection, "one").is_err());
    let missing = sql_query("SELECT * FROM nowhere").execute(&mut connection);
    assert!(missing.is_err());
    assert_eq!(shop.errors("INSERT orders", "constraint"), 1.0);
    assert_eq!(shop.errors("SELECT nowhere", "other"), 1.0);
    assert_eq!(shop.count("INSERT orders", "error"), 1.0);
    assert_eq!(shop.value("db_client_errors_total", &[]), 2.0);
    assert_eq!(shop.statements(), 3.0);
}

#[test]
fn classified_by_the_user() {
    let (shop, mut connection) = open_with(|diesel| {
        diesel.classify(|error| match class_of(error) {
            ErrorClass::Other if error.to_string().contains("no such table") => ErrorClass::Syntax,
            class => class,
        })
    });
    let missing = sql_query("SELECT * FROM nowhere").execute(&mut connection);
    assert!(missing.is_err());
    insert(&mut connection, "one").unwrap();
    assert!(insert(&mut connection, "one").is_err());
    assert_eq!(shop.errors("SELECT nowhere", "syntax"), 1.0);
    assert_eq!(shop.errors("INSERT orders", "constraint"), 1.0);
}

#[test]
fn no_row_is_no_error() {
    let (shop, mut connection) = open();
    let one = orders::table
        .find(7)
        .first::<(i32, String)>(&mut connection);
    assert_eq!(one, Err(diesel::NotFound));
    let all = orders::table.load::<(i32, String)>(&mut connection);
    assert_eq!(all, Ok(vec![]));
    assert_eq!(shop.count("SELECT orders", "ok"), 2.0);
    assert_eq!(shop.value("db_client_errors_total", &[]), 0.0);
}

/// diesel does not tell it from one that was read to its end.
#[test]
fn rows_that_were_left_early_are_ok() {
    let (shop, mut connection) = open();
    for name in ["one", "two", "three"] {
        insert(&mut connection, name).unwrap();
    }
    let mut rows = orders::table
        .load_iter::<(i32, String), DefaultLoadingMode>(&mut connection)
        .unwrap();
    assert_eq!(rows.next().unwrap().unwrap().1, "one");
    assert_eq!(shop.in_flight(), 1.0);
    drop(rows);
    assert_eq!(shop.count("SELECT orders", "ok"), 1.0);
    assert_eq!(shop.in_flight(), 0.0);
}

/// A name that goes into no database and comes out of none.
#[derive(Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
struct Broken;

impl ToSql<Text, Sqlite> for Broken {
    fn to_sql<'b>(&'b self, _: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        Err("no text".into())
    }
}

impl FromSql<Text, Sqlite> for Broken {
    fn from_sql(_: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        panic!("no text")
    }
}

#[test]
fn a_panic_while_rows_are_read_is_an_error() {
    let (shop, mut connection) = open();
    insert(&mut connection, "one").unwrap();
    let names = orders::table.select(orders::name);
    let read = AssertUnwindSafe(|| names.load::<Broken>(&mut connection).map(drop));
    assert!(catch_unwind(read).is_err());
    assert_eq!(shop.errors("SELECT orders", "panic"), 1.0);
    assert_eq!(shop.statements(), 2.0);
    insert(&mut connection, "two").unwrap();
    assert_eq!(shop.count("INSERT orders", "ok"), 2.0);
}

fn unserializable(connection: &mut SqliteConnection) -> QueryResult<i64> {
    let broken = orders::table.filter(orders::name.eq(Broken));
    broken.count().get_result(connection)
}

/// diesel tells no end of it.
#[test]
fn what_could_not_be_serialized_is_cancelled_by_the_next_query() {
    let (shop, mut connection) = open();
    assert!(unserializable(&mut connection).is_err());
    assert_eq!((shop.statements(), shop.in_flight()), (0.0, 1.0));
    insert(&mut connection, "one").unwrap();
    assert_eq!(shop.count("SELECT orders", "cancelled"), 1.0);
    assert_eq!(shop.count("INSERT orders", "ok"), 1.0);
    assert_eq!((shop.statements(), shop.in_flight()), (2.0, 0.0));
    assert!(unserializable(&mut connection).is_err());
    drop(connection);
    assert_eq!(shop.count("SELECT orders", "cancelled"), 2.0);
    assert_eq!((shop.statements(), shop.in_flight()), (3.0, 0.0));
}

/// As PostgreSQL is asked for types; here the query around it is one that has no end.
#[test]
fn a_lookup_does_not_end_the_query_that_it_is_for() {
    let (shop, mut connection) = open();
    sql_query("CREATE TABLE pg_type (typarray INTEGER)")
        .execute(&mut connection)
        .unwrap();
    assert!(unserializable(&mut connection).is_err());
    for _ in 0..2 {
        sql_query(r#"SELECT "pg_type"."typarray" FROM "pg_type""#)
            .execute(&mut connection)
            .unwrap();
    }
    assert_eq!(shop.count("SELECT pg_type", "ok"), 2.0);
    assert_eq!(shop.in_flight(), 1.0);
    drop(connection);
    assert_eq!(shop.count("SELECT orders", "cancelled"), 1.0);
}
