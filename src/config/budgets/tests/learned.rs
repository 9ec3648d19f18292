//! Limits that are learned.

use super::{MINUTE, says};
use crate::band::{Dynamic, Method};
use crate::budget::{Budget, Select};
use crate::config::parse_toml;
use crate::expr::{Expr, Selector};

#[test]
fn limits_can_be_learned() {
    says(
        r#"
        [[budget]]
        name = "api"
        on = "http"
        quantile = 0.95
        dynamic = { method = "hour_of_week", sensitivity = 1.5, margin = 0.2, floor = "200ms", offset = "+01:00", window = "14d", relearn_after = "24h", every = "1m" }

        [[budget]]
        name = "depth"
        gauge = "depth"
        at_most = 1000
        dynamic = { method = "classic" }
        "#,
        [
            Budget::quantile("api", Select::http(), 0.95).dynamic(
                Dynamic::default()
                    .sensitivity(1.5)
                    .margin(0.2)
                    .floor(0.2)
                    .offset_minutes(60)
                    .window(14 * 24 * 60 * MINUTE)
                    .relearn_after(24 * 60 * MINUTE)
                    .every(MINUTE),
            ),
            Budget::value("depth", Expr::select(Selector::new("depth")).sum())
                .at_most(1000.0)
                .dynamic(Dynamic::new(Method::Classic)),
        ],
    );
}

#[test]
fn a_budget_of_the_code_can_be_made_to_learn() {
    let mut problems = Vec::new();
    let text = "[[budget]]\nname = \"b\"\ndynamic = { floor = 0.1 }";
    let stronger = parse_toml(text, std::path::Path::new("."), &mut problems);
    let declared = Budget::error_ratio("b", Select::http()).at_most(0.05);
    let code = crate::config::Settings {
        budgets: vec![declared.clone()],
        ..Default::default()
    };
    let settings = code.under(stronger, &mut problems);
    assert_eq!(
        settings.budgets,
        [declared.dynamic(Dynamic::default().floor(0.1))]
    );
}
