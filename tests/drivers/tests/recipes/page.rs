//! What `docs/databases.md` shows is what is tested here.

const PAGE: &str = include_str!("../../../../docs/databases.md");

const TESTED: &[&str] = &[
    include_str!("any.rs"),
    include_str!("diesel.rs"),
    include_str!("diesel/ends.rs"),
    include_str!("diesel/pooled.rs"),
    include_str!("../diesel_everywhere.rs"),
    include_str!("pools.rs"),
    include_str!("rusqlite.rs"),
    include_str!("sea_orm/callback.rs"),
    include_str!("sea_orm/measured.rs"),
    include_str!("sqlx.rs"),
];

/// Its lines, without what is before and behind them.
fn trimmed(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn all_code_is_tested_code() {
    let tested: Vec<String> = TESTED.iter().map(|source| trimmed(source)).collect();
    let blocks = PAGE.split("```rust\n").skip(1);
    let blocks = blocks.map(|rest| rest.split_once("```").expect("an end").0);
    // Where a block leaves something out it says `// ...`.
    let pieces = blocks.clone().flat_map(|block| block.split("// ...\n"));
    for piece in pieces {
        let wanted = format!("\n{}", trimmed(piece));
        let found = |source: &String| format!("\n{source}").contains(&wanted);
        assert!(tested.iter().any(found), "{piece}");
    }
    assert!(blocks.count() >= 8);
}
