use super::*;
use crate::rule::{RuleGroup, RuleKind};

const FILE: &str = r#"
groups:
- name: api
  interval: 30s
  labels: {team: web}
  limit: 0
  rules:
  - record: route:errors:ratio_rate5m
    expr: |
      sum by (route) (rate(errors_total[5m]))
        / sum by (route) (rate(requests_total[5m]))   # both
  - alert: HighErrorRate
    expr: route:errors:ratio_rate5m > 0.01
    for: 1m
    keep_firing_for: 5m30s
    labels:
      severity: critical
      level: 1
    annotations:
      summary: "{{ $labels.route }}: {{ $value | humanizePercentage }}"
      description: 'it''s "bad":  # very'
- name: empty
"#;

fn refused(text: &str) -> Vec<(usize, String, String)> {
    let error = RuleFile::parse(text).expect_err(text);
    let told = |refusal: Refusal| (refusal.line, refusal.rule, refusal.construct);
    error.refusals.into_iter().map(told).collect()
}

#[test]
fn a_file_is_read_and_printed() {
    let file = RuleFile::parse(FILE).expect("it is a rule file");
    let [api, empty] = file.groups() else {
        panic!("{file}")
    };
    assert_eq!(
        (&*api.name, &*empty.name, api.rules.len()),
        ("api", "empty", 2)
    );
    assert_eq!(api.interval, Some(std::time::Duration::from_secs(30)));
    let RuleKind::Alert(alert) = &api.rules[1].kind else {
        panic!("{file}")
    };
    assert_eq!(alert.keep_firing.as_secs(), 330);
    assert_eq!(alert.annotations[1].1, "it's \"bad\":  # very");
    assert_eq!(
        api.rules[1].labels.to_string(),
        r#"{level="1", severity="critical", team="web"}"#
    );
    let printed = file.to_string();
    assert_eq!(RuleFile::parse(&printed).as_ref(), Ok(&file), "{printed}");
    assert_eq!(
        RuleFile::parse("").expect("nothing is a file too"),
        RuleFile::default()
    );
    assert_eq!(
        RuleFile::parse(&RuleFile::default().to_string()),
        Ok(RuleFile::default())
    );
}

#[test]
fn all_mistakes_are_named_at_once() {
    let text = "\
groups:
  - name: a
    rules:
      - alert: Sub
        expr: max_over_time(x[1h:5m]) > 1
      - record: bad name
        expr: x
        for: 5m
      - alert: Both
        record: both
        expr: x
      - alert: Typo
        exp: x
        for: 5 minutes
        labels: {'a-b': c, d: '', e: '{{ $value }}'}
      - expr: topk(1, x)
      - just a text
  - name: a
    limit: 5
    evaluation: 3s
  - rules: 7
other: 1
";
    let expected = [
        (5, "Sub", "[1h:5m]"),
        (6, "bad name", "bad name"),
        (8, "bad name", "for"),
        (9, "both", "record, alert"),
        (12, "Typo", "expr"),
        (12, "Typo", "{{ }} in labels"),
        (13, "Typo", "exp"),
        (14, "Typo", "for: 5 minutes"),
        (15, "Typo", "a-b"),
        (15, "Typo", "d"),
        (16, "", ""),
        (16, "", "topk"),
        (17, "", "a rule"),
        (18, "", "name"),
        (19, "", "limit"),
        (20, "", "evaluation"),
        (21, "", "name"),
        (21, "", "rules"),
        (22, "", "other"),
    ];
    let found = refused(text);
    assert!(found.is_sorted_by_key(|refusal| refusal.0));
    let told = |of: &(usize, &str, &str)| (of.0, of.1.to_owned(), of.2.to_owned());
    let expected: std::collections::BTreeSet<_> = expected.iter().map(told).collect();
    assert_eq!(
        found.into_iter().collect::<std::collections::BTreeSet<_>>(),
        expected
    );
    let error = RuleFile::parse(text)
        .expect_err("it is full of mistakes")
        .to_string();
    assert!(
        error.starts_with("line 5: group \"a\", rule \"Sub\": [1h:5m]: subqueries"),
        "{error}"
    );
}

#[test]
fn what_needs_a_refused_rule_is_refused_too() {
    let text = "\
groups:
  - name: a
    rules:
      - record: refused:rate
        expr: irate(x[5m])
      - record: next
        expr: refused:rate * 2
      - alert: Third
        expr: next > 1
      - alert: Fine
        expr: x > 1
      - alert: Fourth
        expr: ALERTS{alertname='Third'}
      - alert: AlsoFine
        expr: ALERTS{alertname='Fine'}
      - alert: OfAny
        expr: count(ALERTS) > 5
";
    let (mut file, refusals) = RuleFile::parse_lenient(text);
    let rules = |refusals: &[Refusal]| {
        refusals
            .iter()
            .map(|refusal| refusal.rule.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rules(&refusals),
        ["refused:rate", "next", "Third", "Fourth", "OfAny"]
    );
    assert_eq!(refusals[3].line, 12);
    let left = |file: &RuleFile| {
        file.groups()[0]
            .rules
            .iter()
            .map(|rule| rule.name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(left(&file), ["Fine", "AlsoFine"]);
    let unknown = file.retain_known(|selector| selector.name() != "x");
    assert_eq!(rules(&unknown), ["Fine", "AlsoFine"]);
    assert_eq!((unknown[0].line, &*unknown[0].construct), (10, "x"));
}

#[test]
fn yaml_that_would_grow_or_is_broken_is_refused() {
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
    assert_eq!(refused(bomb)[0].0, 2);
    assert_eq!(refused(bomb)[0].2, "alias");
    assert_eq!(refused("groups: !!seq []")[0].2, "tag");
    assert_eq!(refused("groups: []\n---\ngroups: []")[0].2, "---");
    for text in [
        "groups: [",
        "a: b: c",
        "groups:\n - name: 'x",
        "[1]",
        "x",
        "groups: {}",
        "? [a]\n: b",
        "groups: []\ngroups: []",
        "\u{0}",
        "%",
    ] {
        assert!(RuleFile::parse(text).is_err(), "{text:?}");
    }
    assert!(RuleFile::parse(&"[".repeat(1 << 20)).is_err());
    assert!(RuleFile::parse(&"a: ".repeat(1 << 20)).is_err());
    assert!(RuleFile::parse(&"- ".repeat(1 << 20)).is_err());
    assert!(RuleFile::parse(&" ".repeat(10 << 20)).is_err());
    for end in (0..FILE.len()).filter(|end| FILE.is_char_boundary(*end)) {
        let _ = RuleFile::parse_lenient(&FILE[..end]);
    }
}

proptest::proptest! {
    #[test]
    fn texts_survive_yaml(name in "\\PC{1,12}", text in "[\\x00-\\x7f\u{80}-\u{a0}é\u{2028}🦀\u{feff}]{0,12}") {
        let rule = crate::rule::Rule::alert(name.clone(), crate::Expr::Number(1.0)).annotation("a", text);
        let file = RuleFile::new([RuleGroup::new(name, [rule])]);
        let printed = file.to_string();
        proptest::prop_assert_eq!(RuleFile::parse(&printed), Ok(file), "{}", printed);
    }
}
