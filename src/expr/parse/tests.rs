use super::*;

fn canonical(text: &str) -> String {
    let expr = Expr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let printed = expr.to_string();
    assert!(Expr::parse(&printed).as_ref() == Ok(&expr), "{printed}");
    printed
}

#[test]
fn one_form_for_what_may_be_written_in_many() {
    let forms = [
        ("a+b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a ^ b ^ c", "a ^ (b ^ c)"),
        ("-a ^ b", "-(a ^ b)"),
        ("-a * b", "(-(a)) * b"),
        ("-1 ^ 2", "-(1 ^ 2)"),
        ("- 5", "-5"),
        ("+5", "5"),
        ("2 ^ -1", "2 ^ (-1)"),
        ("a or b and c unless d", "a or ((b and c) unless d)"),
        ("1 + 2 > bool 3", "(1 + 2) > bool 3"),
        ("((a)) >bool(1)", "a > bool 1"),
        ("sum(a) by (x, y,)", "sum by (x, y) (a)"),
        ("SUM BY () (a)", "sum(a)"),
        ("sum without() (a)", "sum without () (a)"),
        ("a * on(x) group_left b", "a * on (x) group_left () b"),
        (
            "a * ignoring() group_right(y) b",
            "a * ignoring () group_right (y) b",
        ),
        ("a + ignoring() b", "a + b"),
        ("1 + on() a", "1 + a"),
        ("rate((a{b=~'x.*',}[1w2d]))", "rate(a{b=~\"x.*\"}[9d])"),
        ("{__name__=\"a\",b!='\\''}", "a{b!=\"'\"}"),
        ("{b=`\\d`,__name__='sum'}", "{__name__=\"sum\",b=\"\\\\d\"}"),
        ("sum", "{__name__=\"sum\"}"),
        ("a{x='\\u00e9\\\\\\n'}", "a{x=\"é\\\\\\n\"}"),
        ("0x1F + 1.5e3 + .5 + 1e-3", "((31 + 1500) + 0.5) + 0.001"),
        ("inf > bool -Inf", "+Inf > bool (-Inf)"),
        ("hour()", "hour(vector(time()))"),
        ("a # and so on\n> 1", "a > 1"),
        (
            "histogram_quantile(.9, rate(a_bucket[5m]))",
            "histogram_quantile(0.9, rate(a_bucket[5m]))",
        ),
        ("a{or='b', Or !='c'}", "a{or=\"b\",Or!=\"c\"}"),
        ("absent(a{b='c'})", "absent(a{b=\"c\"})"),
        ("ALERTS{alertname='A'} offset", "ALERTS{alertname=\"A\"}"),
    ];
    // The last is none of them: `offset` wants a duration.
    for (text, form) in &forms[..forms.len() - 1] {
        assert_eq!(canonical(text), *form, "{text}");
    }
    assert!(Expr::parse(forms[forms.len() - 1].0).is_err());
}

#[test]
fn what_is_outside_is_named() {
    let refused = [
        ("max_over_time(rate(a[5m])[1h:1m])", "[1h:1m]"),
        ("a offset 5m", "offset"),
        ("rate(a[5m] offset -1m)", "offset"),
        ("a @ 100", "@"),
        ("a @ end()", "@"),
        ("topk(3, a)", "topk"),
        ("quantile(0.9, a)", "quantile"),
        ("count_values('x', a)", "count_values"),
        ("group(a)", "group"),
        ("irate(a[5m])", "irate"),
        ("label_replace(a, 'b', '$1', 'c', '(.*)')", "label_replace"),
        ("a atan2 b", "atan2"),
        ("'text'", "\"text\""),
        ("rate(a[300])", "[300]"),
        ("rate(a[1.5h])", "[1.5h]"),
        ("rate(a[0s])", "[0s]"),
        (
            "rate(a[1h99999999999999999999s])",
            "[1h99999999999999999999s]",
        ),
        ("rate(a[5m] smoothed)", "smoothed"),
        ("a > 5m", "5m"),
        ("a + 0777", "0777"),
        ("a + 1_000", "1_000"),
        ("a > 1e999", "1e999"),
        ("a[5m]", "a[5m]"),
        ("{__name__=~'a.*'}", "{__name__=~\"a.*\"}"),
        ("{a='b'}", "{a=\"b\"}"),
        ("a{b='1' or c='2'}", "or"),
        ("a{b='\\xff'}", "\\x"),
        ("sum by ('my.label') (a)", "label \"my.label\""),
        ("absent((a{b='c'}))", "absent((a{b=\"c\"}))"),
        ("a + fill(0) b", "fill"),
    ];
    for (text, construct) in refused {
        let error = Expr::parse(text).expect_err(text);
        assert_eq!(error.construct, construct, "{text}: {error}");
        assert!(
            !error.message.starts_with("is not PromQL"),
            "{text}: {error}"
        );
    }
}

#[test]
fn what_is_no_promql_is_an_error() {
    let refused = [
        "",
        "a b",
        "a +",
        "(a",
        "a)",
        "sum(1)",
        "1 > 2",
        "1 and 2",
        "a > bool",
        "a and bool b",
        "a and on() group_left b",
        "a + on(x) group_left(x) b",
        "a group_left b",
        "rate(a[5m",
        "rate(sum(a)[5m])",
        "a{",
        "a{b}",
        "a{b='c}",
        "{}",
        "a{__name__='b'}",
        "{__name__='a',__name__='b'}",
        "abs(a, b)",
        "abs()",
        "abs(1)",
        "scalar(1)",
        "vector(a)",
        "time(1)",
        "nothing(a)",
        "sum by (1) (a)",
        "a == == b",
        "a =~ 'b'",
        "a{b=~'['}",
        "a{b=~'\\\\pL'}",
        "histogram_quantile(a, b)",
        "histogram_quantile(0.9)",
        "🦀",
        "a\u{0}b",
        "-'a'",
        "\"\\q\"",
        "1 2",
        "1.2.3",
        "0x",
        "--",
        "a[5m][5m]",
        "rate(a[5m])[5m]",
    ];
    for text in refused {
        assert!(Expr::parse(text).is_err(), "{text}");
    }
}

#[test]
fn what_is_too_large_is_an_error() {
    let large = [
        "(".repeat(10_000) + "a" + &")".repeat(10_000),
        "abs(".repeat(10_000) + "a" + &")".repeat(10_000),
        "-".repeat(10_000) + "a",
        "a + ".repeat(10_000) + "a",
        "a ^ ".repeat(10_000) + "a",
        "a or ".repeat(10_000) + "a",
        "a".repeat(10 << 20),
        "{".repeat(10_000),
    ];
    for text in large {
        let error = Expr::parse(&text).expect_err("it is too large").to_string();
        assert!(error.contains("split"), "{error}");
        assert!(error.len() < 300, "{error}");
    }
    for fits in [
        "abs(".repeat(198) + "a" + &")".repeat(198),
        "-(".repeat(198) + "a" + &")".repeat(198),
        "a + ".repeat(198) + "a",
        "(a ^ ".repeat(99) + "(" + &"a + ".repeat(99) + "a" + &")".repeat(100),
    ] {
        canonical(&fits);
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[ a-e0-9(){}\\[\\],.:=~!<>@#'\"`+*/^%-]{0,40}") {
        if let Ok(expr) = Expr::parse(&text) {
            proptest::prop_assert_eq!(Expr::parse(&expr.to_string()), Ok(expr));
        }
    }
}
