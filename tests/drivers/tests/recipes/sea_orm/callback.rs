//! sea-orm's own callback: two lines, and what it does not tell.

use futures_util::poll;
use plimsoll::Outcome;
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};

use super::{insert, names, open};
use crate::shop::{SECRET, Shop, shop};

/// Before the connection is cloned or handed on: clones keep the callback that there was.
fn measure(shop: &Shop, connection: &mut DatabaseConnection) {
    let database = shop.plimsoll.database("shop").open();
    connection.set_metric_callback(move |info| {
        let outcome = match info.failed {
            true => Outcome::Error,
            false => Outcome::Ok,
        };
        database.track_sql(&info.statement.sql, None, info.elapsed, outcome);
    });
}

async fn site() -> (Shop, DatabaseConnection) {
    let (shop, mut connection) = (shop(), open().await);
    measure(&shop, &mut connection);
    (shop, connection)
}

#[tokio::test]
async fn statements_are_counted_once() {
    let (shop, connection) = site().await;
    for n in 0..100 {
        let name = format!("{SECRET}-{n}");
        insert(&connection, &name).await.unwrap();
    }
    assert_eq!(names(&connection.clone()).await.unwrap().len(), 100);
    let twice = insert(&connection, &format!("{SECRET}-7")).await;
    assert!(twice.is_err());
    assert_eq!(shop.count("INSERT orders", "ok"), 100.0);
    assert_eq!(shop.count("INSERT orders", "error"), 1.0);
    assert_eq!(shop.count("SELECT orders", "ok"), 1.0);
    assert_eq!(shop.statements(), 102.0);
    // That it failed is all that the callback says.
    assert_eq!(shop.errors("INSERT orders", "other"), 1.0);
    let seen = shop.seen("INSERT orders");
    assert!(!seen.contains(SECRET), "{seen}");
}

#[tokio::test]
async fn inside_of_transactions_but_not_the_transactions() {
    let (shop, connection) = site().await;
    let transaction = connection.begin().await.unwrap();
    insert(&transaction, "one").await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(shop.count("INSERT orders", "ok"), 1.0);
    assert_eq!(shop.statements(), 1.0);
}

#[tokio::test]
async fn what_is_not_told() {
    let (shop, connection) = site().await;
    let unprepared = connection.execute_unprepared("DELETE FROM orders").await;
    unprepared.unwrap();
    // The only connection is taken, so the query waits until it is given up.
    let taken = connection.begin().await.unwrap();
    let mut query = Box::pin(names(&connection));
    assert!(poll!(&mut query).is_pending());
    drop(query);
    taken.rollback().await.unwrap();
    assert_eq!(shop.statements(), 0.0);
}
