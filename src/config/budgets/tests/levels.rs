//! What is promised of operations and families.

use std::time::Duration;

use super::{MINUTE, MS, says};
use crate::budget::{Budget, Hours, Limit, Multiple, Schedule, Select};
use crate::expr::{Aggregation, Expr, Grouping, Offset, Selector};

#[test]
fn a_level_can_be_a_table() {
    says(
        r#"
        [[budget]]
        name = "api"
        on = "http"
        quantile = 0.95
        at_most = "200ms"
        warning = { multiple = 1.5 }
        critical = { limit = "500ms", clear = "400ms", over = "5m", for = "2m", keep_firing_for = "1m" }
        over = "1m"
        for = "10s"
        min_events = 20
        min_bad = 3
        confidence = 0.95
        absent_after = "10m"
        warm_up = "30s"
        "#,
        [Budget::quantile("api", Select::http(), 0.95)
            .at_most(200 * MS)
            .warning(Multiple(1.5))
            .critical(
                Limit::from(500 * MS)
                    .clear(400 * MS)
                    .over(5 * MINUTE)
                    .sustained(2 * MINUTE)
                    .keep_firing(MINUTE),
            )
            .over(MINUTE)
            .sustained(Duration::from_secs(10))
            .min_events(20)
            .min_bad(3)
            .confidence(0.95)
            .absent_after(10 * MINUTE)
            .warm_up(Duration::from_secs(30))],
    );
}

#[test]
fn every_sli_can_be_said() {
    let counter = Selector::new;
    says(
        r#"
        [[budget]]
        name = "import"
        on = "operation"
        labels = { operation = "import" }
        sli = "freshness"
        at_most = "1h"

        [[budget]]
        name = "backup"
        gauge = "backup_timestamp_seconds"
        sli = "age"
        at_most = "1d"

        [[budget]]
        name = "depth"
        gauge = "queue_depth"
        labels = { queue = "a" }
        at_most = 100

        [[budget]]
        name = "cache"
        hits = "hits_total"
        misses = "misses_total"
        at_least = 0.95

        [[budget]]
        name = "refused"
        part = "refused_total"
        whole = "asked_total"
        at_most = 0.01

        [[budget]]
        name = "rate"
        on = "http"
        sli = "throughput"
        warning = 100

        [[budget]]
        name = "free"
        gauge = "free_connections"
        aggregation = "min"
        higher_is_better = true
        critical = 5
        "#,
        [
            Budget::freshness("import", Select::operation("import")).at_most(60 * MINUTE),
            Budget::age("backup", counter("backup_timestamp_seconds")).at_most(24 * 60 * MINUTE),
            Budget::value(
                "depth",
                Expr::select(counter("queue_depth").label("queue", "a")).sum(),
            )
            .at_most(100.0),
            Budget::hit_ratio("cache", counter("hits_total"), counter("misses_total"))
                .at_least(0.95),
            Budget::ratio("refused", counter("refused_total"), counter("asked_total"))
                .at_most(0.01),
            Budget::throughput("rate", Select::http()).warning(100.0),
            Budget::value(
                "free",
                Expr::select(counter("free_connections"))
                    .aggregate(Aggregation::Min, Grouping::default()),
            )
            .higher_is_better()
            .critical(5.0),
        ],
    );
}

#[test]
fn a_schedule_can_be_said() {
    let schedule = Schedule::at(Offset::minutes(-330).expect("it is there"))
        .period("business", Hours::daily(9, 18).weekdays(), [1.0, 0.9, 0.95])
        .pause("night", Hours::daily(22, 6).on([1, 3]))
        .otherwise("off-peak", 1.2);
    says(
        r#"
        [[budget]]
        name = "api"
        on = "http"
        sli = "error_ratio"
        at_most = 0.001
        [budget.schedule]
        offset = "-05:30"
        otherwise = { name = "off-peak", times = 1.2 }
        [[budget.schedule.period]]
        name = "business"
        hours = "9..18"
        days = "weekdays"
        times = [1.0, 0.9, 0.95]
        [[budget.schedule.period]]
        name = "night"
        hours = "22..6"
        days = ["mon", "wed"]
        pause = true
        "#,
        [Budget::error_ratio("api", Select::http())
            .at_most(0.001)
            .schedule(schedule)],
    );
}
