//! A promise of every kind, with every option that changes what is asked of Prometheus.

use std::time::Duration;

use plimsoll::expr::{Offset, Op};
use plimsoll::{
    Budget, BurnAlert, Calendar, Expr, Hours, Limit, Multiple, Schedule, Select, Selector,
    Severity, Slo,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const MS: Duration = Duration::from_millis(1);

fn read() -> Select {
    Select::operation("read")
}

fn jobs() -> Select {
    Select::operation("job-*")
}

fn state(name: &str) -> Expr {
    Expr::select(Selector::new(name))
}

/// An hour to the east: a pause from 2:00 to 3:00 UTC, and other limits from 4:00 to 5:00.
fn schedule() -> Schedule {
    Schedule::at(Offset::minutes(60).unwrap())
        .pause("night", Hours::daily(3, 4))
        .period("morning", Hours::daily(5, 6), [2.0, 2.5, 3.0])
        .otherwise("rest", 1.0)
}

fn of_operations() -> Vec<Budget> {
    vec![
        Budget::quantile("read-p95", read(), 0.95)
            .at_most(250 * MS)
            .warning(Multiple(1.5))
            .critical(Limit::from(800 * MS).clear(300 * MS).over(2 * MINUTE))
            .over(5 * MINUTE)
            .sustained(45 * SECOND)
            .keep_firing(MINUTE)
            .min_events(20),
        Budget::quantile("read-p90-sure", read(), 0.9)
            .at_most(150 * MS)
            .confidence(0.95)
            .min_bad(4)
            .over(5 * MINUTE),
        Budget::quantile("jobs-p90", jobs(), 0.9)
            .at_most(120 * MS)
            .critical(Limit::from(300 * MS).clear(150 * MS))
            .over(3 * MINUTE)
            .schedule(schedule())
            .per("operation"),
        Budget::error_ratio("read-errors", read())
            .at_most(0.01)
            .warning(Multiple(5.0))
            .critical(
                Limit::from(0.25)
                    .clear(0.1)
                    .over(MINUTE)
                    .sustained(30 * SECOND),
            )
            .over(5 * MINUTE)
            .min_events(30)
            .absent_after(3 * MINUTE),
        Budget::error_ratio("read-sure", read())
            .at_most(0.02)
            .confidence(0.95)
            .min_bad(3)
            .min_events(0)
            .over(5 * MINUTE),
        Budget::error_ratio("read-scheduled", read())
            .at_most(0.01)
            .warning(0.05)
            .critical(Limit::from(0.1).clear(0.05).keep_firing(2 * MINUTE))
            .over(4 * MINUTE)
            .schedule(schedule()),
        Budget::error_ratio("jobs", jobs())
            .at_most(0.1)
            .critical(Limit::from(0.3).clear(0.15))
            .over(3 * MINUTE)
            .absent_after(2 * MINUTE)
            .per("operation"),
        Budget::error_ratio("read-connected", read())
            .at_most(0.02)
            .over(2 * MINUTE)
            .when(state("device_connected").greater(0.0)),
        Budget::success_ratio("read-success", read())
            .at_least(0.99)
            .warning(0.95)
            .critical(Limit::from(0.8).clear(0.95).over(MINUTE))
            .over(5 * MINUTE)
            .warm_up(10 * MINUTE),
        Budget::success_ratio("write-sure", Select::operation("write"))
            .at_least(0.95)
            .confidence(0.9)
            .over(30 * MINUTE),
        Budget::throughput("read-floor", read())
            .at_least(0.5)
            .warning(Multiple(0.75))
            .critical(Limit::from(Multiple(0.1)).sustained(2 * MINUTE))
            .over(2 * MINUTE),
        Budget::throughput("read-ceiling", read())
            .at_most(0.7)
            .warning(0.8)
            .critical(Limit::from(0.85).clear(0.75))
            .over(2 * MINUTE)
            .min_events(0),
        Budget::freshness("read-fresh", read())
            .at_most(30 * SECOND)
            .critical(Limit::from(10 * MINUTE).keep_firing(MINUTE))
            .absent_after(2 * MINUTE),
    ]
}

fn of_own_instruments() -> Vec<Budget> {
    let counter = |name: &str| Selector::new(name);
    vec![
        Budget::age("backup", counter("backup_timestamp_seconds"))
            .at_most(HOUR)
            .critical(90 * MINUTE)
            .absent_after(2 * MINUTE),
        Budget::ratio(
            "refused",
            counter("refused_total"),
            counter("checked_total"),
        )
        .at_most(0.05)
        .critical(0.5)
        .over(5 * MINUTE)
        .min_bad(6)
        .min_events(40)
        .absent_after(5 * MINUTE),
        Budget::ratio(
            "accepted",
            counter("accepted_total"),
            counter("checked_total"),
        )
        .at_least(0.95)
        .critical(Limit::from(0.6).clear(0.9))
        .over(5 * MINUTE)
        .confidence(0.95),
        Budget::hit_ratio(
            "cache",
            counter("cache_hits_total"),
            counter("cache_misses_total"),
        )
        .at_least(0.8)
        .warning(Multiple(0.9))
        .critical(Limit::from(0.4).clear(0.6))
        .over(3 * MINUTE)
        .min_bad(5)
        .absent_after(5 * MINUTE),
        Budget::value("depth", state("depth").sum())
            .at_most(12.0)
            .critical(Limit::from(18.0).clear(9.0))
            .absent_after(MINUTE),
        Budget::value(
            "depth-floor",
            Expr::avg_over_time(Selector::new("depth"), MINUTE).sum(),
        )
        .at_least(4.0)
        .critical(Limit::from(1.0).clear(3.0)),
    ]
}

pub(crate) fn budgets() -> Vec<Budget> {
    let mut budgets = of_operations();
    budgets.extend(of_own_instruments());
    budgets
}

/// SLOs whose alerts six hours can raise, each with its objective.
pub(crate) fn slos() -> Vec<(Slo, f64)> {
    let burns = || {
        [
            BurnAlert::new(Severity::Page, 0.005, 12 * MINUTE),
            BurnAlert::new(Severity::Page, 0.02, HOUR),
            BurnAlert::new(Severity::Ticket, 0.01, 3 * HOUR),
        ]
    };
    let api = Slo::availability("api", read()).objective(0.999);
    let fast = Slo::latency("api-fast", read(), 200 * MS).objective(0.99);
    let counter = |name: &str| Selector::new(name);
    let minute_errors = {
        let grown = |name: &str| Expr::rate(counter(name), MINUTE).sum();
        grown("refused_total") / grown("checked_total")
    };
    let slices = Expr::avg_over_time(counter("device_connected"), MINUTE);
    let slices = slices.binary(Op::GreaterEqual, Expr::Number(0.5));
    let slos = vec![
        (Slo::weighted("shop", [(&api, 3.0), (&fast, 1.0)]), 0.995),
        (Slo::all_of("both", [&api, &fast]), 0.99),
        (api, 0.999),
        (fast.min_events(60), 0.99),
        (
            Slo::good_ratio("good", counter("accepted_total"), counter("checked_total")),
            0.99,
        ),
        (
            Slo::bad_ratio("bad", counter("refused_total"), counter("checked_total")),
            0.995,
        ),
        (Slo::time_based("line", state("device_connected")), 0.99),
        (Slo::time_slice("line-slices", slices, MINUTE), 0.99),
        (
            Slo::ratio_time_slices("mean", minute_errors, MINUTE).min_events(5),
            0.99,
        ),
        (
            Slo::availability("month", read()).calendar(Calendar::Month, Offset::UTC),
            0.999,
        ),
        (
            Slo::availability("reports", Select::operation("write"))
                .confidence(0.95)
                .min_events(4)
                .absent_after(20 * MINUTE)
                .sustained_half_window(),
            0.99,
        ),
        (
            Slo::availability("jobs-kept", jobs()).per("operation"),
            0.995,
        ),
    ];
    let whole =
        |(slo, objective): (Slo, f64)| (slo.objective(objective).burn_alerts(burns()), objective);
    slos.into_iter().map(whole).collect()
}
