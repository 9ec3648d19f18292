//! What the service promises, and the rules that are printed of it.

use std::time::Duration;

use plimsoll::band::Dynamic;
use plimsoll::expr::{Aggregation, Function, Grouping};
use plimsoll::rule::{Rule, RuleGroup};
use plimsoll::{
    Budget, Builder, BurnAlert, Expr, Limit, Multiple, Select, Selector, Severity, Slo,
};

pub(super) const EVALUATION: &str = "live:evaluation";
/// What begins the names of values that both readers have.
pub(super) const VALUE: &str = "live:value:";

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn orders() -> Select {
    Select::operation("orders")
}

fn gauge(name: &str) -> Expr {
    Expr::select(Selector::new(name))
}

fn fixed() -> Vec<Budget> {
    let errors = |name: &str| Budget::error_ratio(name, orders());
    let critical = Limit::from(0.2)
        .clear(0.1)
        .over(seconds(20))
        .sustained(seconds(1));
    let worst = gauge("device_connected").aggregate(Aggregation::Min, Grouping::default());
    vec![
        errors("errors")
            .at_most(0.01)
            .warning(0.05)
            .critical(critical)
            .over(seconds(60))
            .sustained(seconds(2))
            .min_events(20),
        errors("errors-at-once")
            .at_most(0.1)
            .over(seconds(5))
            .keep_firing(seconds(5)),
        errors("sure")
            .at_most(0.02)
            .confidence(0.95)
            .min_bad(3)
            .over(seconds(60)),
        errors("seldom")
            .at_most(0.9)
            .over(seconds(5))
            .absent_after(seconds(10)),
        errors("warm")
            .at_most(0.001)
            .over(seconds(10))
            .warm_up(seconds(30))
            .when(gauge("queue_depth").sum().less(1_000.0)),
        Budget::success_ratio("success", orders())
            .at_least(0.99)
            .critical(Limit::from(0.9).over(seconds(5)).sustained(seconds(1)))
            .over(seconds(60)),
        Budget::quantile("p95", orders(), 0.95)
            .at_most(Duration::from_millis(200))
            .critical(Limit::from(Duration::from_millis(350)).clear(Duration::from_millis(300)))
            .over(seconds(10)),
        Budget::throughput("rate", orders())
            .at_least(20.0)
            .critical(Multiple(0.25))
            .over(seconds(5))
            .sustained(seconds(2)),
        Budget::error_ratio("each", Select::operation("*"))
            .per("operation")
            .at_most(0.05)
            .over(seconds(10)),
        Budget::freshness("import", Select::operation("import")).at_most(seconds(5)),
        Budget::age("backup", Selector::new("backup_timestamp_seconds")).at_most(seconds(12)),
        Budget::hit_ratio(
            "cache",
            Selector::new("cache_hits_total"),
            Selector::new("cache_misses_total"),
        )
        .at_least(0.9)
        .over(seconds(10)),
        Budget::value("queue", gauge("queue_depth").sum())
            .at_most(100.0)
            .critical(Limit::from(200.0).clear(150.0))
            .sustained(seconds(3)),
        Budget::value("line", worst).at_least(1.0),
    ]
}

fn budgets() -> Vec<Budget> {
    fixed().into_iter().chain(learned()).collect()
}

/// Limits that a service learns within seconds, and shows on its page with what it compares with them.
fn learned() -> Vec<Budget> {
    let dynamic = |margin| Dynamic::default().every(seconds(1)).margin(margin);
    vec![
        Budget::error_ratio("learned-errors", orders())
            .dynamic(dynamic(0.3).floor(0.05))
            .over(seconds(3))
            .sustained(seconds(1)),
        Budget::quantile("learned-p95", orders(), 0.95)
            .dynamic(dynamic(0.5))
            .over(seconds(3)),
        Budget::throughput("learned-rate", orders())
            .dynamic(dynamic(0.5))
            .over(seconds(2))
            .keep_firing(seconds(2)),
    ]
}

fn slos() -> Vec<Slo> {
    let usual = [
        BurnAlert::new(Severity::Page, 0.01, seconds(60)),
        BurnAlert::new(Severity::Page, 0.025, seconds(360)),
        BurnAlert::new(Severity::Ticket, 0.05, seconds(1_440)),
        BurnAlert::new(Severity::Ticket, 0.05, seconds(4_320)),
    ];
    let up = gauge("device_connected").sum().greater_equal(2.0);
    vec![
        Slo::availability("served", orders())
            .objective(0.99)
            .rolling(1)
            .burn_alerts(usual)
            .sustained_half_window(),
        Slo::latency("quick", orders(), Duration::from_millis(200))
            .objective(0.95)
            .rolling(1)
            .burn_alerts(usual)
            .min_events(50)
            .confidence(0.95)
            .absent_after(seconds(10)),
        Slo::time_based("line-up", up)
            .objective(0.95)
            .rolling(1)
            .burn_alerts(usual),
    ]
}

/// The rules of a team that has some already.
fn team() -> Vec<Rule> {
    let counters = |name: &str| {
        Selector::new(name)
            .label("budget", "errors")
            .label("level", "target")
    };
    let rate = |name| Expr::rate(counters(name), seconds(10)).sum();
    let ratio = rate("plimsoll_sli_bad_total") / rate("plimsoll_sli_valid_total");
    vec![
        Rule::record("team:error_ratio", ratio),
        Rule::alert("TeamErrors", gauge("team:error_ratio").greater(0.05))
            .sustained(seconds(2))
            .keep_firing(seconds(3))
            .label("team", "orders"),
        Rule::alert("LineDown", gauge("device_connected").less(1.0)).sustained(seconds(2)),
    ]
}

/// Values that both readers tell, by the budget that shows them here.
fn values() -> Vec<(String, Expr)> {
    let counter = |name: &str, budget: &str| Selector::new(name).label("budget", budget);
    let bad = |budget: &str, over| Expr::rate(counter("plimsoll_sli_bad_total", budget), over);
    let valid = |budget: &str, over| Expr::rate(counter("plimsoll_sli_valid_total", budget), over);
    let mut values = Vec::new();
    for budget in ["seldom", "served", "quick", "line-up", "each"] {
        for over in [5, 10, 60, 360] {
            let ratio = bad(budget, seconds(over)).sum() / valid(budget, seconds(over)).sum();
            values.push((format!("ratio:{budget}:{over}"), ratio));
        }
        values.push((format!("rate:{budget}"), valid(budget, seconds(10)).sum()));
        let increase = Expr::increase(counter("plimsoll_sli_bad_total", budget), seconds(60));
        values.push((format!("increase:{budget}"), increase.sum()));
    }
    let p95 = Expr::quantile(
        0.95,
        Selector::new("operation_duration_seconds"),
        seconds(10),
    );
    values.push(("p95".into(), p95));
    values.push(("team".into(), gauge("team:error_ratio").sum()));
    let mean = Expr::avg_over_time(Selector::new("queue_depth"), seconds(10));
    values.push(("queue".into(), mean.sum()));
    values.push(("age".into(), Expr::Time.call(Function::Vector)));
    let all = values.into_iter();
    let named = all.map(|(name, expr)| (format!("{VALUE}{}", name.replace('-', "_")), expr));
    named.collect()
}

/// Promises, rules and values.
pub(super) fn declare(builder: Builder) -> Builder {
    let shown = |(name, expr)| Budget::value(name, expr).at_most(1e300);
    let families = [
        "queue_depth",
        "device_connected",
        "cache_hits_total",
        "cache_misses_total",
        "backup_timestamp_seconds",
    ];
    let builder = slos().into_iter().fold(builder, Builder::slo);
    let builder = families.into_iter().fold(builder, Builder::expect_family);
    let builder = builder.rules([RuleGroup::new("team", team())]);
    let builder = builder.budgets(budgets());
    builder.budgets(values().into_iter().map(shown))
}

/// The group that Prometheus evaluates, and the evaluator here: everything in the order of the engine.
pub(super) fn group(name: &str) -> RuleGroup {
    let mut rules = vec![evaluation()];
    rules.extend(team());
    rules.extend(
        budgets()
            .iter()
            .flat_map(|budget| budget.rule_group().rules),
    );
    let records = values().into_iter();
    rules.extend(records.map(|(name, expr)| Rule::record(name, expr)));
    let groups = slos().into_iter().flat_map(|slo| slo.rule_groups());
    rules.extend(groups.flat_map(|group| group.rules));
    RuleGroup::new(name, rules)
}

/// Records when the group is evaluated.
pub(super) fn evaluation() -> Rule {
    Rule::record(EVALUATION, Expr::Time.call(Function::Vector))
}
