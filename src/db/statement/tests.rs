//! What is kept of statements, and above all what is not.

use proptest::prelude::*;

use super::*;

fn of(sql: &str) -> Statement {
    Statement::of(sql, DoubleQuotes::Names)
}

fn text(sql: &str) -> String {
    of(sql).text
}

fn summary(sql: &str) -> String {
    of(sql).summary
}

#[test]
fn values_lists_and_comments_are_gone() {
    let same = "SELECT id FROM orders WHERE id IN (?) AND name = ?";
    for sql in [
        "SELECT id FROM orders WHERE id IN (1) AND name = 'x'",
        "select id\n\tFROM  orders -- by 'Bob'\nWHERE id IN ($1, $2, 3.5e7) AND name = $3;",
        "SELECT id /* a /* nested */ b */ FROM orders WHERE id IN (?,?) AND name = E'it\\'s';",
        "SELECT id FROM orders WHERE id IN (:a, @b) AND name = $tag$ it's $x$ $tag$",
    ] {
        assert_eq!(text(sql).replace("select", "SELECT"), same);
    }
    let rows = "INSERT INTO t (a, b) VALUES (?, now ())";
    assert_eq!(
        text("INSERT INTO t (a, b) VALUES (1, now()), (2, now()), ($3, now())"),
        rows
    );
    assert_eq!(
        text("SELECT a::text, b.\"c d\" FROM s.t"),
        "SELECT a::text, b.? FROM s.t"
    );
}

#[test]
fn operators_are_spaced_as_one_writes_them() {
    for sql in [
        "SELECT a ->> ? FROM t WHERE b <= ? AND c <> ? AND d >= ?",
        "SELECT a || b FROM t WHERE c @> d AND e !~* f AND g && h",
        "SELECT a - ?, b * - c FROM t WHERE d != ? OR e <@ f OR g << ?",
    ] {
        assert_eq!(text(sql), sql);
        assert_eq!(text(&sql.replace('?', "'x'")), sql);
    }
    assert_eq!(text("SELECT a<=b,c||d"), "SELECT a <= b, c || d");
}

#[test]
fn a_literal_that_may_go_on_takes_the_rest_with_it() {
    assert_eq!(text(r"SELECT 'it\'s' , 'secret'"), "SELECT ?");
    assert_eq!(text(r"SELECT 'C:\' , b"), "SELECT ?");
    assert_eq!(text("SELECT 'unfinished"), "SELECT ?");
    assert_eq!(text("SELECT 1 /* unfinished"), "SELECT ?");
    for open in ["\"", "`", "["] {
        let sql = format!("SELECT a = {open}s3cret");
        assert_eq!(text(&sql), "SELECT a = ?");
    }
}

#[test]
fn double_quotes_hold_literals_where_the_dialect_says_so() {
    let sql = "SELECT * FROM `orders` WHERE name = \"s3cret\" AND id = 'a'";
    let literals = Statement::of(sql, DoubleQuotes::Literals);
    assert_eq!(
        literals.text,
        "SELECT * FROM `orders` WHERE name = ? AND id = ?"
    );
    assert_eq!(literals.summary, "SELECT orders");
}

#[test]
fn summaries_name_the_verb_and_the_tables() {
    for (sql, expected) in [
        ("select * from orders", "SELECT orders"),
        (
            "SELECT * FROM public.\"Orders\" o, items AS i JOIN users u ON true",
            "SELECT Orders items users",
        ),
        (
            "SELECT * FROM a JOIN b ON 1=1 JOIN c ON 1=1 JOIN d ON 1=1",
            "SELECT a b c",
        ),
        (
            "INSERT INTO orders (id) SELECT id FROM old",
            "INSERT orders old",
        ),
        ("INSERT OR REPLACE INTO orders VALUES (1)", "INSERT orders"),
        (
            "UPDATE ONLY orders SET a = 1 WHERE b IS DISTINCT FROM c",
            "UPDATE orders",
        ),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1",
            "INSERT t",
        ),
        (
            "SELECT extract(year FROM created) FROM orders FOR UPDATE",
            "SELECT orders",
        ),
        ("DELETE FROM orders USING users", "DELETE orders"),
        (
            "WITH o AS (SELECT * FROM orders), p AS (SELECT 1) DELETE FROM o",
            "DELETE orders",
        ),
        ("SELECT * FROM generate_series(1, 10)", "SELECT"),
        ("(SELECT 1) UNION (SELECT 2)", "SELECT"),
        ("TRUNCATE TABLE orders", "TRUNCATE orders"),
        (
            "CREATE TABLE IF NOT EXISTS `orders` (id int)",
            "CREATE orders",
        ),
        ("DROP TABLE [orders]", "DROP orders"),
        ("BEGIN", "BEGIN"),
        ("WITH release AS (SELECT 1) SELECT * FROM release", "SELECT"),
        ("PREPARE a AS SELECT * FROM orders", "PREPARE orders"),
        ("DEALLOCATE a", "DEALLOCATE"),
        ("COPY s.orders (id, name) FROM STDIN", "COPY orders"),
        ("COPY orders FROM PROGRAM 'cat'", "COPY orders"),
        ("COPY (SELECT * FROM orders) TO STDOUT", "COPY orders"),
        ("", "_OTHER"),
        ("; ; \0", "_OTHER"),
        ("hello world", "_OTHER"),
    ] {
        assert_eq!(summary(sql), expected, "{sql}");
    }
    assert_eq!(of("select 1 from s.orders").table, "orders");
}

#[test]
fn a_megabyte_is_cut_and_a_long_name_too() {
    let long = format!("SELECT '{}'", "é".repeat(500_000));
    assert_eq!(text(&long), "SELECT ?");
    let list = format!(
        "SELECT * FROM t WHERE a IN ({})",
        vec!["1"; 500_000].join(",")
    );
    assert_eq!(text(&list), "SELECT * FROM t WHERE a IN (?");
    let name = format!("SELECT * FROM {}", "é".repeat(100));
    assert_eq!(of(&name).table, "é".repeat(32));
}

proptest! {
    #[test]
    fn nothing_panics(sql in ".*") {
        of(&sql);
    }

    #[test]
    fn sign_soup_never_panics(sql in "[-/*'\"`$#:@?(),.;\\\\a-c1\\[\\] \n]{0,80}") {
        of(&sql);
    }

    /// A secret stands as a literal, a comment or a dollar quote somewhere among other such things.
    #[test]
    fn a_secret_is_never_kept(
        before in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        form in 0_usize..6,
        after in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let others = ["a", "'b'", "\"c\"", "-- d\n", "/* e */", "(1)", ",", "E'\\''", "'\\'", "''", "$$ $$", "= 7"];
        let secrets = [
            "'s3cret'", "-- s3cret\n", "/* s3cret */", "$t$ s3cret $t$", "E'\\' s3cret'", "\"it is s3cret\"",
        ];
        let pieces = |indices: &[prop::sample::Index]| -> Vec<&str> {
            indices.iter().map(|index| *index.get(&others)).collect()
        };
        let mut all = pieces(&before);
        all.push(secrets[form]);
        all.extend(pieces(&after));
        let statement = of(&all.join(" "));
        prop_assert!(!format!("{statement:?}").contains("s3cret"), "{all:?}: {statement:?}");
    }
}
