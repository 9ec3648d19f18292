//! How statements end, and as what they count.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use plimsoll::db::sqlx::Pool;
use sqlx::{Error, Executor, Sqlite};

use crate::site::{Gate, site};

const ALL: &str = "SELECT * FROM orders";

#[tokio::test]
async fn ten_thousand_are_ten_thousand() {
    let site = site().await;
    for n in 0..10_000_i64 {
        let id = n % 4;
        let row = sqlx::query("SELECT * FROM orders WHERE id = ?")
            .bind(id)
            .fetch_optional(&site.pool)
            .await
            .unwrap();
        assert_eq!(row.is_some(), id != 0);
    }
    assert_eq!(site.count("SELECT orders", "ok"), 10_000.0);
    assert_eq!(site.statements(), 10_000.0);
    assert_eq!(site.rows("SELECT orders"), 7_500.0);
    assert_eq!(
        site.of_pool("connection_wait_duration_seconds_count"),
        10_000.0
    );
    assert_eq!(site.in_flight(), 0.0);
}

#[tokio::test]
async fn no_row_is_no_error() {
    let site = site().await;
    let none = "SELECT name FROM orders WHERE id = 99";
    let raw = sqlx::query(none).fetch_one(&site.pool).await;
    assert!(matches!(raw, Err(Error::RowNotFound)));
    let scalar = sqlx::query_scalar::<_, String>(none)
        .fetch_one(&site.pool)
        .await;
    assert!(matches!(scalar, Err(Error::RowNotFound)));
    let optional = sqlx::query(none).fetch_optional(&site.pool).await;
    assert!(optional.unwrap().is_none());
    let all = sqlx::query(none).fetch_all(&site.pool).await;
    assert!(all.unwrap().is_empty());
    let stream = sqlx::query(none).fetch(&site.pool).count().await;
    assert_eq!(stream, 0);
    assert_eq!(site.count("SELECT orders", "ok"), 5.0);
    assert_eq!(site.statements(), 5.0);
    assert_eq!(site.rows("SELECT orders"), 0.0);
    let told = site.value("db_client_response_returned_rows_count", &[]);
    assert_eq!(told, 5.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 0.0);
}

#[tokio::test]
async fn errors_have_a_class() {
    let site = site().await;
    let pool = &site.pool;
    let twice = sqlx::query("INSERT INTO orders (name) VALUES ('one')");
    assert!(twice.execute(pool).await.is_err());
    let missing = sqlx::query("SELECT * FROM nowhere").fetch_all(pool).await;
    assert!(missing.is_err());
    let streamed = sqlx::query("SELECT * FROM nowhere")
        .fetch(pool)
        .next()
        .await;
    assert!(streamed.unwrap().is_err());
    // An argument that cannot be encoded never reaches the database.
    let too_much = sqlx::query("DELETE FROM orders WHERE id = ?").bind(Unencodable);
    assert!(matches!(
        too_much.execute(pool).await,
        Err(Error::Encode(_))
    ));
    assert_eq!(site.errors("INSERT orders", "constraint"), 1.0);
    assert_eq!(site.errors("SELECT nowhere", "syntax"), 2.0);
    assert_eq!(site.errors("DELETE orders", "data"), 1.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 4.0);
    assert_eq!(site.statements(), 4.0);
}

struct Unencodable;

impl sqlx::Type<Sqlite> for Unencodable {
    fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
        <i64 as sqlx::Type<Sqlite>>::type_info()
    }
}

impl sqlx::Encode<'_, Sqlite> for Unencodable {
    fn encode_by_ref(
        &self,
        _: &mut sqlx::sqlite::SqliteArgumentsBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        Err("no number".into())
    }
}

#[tokio::test]
async fn a_stream_that_is_left_early_is_partial() {
    let site = site().await;
    let mut rows = sqlx::query(ALL).fetch(&site.pool);
    rows.try_next().await.unwrap().expect("three orders");
    drop(rows);
    let mut connection = site.pool.acquire().await.unwrap();
    let mut rows = sqlx::query(ALL).fetch(&mut *connection);
    rows.try_next().await.unwrap().expect("three orders");
    rows.try_next().await.unwrap().expect("three orders");
    drop(rows);
    drop(connection);
    assert_eq!(site.count("SELECT orders", "partial"), 2.0);
    assert_eq!(site.statements(), 2.0);
    assert_eq!(site.rows("SELECT orders"), 3.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 0.0);
}

#[tokio::test]
async fn what_was_never_polled_was_no_query() {
    let site = site().await;
    drop((&site.pool).fetch(ALL));
    drop((&site.pool).fetch_all(ALL));
    let mut connection = site.pool.acquire().await.unwrap();
    drop((&mut *connection).fetch(ALL));
    drop((&mut *connection).fetch_all(ALL));
    drop(connection);
    assert_eq!(site.statements(), 0.0);
    assert_eq!(site.of_pool("connection_wait_duration_seconds_count"), 1.0);
}

#[tokio::test]
async fn a_query_under_a_timeout_is_counted_as_cancelled() {
    let site = site().await;
    let gate = Gate::before(&site.pool).await;
    let shut = gate.shut().await;
    let mut query = Box::pin(sqlx::query(ALL).fetch_all(&site.pool));
    site.begun(&mut query).await;
    let waited = tokio::time::timeout(Duration::from_millis(1), query).await;
    assert!(waited.is_err());
    drop(shut);
    assert_eq!(site.count("SELECT orders", "cancelled"), 1.0);
    assert_eq!(site.statements(), 1.0);
    let lasted = site.value("db_client_operation_duration_seconds_sum", &[]);
    assert!(lasted >= 0.001, "{lasted}");
    assert_eq!(site.in_flight(), 0.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 0.0);
}

#[tokio::test]
async fn a_stream_that_gave_no_row_is_cancelled() {
    let site = site().await;
    let gate = Gate::before(&site.pool).await;
    let shut = gate.shut().await;
    let mut rows = sqlx::query(ALL).fetch(&site.pool);
    site.begun(&mut rows.next()).await;
    drop(rows);
    drop(shut);
    assert_eq!(site.count("SELECT orders", "cancelled"), 1.0);
    assert_eq!(site.statements(), 1.0);
}

async fn panics(pool: Pool<Sqlite>) {
    let mut rows = sqlx::query(ALL).fetch(&pool);
    rows.try_next().await.unwrap().expect("three orders");
    panic!("between two rows");
}

#[tokio::test]
async fn a_panic_while_rows_are_read_is_an_error() {
    let site = site().await;
    let task = tokio::spawn(panics(site.pool.clone()));
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(site.count("SELECT orders", "error"), 1.0);
    assert_eq!(site.statements(), 1.0);
}
