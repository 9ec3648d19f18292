//! Statements are told apart, and their values are nowhere.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::{insert, open, orders};
use crate::shop::SECRET;

#[test]
fn each_is_counted_once() {
    let (shop, mut connection) = open();
    for n in 0..1_000 {
        assert_eq!(insert(&mut connection, &n.to_string()), Ok(1));
    }
    for id in 1..=500 {
        let name: String = (orders::table.find(id).select(orders::name))
            .first(&mut connection)
            .unwrap();
        assert_eq!(name, (id - 1).to_string());
    }
    let all: Vec<(i32, String)> = orders::table.load(&mut connection).unwrap();
    assert_eq!(all.len(), 1_000);
    let some = orders::id.eq_any([1, 2, 3]);
    let gone = diesel::delete(orders::table.filter(some)).execute(&mut connection);
    assert_eq!(gone, Ok(3));
    connection.batch_execute("PRAGMA user_version = 7").unwrap();
    assert_eq!(shop.count("INSERT orders", "ok"), 1_000.0);
    assert_eq!(shop.count("SELECT orders", "ok"), 501.0);
    assert_eq!(shop.count("DELETE orders", "ok"), 1.0);
    assert_eq!(shop.count("PRAGMA", "ok"), 1.0);
    assert_eq!(shop.statements(), 1_503.0);
    assert_eq!(shop.in_flight(), 0.0);
    let top = shop.plimsoll.top_queries(10, plimsoll::db::TopBy::Count);
    let texts: Vec<_> = top
        .iter()
        .map(|query| (&*query.text, query.count))
        .collect();
    let by_id = "SELECT `orders`.`name` FROM `orders` WHERE (`orders`.`id` = ?) LIMIT ?";
    assert_eq!(texts[1], (by_id, 500));
    assert_eq!(top.len(), 5);
}

#[test]
fn no_value_is_seen() {
    let (shop, mut connection) = open();
    insert(&mut connection, SECRET).unwrap();
    assert!(insert(&mut connection, SECRET).is_err());
    let found: i64 = (orders::table.filter(orders::name.eq(SECRET)).count())
        .get_result(&mut connection)
        .unwrap();
    assert_eq!(found, 1);
    let some = orders::name.eq_any(["a -- binds: [", SECRET, "b"]);
    diesel::delete(orders::table.filter(some))
        .execute(&mut connection)
        .unwrap();
    let seen = shop.seen("INSERT orders");
    assert!(!seen.contains(SECRET) && !seen.contains("binds"), "{seen}");
}

/// Where the text itself looks like what diesel puts before the values.
#[test]
fn words_of_diesels_own_in_the_text_hide_nothing() {
    let (shop, mut connection) = open();
    for sql in [
        "SELECT * FROM orders WHERE name LIKE ' -- binds: [' AND name = ?",
        "SELECT * FROM orders WHERE name = ? -- binds: [s3cret",
        "SELECT * FROM orders WHERE /* -- binds: ['s3cret'] */ name = ?",
        "SELECT * FROM orders WHERE name = ? AND name <> 's3cret -- binds: [1]'",
    ] {
        let query = sql_query(sql).bind::<Text, _>(SECRET);
        assert_eq!(query.execute(&mut connection), Ok(0), "{sql}");
    }
    assert_eq!(shop.count("SELECT orders", "ok"), 4.0);
    let seen = shop.seen("SELECT orders");
    assert!(seen.contains("SELECT * FROM orders WHERE name LIKE ? AND name = ?"));
    assert!(!seen.contains(SECRET) && !seen.contains("binds"), "{seen}");
}
