//! rusqlite, by the guard.

use plimsoll::db::{ClassifyError, Database, ErrorClass};
use rusqlite::{Connection, Error, ErrorCode, ToSql};

use crate::shop::{CREATE, SECRET, Shop, shop};

/// What kind of failure an error of rusqlite is.
fn class_of(error: &Error) -> ErrorClass {
    match error.sqlite_error_code() {
        _ if *error == Error::QueryReturnedNoRows => ErrorClass::NoData,
        Some(ErrorCode::ConstraintViolation) => ErrorClass::Constraint,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorClass::Retryable,
        Some(ErrorCode::OutOfMemory | ErrorCode::DiskFull) => ErrorClass::Resources,
        Some(ErrorCode::OperationInterrupted) => ErrorClass::Operator,
        Some(ErrorCode::CannotOpen) => ErrorClass::Connection,
        Some(ErrorCode::TooBig | ErrorCode::TypeMismatch) => ErrorClass::Data,
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => ErrorClass::Auth,
        Some(ErrorCode::Unknown) => ErrorClass::Syntax,
        Some(_) => ErrorClass::System,
        None => ErrorClass::Other,
    }
}

/// Runs a statement that gives no rows.
fn execute(
    shop: &Database,
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<usize, Error> {
    let mut guard = shop.begin_sql(sql, None);
    let result = connection.execute(sql, values);
    if let Ok(changed) = result {
        guard.rows(changed as u64);
    }
    guard.finish_as(class_of.status(&result));
    result
}

fn open() -> (Shop, Database, Connection) {
    let shop = shop();
    let database = shop.plimsoll.database("shop").open();
    let connection = Connection::open_in_memory().expect("memory");
    connection.execute(CREATE, ()).expect("a table");
    (shop, database, connection)
}

const INSERT: &str = "INSERT INTO orders (name) VALUES (?)";

#[test]
fn by_statement() {
    let (shop, database, connection) = open();
    for n in 0..1_000 {
        let name = format!("{SECRET}-{n}");
        assert_eq!(execute(&database, &connection, INSERT, &[&name]), Ok(1));
    }
    let some = "DELETE FROM orders WHERE id IN (1, 2, 3)";
    assert_eq!(execute(&database, &connection, some, &[]), Ok(3));
    assert_eq!(shop.count("INSERT orders", "ok"), 1_000.0);
    assert_eq!(shop.count("DELETE orders", "ok"), 1.0);
    assert_eq!(shop.statements(), 1_001.0);
    assert_eq!(shop.rows("DELETE orders"), 3.0);
    let seen = shop.seen("INSERT orders");
    assert!(seen.contains("DELETE FROM orders WHERE id IN (?)"));
    assert!(!seen.contains(SECRET), "{seen}");
}

#[test]
fn errors_have_a_class() {
    let (shop, database, connection) = open();
    assert!(execute(&database, &connection, INSERT, &[&SECRET]).is_ok());
    assert!(execute(&database, &connection, INSERT, &[&SECRET]).is_err());
    let missing = execute(&database, &connection, "DELETE FROM nowhere", &[]);
    assert!(missing.is_err());
    assert_eq!(shop.errors("INSERT orders", "constraint"), 1.0);
    assert_eq!(shop.errors("DELETE nowhere", "syntax"), 1.0);
    assert_eq!(shop.value("db_client_errors_total", &[]), 2.0);
    // The driver's message has no value in it, and nobody shows it anyway.
    assert!(!shop.seen("INSERT orders").contains(SECRET));
}

#[test]
fn by_operation() {
    let (shop, _, connection) = open();
    let orders = shop.plimsoll.db("orders").classify(class_of);
    let name_of = |id: i64| {
        orders.time_sync("by_id", || {
            let sql = "SELECT name FROM orders WHERE id = ?";
            connection.query_one(sql, [id], |row| row.get::<_, String>(0))
        })
    };
    assert_eq!(name_of(1), Err(Error::QueryReturnedNoRows));
    connection.execute(INSERT, ["one"]).unwrap();
    assert_eq!(name_of(1).as_deref(), Ok("one"));
    assert_eq!(shop.count("by_id orders", "ok"), 2.0);
    assert_eq!(shop.value("db_client_errors_total", &[]), 0.0);
}

#[test]
fn by_a_name_of_ones_own() {
    let (shop, database, connection) = open();
    database.declare_queries(["orders.report"]);
    for columns in ["id", "name", "id, name"] {
        let sql = format!("SELECT {columns} FROM orders");
        let guard = database.begin_sql(&sql, Some("orders.report"));
        let result = connection.prepare(&sql).map(drop);
        guard.finish_as(class_of.status(&result));
    }
    assert_eq!(shop.count("orders.report", "ok"), 3.0);
    assert_eq!(shop.statements(), 3.0);
}

#[test]
fn rows_that_are_left_early_are_partial() {
    let (shop, database, connection) = open();
    for name in ["one", "two", "three"] {
        connection.execute(INSERT, [name]).unwrap();
    }
    let sql = "SELECT name FROM orders ORDER BY id";
    let mut guard = database.begin_sql(sql, None);
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query(()).unwrap();
    let first: String = rows.next().unwrap().unwrap().get(0).unwrap();
    guard.rows(1);
    guard.partial();
    assert_eq!(first, "one");
    assert_eq!(shop.count("SELECT orders", "partial"), 1.0);
    assert_eq!(shop.rows("SELECT orders"), 1.0);
}

#[test]
fn transactions() {
    let (shop, database, mut connection) = open();
    let counted = shop.plimsoll.transactions("shop").unwrap();
    let transaction = connection.transaction().unwrap();
    let open = counted.begin();
    execute(&database, &transaction, INSERT, &[&"one"]).unwrap();
    transaction.commit().unwrap();
    open.committed();

    let transaction = connection.transaction().unwrap();
    let open = counted.begin();
    transaction.rollback().unwrap();
    open.rolled_back();

    // Whatever leaves the function early leaves both.
    let transaction = connection.transaction().unwrap();
    let open = counted.begin();
    drop((transaction, open));
    assert_eq!(shop.transactions(), [1.0, 1.0, 1.0]);
}
