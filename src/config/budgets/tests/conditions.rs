//! Conditions in PromQL.

use super::{parse, says};
use crate::budget::{Budget, Kpi, Select};
use crate::config::parse_toml;
use crate::expr::{Expr, Selector};

#[test]
fn a_condition_can_say_when() {
    let depth = || Expr::select(Selector::new("depth"));
    let rate = || Budget::throughput("rate", Select::http());
    says(
        r#"
        [[budget]]
        name = "rate"
        on = "http"
        sli = "throughput"
        at_least = 10
        when = "sum(depth) > 0"

        [[kpi]]
        name = "rps"
        on = "http"
        sli = "throughput"
        target = 10
        when = "depth"
        "#,
        [
            rate().at_least(10.0).when(depth().sum().greater(0.0)),
            Kpi::new(Budget::throughput("rps", Select::http()).when(depth()))
                .target(10.0)
                .budgets()
                .remove(0),
        ],
    );
    let (_, problems) = parse("[[budget]]\nname = \"b\"\non = \"http\"\nwhen = \"sum(\"");
    assert!(problems.contains("budget \"b\": when "), "{problems}");
    let mut problems = Vec::new();
    let text = "[[budget]]\nname = \"rate\"\nwhen = \"depth\"";
    let stronger = parse_toml(text, std::path::Path::new("."), &mut problems);
    let code = crate::config::Settings {
        budgets: vec![rate().at_least(10.0)],
        ..Default::default()
    };
    let changed = code.under(stronger, &mut problems).budgets;
    assert_eq!(changed, [rate().at_least(10.0).when(depth())]);
}
