use super::*;

#[test]
fn dates_are_gregorian() {
    let parts = |at: f64| {
        let part = |function| of_float(function, at).expect("a part of a moment");
        [
            Function::Month,
            Function::DayOfMonth,
            Function::DayOfWeek,
            Function::Hour,
            Function::Minute,
        ]
        .map(part)
    };
    assert_eq!(parts(0.0), [1.0, 1.0, 4.0, 0.0, 0.0]);
    assert_eq!(
        parts(951_782_399.0),
        [2.0, 28.0, 1.0, 23.0, 59.0],
        "2000-02-28"
    );
    assert_eq!(
        parts(951_782_400.9),
        [2.0, 29.0, 2.0, 0.0, 0.0],
        "2000 had a leap day"
    );
    assert_eq!(
        parts(4_107_542_400.0),
        [3.0, 1.0, 1.0, 0.0, 0.0],
        "2100 has none"
    );
    assert_eq!(
        parts(-0.9),
        [1.0, 1.0, 4.0, 0.0, 0.0],
        "fractions are cut off"
    );
    assert_eq!(parts(-1.0), [12.0, 31.0, 3.0, 23.0, 59.0]);
    assert!(parts(f64::NAN)[0].is_nan() && parts(f64::INFINITY)[3].is_nan());
}

#[test]
fn an_absent_series_has_the_labels_that_were_asked_for() {
    let selector = Selector::new("up")
        .label("job", "api")
        .label("twice", "a")
        .label("twice", "a");
    let selector = selector.label_not("zone", "b").label("none", "");
    let Ok(Evaluated::Vector(found)) = call(
        Function::Absent,
        &Expr::select(selector.clone()),
        Evaluated::Vector(Elements::new()),
    ) else {
        panic!("a vector");
    };
    assert_eq!(found[0].labels, Labels::new([("job", "api")]));
    let summed = Expr::select(selector).sum();
    assert!(absent(&summed, &[])[0].labels.is_empty());
    assert!(absent(&summed, &[Element::unlabelled(0.0)]).is_empty());
}
