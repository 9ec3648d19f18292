//! Transactions by how they ended.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sqlite::SqliteConnection;

use super::{insert, open, orders};
use crate::shop::Shop;

type Transactions = AnsiTransactionManager;

impl Shop {
    /// How many statements began with that word.
    fn verb(&self, verb: &str) -> f64 {
        let labels = [("db_operation_name", verb), ("outcome", "ok")];
        self.value("db_client_operation_duration_seconds_count", &labels)
    }
}

#[test]
fn ends_are_told_apart() {
    let (shop, mut connection) = open();
    assert_eq!(shop.transactions(), [0.0, 0.0, 0.0]);
    connection
        .transaction(|connection| insert(connection, "one"))
        .unwrap();
    let left = connection.transaction(|connection| {
        insert(connection, "two")?;
        Err::<(), _>(Error::RollbackTransaction)
    });
    assert_eq!(left, Err(Error::RollbackTransaction));
    connection
        .immediate_transaction(|connection| insert(connection, "three"))
        .unwrap();
    Transactions::begin_transaction(&mut connection).unwrap();
    assert_eq!(shop.transactions(), [2.0, 1.0, 0.0]);
    drop(connection);
    assert_eq!(shop.transactions(), [2.0, 1.0, 1.0]);
    assert_eq!(shop.verb("BEGIN"), 4.0);
    assert_eq!(shop.verb("COMMIT"), 2.0);
    assert_eq!(shop.verb("ROLLBACK"), 1.0);
    assert_eq!(shop.verb("INSERT"), 3.0);
    assert_eq!(shop.statements(), 10.0);
}

#[test]
fn a_savepoint_is_a_part_of_its_transaction() {
    let (shop, mut connection) = open();
    let nested = |connection: &mut SqliteConnection| {
        connection.transaction(|connection| insert(connection, "one"))?;
        let left = connection.transaction(|connection| {
            insert(connection, "two")?;
            Err::<(), _>(Error::RollbackTransaction)
        });
        assert!(left.is_err());
        Ok::<_, Error>(())
    };
    connection.transaction(nested).unwrap();
    assert_eq!(orders::table.count().first(&mut connection), Ok(1_i64));
    assert_eq!(shop.transactions(), [1.0, 0.0, 0.0]);
    for (verb, times) in [("SAVEPOINT", 2.0), ("RELEASE", 1.0), ("ROLLBACK", 1.0)] {
        assert_eq!(shop.verb(verb), times, "{verb}");
    }
}

/// diesel rolls it back then.
#[test]
fn a_commit_that_failed_is_rolled_back() {
    let (shop, mut connection) = open();
    let tables = "PRAGMA foreign_keys = ON; CREATE TABLE lines (order_id INTEGER NOT NULL
        REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED)";
    connection.batch_execute(tables).unwrap();
    let committed = connection.transaction(|connection| {
        diesel::sql_query("INSERT INTO lines VALUES (7)").execute(connection)
    });
    assert!(committed.is_err());
    assert_eq!(shop.errors("COMMIT", "constraint"), 1.0);
    assert_eq!(shop.transactions(), [0.0, 1.0, 0.0]);
}

#[test]
fn a_transaction_that_could_not_begin_was_none() {
    let (shop, mut connection) = open();
    connection.batch_execute("BEGIN").unwrap();
    let twice = connection.transaction(|connection| insert(connection, "one"));
    assert!(twice.is_err());
    drop(connection);
    assert_eq!(shop.transactions(), [0.0, 0.0, 0.0]);
}

#[test]
fn one_that_a_panic_left_open_is_dropped_with_its_connection() {
    let (shop, mut connection) = open();
    let work = AssertUnwindSafe(|| {
        connection.transaction(|connection| {
            insert(connection, "one")?;
            panic!("before the commit");
            #[expect(unreachable_code, reason = "the type of the result")]
            Ok::<(), Error>(())
        })
    });
    assert!(catch_unwind(work).is_err());
    assert_eq!(shop.transactions(), [0.0, 0.0, 0.0]);
    drop(connection);
    assert_eq!(shop.transactions(), [0.0, 0.0, 1.0]);
    assert_eq!(shop.count("INSERT orders", "ok"), 1.0);
}
