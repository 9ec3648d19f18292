//! The examples of `docs/budgets.md`.

use std::time::Duration;

use super::parse;

/// The conditions of everything that a text declares, a line each.
fn promql(toml: &str) -> String {
    let (budgets, problems) = parse(toml);
    assert_eq!(problems, "", "{toml}");
    let rules = budgets.iter().flat_map(|budget| {
        let keys = budget
            .select()
            .map_or(&[][..], |select| select.domain.keys());
        assert_eq!(budget.problems(Duration::from_secs(1), keys), [], "{toml}");
        budget.rule_group().rules
    });
    rules.map(|rule| format!("{}\n", rule.expr)).collect()
}

/// In `docs/budgets.md` what comes of a piece of TOML stands behind it; `BLESS=1` writes it there.
#[test]
fn the_page_shows_what_comes_of_its_examples() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/budgets.md");
    let page = std::fs::read_to_string(path).expect("it is there");
    let mut blocks = page.split("```toml\n");
    let mut expected = blocks.next().expect("it is there").to_owned();
    for block in blocks {
        let (toml, rest) = block.split_once("```").expect("it is there");
        let (between, rest) = rest.split_once("```promql\n").expect("it is there");
        let (_, rest) = rest.split_once("```").expect("it is there");
        let promql = promql(toml);
        expected += &format!("```toml\n{toml}```{between}```promql\n{promql}```{rest}");
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &expected).expect("it is there");
    } else {
        assert!(
            page == expected,
            "run with BLESS=1 and look at what changed"
        );
    }
}
