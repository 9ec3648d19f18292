//! A driver that nobody knows.

use std::pin::pin;

use futures_util::poll;
use plimsoll::db::{ClassifyError, Database, ErrorClass};

use crate::shop::shop;

/// Answers with so many rows, with an error, or never.
struct Client(Option<Result<usize, Failure>>);

type Row = u8;

#[derive(Debug, Clone, PartialEq)]
struct Failure {
    sqlstate: Option<&'static str>,
}

impl Client {
    async fn query(&self, _: &str, _: &[i64]) -> Result<Vec<Row>, Failure> {
        match &self.0 {
            Some(answer) => answer.clone().map(|rows| vec![0; rows]),
            None => std::future::pending().await,
        }
    }
}

/// Where there is no SQLSTATE, the server never answered.
fn class_of(error: &Failure) -> ErrorClass {
    (error.sqlstate).map_or(ErrorClass::Connection, ErrorClass::from_sqlstate)
}

async fn orders_of(shop: &Database, client: &Client, customer: i64) -> Result<Vec<Row>, Failure> {
    let sql = "SELECT * FROM orders WHERE customer = $1";
    let mut guard = shop.begin_sql(sql, Some("orders.of_customer"));
    let result = client.query(sql, &[customer]).await;
    if let Ok(rows) = &result {
        guard.rows(rows.len() as u64);
    }
    guard.finish_as(class_of.status(&result));
    result
}

#[tokio::test]
async fn by_the_guard() {
    let shop = shop();
    let database = shop.plimsoll.database("shop").open();
    database.declare_queries(["orders.of_customer"]);
    let failed = |sqlstate| Some(Err(Failure { sqlstate }));
    for answer in [
        Some(Ok(2)),
        Some(Ok(0)),
        failed(Some("40001")),
        failed(Some("57014")),
        failed(None),
    ] {
        let expected = answer.clone().expect("an answer");
        let result = orders_of(&database, &Client(answer), 7).await;
        assert_eq!(result.map(|rows| rows.len()), expected);
    }
    {
        let endless = Client(None);
        let mut query = pin!(orders_of(&database, &endless, 7));
        assert!(poll!(&mut query).is_pending());
        assert_eq!(shop.in_flight(), 1.0);
    }
    let name = "orders.of_customer";
    for (outcome, times) in [
        ("ok", 2.0),
        ("error", 2.0),
        ("timeout", 1.0),
        ("cancelled", 1.0),
    ] {
        assert_eq!(shop.count(name, outcome), times, "{outcome}");
    }
    assert_eq!(shop.errors(name, "retryable"), 1.0);
    assert_eq!(shop.errors(name, "connection"), 1.0);
    assert_eq!(shop.rows(name), 2.0);
    assert_eq!((shop.statements(), shop.in_flight()), (6.0, 0.0));
}
