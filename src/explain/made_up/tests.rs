use super::*;
use crate::expr::{Over, eval};

fn declaration() -> Declaration {
    let families = "expect_families = [\"used\", \"most\", \"sent_total\", \"up\", \"level\"]";
    Declaration::parse(families).expect("no mistakes")
}

fn gauge(name: &str) -> Expr {
    Expr::select(Selector::new(name))
}

/// What an expression says of these values.
fn value(expr: &Expr, settings: &[Setting]) -> Option<f64> {
    let samples = samples(expr, settings, NOON);
    let value = eval(expr, &samples, NOON.as_millis() as i64);
    value.ok()?.as_float()
}

fn dialled(expr: Expr, wanted: f64) -> f64 {
    let dial = Dial::find(&declaration(), &expr).expect("a dial");
    value(&expr, &dial.to(wanted)).expect("a value")
}

#[test]
fn a_dial_gives_the_value_that_is_wanted() {
    let minute = Duration::from_secs(60);
    let exprs = [
        gauge("used").sum(),
        gauge("used").sum() / gauge("most").sum(),
        Expr::Number(100.0) - gauge("used").sum() * Expr::Number(3.0),
        Expr::rate(Selector::new("sent_total"), minute).sum(),
        Expr::avg_over_time(Selector::new("level").label("tank", "a"), minute),
    ];
    for expr in exprs {
        for wanted in [0.25, 7.0] {
            let found = dialled(expr.clone(), wanted);
            assert!((found - wanted).abs() < 1e-6, "{expr}: {found}");
        }
    }
}

#[test]
fn what_no_gauge_moves_is_said() {
    let refused = |expr: Expr| Dial::find(&declaration(), &expr).expect_err("no dial");
    let squared = refused(gauge("used") * gauge("used"));
    assert!(squared.contains("in a straight line"), "{squared}");
    let age = refused(Expr::Time - gauge("used").sum());
    assert!(age.contains("plimsoll simulate --set"), "{age}");
    let measured = refused(gauge("plimsoll_uptime_seconds").sum());
    assert_eq!(
        measured,
        "It reads plimsoll_uptime_seconds, which is measured and not set: no value of it can be made up here."
    );
}

#[test]
fn a_switch_makes_a_condition_hold_and_not() {
    let five_minutes = Duration::from_secs(300);
    let conditions = [
        gauge("up"),
        gauge("up").binary(crate::expr::Op::Equal, Expr::Number(1.0)),
        gauge("level").less(0.3).and(gauge("up")),
        Expr::Over(Over::Min, Selector::new("up"), five_minutes).greater(0.0),
        gauge("used").binary(crate::expr::Op::Less, gauge("most")),
    ];
    for condition in conditions {
        let switch = Switch::find(&declaration(), &condition).expect("a switch");
        let judged = crate::slo::Condition::new(&condition);
        let holds = |settings: &[Setting]| {
            let samples = samples(&condition, settings, NOON);
            judged.holds(&|expr| eval(expr, &samples, NOON.as_millis() as i64).ok())
        };
        assert_eq!(
            (holds(&switch.good), holds(&switch.bad)),
            (Some(true), Some(false)),
            "{condition}"
        );
    }
    let never = Switch::find(&declaration(), &gauge("up").less(f64::NEG_INFINITY));
    assert!(never.expect_err("it never holds").starts_with("No values"));
}

#[test]
fn a_budget_is_judged_while_its_condition_has_elements() {
    let busy = gauge("used").sum().greater(50.0);
    let settings = while_it_holds(&declaration(), &busy).expect("it can hold");
    assert!(value(&busy, &settings).is_some());
    let night = Expr::hour(crate::expr::Offset::UTC).less(6.0);
    let why = while_it_holds(&declaration(), &night).expect_err("noon is no night");
    assert!(why.starts_with("It is judged only while"), "{why}");
}

#[test]
fn series_of_one_family_have_the_same_labels() {
    let of = |key: &str, value: &str| Expr::select(Selector::new("level").label(key, value)).sum();
    let expr = of("tank", "a") / gauge("level").sum() + of("side", "left");
    let labels = |read: Read| {
        let mut labels = labels(&read.selector);
        labels.sort();
        labels.into_iter().map(|label| label.1).collect::<Vec<_>>()
    };
    let found: Vec<_> = series(&expr).into_iter().map(labels).collect();
    assert_eq!(
        found,
        [["other", "a"], ["other", "other"], ["left", "other"]]
    );
    assert!(reads(&declaration(), &expr).is_ok());
}

#[test]
fn a_share_is_turned_against_the_rest() {
    let errors = Selector::new("sent_total").label("result", "error");
    let minute = Duration::from_secs(60);
    let all = Expr::rate(Selector::new("sent_total"), minute).sum();
    let share = Expr::rate(errors, minute).sum() / all;
    let dial = Dial::find(&declaration(), &share).expect("a dial");
    let found = value(&share, &dial.to(0.25)).expect("a value");
    assert!((found - 0.25).abs() < 1e-6, "{found}");
    assert!(dial.reaches(1.0) && !dial.reaches(1.1) && !dial.reaches(-0.1));
    let near = [-0.1, 1.1].map(|value| dial.nearest(value));
    assert!(
        near[0].abs() < 1e-9 && (near[1] - 1.0).abs() < 1e-9,
        "{near:?}"
    );
}
