//! What the drivers are measured with, and what is seen of it.

use std::time::Duration;

use plimsoll::{Clock, ManualClock, Plimsoll};
use plimsoll_drivers::value;

/// Whatever is bound to a parameter here; nothing that can be seen may have it.
pub const SECRET: &str = "s3cret";

/// What it takes to have a table of orders.
pub const CREATE: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)";

const PERIOD: Duration = Duration::from_secs(10);

/// An instance to which every query is a slow one.
pub struct Shop {
    pub plimsoll: Plimsoll,
    clock: ManualClock,
}

/// A millisecond goes by between two readings.
struct Ticking(ManualClock);

impl Clock for Ticking {
    fn now_ns(&self) -> u64 {
        self.0.advance(Duration::from_millis(1));
        self.0.now_ns()
    }
}

pub fn shop() -> Shop {
    let clock = ManualClock::new();
    let plimsoll = Plimsoll::builder()
        .clock(Ticking(clock.clone()))
        .manual_tick()
        .slow_query(Duration::from_micros(10))
        .slow_log(1_000, PERIOD)
        .build()
        .expect("defaults");
    Shop { plimsoll, clock }
}

impl Shop {
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        value(&self.plimsoll.render(), name, labels)
    }

    /// How many statements ended so.
    pub fn count(&self, query: &str, outcome: &str) -> f64 {
        let labels = [("db_query_summary", query), ("outcome", outcome)];
        self.value("db_client_operation_duration_seconds_count", &labels)
    }

    /// How many statements ended.
    pub fn statements(&self) -> f64 {
        self.value("db_client_operation_duration_seconds_count", &[])
    }

    /// How many of them failed so.
    pub fn errors(&self, query: &str, class: &str) -> f64 {
        let labels = [("db_query_summary", query), ("error_type", class)];
        self.value("db_client_errors_total", &labels)
    }

    /// How many rows a statement gave or changed.
    pub fn rows(&self, query: &str) -> f64 {
        let labels = [("db_query_summary", query)];
        self.value("db_client_response_returned_rows_sum", &labels)
    }

    /// How many statements are under way.
    pub fn in_flight(&self) -> f64 {
        self.value("db_client_active_operations", &[])
    }

    /// Connections that were opened or not, and those that were not.
    pub fn opened(&self) -> [f64; 2] {
        [
            "connection_create_duration_seconds_count",
            "connection_create_errors_total",
        ]
        .map(|name| self.value(name, &[("pool", "shop")]))
    }

    /// Committed, rolled back, dropped.
    pub fn transactions(&self) -> [f64; 3] {
        ["committed", "rolled_back", "dropped"].map(|end| {
            let labels = [("pool", "shop"), ("end", end)];
            self.value("db_transactions_total", &labels)
        })
    }

    /// All that can be seen: pages, the list of statements and the slow log, which has this statement too.
    pub fn seen(&self, query: &str) -> String {
        self.plimsoll.tick();
        self.clock.advance(PERIOD);
        self.plimsoll.tick();
        let top = self.plimsoll.top_queries(1_000, plimsoll::db::TopBy::Total);
        let slow = self.plimsoll.slowest();
        assert!(top.iter().any(|known| known.query == query), "{top:?}");
        let label = |known: &plimsoll::SlowOperation| known.labels[2].1 == query;
        assert!(slow.iter().any(label), "{slow:?}");
        format!("{}{top:?}{slow:?}", self.plimsoll.render())
    }
}
