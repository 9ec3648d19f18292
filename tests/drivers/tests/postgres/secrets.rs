//! What must stay in the process: passwords, values, comments. Nothing that we say has them in it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll::db::TopBy;
use plimsoll::{Budget, Plimsoll, Select};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Error};

use crate::base::{Base, Site, base};

const SECRET: &str = "hunter2";

/// Everything that was ever said, as text.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<String>>);

impl Said {
    fn add(&self, said: &impl Debug) {
        let mut all = self.0.lock().expect("no panic");
        all.push_str(&format!("{said:?}\n{said:#?}\n"));
    }

    fn all(&self) -> String {
        self.0.lock().expect("no panic").clone()
    }
}

/// One that tells of every query: each is slow, and each is watched.
fn talkative(said: &Said) -> Plimsoll {
    let [slow, warnings, watched, events] = [(); 4].map(|()| said.clone());
    let failed = Budget::error_ratio("failed", Select::db()).at_most(0.01);
    Plimsoll::builder()
        .budget(failed.per("query").min_events(1))
        .manual_tick()
        .slow_query(Duration::from_nanos(1))
        .slow_log(1000, Duration::from_nanos(1))
        .on_slow(move |query| slow.add(query))
        .on_warning(move |warning| warnings.add(warning))
        .query_watchdog(Duration::from_nanos(1), move |query| watched.add(query))
        .on_event("said", move |event| events.add(event))
        .build()
        .expect("no mistake")
}

/// Everything that can be asked for, and what was told unasked.
fn everything(site: &Site, said: &Said) -> String {
    let plimsoll = &site.plimsoll;
    plimsoll.tick();
    assert!(plimsoll.flush(Duration::from_secs(30)));
    said.add(&plimsoll.slowest());
    said.add(&plimsoll.warnings());
    said.add(&plimsoll.top_queries(usize::MAX, TopBy::Total));
    said.add(&plimsoll.stats());
    said.add(plimsoll);
    said.add(&site.pool);
    said.add(&plimsoll.render());
    said.all()
}

/// Something was said at all.
fn is_told(all: &str, words: &[&str]) {
    for word in words {
        assert!(all.contains(word), "nothing of {word}");
    }
}

fn is_silent(all: &str) {
    let said = all.find(SECRET);
    let around = said.map(|at| all[..at].chars().rev().take(200).collect::<String>());
    let before: Option<String> = around.map(|text| text.chars().rev().collect());
    assert_eq!(before, None, "is what is said before the secret");
}

impl Base {
    /// As a role that has to say its password.
    async fn guest(&self) -> PgConnectOptions {
        let guest = format!("guest_{}", self.name);
        let create = format!("CREATE ROLE {guest} LOGIN PASSWORD '{SECRET}'");
        self.run(&create).await;
        let socket = self.server.socket().display();
        let path = socket.to_string().replace('/', "%2F");
        let url = format!("postgres://{guest}:{SECRET}@{path}/{}", self.name);
        url.parse().expect("a URL")
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn passwords_stay_here() {
    let base = base().await;
    let guest = base.guest().await;
    let said = Said::default();
    let inner = PgPoolOptions::new().connect_lazy_with(guest.clone());
    let site = Site::new(talkative(&said), inner);
    let connection = site.pool.acquire().await.expect("the right password");
    said.add(&connection);
    let mut tx = site.pool.begin().await.unwrap();
    said.add(&tx);
    sqlx::query("SELECT 1").execute(&mut *tx).await.unwrap();
    said.add(&site.pool.acquire().await.unwrap().detach());
    tx.rollback().await.unwrap();
    drop(connection);
    // One that does not fit is no less secret.
    let wrong = guest.password("hunter2wrong");
    let inner = PgPoolOptions::new().connect_lazy_with(wrong);
    let refused = site.plimsoll.sqlx_pool("refused", inner).unwrap();
    let error = refused.acquire().await.expect_err("the wrong password");
    let code = error.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("28P01"));
    said.add(&refused);
    let all = everything(&site, &said);
    is_told(&all, &["pool=\\\"refused\\\"", "SlowOperation"]);
    is_silent(&all);
    let waits = [("pool", "refused"), ("end", "error")];
    assert_eq!(site.value("connection_wait_ends_total", &waits), 1.0);
    assert_eq!(site.statements(), 3.0);
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn so_do_values_and_comments() {
    let base = base().await;
    let said = Said::default();
    let options = PgPoolOptions::new().max_connections(1);
    let inner = options.connect_with(base.options()).await.unwrap();
    let site = Site::new(talkative(&said), inner);
    let all: [&str; 14] = [
        "SELECT name FROM orders WHERE name = 'hunter2'",
        "SELECT name FROM orders WHERE name = E'it\\'s hunter2'",
        "SELECT name FROM orders WHERE name = U&'hunter2\\0021'",
        "SELECT name FROM orders WHERE name = $$hunter2$$ OR name = $a$hunter2 $$ ' $a$",
        "SELECT name FROM orders -- hunter2\n WHERE name = 'a''hunter2'",
        "/* hunter2 /* hunter2 */ 'hunter2' */ SELECT 1",
        "SELECT 'a'\n'hunter2'",
        "SELECT B'1', X'ff', 'hunter2'::bytea",
        "SELECT * FROM (VALUES ('hunter2')) AS one(name)",
        "CREATE ROLE nobody_of_base PASSWORD 'hunter2'; DROP ROLE nobody_of_base",
        "SET application_name = 'hunter2'",
        "NOTIFY orders, 'hunter2'",
        "COMMENT ON TABLE audit IS 'hunter2'",
        "DO $do$ BEGIN RAISE WARNING 'hunter2'; END $do$",
    ];
    for sql in all {
        sqlx::raw_sql(sql).execute(&site.pool).await.expect(sql);
    }
    // The server's complaints quote what they are about; they go to the caller and to nobody else.
    let refused = [
        "INSERT INTO orders VALUES (0, 'order 1' || substr('hunter2', 8))",
        "SELECT 'hunter2'::int",
        "SELECT FROM WHERE 'hunter2'",
        "DO $$ BEGIN RAISE EXCEPTION 'hunter2'; END $$",
    ];
    for sql in refused {
        let error = sqlx::raw_sql(sql).execute(&site.pool).await.expect_err(sql);
        assert!(matches!(error, Error::Database(_)), "{error}");
    }
    let bound = sqlx::query("SELECT $1::int").bind(SECRET);
    assert!(bound.execute(&site.pool).await.is_err());
    let long = format!("SELECT 1 /* {} hunter2 */ + 1", "x".repeat(10_000));
    let long = sqlx::raw_sql(AssertSqlSafe(long)).execute(&site.pool).await;
    long.unwrap();
    let asleep = "SELECT pg_sleep(600), 'hunter2'";
    let mut query = Box::pin(sqlx::query(asleep).execute(&site.pool));
    base.begun(&mut query, "SELECT pg_sleep", 1).await;
    said.add(&site.plimsoll.top_queries(usize::MAX, TopBy::Mean));
    site.plimsoll.tick();
    base.to_running("pg_cancel_backend", "SELECT pg_sleep")
        .await;
    assert!(query.await.is_err());
    let all = everything(&site, &said);
    is_told(
        &all,
        &["INSERT orders", "SlowOperation", "RunningQuery", "Breach"],
    );
    is_silent(&all);
    assert_eq!(site.statements(), 21.0);
    site.is_quiet().await;
}
