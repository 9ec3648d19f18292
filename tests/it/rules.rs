//! Groups of rules judged in the process, beside budgets.

use std::sync::mpsc;
use std::time::Duration;

use plimsoll::expr::{Op, Over};
use plimsoll::rule::{Rule, RuleGroup};
use plimsoll::{
    AlertEvent, AlertState, Budget, Builder, Expr, ManualClock, Outcome, Plimsoll, Select, Selector,
};

const SECOND: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(20);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
    alerts: mpsc::Receiver<AlertEvent>,
}

impl Bench {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let (sender, alerts) = mpsc::channel();
        let builder = Plimsoll::builder()
            .clock(clock.clone())
            .manual_tick()
            .expect_family("depth")
            .on_alert(move |alert| drop(sender.send(alert.clone())));
        Self {
            plimsoll: configure(builder).build().unwrap(),
            clock,
            alerts,
        }
    }

    fn depth(&self, queue: &str, depth: f64) {
        let gauge = self.plimsoll.gauge("depth").label("queue", queue);
        gauge.register().unwrap().set(depth);
    }

    /// What a tick a second later has to say.
    fn tick(&self) -> Vec<String> {
        self.clock.advance(SECOND);
        self.plimsoll.tick();
        assert!(self.plimsoll.flush(SOON));
        let told = self.alerts.try_iter();
        told.map(|alert| alert.to_string()).collect()
    }
}

fn depth() -> Expr {
    Expr::select(Selector::new("depth"))
}

fn group(rules: impl IntoIterator<Item = Rule>) -> [RuleGroup; 1] {
    [RuleGroup::new("queues", rules)]
}

#[test]
fn an_alert_for_each_element_is_told_of() {
    let rules = group([Rule::alert("Deep", depth().greater(3.0))]);
    let bench = Bench::new(|builder| builder.rules(rules));
    bench.depth("a", 5.0);
    bench.depth("b", 1.0);
    let told = bench.tick();
    let expected =
        "Deep firing {alertname=\"Deep\", queue=\"a\"} value=5 since=1970-01-01T00:00:01.000Z";
    assert_eq!(told, [expected]);
    bench.depth("b", 4.0);
    assert_eq!(bench.tick().len(), 1);
    assert_eq!(bench.plimsoll.alerts().len(), 2);
    bench.depth("a", 0.0);
    let told = bench.tick();
    assert!(
        told[0].starts_with("Deep resolved {alertname=\"Deep\", queue=\"a\"}"),
        "{told:?}"
    );
    assert_eq!(bench.plimsoll.alerts()[0].state(), AlertState::Firing);
}

#[test]
fn rules_and_budgets_read_what_others_say() {
    let firing = |name: &str| {
        let alerts = Selector::new("ALERTS").label("alertname", name);
        Expr::select(alerts.label("alertstate", "firing"))
    };
    let rules = group([
        Rule::record("queue:depth:sum", depth().sum()),
        Rule::alert(
            "TooDeep",
            Expr::select(Selector::new("queue:depth:sum")).greater(10.0),
        ),
        Rule::alert("BudgetToo", firing("deep").sum().greater(0.0)),
    ]);
    let bench = Bench::new(|builder| {
        let most = Expr::Over(Over::Max, Selector::new("queue:depth:sum"), 600 * SECOND);
        builder
            .budget(Budget::value("deep", firing("TooDeep").sum()).at_most(0.0))
            .budget(Budget::value("most", most.sum()).at_most(1e9))
            .rules(rules)
    });
    bench.depth("a", 6.0);
    assert_eq!(bench.tick(), [""; 0]);
    bench.depth("b", 5.0);
    let told = bench.tick();
    assert_eq!(told.len(), 1, "{told:?}");
    let deep = bench.plimsoll.budget_state("deep").unwrap();
    assert!(deep.is_breached(), "at the same tick");
    let told = bench.tick();
    assert!(
        told[0].starts_with("BudgetToo firing {alertname=\"BudgetToo\"}"),
        "{told:?}"
    );
    bench.depth("b", 0.0);
    (0..500).for_each(|_| drop(bench.tick()));
    let readings = bench.plimsoll.budgets();
    let most = readings
        .iter()
        .find(|known| known.budget == "most")
        .unwrap();
    assert_eq!(
        most.value,
        Some(11.0),
        "kept for as long as the budget reads it"
    );
}

#[test]
fn a_group_is_evaluated_as_of_its_interval() {
    let now = Expr::Time
        .binary(Op::Mul, Expr::Number(1.0))
        .call(plimsoll::expr::Function::Vector);
    let errors = Selector::new("plimsoll_sli_bad_total").label("budget", "errors");
    let grown = Expr::increase(errors, 30 * SECOND).sum().greater(0.0);
    let groups = [RuleGroup::new(
        "slow",
        [Rule::alert("At", now), Rule::alert("Errors", grown)],
    )
    .every(10 * SECOND)];
    let bench = Bench::new(|builder| {
        let errors = Budget::error_ratio("errors", Select::operation("work"));
        builder.budget(errors.at_most(0.5)).rules(groups)
    });
    // Ticks at 2.5, 5, ...
    let tick = || {
        bench.clock.advance(SECOND / 2 * 3);
        bench.tick()
    };
    let quiet: Vec<_> = (0..3).flat_map(|_| tick()).collect();
    assert_eq!(quiet, [""; 0], "7.5 s");
    bench
        .plimsoll
        .operation("work")
        .record(Outcome::Error, SECOND);
    assert_eq!(tick().len(), 2, "10 s");
    bench.clock.advance(SECOND * 21 / 2);
    bench.tick();
    let alerts = bench.plimsoll.alerts();
    assert_eq!(alerts[0].value(), 20.0, "at 21.5 s, as of 20");
}

#[test]
fn what_is_not_there_is_refused_with_its_rule() {
    let rules = group([
        Rule::record("plimsoll_ticks_total", depth().sum()),
        Rule::alert("Deep", Expr::select(Selector::new("dept")).greater(3.0)),
    ]);
    let builder = || Plimsoll::builder().manual_tick().expect_family("depth");
    let refused = builder().rules(rules.clone()).build().unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("group \"queues\", rule \"plimsoll_ticks_total\": records"),
        "{refused}"
    );
    assert!(
        refused.contains("group \"queues\", rule \"Deep\": names dept, which"),
        "{refused}"
    );
    let plimsoll = builder().build().unwrap();
    assert_eq!(plimsoll.add_rules(rules).unwrap_err().to_string(), refused);
}

#[test]
fn a_rule_without_a_value_is_warned_of() {
    let twice = depth() / depth().sum_by(["queue"]);
    let all = plimsoll::expr::Matching::on([] as [&str; 0]);
    let several = depth().binary_on(Op::Div, all, depth());
    let rules = group([
        Rule::alert("Never", several),
        Rule::record("depth:share", twice),
    ]);
    let bench = Bench::new(|builder| builder.rules(rules));
    bench.depth("a", 5.0);
    bench.depth("b", 5.0);
    bench.tick();
    let warnings = bench.plimsoll.warnings();
    let failed = warnings
        .iter()
        .filter(|warning| warning.kind == "rule_failed");
    let failed: Vec<_> = failed.map(|warning| &*warning.subject).collect();
    assert_eq!(failed, ["queues/Never"], "{warnings:?}");
}

#[cfg(all(feature = "promql", feature = "config"))]
mod files {
    use super::*;

    fn config(rules: &str) -> (std::path::PathBuf, String) {
        let name = format!("plimsoll-{}-{:x}", std::process::id(), rules.len());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("queues.yml"), rules).unwrap();
        let toml = folder.join("plimsoll.toml");
        std::fs::write(&toml, "rules = [\"queues.yml\"]\n").unwrap();
        (folder, toml.display().to_string())
    }

    #[test]
    fn a_rule_file_is_judged() {
        let (folder, toml) = config(
            "groups:\n- name: queues\n  rules:\n  - alert: Deep\n    expr: sum by (queue) (depth) > 3\n    for: 2s\n    labels: {severity: page}\n    annotations: {summary: \"{{ $labels.queue }} is deep\"}\n",
        );
        let bench = Bench::new(|builder| builder.toml_file(&toml));
        bench.depth("a", 5.0);
        let told: Vec<_> = (0..3).flat_map(|_| bench.tick()).collect();
        let labels = "{alertname=\"Deep\", queue=\"a\", severity=\"page\"}";
        assert!(
            told[0].starts_with(&format!("Deep pending {labels}")),
            "{told:?}"
        );
        assert!(
            told[1].starts_with(&format!("Deep firing {labels}")),
            "{told:?}"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_line() {
        let (folder, toml) = config(
            "groups:\n- name: queues\n  rules:\n  - alert: Deep\n    expr: sum(dept) > 3\n  - alert: Sub\n    expr: max_over_time(depth[5m:1m]) > 1\n",
        );
        let refused = Plimsoll::builder().toml_file(&toml).build().unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains("rules \"queues.yml\" line "), "{refused}");
        assert!(
            refused.contains("group \"queues\", rule \"Sub\""),
            "{refused}"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_budget_may_be_a_condition() {
        let toml = "[[budget]]\nname = \"deep\"\ncondition = \"sum(depth) > 3\"\nfor = \"1s\"\n";
        let bench = Bench::new(|builder| builder.toml(toml));
        bench.depth("a", 5.0);
        bench.tick();
        let deep = bench.plimsoll.budget_state("deep").unwrap();
        assert_eq!(deep.state(), AlertState::Pending);
        bench.tick();
        assert!(deep.is_breached());
        let reading = &bench.plimsoll.budgets()[0];
        assert_eq!((reading.value, reading.limit), (Some(5.0), 3.0));
    }

    #[test]
    fn a_condition_without_a_limit_is_refused() {
        let refused = |condition: &str| {
            let toml = format!("[[budget]]\nname = \"deep\"\ncondition = \"{condition}\"\n");
            let error = Plimsoll::builder().toml(&toml).build().unwrap_err();
            error.to_string()
        };
        let two = refused("a > 1 and b > 2");
        assert!(two.contains("budget \"deep\": condition"), "{two}");
        assert!(two.contains("or make it an alert of a rule file"), "{two}");
        assert!(refused("sum(").contains("budget \"deep\": condition"));
    }
}
