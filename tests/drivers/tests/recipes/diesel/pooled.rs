//! How connections are opened, by hand and by a pool.

use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error, Pool};
use diesel::{RunQueryDsl, SqliteConnection, sql_query};
use plimsoll::db::diesel::Diesel;

use crate::shop::{SECRET, shop};

#[test]
fn opening_is_timed() {
    let shop = shop();
    let diesel = shop.plimsoll.diesel("shop").unwrap();
    assert_eq!(shop.opened(), [0.0, 0.0]);
    let mut connection: SqliteConnection = diesel.establish(":memory:").unwrap();
    let nowhere = format!("/nowhere/{SECRET}/orders.db");
    assert!(diesel.establish::<SqliteConnection>(&nowhere).is_err());
    assert_eq!(shop.opened(), [2.0, 1.0]);
    let took = shop.value("connection_create_duration_seconds_sum", &[]);
    assert!((took - 0.002).abs() < 1e-9, "{took}");
    sql_query("SELECT 1").execute(&mut connection).unwrap();
    assert_eq!(shop.statements(), 1.0);
    assert!(!shop.seen("SELECT").contains(SECRET));
}

/// Sets the instrumentation of each connection that the pool opens.
#[derive(Debug)]
struct Measured(Diesel);

impl CustomizeConnection<SqliteConnection, Error> for Measured {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), Error> {
        use diesel::Connection;
        connection.set_instrumentation(self.0.instrumentation());
        Ok(())
    }
}

#[test]
fn connections_of_a_pool() {
    let shop = shop();
    let diesel = shop.plimsoll.diesel("shop").unwrap();
    let pool = Pool::builder()
        .max_size(2)
        .test_on_check_out(false)
        .connection_customizer(Box::new(Measured(diesel)))
        .build(ConnectionManager::<SqliteConnection>::new(":memory:"))
        .unwrap();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..250 {
                    let mut connection = pool.get().unwrap();
                    sql_query("SELECT 1").execute(&mut connection).unwrap();
                }
            });
        }
    });
    assert_eq!(shop.count("SELECT", "ok"), 1_000.0);
    assert_eq!(shop.statements(), 1_000.0);
}
