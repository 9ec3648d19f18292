//! Call sites are what they were, whatever they are made with.

use axum::extract::State;
use futures_util::TryStreamExt;
use plimsoll::db::sqlx::{Connection, Pool};
use sqlx::{Executor, FromRow, QueryBuilder, Row, Sqlite};

use crate::site::site;

#[derive(Debug, PartialEq, FromRow)]
struct Order {
    id: i64,
    name: String,
}

#[tokio::test]
async fn the_pool() {
    let site = site().await;
    let pool = &site.pool;
    let row = sqlx::query("SELECT name FROM orders WHERE id = ?")
        .bind(2)
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(row.get::<String, _>("name"), "two");
    let done = sqlx::query("UPDATE orders SET name = upper(name)")
        .execute(&site.pool)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 3);
    assert_eq!(site.count("SELECT orders", "ok"), 1.0);
    assert_eq!(site.rows("SELECT orders"), 1.0);
    assert_eq!(site.count("UPDATE orders", "ok"), 1.0);
}

#[tokio::test]
async fn a_pooled_connection() {
    let site = site().await;
    let mut connection = site.pool.acquire().await.unwrap();
    let all = sqlx::query_as::<_, Order>("SELECT * FROM orders ORDER BY id")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(
        all[0],
        Order {
            id: 1,
            name: "one".into()
        }
    );
    connection.ping().await.unwrap();
    drop(connection);
    assert_eq!(site.rows("SELECT orders"), 3.0);
    assert_eq!(site.statements(), 1.0);
}

/// Where the driver's connection stood in a signature stands the measured one.
async fn count(connection: &mut Connection<Sqlite>) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(&mut *connection)
        .await
}

#[tokio::test]
async fn a_transaction() {
    let site = site().await;
    let mut tx = site.pool.begin().await.unwrap();
    sqlx::query("DELETE FROM orders WHERE id = 1")
        .execute(&mut *tx)
        .await
        .unwrap();
    assert_eq!(count(&mut tx).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let mut connection = site.pool.acquire().await.unwrap();
    assert_eq!(count(&mut connection).await.unwrap(), 2);
    drop(connection);
    for (query, times) in [
        ("BEGIN", 1.0),
        ("DELETE orders", 1.0),
        ("SELECT orders", 2.0),
        ("COMMIT", 1.0),
    ] {
        assert_eq!(site.count(query, "ok"), times, "{query}");
    }
}

#[tokio::test]
async fn a_connection_without_a_pool() {
    use sqlx::{Connection as _, SqliteConnection};
    let site = site().await;
    let inner = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let mut connection: Connection<Sqlite> = site.plimsoll.sqlx_connection("alone", inner).unwrap();
    connection.execute("CREATE TABLE notes (id)").await.unwrap();
    let mut tx = connection.begin().await.unwrap();
    tx.execute("INSERT INTO notes VALUES (1)").await.unwrap();
    tx.rollback().await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM notes")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(left, 0);
    connection.close().await.unwrap();
    assert_eq!(site.count("CREATE notes", "ok"), 1.0);
    assert_eq!(site.statements(), 5.0);
}

#[tokio::test]
async fn streams() {
    let site = site().await;
    let mut rows = sqlx::query("SELECT * FROM orders").fetch(&site.pool);
    let mut seen = 0;
    while let Some(row) = rows.try_next().await.unwrap() {
        seen += row.get::<i64, _>("id");
    }
    drop(rows);
    let mut connection = site.pool.acquire().await.unwrap();
    let again: Vec<Order> = sqlx::query_as("SELECT * FROM orders")
        .fetch(&mut *connection)
        .try_collect()
        .await
        .unwrap();
    drop(connection);
    assert_eq!((seen, again.len()), (6, 3));
    assert_eq!(site.count("SELECT orders", "ok"), 2.0);
    assert_eq!(site.rows("SELECT orders"), 6.0);
}

/// What the macros know of the tables is in `.sqlx`. It is renewed by a build with `DATABASE_URL`, an SQLite file with the
/// table of `site`, and `SQLX_OFFLINE_DIR`, that folder.
#[tokio::test]
async fn checked_at_compile_time() {
    let site = site().await;
    let order = sqlx::query!("SELECT id, name FROM orders WHERE id = ?", 3)
        .fetch_one(&site.pool)
        .await
        .unwrap();
    assert_eq!((order.id, &*order.name), (3, "three"));
    let mut tx = site.pool.begin().await.unwrap();
    let orders = sqlx::query_as!(Order, "SELECT id, name FROM orders ORDER BY id")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    assert_eq!(orders.len(), 3);
    let many = sqlx::query_scalar!("SELECT count(*) FROM orders")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert_eq!(many, 3);
    drop(tx);
    assert_eq!(site.count("SELECT orders", "ok"), 3.0);
}

#[tokio::test]
async fn built_queries() {
    let site = site().await;
    for names in [&["four"][..], &["five", "six", "seven"][..]] {
        let mut builder = QueryBuilder::<Sqlite>::new("INSERT INTO orders (name) ");
        builder.push_values(names, |mut row, name| {
            row.push_bind(*name);
        });
        builder.build().execute(&site.pool).await.unwrap();
    }
    let many: i64 = sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(&site.pool)
        .await
        .unwrap();
    assert_eq!(many, 7);
    // Of however many rows, it is one statement.
    assert_eq!(site.count("INSERT orders", "ok"), 2.0);
}

#[tokio::test]
async fn raw_sql_of_several_statements_is_one() {
    let site = site().await;
    let sql = "DELETE FROM orders WHERE id = 1; SELECT * FROM orders; SELECT * FROM orders";
    let rows = sqlx::raw_sql(sql).fetch_all(&site.pool).await.unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(site.statements(), 1.0);
    assert_eq!(site.value("db_client_response_returned_rows_sum", &[]), 4.0);
    let results: Vec<_> = sqlx::raw_sql("DELETE FROM orders; SELECT 1")
        .execute_many(&site.pool)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(site.statements(), 2.0);
}

#[tokio::test]
async fn migrations() {
    let site = site().await;
    sqlx::migrate!("tests/sqlx_sqlite/migrations")
        .run(&site.pool)
        .await
        .unwrap();
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM customers")
        .fetch_one(&site.pool)
        .await
        .unwrap();
    assert_eq!(tables, 0);
    site.settled().await;
    // What sqlx runs on the driver's own connection is not seen, and that is.
    assert_eq!(site.of_pool("connections_unmeasured_total"), 1.0);
    assert_eq!(site.of_pool("connection_pool_ghosts"), 0.0);
    assert_eq!(site.statements(), 1.0);
}

#[tokio::test]
async fn prepared_by_hand() {
    use sqlx::{SqlSafeStr, Statement};
    let site = site().await;
    let sql = "SELECT * FROM orders WHERE id = ?".into_sql_str();
    let mut connection = site.pool.acquire().await.unwrap();
    let statement = connection.prepare(sql).await.unwrap();
    let order: Order = statement
        .query_as()
        .bind(1)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(order.name, "one");
    drop(connection);
    assert_eq!(site.count("SELECT orders", "ok"), 1.0);
    assert_eq!(site.statements(), 2.0);
}

async fn handler(State(pool): State<Pool<Sqlite>>) -> String {
    let name: String = sqlx::query_scalar("SELECT name FROM orders WHERE id = 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    name
}

#[tokio::test]
async fn the_state_of_an_axum_router() {
    use std::io::{Read, Write};
    let site = site().await;
    let app = axum::Router::new()
        .route("/", axum::routing::get(handler))
        .with_state(site.pool.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let ask = move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = tokio::task::spawn_blocking(ask).await.unwrap();
    assert!(answer.ends_with("\r\n\r\none"), "{answer}");
    assert_eq!(site.count("SELECT orders", "ok"), 1.0);
}
