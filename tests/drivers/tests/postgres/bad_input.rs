//! Statements and answers that nobody expects: counted like others, and the pool goes on.

use plimsoll::db::sqlx::Connection;
use sqlx::{AssertSqlSafe, ConnectOptions, Error, Executor, Postgres};

use crate::base::{Site, base};

impl Site {
    /// Executes it in both of the protocol's ways; returns how either ended.
    async fn both(&self, sql: &str) -> [Result<(), Error>; 2] {
        let before = self.statements();
        let extended = sqlx::query(AssertSqlSafe(sql)).execute(&self.pool).await;
        let simple = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.pool).await;
        assert_eq!(self.statements(), before + 2.0);
        [extended.map(drop), simple.map(drop)]
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn what_no_parser_understands() {
    let base = base().await;
    let site = base.site(1).await;
    for sql in [
        "hello world",
        "SELECT '",
        "SELECT /* never closed",
        "$$",
        "((((((((",
        "\u{202e}SELECT 1 \u{fffd}",
        "é€𝄞",
        "SELECT \u{1}",
        "\u{7f}\u{1b}[31m",
    ] {
        for ended in site.both(sql).await {
            let error = ended.expect_err(sql);
            let code = error.as_database_error().and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("42601"), "{sql}");
        }
    }
    for sql in ["", ";", "-- nothing", " \n\t"] {
        for ended in site.both(sql).await {
            ended.expect(sql);
        }
    }
    let syntax = site.value("db_client_errors_total", &[("error_type", "syntax")]);
    assert_eq!(syntax, 18.0);
    assert_eq!(site.statements(), 26.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_byte_of_zero() {
    let base = base().await;
    let site = base.site(1).await;
    for sql in ["\0", "SELECT 1\0", "SELECT '\0'", "SELECT 1 \0 FROM orders"] {
        // The protocol ends texts with it, so what the server makes of the rest is its own affair; not so who counts.
        _ = site.both(sql).await;
    }
    // As a value it is refused.
    let value = sqlx::query("SELECT name FROM orders WHERE name = $1").bind("a\0b");
    assert!(value.fetch_all(&site.pool).await.is_err());
    assert_eq!(site.errors("SELECT orders", "data"), 1.0);
    let after = sqlx::query("DELETE FROM audit").execute(&site.pool).await;
    after.expect("a pool that goes on");
    assert_eq!(site.statements(), 10.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_megabyte() {
    let base = base().await;
    let site = base.site(1).await;
    let megabyte = "é".repeat(512 * 1024);
    let ids: Vec<_> = (0..150_000).map(|id| id.to_string()).collect();
    for sql in [
        format!("SELECT name FROM orders WHERE name = '{megabyte}'"),
        format!("SELECT name FROM orders /* {megabyte} */"),
        format!("SELECT name FROM orders WHERE id IN ({})", ids.join(", ")),
    ] {
        for ended in site.both(&sql).await {
            ended.expect("a statement");
        }
    }
    assert_eq!(site.count("SELECT orders", "ok"), 6.0);
    let top = site.plimsoll.top_queries(9, plimsoll::db::TopBy::Count);
    let kept: usize = top.iter().map(|query| query.text.len()).sum();
    assert!(kept < 3 * 4096, "{kept}");
    assert!(site.plimsoll.render().len() < 100_000);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn answers_that_are_not_utf8() {
    let base = base().await;
    let ascii = format!("{}_ascii", base.name);
    base.run(&format!(
        "CREATE DATABASE {ascii} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
    ))
    .await;
    let site = base.site(1).await;
    let mut inner = (base.server.options(&ascii).connect()).await.unwrap();
    inner
        .execute("SET client_encoding = 'SQL_ASCII'")
        .await
        .unwrap();
    let mut connection: Connection<Postgres> =
        (site.plimsoll.sqlx_connection("ascii", inner)).unwrap();
    // A row is the driver's to decode, once its statement has ended.
    let raw = "SELECT convert_from('\\xc3'::bytea, 'SQL_ASCII') AS name";
    let row = sqlx::query_scalar::<_, String>(raw)
        .fetch_one(&mut connection)
        .await;
    assert!(matches!(row, Err(Error::ColumnDecode { .. })), "{row:?}");
    assert_eq!(site.count("SELECT", "ok"), 1.0);
    // A message is the protocol's.
    let message = "SELECT convert_from('\\xc3'::bytea, 'SQL_ASCII')::int";
    let failed = sqlx::query(message).execute(&mut connection).await;
    assert!(matches!(failed, Err(Error::Protocol(_))), "{failed:?}");
    assert_eq!(site.errors("SELECT", "system"), 1.0);
    assert_eq!(site.statements(), 2.0);
    assert_eq!(site.in_flight(), 0.0);
}
