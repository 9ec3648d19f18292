//! Key figures and trees.

use std::time::Duration;

use super::{MINUTE, MS, says};
use crate::band::Dynamic;
use crate::budget::{Budget, BudgetTree, Hours, Kpi, KpiUnit, Schedule, Select};
use crate::expr::{Expr, Offset, Selector};

#[test]
fn key_figures_and_trees_can_be_said() {
    let kpi = Kpi::new(Budget::throughput("rps", Select::http()).over(5 * MINUTE))
        .unit(KpiUnit::PerSecond)
        .target(5000.0)
        .min(1000.0);
    let tree = BudgetTree::new("checkout", 200 * MS)
        .quantile(0.99)
        .sure()
        .on(Select::http().label("route", "/checkout"))
        .share("auth", 30 * MS)
        .split("db", 0.5, |db| {
            db.on(Select::db()).share("cart", 0.5).remainder("net")
        })
        .remainder("own code");
    let expected = kpi
        .budgets()
        .into_iter()
        .chain(tree.budgets().expect("it is there"));
    says(
        r#"
        [[kpi]]
        name = "rps"
        on = "http"
        sli = "throughput"
        unit = "/s"
        target = 5000
        min = 1000
        over = "5m"

        [[budget_tree]]
        name = "checkout"
        total = "200ms"
        quantile = 0.99
        sure = true
        on = "http"
        labels = { route = "/checkout" }
        remainder = "own code"
        [[budget_tree.share]]
        name = "auth"
        of = "30ms"
        [[budget_tree.share]]
        name = "db"
        of = 0.5
        on = "db"
        remainder = "net"
        [[budget_tree.share.share]]
        name = "cart"
        of = 0.5
        "#,
        expected,
    );
}

#[test]
fn a_key_figure_takes_what_a_budget_takes() {
    let schedule = Schedule::at(Offset::UTC)
        .period("day", Hours::daily(8, 20), 1.0)
        .otherwise("night", 1.5);
    let measure = Budget::quantile("p95", Select::http().label("method", "GET"), 0.95)
        .per("route")
        .over(5 * MINUTE)
        .sustained(MINUTE)
        .keep_firing(2 * MINUTE)
        .min_events(20)
        .min_bad(3)
        .confidence(0.95)
        .absent_after(10 * MINUTE)
        .warm_up(MINUTE)
        .schedule(schedule);
    let kpi = Kpi::new(measure)
        .unit(KpiUnit::Milliseconds)
        .target(200.0)
        .max(2000.0);
    let budgets = kpi.budgets();
    assert_eq!(budgets[1].absent_after, None, "the levels say so already");
    says(
        r#"
        [[kpi]]
        name = "p95"
        on = "http"
        labels = { method = "GET" }
        quantile = 0.95
        per = "route"
        unit = "ms"
        target = 200
        max = 2000
        over = "5m"
        for = "1m"
        keep_firing_for = "2m"
        min_events = 20
        min_bad = 3
        confidence = 0.95
        absent_after = "10m"
        warm_up = "1m"
        [kpi.schedule]
        otherwise = { name = "night", times = 1.5 }
        [[kpi.schedule.period]]
        name = "day"
        hours = "8..20"
        "#,
        budgets,
    );
}

#[test]
fn a_key_figure_can_learn_its_levels_and_keep_its_bounds() {
    let users = Budget::value("users", Expr::select(Selector::new("users")).sum());
    let kpi = Kpi::new(users.dynamic(Dynamic::default())).max(10_000.0);
    let budgets = kpi.budgets();
    let problems = |budget: &Budget| budget.problems(Duration::from_secs(1), &[]);
    assert_eq!(budgets.iter().flat_map(problems).collect::<Vec<_>>(), []);
    says(
        "[[kpi]]\nname = \"users\"\ngauge = \"users\"\nmax = 10000\ndynamic = {}",
        budgets,
    );
}
