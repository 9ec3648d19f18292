//! The wrapper of sqlx, as the page shows it; `tests/sqlx_sqlite` is about the rest.

use plimsoll::Plimsoll;
use plimsoll::db::sqlx::Pool;
use sqlx::Sqlite;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

use crate::shop::{CREATE, SECRET, shop};

async fn place_order(plimsoll: &Plimsoll, pool: SqlitePool, name: &str) -> Result<i64, Error> {
    let pool: Pool<Sqlite> = plimsoll.sqlx_pool("shop", pool)?;
    let mut tx = pool.begin().await?;
    let insert = sqlx::query("INSERT INTO orders (name) VALUES (?)");
    insert.bind(name).execute(&mut *tx).await?;
    tx.commit().await?;
    let count = sqlx::query_scalar("SELECT count(*) FROM orders");
    Ok(count.fetch_one(&pool).await?)
}

type Error = Box<dyn std::error::Error>;

#[tokio::test]
async fn nothing_changes_but_the_pool() {
    let options = SqlitePoolOptions::new().max_connections(1);
    let pool = options.connect("sqlite::memory:").await.unwrap();
    sqlx::query(CREATE).execute(&pool).await.unwrap();
    let shop = shop();
    let count = place_order(&shop.plimsoll, pool, SECRET).await.unwrap();
    assert_eq!(count, 1);
    assert_eq!(shop.count("INSERT orders", "ok"), 1.0);
    assert_eq!(shop.statements(), 4.0);
    assert_eq!(shop.transactions(), [1.0, 0.0, 0.0]);
    assert!(!shop.seen("INSERT orders").contains(SECRET));
}
