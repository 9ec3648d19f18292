//! Well-formed expressions in canonical form.

use plimsoll::expr::{Aggregation, Function, Group, Grouping, MatchOn, Matching, Op, Over};
use plimsoll::{Expr, Selector};
use proptest::prelude::*;
use proptest::sample::select;
use std::time::Duration;

fn selector() -> impl Strategy<Value = Selector> {
    let name = prop_oneof![
        4 => select(vec!["a", "b_total", "job:c:rate5m", "ALERTS", "_x9"]).prop_map(str::to_owned),
        1 => select(vec!["sum", "by", "on", "Inf", "offset", "bool", "start", "time"]).prop_map(str::to_owned),
        1 => "[a-zA-Z_:][a-zA-Z0-9_:]{0,6}",
    ];
    let key = prop_oneof![
        4 => select(vec!["le", "job", "route", "by", "on", "and", "sum", "offset"]).prop_map(str::to_owned),
        1 => "[a-zA-Z][a-zA-Z0-9_]{0,6}",
    ];
    let value = prop_oneof![3 => "[a-z0-9/]{0,5}", 1 => "[ -~éλ\\n\\t🦀]{0,6}"];
    let pattern = select(vec!["a|b", "5..", ".+", "(?i:x)", "[a-z]+\\.\\d{2}", ""]);
    let matcher = (key, value, pattern, 0..4);
    (name, prop::collection::vec(matcher, 0..3)).prop_map(|(name, matchers)| {
        let start = Selector::new(name);
        matchers
            .into_iter()
            .fold(start, |selector, (key, value, pattern, kind)| match kind {
                0 => selector.label(key, value),
                1 => selector.label_not(key, value),
                2 => selector.label_matches(key, pattern).unwrap(),
                _ => selector.label_not_matches(key, pattern).unwrap(),
            })
    })
}

fn number() -> impl Strategy<Value = f64> {
    let usual = select(vec![
        0.0,
        1.0,
        0.5,
        100.0,
        1e-9,
        1e21,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
    ]);
    prop_oneof![usual, -1e6..1e6_f64]
}

fn keys() -> impl Strategy<Value = Vec<String>> {
    let key = select(vec!["le", "job", "route", "by", "on", "instance"]);
    prop::collection::btree_set(key, 0..3)
        .prop_map(|keys| keys.into_iter().map(str::to_owned).collect())
}

fn range() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (1..100_000_000_u64).prop_map(Duration::from_millis),
        (1..10_000_u64).prop_map(Duration::from_secs),
        (1..100_u64).prop_map(|days| Duration::from_secs(days * 86_400)),
    ]
}

const ARITHMETIC: [Op; 6] = [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Mod, Op::Pow];
const COMPARISONS: [Op; 6] = [
    Op::Greater,
    Op::GreaterEqual,
    Op::Less,
    Op::LessEqual,
    Op::Equal,
    Op::NotEqual,
];
const SETS: [Op; 3] = [Op::And, Op::Or, Op::Unless];

/// Only between vectors labels are matched, and only where nothing is a set a group may be; a label is either matched or copied.
fn matching() -> impl Strategy<Value = Matching> {
    (keys(), 0..3, 0..3, any::<bool>()).prop_map(|(keys, on, group, copy)| {
        let mut matching = Matching::default();
        let copied = match copy && on != 1 {
            true => vec!["version".to_owned()],
            false => Vec::new(),
        };
        matching.on = match on {
            0 => None,
            1 => Some(MatchOn::On(keys)),
            _ if keys.is_empty() => None,
            _ => Some(MatchOn::Ignoring(keys)),
        };
        matching.group = match group {
            0 => None,
            1 => Some(Group::Left(copied)),
            _ => Some(Group::Right(copied)),
        };
        matching
    })
}

fn plain(left: Expr, op: Op, as_bool: bool, right: Expr) -> Expr {
    let matching = Matching::default();
    left.binary_on(
        op,
        if as_bool {
            matching.as_bool()
        } else {
            matching
        },
        right,
    )
}

/// A scalar and a vector of about the same depth.
fn both(depth: u32) -> (BoxedStrategy<Expr>, BoxedStrategy<Expr>) {
    if depth == 0 {
        let scalar = prop_oneof![4 => number().prop_map(Expr::Number), 1 => Just(Expr::Time)];
        let over = select(&Over::ALL[..]);
        let ranged = (over, selector(), range())
            .prop_map(|(over, selector, range)| Expr::Over(over, selector, range));
        return (
            scalar.boxed(),
            prop_oneof![selector().prop_map(Expr::Select), ranged].boxed(),
        );
    }
    let (scalar, vector) = both(depth - 1);
    let (s, v) = (|| scalar.clone(), || vector.clone());
    let scalars = prop_oneof![
        s(),
        v().prop_map(|inner| inner.call(Function::Scalar)),
        // The minus of a number is part of the number.
        s().prop_map(|inner| -inner),
        (s(), select(&ARITHMETIC[..]), s())
            .prop_map(|(left, op, right)| plain(left, op, false, right)),
        (s(), select(&COMPARISONS[..]), s())
            .prop_map(|(left, op, right)| plain(left, op, true, right)),
    ];
    let how = select(&Aggregation::ALL[..]);
    let grouping = (keys(), any::<bool>()).prop_map(|(keys, by)| {
        if by {
            Grouping::By(keys)
        } else {
            Grouping::Without(keys)
        }
    });
    let function = select(vec![
        Function::Absent,
        Function::Abs,
        Function::Ceil,
        Function::Floor,
        Function::Sqrt,
        Function::Hour,
        Function::Minute,
        Function::DayOfWeek,
        Function::DayOfMonth,
        Function::Month,
        Function::HistogramCount,
        Function::HistogramSum,
    ]);
    let vectors = prop_oneof![
        v(),
        s().prop_map(|inner| inner.call(Function::Vector)),
        v().prop_map(|inner| -inner),
        (v(), function).prop_map(|(inner, function)| inner.call(function)),
        (s(), v()).prop_map(|(q, inner)| Expr::Quantile(Box::new(q), Box::new(inner))),
        (v(), how, grouping).prop_map(|(inner, how, grouping)| inner.aggregate(how, grouping)),
        (v(), select(&ARITHMETIC[..]), s())
            .prop_map(|(left, op, right)| plain(left, op, false, right)),
        (s(), select(&COMPARISONS[..]), any::<bool>(), v())
            .prop_map(|(left, op, as_bool, right)| plain(left, op, as_bool, right)),
        (v(), select(&ARITHMETIC[..]), matching(), v())
            .prop_map(|(left, op, matching, right)| left.binary_on(op, matching, right)),
        (
            v(),
            select(&COMPARISONS[..]),
            matching(),
            any::<bool>(),
            v()
        )
            .prop_map(|(left, op, mut matching, as_bool, right)| {
                matching.as_bool = as_bool;
                left.binary_on(op, matching, right)
            }),
        (v(), select(&SETS[..]), matching(), v()).prop_map(|(left, op, mut matching, right)| {
            matching.group = None;
            left.binary_on(op, matching, right)
        }),
    ];
    (scalars.boxed(), vectors.boxed())
}

/// Any expression that Prometheus would take, in canonical form.
pub(super) fn expr() -> BoxedStrategy<Expr> {
    let (scalar, vector) = both(3);
    prop_oneof![1 => scalar, 5 => vector].boxed()
}
