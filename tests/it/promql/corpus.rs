//! Which expressions are read, and which are not.

use plimsoll::Expr;
use plimsoll::rule::{Rule, RuleFile, RuleGroup};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::generate;
use super::promtool::{Folder, refused, versions};

proptest! {
    #![proptest_config(Config::with_cases(500))]

    #[test]
    fn what_is_printed_is_read_as_the_same(expr in generate::expr()) {
        let printed = expr.to_string();
        prop_assert_eq!(Expr::parse(&printed), Ok(expr), "{}", printed);
    }
}

/// What both read.
const READ: &[&str] = &[
    "a{or='b',and='c',bool='d'}",
    "a",
    "a{}",
    "a{b='c'}",
    "a{b=\"c\",}",
    "a{b=~'x|y', c!~'z.*', d!=''}",
    "{__name__='a'}",
    "{__name__=\"a\",b='c'}",
    "sum",
    "by",
    "offset",
    "sum{a='b'}",
    "a:b:c",
    ":a",
    "sum(a)",
    "sum by (b) (a)",
    "sum(a) by (b)",
    "SUM(a) BY (b,)",
    "sum without (b, c) (a)",
    "sum by (sum, by, on) (a)",
    "avg(a)",
    "min(a)",
    "max(a)",
    "count(a)",
    "sum(sum(a))",
    "rate(a[5m])",
    "rate(a[1h30m])",
    "rate(a[1w])",
    "rate(a[90s])",
    "rate(a[250ms])",
    "rate(a[1y2w3d4h5m6s7ms])",
    "rate((a[5m]))",
    "increase(a{b='c'}[5m])",
    "avg_over_time(a[5m])",
    "min_over_time(a[5m])",
    "max_over_time(a[5m])",
    "sum_over_time(a[5m])",
    "count_over_time(a[5m])",
    "last_over_time(a[5m])",
    "histogram_quantile(0.9, a_bucket)",
    "histogram_quantile(scalar(a), b)",
    "histogram_quantile(.9, sum by (le) (rate(a_bucket[5m])))",
    "histogram_count(a)",
    "histogram_sum(a)",
    "absent(a)",
    "absent(sum(a))",
    "abs(a)",
    "ceil(a)",
    "floor(a)",
    "sqrt(a)",
    "scalar(a)",
    "vector(1)",
    "vector(scalar(a))",
    "time()",
    "hour()",
    "hour(a)",
    "minute()",
    "day_of_week()",
    "day_of_month()",
    "month()",
    "hour(vector(time() + 3600))",
    "1",
    "-1",
    "+1",
    "--1",
    "1.5",
    ".5",
    "5.",
    "1e3",
    "1E-3",
    "0x1f",
    "Inf",
    "+inf",
    "-Inf",
    "NaN",
    "nan",
    "a + b",
    "a - b",
    "a * b",
    "a / b",
    "a % b",
    "a ^ b ^ c",
    "-a",
    "-a ^ 2",
    "a + -b",
    "a * -1",
    "2 ^ -1",
    "(a)",
    "((a))",
    "a > 1",
    "a >= 1",
    "a < 1",
    "a <= 1",
    "a == 1",
    "a != 1",
    "1 < a",
    "a > bool 1",
    "1 > bool 2",
    "a > b",
    "a and b",
    "a or b",
    "a unless b",
    "a AND b",
    "a and on(x) b",
    "a and ignoring(x) b",
    "a and on() b",
    "a / on(x) b",
    "a / ignoring(x) b",
    "a / on(x) group_left b",
    "a / on(x) group_left() b",
    "a / on(x) group_left(y) b",
    "a / ignoring(x) group_right(y, z) b",
    "a / on(x,) group_left(y,) b",
    "a > bool on(x) b",
    "a > on() group_left b",
    "1 + on() a",
    "a + ignoring() b",
    "a # comment\n + b",
    "# comment\na",
    "a\n\t+ b",
    "a{b='\\''}",
    "a{b=\"\\\"\"}",
    "a{b=`\\d`}",
    "a{b='\\\\d'}",
    "a{b='\\n\\t\\u00e9'}",
    "a{b='é🦀'}",
    "a{sum='b'}",
    "a{by='b',on='c',offset='d'}",
    "a{b=''}",
    "a{b='a'} > 0 or vector(0)",
    "sum(rate(a{code=~'5..'}[5m])) / sum(rate(a[5m])) > 0.01",
    "a > 1 and hour() >= 9 and hour() <= 17",
    "ALERTS{alertname='A',alertstate='firing'}",
    "(a > 1) * 2 + 3 ^ 2",
    "a == on(x) b",
    "sum(a) > 1 unless on() (b == 0)",
    "a or on(x) b",
    "a*b",
    "a-1",
    "a -1",
    "1 -1",
    "a>1",
    "a>bool 1",
];

/// What neither reads.
const WRONG: &[&str] = &[
    "",
    " ",
    "a b",
    "a +",
    "+",
    "* a",
    "(a",
    "a)",
    "()",
    "a{",
    "a}",
    "a{b}",
    "a{b=}",
    "a{b=c}",
    "a{b='c'",
    "a{b='c}",
    "a{b=='c'}",
    "a{='c'}",
    "a{,}",
    "a{b='c' c='d'}",
    "{}",
    "{b=~'.*'}",
    "{b=''}",
    "{__name__!='a'}",
    "a{__name__='b'}",
    "a{b=~'['}",
    "a{b=~'*'}",
    "rate(a)",
    "rate(a[])",
    "rate(a[5])[1m]",
    "rate(a[5x])",
    "rate(a[m])",
    "rate(a[5m5h])",
    "rate(a[1.5h])",
    "rate(a[0s])",
    "rate(a[-5m])",
    "rate(a[5m)",
    "rate(sum(a)[5m])",
    "rate(a[5m][5m])",
    "sum(1)",
    "sum()",
    "sum(a, b)",
    "sum by b (a)",
    "sum by (1) (a)",
    "sum by (b) without (c) (a)",
    "sum a",
    "abs()",
    "abs(a, b)",
    "abs(1)",
    "abs(a[5m])",
    "scalar(1)",
    "vector(a)",
    "time(1)",
    "hour(1)",
    "nothing(a)",
    "histogram_quantile(a, b)",
    "histogram_quantile(1)",
    "1 > 2",
    "1 and 2",
    "a and 1",
    "1 or a",
    "a > bool",
    "a + bool b",
    "a and bool b",
    "a group_left b",
    "a and on(x) group_left b",
    "a / on(x) group_left(x) b",
    "a / on x b",
    "a ! b",
    "a = b",
    "a =~ 'b'",
    "a === b",
    "a <> b",
    "a && b",
    "a | b",
    "a ; b",
    "a @",
    "a offset",
    "'a' + 1",
    "-'a'",
    "1 2",
    "1.2.3",
    "0x",
    "1e",
    "a$",
    "a{$b='c'}",
    "é",
    "🦀",
    "a{b='\\q'}",
    "a{b='\n'}",
    "a{'b}",
    "sum(a) by",
    "a on(x) b",
    "a + on b",
];

/// What Prometheus reads, and this process refuses.
const OUTSIDE: &[&str] = &[
    "a[5m]",
    "a offset 5m",
    "a offset -5m",
    "a @ 1",
    "rate(a[5m] @ 1)",
    "max_over_time(a[5m:1m])",
    "max_over_time(a[5m:])",
    "topk(1, a)",
    "bottomk(1, a)",
    "quantile(0.9, a)",
    "count_values('x', a)",
    "stddev(a)",
    "stdvar(a)",
    "group(a)",
    "irate(a[5m])",
    "delta(a[5m])",
    "deriv(a[5m])",
    "predict_linear(a[5m], 60)",
    "quantile_over_time(0.9, a[5m])",
    "absent_over_time(a[5m])",
    "label_replace(a, 'b', '$1', 'c', '(.*)')",
    "clamp_min(a, 1)",
    "round(a)",
    "exp(a)",
    "ln(a)",
    "sort(a)",
    "timestamp(a)",
    "changes(a[5m])",
    "resets(a[5m])",
    "a atan2 b",
    "pi()",
    "{b='c'}",
    "{__name__=~'a.*'}",
    "{__name__='a',__name__=~'a.*'}",
    "a{b=~'\\\\pL'}",
    "017",
    "absent((a{b='c'}))",
    "a{b='\\x41'}",
];

#[test]
fn the_corpus_is_read_or_refused() {
    for text in READ {
        let expr = Expr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let printed = expr.to_string();
        if !printed.contains("NaN") {
            assert_eq!(Expr::parse(&printed), Ok(expr), "{text} as {printed}");
        }
    }
    for text in WRONG.iter().chain(OUTSIDE) {
        assert!(Expr::parse(text).is_err(), "{text:?}");
    }
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn the_corpus_is_what_prometheus_reads() {
    for (promtool, _) in versions() {
        let texts: Vec<&str> = [READ, OUTSIDE, WRONG].concat();
        let (refused, said) = refused(&promtool, &texts);
        let expected = READ.len() + OUTSIDE.len()..texts.len();
        let differing = (0..texts.len()).filter(|at| refused.contains(at) != expected.contains(at));
        let differing: Vec<&str> = differing.map(|at| texts[at]).collect();
        assert!(differing.is_empty(), "{promtool:?}: {differing:?}: {said}");
    }
}

/// Always the same expressions.
fn generated(number: usize) -> Vec<Expr> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = generate::expr();
    (0..number)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn files_of_generated_rules_pass_its_check() {
    let record = |(at, expr): (usize, &Expr)| Rule::record(format!("r{at}"), expr.clone());
    let exprs = generated(1_000);
    let file = RuleFile::new([RuleGroup::new(
        "generated: 'all'",
        exprs.iter().enumerate().map(record),
    )]);
    let printed = file.to_string();
    assert_eq!(RuleFile::parse(&printed), Ok(file));
    let folder = Folder::new();
    folder.write("rules.yml", &printed);
    for (promtool, _) in versions() {
        let (fine, said) = folder.run(&promtool, &["check", "rules", "rules.yml"]);
        assert!(fine, "{promtool:?}: {said}");
    }
}

/// Arithmetic without parentheses: what binds how is seen in the value.
fn arithmetic() -> Vec<(String, f64)> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let op = prop::sample::select(vec![
        "+", "-", "*", "/", "%", "^", "> bool", "<= bool", "== bool", "^ -", "* -", "- -",
    ]);
    let terms = prop::collection::vec((op, 1..9_u8), 1..7);
    let strategy = (any::<bool>(), 1..9_u8, terms);
    let text = |(minus, first, terms): (bool, u8, Vec<(&str, u8)>)| {
        let start = format!("{}{first}", if minus { "-" } else { "" });
        terms
            .iter()
            .fold(start, |text, (op, number)| format!("{text} {op} {number}"))
    };
    let texts = (0..1_000).map(|_| text(strategy.new_tree(&mut runner).unwrap().current()));
    let samples = plimsoll::expr::Samples::new();
    let value = |text: String| {
        let expr = Expr::parse(&text).unwrap();
        let value = plimsoll::expr::eval(&expr, &samples, 0)
            .unwrap()
            .as_float()
            .unwrap();
        (text, value)
    };
    texts
        .map(value)
        .filter(|(_, value)| value.is_finite() && value.abs() < 1e15)
        .collect()
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn operators_bind_as_they_do_there() {
    let tests = arithmetic();
    assert!(tests.len() > 500);
    // Powers may differ in their last bit.
    let one = |(text, value): &(String, f64)| {
        let off = value.abs() * 1e-12;
        let near = format!("abs(vector({text}) - ({value})) <= bool {off}");
        format!(
            "      - {{expr: '{near}', eval_time: 0s, exp_samples: [{{labels: '{{}}', value: 1}}]}}\n"
        )
    };
    let tests: String = tests.iter().map(one).collect();
    let folder = Folder::new();
    folder.write("rules.yml", "groups: []\n");
    folder.write(
        "tests.yml",
        &format!(
            "rule_files: [rules.yml]\ntests:\n  - interval: 1m\n    promql_expr_test:\n{tests}"
        ),
    );
    for (promtool, _) in versions() {
        let (fine, said) = folder.run(&promtool, &["test", "rules", "tests.yml"]);
        assert!(fine, "{promtool:?}: {said}");
    }
}
