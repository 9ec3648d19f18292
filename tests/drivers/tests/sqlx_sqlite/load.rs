//! Many tasks on a pool of several connections, and a file that they share.

use std::collections::BTreeMap;

use plimsoll::Plimsoll;
use plimsoll::db::{TopBy, sqlx::Pool};
use sqlx::Sqlite;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::site::Site;

const TASKS: i64 = 16;
const ROUNDS: i64 = 625;
const CONNECTIONS: u32 = 8;

const ONE: &str = "SELECT name FROM orders WHERE id = ?";
const MANY: &str = "SELECT id FROM orders WHERE id > ?";
const WRITE: &str = "INSERT INTO audit (task) VALUES (?)";

/// Eight times one row, once several, once a row that is written: ten statements.
async fn round(pool: &Pool<Sqlite>, task: i64) -> sqlx::Result<()> {
    for n in 0..8 {
        let order = sqlx::query(ONE).bind(1 + (task + n) % 3);
        order.fetch_one(pool).await?;
    }
    let orders = sqlx::query(MANY).bind(1).fetch_all(pool).await?;
    assert_eq!(orders.len(), 2);
    sqlx::query(WRITE).bind(task).execute(pool).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_statements_of_sixteen_tasks_are_all_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = SqliteConnectOptions::new()
        .filename(folder.path().join("orders.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off)
        .busy_timeout(std::time::Duration::from_secs(60));
    let options = SqlitePoolOptions::new().max_connections(CONNECTIONS);
    let inner = options.connect_with(file).await.expect("SQLite");
    let create = "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE audit (task INTEGER NOT NULL);
        INSERT INTO orders (id, name) VALUES (1, 'one'), (2, 'two'), (3, 'three')";
    sqlx::raw_sql(create).execute(&inner).await.expect("tables");
    let site = Site::new(Plimsoll::builder().build().expect("defaults"), inner);
    let tasks = (0..TASKS).map(|task| {
        let pool = site.pool.clone();
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                round(&pool, task).await.expect("a round");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    let rounds = (TASKS * ROUNDS) as u64;
    let written: i64 = sqlx::query_scalar("SELECT count(*) FROM audit")
        .fetch_one(site.pool.inner())
        .await
        .expect("a count");
    assert_eq!(written as u64, rounds);
    let top = site.plimsoll.top_queries(usize::MAX, TopBy::Count);
    let counted: BTreeMap<_, _> = top.iter().map(|it| (&*it.text, it.count)).collect();
    let expected = [(MANY, rounds), (ONE, 8 * rounds), (WRITE, rounds)];
    assert_eq!(counted, BTreeMap::from(expected));
    assert_eq!(site.statements(), 100_000.0);
    assert_eq!(site.waits("ok"), 100_000.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 0.0);
    assert_eq!(site.in_flight(), 0.0);
    assert!(site.pool.size() <= CONNECTIONS);
}
