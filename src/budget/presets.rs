//! Budgets that many services make.

use std::time::Duration;

use super::{BREACH_DURATIONS, Budget, Select};
use crate::expr::Selector;

/// (quantile, its name, target, warning, critical), in milliseconds.
const DB_LATENCY: [(f64, &str, [u64; 3]); 3] = [
    (0.5, "p50", [10, 25, 50]),
    (0.95, "p95", [50, 75, 100]),
    (0.99, "p99", [100, 150, 250]),
];

const MINUTES_5: Duration = Duration::from_secs(300);

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

    /// How long promises stay broken: of the breaches of all budgets that ended within the latest hour, 95 % or more lasted no longer
    /// than `within`, from breach to recovery. With fewer than 20 of them that is each one.
    ///
    /// Read from `plimsoll_budget_breach_duration_seconds`, so `within` is one of its bounds: 1, 5, 15, 30 s, 1, 2, 5, 10, 15,
    /// 30 min, 1, 2, 4, 12, 24 h; anything else is refused when the instance is built. A breach counts once it has ended: for one that
    /// goes on, let its budget call somebody. Breaches of budgets over these durations, of this one, are not among them.
    ///
    /// ```
    /// use plimsoll::{Budget, Plimsoll};
    /// use std::time::Duration;
    ///
    /// let recovery = |within| Plimsoll::builder().budget(Budget::recovery("recovery", within)).build();
    /// recovery(Duration::from_secs(300))?;
    /// let refused = recovery(Duration::from_secs(400)).unwrap_err().to_string();
    /// assert!(refused.contains("the nearest ones are le=\"300.0\" and le=\"600.0\""));
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn recovery(name: impl Into<String>, within: Duration) -> Self {
        let samples = |suffix| Selector::new(format!("{BREACH_DURATIONS}{suffix}"));
        let bound = format!("{:?}", within.as_secs_f64());
        let in_time = samples("_bucket").label("le", bound);
        Self::ratio(name, in_time, samples("_count"))
            .at_least(0.95)
            .over(Duration::from_secs(3600))
    }

    /// How long it takes to connect to a device, each by itself: p95 of five minutes at most 2 s, failed attempts included.
    pub fn device_connect(name: impl Into<String>) -> Self {
        Self::quantile(name, Select::connect(), 0.95)
            .at_most(Duration::from_secs(2))
            .over(MINUTES_5)
            .per("device")
    }

    /// How long a device takes to answer, each by itself: p95 of a minute at most `limit`, once there are 20 requests in it.
    pub fn device_request(name: impl Into<String>, limit: Duration) -> Self {
        Self::quantile(name, Select::modbus(), 0.95)
            .at_most(limit)
            .over(Duration::from_secs(60))
            .min_events(20)
            .per("device")
    }

    /// How many requests to a device succeed, each by itself: at least 99 % in five minutes, once there are 20. Exceptions and
    /// timeouts are failures.
    pub fn device_success(name: impl Into<String>) -> Self {
        Self::success_ratio(name, Select::modbus())
            .at_least(0.99)
            .over(MINUTES_5)
            .min_events(20)
            .per("device")
    }

    /// The share of time in which a device is there, each by itself: at least 99.5 % of an hour, so 18 s without it, once
    /// it was watched for a minute.
    ///
    /// Time is counted in ticks, from the first thing that was tried on. A device that answers with exceptions is there; one
    /// that accepts connections and never answers is not.
    pub fn device_availability(name: impl Into<String>) -> Self {
        let connected = Select::device_check().label("check", "connected");
        Self::success_ratio(name, connected)
            .at_least(0.995)
            .over(Duration::from_secs(3600))
            .min_events(60)
            .per("device")
    }

    /// The share of time in which the last good reply of a device is no older than its `stale_after`, each by itself: at least
    /// 99 % of five minutes. Devices without a `stale_after` are not judged.
    pub fn device_freshness(name: impl Into<String>) -> Self {
        let fresh = Select::device_check().label("check", "fresh");
        Self::success_ratio(name, fresh)
            .at_least(0.99)
            .over(MINUTES_5)
            .per("device")
    }

    /// How many rounds of a polling cycle are not over when the next is due, each cycle by itself: at most 1 % in five
    /// minutes.
    pub fn cycle_overruns(name: impl Into<String>) -> Self {
        Self::error_ratio(name, Select::cycle())
            .at_most(0.01)
            .over(MINUTES_5)
            .per("device")
            .per("cycle")
    }

    /// How many values of a device its rules accept, each device by itself: at least 99.99 % in an hour.
    ///
    /// A first value that is refused breaches it until 10,000 others were accepted within the hour; raise
    /// [`min_events`](Self::min_events) where that is too early.
    pub fn device_accuracy(name: impl Into<String>) -> Self {
        Self::success_ratio(name, Select::data_points())
            .at_least(0.9999)
            .over(Duration::from_secs(3600))
            .per("device")
    }
}
