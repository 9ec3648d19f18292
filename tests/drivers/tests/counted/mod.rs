//! A pool that is measured under the name `shop`, and the figures on its page.

use plimsoll::Plimsoll;
use plimsoll::db::sqlx::Pool;
use sqlx::Database;

pub struct Site<DB: Database> {
    pub plimsoll: Plimsoll,
    pub pool: Pool<DB>,
}

impl<DB: Database> Site<DB> {
    /// What is done through `inner` from here on is counted.
    pub fn new(plimsoll: Plimsoll, inner: sqlx::Pool<DB>) -> Self {
        let pool = plimsoll.sqlx_pool("shop", inner).expect("new names");
        Self { plimsoll, pool }
    }

    /// The sum of the samples of the page that have this name and, among others, these labels; 0 if there is none.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        plimsoll_drivers::value(&self.plimsoll.render(), name, labels)
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

    /// How many rows a statement gave.
    pub fn rows(&self, query: &str) -> f64 {
        let labels = [("db_query_summary", query)];
        self.value("db_client_response_returned_rows_sum", &labels)
    }

    /// How many statements failed with an error of this class.
    pub fn errors(&self, query: &str, class: &str) -> f64 {
        let labels = [("db_query_summary", query), ("error_type", class)];
        self.value("db_client_errors_total", &labels)
    }

    /// How many statements are under way.
    pub fn in_flight(&self) -> f64 {
        self.value("db_client_active_operations", &[])
    }

    /// A gauge or a counter of the pool.
    pub fn of_pool(&self, name: &str) -> f64 {
        self.value(name, &[("pool", "shop")])
    }

    /// Size, idle, active, ghosts, waiting, max.
    pub fn gauges(&self) -> [f64; 6] {
        ["size", "idle", "active", "ghosts", "waiting", "max"]
            .map(|gauge| self.of_pool(&format!("connection_pool_{gauge}")))
    }

    /// How many waits for a connection ended so.
    pub fn waits(&self, end: &str) -> f64 {
        let labels = [("pool", "shop"), ("end", end)];
        self.value("connection_wait_ends_total", &labels)
    }

    /// Committed, rolled back, dropped.
    pub fn transactions(&self) -> [f64; 3] {
        ["committed", "rolled_back", "dropped"].map(|end| {
            let labels = [("pool", "shop"), ("end", end)];
            self.value("db_transactions_total", &labels)
        })
    }
}
