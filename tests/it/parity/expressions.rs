//! What is asked: conditions of every kind by hand, and others at random from a fixed seed.

use std::time::Duration;

use plimsoll::expr::{Aggregation, Function, Group, Grouping, MatchOn, Matching, Offset, Op, Over};
use plimsoll::{Expr, Selector};
use proptest::prelude::*;
use proptest::strategy::{BoxedStrategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const RANDOM: usize = 220;

pub(super) fn all() -> Vec<Expr> {
    let mut all = by_hand();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let random = vectors();
    all.extend((0..RANDOM).map(|_| random.new_tree(&mut runner).unwrap().current()));
    all
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

fn requests() -> Selector {
    Selector::new("requests_total")
}

fn bad(window: Duration) -> Expr {
    Expr::rate(requests().label("code", "500"), window).sum()
}

fn ratio(window: Duration) -> Expr {
    bad(window) / Expr::rate(requests(), window).sum()
}

fn buckets(window: Duration) -> Expr {
    Expr::rate(Selector::new("duration_seconds_bucket"), window)
}

fn depth() -> Expr {
    Expr::select(Selector::new("queue_depth"))
}

fn number(value: f64) -> Expr {
    Expr::Number(value)
}

/// Budgets, SLOs and guards as they are written.
pub(super) fn by_hand() -> Vec<Expr> {
    let hour = minutes(60);
    let short = minutes(5);
    let burns = |factor: f64| {
        let limit = factor * 0.001;
        ratio(hour).greater(limit).and(ratio(short).greater(limit))
    };
    let under = Selector::new("duration_seconds_bucket").label("le", "0.25");
    let count = Selector::new("duration_seconds_count");
    let share =
        number(1.0) - Expr::rate(under, short).sum() / Expr::rate(count.clone(), short).sum();
    let served = |window| Expr::increase(requests(), window).sum();
    let wilson = {
        // The lower bound of the error ratio at 95 %.
        let (n, p) = (served(hour), ratio(hour));
        let square = 1.96_f64 * 1.96;
        let middle = p.clone() + number(square) / (number(2.0) * n.clone());
        let spread = (p.clone() * (number(1.0) - p) / n.clone()
            + number(square) / (number(4.0) * n.clone() * n.clone()))
        .call(Function::Sqrt);
        (middle - number(1.96) * spread) / (number(1.0) + number(square) / n)
    };
    let mut all = vec![
        Expr::quantile(0.95, Selector::new("duration_seconds"), short).greater(0.4),
        Expr::quantile(0.5, Selector::new("duration_seconds"), hour),
        buckets(short)
            .sum_by(["le", "instance", "route"])
            .histogram_quantile(0.99),
        Expr::select(Selector::new("duration_seconds_bucket")).histogram_quantile(0.9),
        buckets(short)
            .sum_by(["instance", "route"])
            .histogram_quantile(0.9),
        buckets(short).sum_by(["le"]).histogram_quantile(-0.1),
        buckets(short).sum_by(["le"]).histogram_quantile(1.1),
        buckets(short).sum_by(["le"]).histogram_quantile(0.0),
        buckets(short).sum_by(["le"]).histogram_quantile(1.0),
        buckets(short).sum_by(["le"]).histogram_quantile(f64::NAN),
        ratio(short).greater(0.01),
        ratio(hour) / number(0.001),
        burns(14.4),
        burns(3.0),
        burns(14.4).and(served(hour).binary(Op::GreaterEqual, number(200.0))),
        wilson.clone(),
        wilson.greater(0.002),
        share.clone(),
        share.greater(0.05),
        number(1.0) - ratio(hour) / number(0.001),
        (number(1.0) - ratio(hour) / number(0.001)) * number(3600.0) / ratio(short),
        Expr::rate(requests(), short).sum().less(2.0),
        Expr::avg_over_time(Selector::new("device_connected"), hour),
        Expr::avg_over_time(Selector::new("device_connected"), short)
            .aggregate(Aggregation::Avg, Grouping::default())
            .less(0.995),
        Expr::select(Selector::new("device_connected")).binary(Op::Equal, number(0.0)),
        depth().greater(1.0),
        depth().greater(1.0).or(depth().less(-0.5)),
        depth().unless(depth().greater(0.0)),
        Expr::select(requests().label("route", "/new")).absent(),
        Expr::rate(requests().label("route", "/new"), short).absent(),
        Expr::select(requests().label("a", "b").label_not("c", "d")).absent(),
        Expr::rate(requests(), short).sum_by(["route"]).while_any(
            Expr::hour(Offset::minutes(90).unwrap()).binary(Op::GreaterEqual, number(3.0)),
        ),
        Expr::hour(Offset::UTC),
        Expr::day_of_week(Offset::minutes(-600).unwrap()),
        Expr::Time,
        Expr::Time.binary(Op::Mod, number(3600.0)),
        Expr::Time.call(Function::Vector).call(Function::DayOfMonth),
        Expr::Time.call(Function::Vector).call(Function::Month),
        Expr::Time.call(Function::Vector).call(Function::Minute),
        number(2.0).binary(Op::Pow, number(0.3)),
        number(1.0).binary_on(Op::Less, Matching::default().as_bool(), number(2.0)),
        depth().sum().call(Function::Scalar),
        depth().call(Function::Scalar),
        Expr::rate(requests(), short).binary_on(
            Op::Mul,
            Matching::on(["instance"]).group(Group::Left(vec!["version".into()])),
            Expr::select(Selector::new("build_info")),
        ),
        Expr::select(Selector::new("build_info")).binary_on(
            Op::Mul,
            Matching::on(["instance"]).group(Group::Right(vec!["version".into(), "absent".into()])),
            Expr::rate(requests(), short),
        ),
        Expr::select(requests()).binary_on(
            Op::Greater,
            Matching::ignoring(["version"]).group(Group::Left(vec![])),
            depth(),
        ),
        // The same route with and without errors.
        Expr::rate(requests().label("code", "500"), hour).binary_on(
            Op::Div,
            Matching::ignoring(["code"]),
            Expr::rate(requests().label("code", "200"), hour),
        ),
        Expr::rate(requests().label("code", "500"), hour)
            / Expr::rate(requests(), hour).sum_by(["instance", "route"]),
        Expr::rate(requests(), hour).binary_on(
            Op::Div,
            Matching::on(["instance", "route"]),
            Expr::rate(requests(), hour).sum_by(["instance", "route"]),
        ),
        // These collide.
        depth().or(Expr::select(requests())) + number(1.0),
        depth() + Expr::select(requests()).binary_on(Op::Mul, Matching::on(["instance"]), depth()),
        Expr::select(Selector::new("device_connected"))
            .or(Expr::select(Selector::new("build_info"))
                .aggregate(Aggregation::Max, Grouping::without(["version"])))
            .call(Function::Abs),
        -depth(),
        -Expr::select(Selector::new("cpu_seconds_total")).sum(),
    ];
    for window in [1, 2, 5, 30, 60, 180].map(minutes) {
        for name in [
            "requests_total",
            "cpu_seconds_total",
            "rare_total",
            "duration_seconds_bucket",
        ] {
            all.push(Expr::rate(Selector::new(name), window));
            all.push(Expr::increase(Selector::new(name), window));
        }
        for over in [
            Over::Avg,
            Over::Min,
            Over::Max,
            Over::Sum,
            Over::Count,
            Over::Last,
        ] {
            all.push(Expr::Over(over, Selector::new("queue_depth"), window));
        }
    }
    for name in ["queue_depth", "requests_total", "cpu_seconds_total"] {
        for how in AGGREGATIONS {
            let select = || Expr::select(Selector::new(name));
            all.push(select().aggregate(how, Grouping::default()));
            all.push(select().aggregate(how, Grouping::by(["instance", "__name__"])));
            all.push(select().aggregate(how, Grouping::without(["instance", "code"])));
        }
    }
    all
}

const AGGREGATIONS: [Aggregation; 5] = [
    Aggregation::Sum,
    Aggregation::Min,
    Aggregation::Max,
    Aggregation::Avg,
    Aggregation::Count,
];

fn selectors() -> impl Strategy<Value = Selector> {
    let names = prop_oneof![
        3 => Just("requests_total"),
        1 => Just("cpu_seconds_total"),
        2 => Just("queue_depth"),
        1 => Just("device_connected"),
        1 => Just("build_info"),
        1 => Just("rare_total"),
        1 => Just("absent_total"),
    ];
    let matched = prop::option::of((0..7_usize, any::<prop::sample::Index>()));
    (names, matched).prop_map(|(name, matched)| {
        let selector = Selector::new(name);
        match matched.map_or(7, |matched| matched.0) {
            0 => selector.label("code", "500"),
            1 => selector.label("route", "/"),
            2 => selector.label("instance", "a:1"),
            3 => selector.label_not("instance", "b:2"),
            4 => selector.label_matches("route", "/(order|new)?").unwrap(),
            5 => selector.label_not_matches("route", "/.+").unwrap(),
            6 => selector.label("shard", ""),
            _ => selector,
        }
    })
}

fn windows() -> impl Strategy<Value = Duration> {
    let seconds = prop::sample::select(vec![20_u64, 30, 45, 60, 75, 300, 1800, 3600, 7200]);
    seconds.prop_map(Duration::from_secs)
}

fn overs() -> impl Strategy<Value = Over> {
    prop::sample::select(vec![
        Over::Rate,
        Over::Rate,
        Over::Increase,
        Over::Avg,
        Over::Min,
        Over::Max,
        Over::Sum,
        Over::Count,
        Over::Last,
    ])
}

fn label_sets() -> impl Strategy<Value = Vec<String>> {
    let labels = vec!["instance", "route", "code", "shard", "le", "version"];
    let labels = prop::sample::subsequence(labels, 0..4);
    labels.prop_map(|labels| labels.into_iter().map(str::to_owned).collect())
}

fn groupings() -> impl Strategy<Value = Grouping> {
    (label_sets(), any::<bool>()).prop_map(|(labels, by)| match by {
        true => Grouping::By(labels),
        false => Grouping::Without(labels),
    })
}

fn matchings(op: Op) -> impl Strategy<Value = Matching> {
    let on = prop::option::of((label_sets(), any::<bool>()));
    (on, 0..4_u8, any::<bool>()).prop_map(move |(on, group, as_bool)| {
        let mut matching = Matching::default();
        matching.on = on.map(|(labels, on)| match on {
            true => MatchOn::On(labels),
            false => MatchOn::Ignoring(labels),
        });
        let grouped = matching.on.is_some() && !op.is_set();
        matching.group = match group {
            1 if grouped => Some(Group::Left(Vec::new())),
            2 if grouped => Some(Group::Right(Vec::new())),
            _ => None,
        };
        matching.as_bool = as_bool && op.is_comparison();
        matching
    })
}

fn operators() -> impl Strategy<Value = Op> {
    prop::sample::select(vec![
        Op::Add,
        Op::Sub,
        Op::Mul,
        Op::Div,
        Op::Div,
        Op::Mod,
        Op::Pow,
        Op::Greater,
        Op::GreaterEqual,
        Op::Less,
        Op::LessEqual,
        Op::Equal,
        Op::NotEqual,
        Op::And,
        Op::Or,
        Op::Unless,
    ])
}

fn functions() -> impl Strategy<Value = Function> {
    prop::sample::select(vec![
        Function::Abs,
        Function::Ceil,
        Function::Floor,
        Function::Sqrt,
        Function::Absent,
    ])
}

/// Parts of moments near and far; those of what is no moment depend on the processor that Prometheus runs on.
fn calendars() -> impl Strategy<Value = Expr> {
    let functions = prop::sample::select(vec![
        Function::Hour,
        Function::Minute,
        Function::DayOfWeek,
        Function::DayOfMonth,
        Function::Month,
    ]);
    let scales = prop::sample::select(vec![1.0, 1e4, 1e7, -1e7, 1e10, -1e12]);
    (functions, scales).prop_map(|(function, scale)| {
        let moments = Expr::select(Selector::new("cpu_seconds_total")) * Expr::Number(scale);
        moments.call(function)
    })
}

fn vectors() -> BoxedStrategy<Expr> {
    let leaf = prop_oneof![
        1 => calendars(),
        2 => selectors().prop_map(Expr::select),
        6 => (overs(), selectors(), windows()).prop_map(|(over, of, window)| Expr::Over(over, of, window)),
        2 => (windows(), label_sets(), 0..20_u8).prop_map(|(window, mut labels, q)| {
            labels.push("le".to_owned());
            labels.dedup();
            buckets(window).sum_by(labels).histogram_quantile(f64::from(q) / 19.0)
        }),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        let aggregation = prop::sample::select(AGGREGATIONS.to_vec());
        let with_number = (inner.clone(), operators(), any::<bool>(), 0..40_u8, any::<bool>())
            .prop_filter("sets need vectors", |all| !all.1.is_set())
            .prop_map(|(vector, op, as_bool, value, swap)| {
                let number = Expr::Number(f64::from(value) / 8.0 - 1.0);
                let mut matching = Matching::default();
                matching.as_bool = as_bool && op.is_comparison();
                match swap {
                    true => number.binary_on(op, matching, vector),
                    false => vector.binary_on(op, matching, number),
                }
            });
        let combined = operators().prop_flat_map({
            let inner = inner.clone();
            move |op| (inner.clone(), Just(op), matchings(op), inner.clone())
        });
        prop_oneof![
            3 => (aggregation, groupings(), inner.clone())
                .prop_map(|(how, grouping, inner)| inner.aggregate(how, grouping)),
            1 => (functions(), inner.clone()).prop_map(|(function, inner)| inner.call(function)),
            1 => inner.clone().prop_map(|inner| -inner),
            2 => with_number,
            3 => combined.prop_map(|(left, op, matching, right)| left.binary_on(op, matching, right)),
            1 => (inner.clone(), inner).prop_map(|(left, right)| {
                left.binary(Op::Mul, right.sum().call(Function::Scalar))
            }),
        ]
    })
    .boxed()
}
