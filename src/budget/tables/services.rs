//! Tables of services: a target, and the threshold at which somebody is called, measured over five minutes.

use std::time::Duration;

use super::{MIN_EVENTS, MINUTE, MS, gauge, highest};
use crate::budget::{Budget, Limit, Multiple, Select};
use crate::expr::{Expr, Selector};

/// One service: targets, each with the threshold at which somebody must act, over five minutes.
#[derive(Debug, Clone, Copy)]
pub struct ServiceTable {
    /// p95 in milliseconds.
    pub p95: (u32, u32),
    /// p99 in milliseconds.
    pub p99: (u32, u32),
    /// Requests per second, at least.
    pub per_second: (f64, f64),
    /// The error ratio.
    pub errors: (f64, f64),
}

impl ServiceTable {
    /// `{name}-p95`, `{name}-p99`, `{name}-rate` and `{name}-errors`.
    pub fn budgets(&self, name: &str, select: &Select) -> Vec<Budget> {
        let mut budgets = vec![
            quantile(&format!("{name}-p95"), select, 0.95, self.p95),
            quantile(&format!("{name}-p99"), select, 0.99, self.p99),
        ];
        let rate = Budget::throughput(format!("{name}-rate"), select.clone());
        let errors = Budget::error_ratio(format!("{name}-errors"), select.clone());
        budgets.push(rate.at_least(self.per_second.0).critical(self.per_second.1));
        budgets.push(errors.at_most(self.errors.0).critical(self.errors.1));
        let five = |budget: Budget| budget.over(5 * MINUTE);
        budgets.into_iter().map(five).collect()
    }
}

fn quantile(name: &str, select: &Select, q: f64, (target, alert): (u32, u32)) -> Budget {
    Budget::quantile(name, select.clone(), q)
        .at_most(target * MS)
        .critical(alert * MS)
        .over(5 * MINUTE)
        .min_events(MIN_EVENTS)
}

/// A duration that a step may take at the most, and the one at which somebody must act.
fn step(name: &str, operation: &str, target: u32, alert: u32) -> Budget {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Budget::quantile(name, Select::operation(operation), 0.95)
        .at_most(seconds(target))
        .critical(seconds(alert))
        .over(5 * MINUTE)
}

/// A receiver of webhooks: 99.9 % available (alert below 99.5 % of five minutes), p95 200 (500) and p99 500 (1000) ms, 1000 (500)
/// requests per second, errors 0.1 (1) %; operations `webhook` within 1 (5) s and `publish` 99.9 (99) % successful by
/// the hour.
pub fn hook_receiver(select: &Select) -> Vec<Budget> {
    let table = ServiceTable {
        p95: (200, 500),
        p99: (500, 1000),
        per_second: (1000.0, 500.0),
        errors: (0.001, 0.01),
    };
    let mut budgets = table.budgets("hooks", select);
    budgets.push(
        Budget::success_ratio("hooks-availability", select.clone())
            .at_least(0.999)
            .over(60 * MINUTE)
            .critical(Limit::from(0.995).over(5 * MINUTE)),
    );
    budgets.push(step("webhook", "webhook", 1, 5));
    budgets.push(
        Budget::success_ratio("publish", Select::operation("publish"))
            .at_least(0.999)
            .critical(0.99)
            .over(60 * MINUTE),
    );
    budgets
}

/// A service of model metrics: p95 500 (1000) and p99 1000 (2000) ms, 500 (250) per second, errors 0.5 (2) %; operations
/// `inference` within 2 (10) s and `batch` (of 100) within 30 (120) s.
pub fn model_metrics(select: &Select) -> Vec<Budget> {
    let table = ServiceTable {
        p95: (500, 1000),
        p99: (1000, 2000),
        per_second: (500.0, 250.0),
        errors: (0.005, 0.02),
    };
    let mut budgets = table.budgets("model", select);
    budgets.push(step("inference", "inference", 2, 10));
    budgets.push(step("batch", "batch", 30, 120));
    budgets
}

/// A service of workflows: p95 1000 (2000) and p99 2000 (5000) ms, 100 (50) per second, errors 1 (5) %; operations `simple` within
/// 30 (120) s and `complex` within 300 (900) s; at least 50 (25) at the same time, by the gauge `concurrent`, while
/// there are any.
pub fn workflow(select: &Select, concurrent: &str) -> Vec<Budget> {
    let table = ServiceTable {
        p95: (1000, 2000),
        p99: (2000, 5000),
        per_second: (100.0, 50.0),
        errors: (0.01, 0.05),
    };
    let some = Expr::select(Selector::new(concurrent)).sum().greater(0.0);
    let mut budgets = table.budgets("workflow", select);
    budgets.push(step("simple", "simple", 30, 120));
    budgets.push(step("complex", "complex", 300, 900));
    budgets.push(
        gauge("concurrent", concurrent)
            .at_least(50.0)
            .critical(25.0)
            .when(some),
    );
    budgets
}

/// A database: p95 50 (100) and p99 100 (500) ms; the gauges `pool` 80 (90) % and replication `lag` 0.1 (1) s; the operation
/// `backup` successful every time of a day.
pub fn database(queries: &Select, pool: &str, lag: &str) -> Vec<Budget> {
    vec![
        quantile("database-p95", queries, 0.95, (50, 100)),
        quantile("database-p99", queries, 0.99, (100, 500)),
        highest("database-pool", pool).at_most(80.0).critical(90.0),
        highest("database-lag", lag)
            .at_most(Duration::from_millis(100))
            .critical(Duration::from_secs(1)),
        Budget::success_ratio("database-backup", Select::operation("backup"))
            .at_least(1.0)
            .over(24 * 60 * MINUTE),
    ]
}

/// A message broker: p95 of the operation `produce` 10 (50) ms and at least 10,000 (5,000) of them per second; the gauge `lag` 1,000
/// (10,000) messages.
pub fn messaging(lag: &str) -> Vec<Budget> {
    let produce = Select::operation("produce");
    vec![
        quantile("messaging-p95", &produce, 0.95, (10, 50)),
        Budget::throughput("messaging-rate", produce)
            .at_least(10_000.0)
            .critical(5_000.0)
            .over(5 * MINUTE),
        gauge("messaging-lag", lag)
            .at_most(1_000.0)
            .critical(10_000.0),
    ]
}

/// A cache: p95 of the operation `cache` 1 (5) ms; the gauge `memory` 80 (90) %; 95 (90) % hits; 100 (1,000) of the counter
/// `evictions` per hour.
pub fn cache(memory: &str, (hits, misses): (&str, &str), evictions: &str) -> Vec<Budget> {
    let [hits, misses] = [hits, misses].map(Selector::new);
    let hour = 60 * MINUTE;
    let evicted = Expr::increase(Selector::new(evictions), hour).sum();
    vec![
        quantile("cache-p95", &Select::operation("cache"), 0.95, (1, 5)),
        highest("cache-memory", memory).at_most(80.0).critical(90.0),
        Budget::hit_ratio("cache-hits", hits, misses)
            .at_least(0.95)
            .critical(0.90)
            .over(5 * MINUTE),
        Budget::value("cache-evictions", evicted)
            .at_most(100.0)
            .critical(1_000.0),
    ]
}

/// Thresholds that follow the target: p95 above 1.5 times of it is a warning, above twice of it critical; errors above 1 % and 5 %;
/// the gauge `utilisation` (in percent) above 80.
pub fn relative(select: &Select, target: Duration, utilisation: &str) -> Vec<Budget> {
    vec![
        Budget::quantile("relative-p95", select.clone(), 0.95)
            .at_most(target)
            .warning(Multiple(1.5))
            .critical(Multiple(2.0))
            .min_events(MIN_EVENTS),
        Budget::error_ratio("relative-errors", select.clone())
            .warning(0.01)
            .critical(0.05),
        highest("utilisation", utilisation).warning(80.0),
    ]
}
