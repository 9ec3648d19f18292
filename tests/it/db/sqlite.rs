//! The same promises on a real driver.

use std::time::Duration;

use plimsoll::Plimsoll;
use plimsoll::pool::PoolState;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tempfile::TempDir;

use super::{counts, line, new, waits};

const PATIENT: Duration = Duration::from_secs(20);

/// A database of one empty table; it is gone with the folder.
async fn database(connections: u32, patience: Duration) -> (TempDir, SqlitePool) {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteConnectOptions::new()
        .filename(folder.path().join("devices.db"))
        .create_if_missing(true)
        .busy_timeout(PATIENT);
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(patience)
        .connect_lazy_with(file);
    let create =
        sqlx::query("CREATE TABLE devices (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)");
    create.execute(&pool).await.unwrap();
    (folder, pool)
}

async fn insert(plimsoll: &Plimsoll, pool: &SqlitePool, name: &str) -> Result<u64, sqlx::Error> {
    let query = sqlx::query("INSERT INTO devices (name) VALUES (?)")
        .bind(name)
        .execute(pool);
    Ok(plimsoll
        .db("devices")
        .time("insert", query)
        .await?
        .rows_affected())
}

async fn names(plimsoll: &Plimsoll, pool: &SqlitePool) -> Result<Vec<String>, sqlx::Error> {
    let query = sqlx::query_scalar("SELECT name FROM devices ORDER BY id").fetch_all(pool);
    plimsoll.db("devices").time("list", query).await
}

#[tokio::test]
async fn values_and_empty_results_are_ok() {
    let (_folder, pool) = database(1, PATIENT).await;
    let plimsoll = new();
    assert!(names(&plimsoll, &pool).await.unwrap().is_empty());
    assert_eq!(insert(&plimsoll, &pool, "press-3").await.unwrap(), 1);
    assert_eq!(names(&plimsoll, &pool).await.unwrap(), ["press-3"]);
    assert_eq!(counts(&line(&plimsoll, "list")), [2, 0, 0, 0]);
    assert_eq!(counts(&line(&plimsoll, "insert")), [1, 0, 0, 0]);
}

#[tokio::test]
async fn errors_of_the_database_come_back_and_are_counted() {
    let (_folder, pool) = database(1, PATIENT).await;
    let plimsoll = new();
    insert(&plimsoll, &pool, "press-3").await.unwrap();
    let twice = insert(&plimsoll, &pool, "press-3").await.unwrap_err();
    assert!(twice.as_database_error().unwrap().is_unique_violation());
    assert_eq!(counts(&line(&plimsoll, "insert")), [2, 1, 0, 0]);

    let wrong = sqlx::query("SELECT nothing FROM nowhere").execute(&pool);
    assert!(plimsoll.db("devices").time("wrong", wrong).await.is_err());
    assert_eq!(counts(&line(&plimsoll, "wrong")), [1, 1, 0, 0]);
}

#[tokio::test]
async fn a_query_that_was_given_up_on_is_counted_as_cancelled() {
    let (_folder, pool) = database(2, PATIENT).await;
    let plimsoll = new();
    // The writer's lock keeps the query waiting for as long as this test likes.
    let mut writer = pool.acquire().await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut *writer)
        .await
        .unwrap();
    let query = insert(&plimsoll, &pool, "press-3");
    let ended = tokio::time::timeout(Duration::from_millis(40), query).await;
    assert!(ended.is_err());
    assert_eq!(counts(&line(&plimsoll, "insert")), [1, 0, 1, 0]);
    sqlx::query("ROLLBACK").execute(&mut *writer).await.unwrap();
}

#[tokio::test]
async fn an_exhausted_pool_shows_in_its_waits() {
    let (_folder, sqlite) = database(1, Duration::from_millis(500)).await;
    let plimsoll = new();
    let observed = sqlite.clone();
    let pool = plimsoll
        .pool("readings")
        .unwrap()
        .observe(move || PoolState {
            active: u64::from(observed.size()).saturating_sub(observed.num_idle() as u64),
            max: observed.options().get_max_connections().into(),
        });
    let held = pool.acquire(sqlite.acquire()).await.unwrap();
    let refused = pool.acquire(sqlite.acquire()).await.unwrap_err();
    assert!(matches!(refused, sqlx::Error::PoolTimedOut));
    assert_eq!(counts(&waits(&plimsoll)), [2, 1, 0, 0]);
    drop(held);
}
