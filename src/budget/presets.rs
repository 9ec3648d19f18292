//! Budgets that many services make.

use std::time::Duration;

use super::{Budget, Select};

/// (quantile, its name, target, warning, critical), in milliseconds.
const DB_LATENCY: [(f64, &str, [u64; 3]); 3] = [
    (0.5, "p50", [10, 25, 50]),
    (0.95, "p95", [50, 75, 100]),
    (0.99, "p99", [100, 150, 250]),
];

/// The slowest of so few decide nothing: each quantile has at least one operation above it.
const MIN_EVENTS: u64 = 100;

impl Budget {
    /// Three budgets for how long queries take, by the minute: `{name}-p50`, `{name}-p95` and `{name}-p99`.
    ///
    /// | | target | warning | critical |
    /// |---|---|---|---|
    /// | p50 | 10 ms | 25 ms | 50 ms |
    /// | p95 | 50 ms | 75 ms | 100 ms |
    /// | p99 | 100 ms | 150 ms | 250 ms |
    ///
    /// Each is judged while its minute holds 100 operations or more ([`min_events`](Self::min_events)).
    ///
    /// ```
    /// use plimsoll::{Budget, Plimsoll, Select};
    ///
    /// let mut builder = Plimsoll::builder();
    /// for budget in Budget::db_latency("db", Select::db()) {
    ///     builder = builder.budget(budget.per("query"));
    /// }
    /// // Of one statement, and of the wait for a connection of a pool.
    /// for budget in Budget::db_latency("orders", Select::db().label("query", "SELECT orders")) {
    ///     builder = builder.budget(budget);
    /// }
    /// for budget in Budget::db_latency("wait", Select::acquire().label("pool", "shop")) {
    ///     builder = builder.budget(budget);
    /// }
    /// builder.build()?;
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn db_latency(name: &str, select: Select) -> [Self; 3] {
        DB_LATENCY.map(|(q, of, limits)| {
            let [target, warning, critical] = limits.map(Duration::from_millis);
            Self::quantile(format!("{name}-{of}"), select.clone(), q)
                .at_most(target)
                .warning(warning)
                .critical(critical)
                .over(Duration::from_secs(60))
                .min_events(MIN_EVENTS)
        })
    }
}
