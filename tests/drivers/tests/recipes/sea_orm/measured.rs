//! A connection of one's own around sea-orm's: what was given up counts, errors have a class, rows are known.

use futures_util::poll;
use plimsoll::db::{ClassifyError, Database, ErrorClass, OpenTransaction, Transactions};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, Statement, TransactionTrait,
};

use super::{insert, names, open};
use crate::shop::{SECRET, Shop, shop};

/// A connection or a transaction whose statements are counted: it goes wherever sea-orm asks for a `ConnectionTrait`.
struct Measured<C> {
    inner: C,
    database: Database,
}

#[async_trait::async_trait]
impl<C: ConnectionTrait + Send> ConnectionTrait for Measured<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut guard = self.database.begin_sql(&statement.sql, None);
        let result = self.inner.execute_raw(statement).await;
        if let Ok(result) = &result {
            guard.rows(result.rows_affected());
        }
        guard.finish_as(class_of.status(&result));
        result
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let guard = self.database.begin_sql(sql, None);
        let result = self.inner.execute_unprepared(sql).await;
        guard.finish_as(class_of.status(&result));
        result
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut guard = self.database.begin_sql(&statement.sql, None);
        let result = self.inner.query_one_raw(statement).await;
        if let Ok(row) = &result {
            guard.rows(row.iter().len() as u64);
        }
        guard.finish_as(class_of.status(&result));
        result
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut guard = self.database.begin_sql(&statement.sql, None);
        let result = self.inner.query_all_raw(statement).await;
        if let Ok(rows) = &result {
            guard.rows(rows.len() as u64);
        }
        guard.finish_as(class_of.status(&result));
        result
    }
}

/// What kind of failure an error of sea-orm is; `plimsoll::db::sqlx` knows those of sqlx under it.
fn class_of(error: &DbErr) -> ErrorClass {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => ErrorClass::Connection,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            plimsoll::db::sqlx::class_of(error)
        }
        DbErr::RecordNotFound(_) => ErrorClass::NoData,
        _ => ErrorClass::Other,
    }
}

/// A transaction, its statements, and how it ended.
struct MeasuredTransaction {
    connection: Measured<DatabaseTransaction>,
    open: OpenTransaction,
}

impl Measured<DatabaseConnection> {
    async fn begin(&self, transactions: &Transactions) -> Result<MeasuredTransaction, DbErr> {
        let guard = self.database.begin_sql("BEGIN", None);
        let result = self.inner.begin().await;
        guard.finish_as(class_of.status(&result));
        Ok(MeasuredTransaction {
            connection: Measured {
                inner: result?,
                database: self.database.clone(),
            },
            open: transactions.begin(),
        })
    }
}

impl MeasuredTransaction {
    async fn commit(self) -> Result<(), DbErr> {
        let Measured { inner, database } = self.connection;
        let guard = database.begin_sql("COMMIT", None);
        let result = inner.commit().await;
        guard.finish_as(class_of.status(&result));
        result.map(|()| self.open.committed())
    }
}

async fn site() -> (Shop, Measured<DatabaseConnection>) {
    let shop = shop();
    let measured = Measured {
        inner: open().await,
        database: shop.plimsoll.database("shop").open(),
    };
    (shop, measured)
}

#[tokio::test]
async fn statements_are_counted_once() {
    let (shop, connection) = site().await;
    for n in 0..100 {
        let name = format!("{SECRET}-{n}");
        insert(&connection, &name).await.unwrap();
    }
    assert_eq!(names(&connection).await.unwrap().len(), 100);
    let unprepared = connection.execute_unprepared("DELETE FROM orders").await;
    unprepared.unwrap();
    assert_eq!(shop.count("INSERT orders", "ok"), 100.0);
    assert_eq!(shop.count("SELECT orders", "ok"), 1.0);
    assert_eq!(shop.count("DELETE orders", "ok"), 1.0);
    assert_eq!(shop.statements(), 102.0);
    assert_eq!(shop.rows("SELECT orders"), 100.0);
    assert_eq!(shop.rows("INSERT orders"), 100.0);
    let seen = shop.seen("INSERT orders");
    assert!(!seen.contains(SECRET), "{seen}");
}

#[tokio::test]
async fn errors_have_a_class() {
    let (shop, connection) = site().await;
    insert(&connection, SECRET).await.unwrap();
    assert!(insert(&connection, SECRET).await.is_err());
    let missing = connection.execute_unprepared("DELETE FROM nowhere").await;
    assert!(missing.is_err());
    assert_eq!(shop.errors("INSERT orders", "constraint"), 1.0);
    assert_eq!(shop.errors("DELETE nowhere", "syntax"), 1.0);
    assert!(!shop.seen("INSERT orders").contains(SECRET));
}

#[tokio::test]
async fn what_was_given_up_is_cancelled() {
    let (shop, connection) = site().await;
    // The only connection is taken, so the query waits until it is given up.
    let taken = connection.inner.begin().await.unwrap();
    let mut query = Box::pin(names(&connection));
    assert!(poll!(&mut query).is_pending());
    assert_eq!(shop.in_flight(), 1.0);
    drop(query);
    taken.rollback().await.unwrap();
    assert_eq!(shop.count("SELECT orders", "cancelled"), 1.0);
    assert_eq!((shop.statements(), shop.in_flight()), (1.0, 0.0));
}

#[tokio::test]
async fn transactions() {
    let (shop, connection) = site().await;
    let counted = shop.plimsoll.transactions("shop").unwrap();
    let transaction = connection.begin(&counted).await.unwrap();
    insert(&transaction.connection, "one").await.unwrap();
    transaction.commit().await.unwrap();
    drop(connection.begin(&counted).await.unwrap());
    assert_eq!(names(&connection).await.unwrap(), ["one"]);
    assert_eq!(shop.transactions(), [1.0, 0.0, 1.0]);
    assert_eq!(shop.count("BEGIN", "ok"), 2.0);
    assert_eq!(shop.count("COMMIT", "ok"), 1.0);
}
