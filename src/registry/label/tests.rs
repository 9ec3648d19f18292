use super::*;

fn label(name: &'static str) -> Label {
    Label::new(name, Side::Request, Box::new(()))
}

fn problems(labels: &[Label]) -> String {
    let problems = label_problems(labels).into_iter();
    let lines: Vec<_> = problems
        .map(|(field, message)| format!("{field} {message}"))
        .collect();
    lines.join("\n")
}

#[test]
fn sound_labels_have_no_problem() {
    let labels = [
        label("tier").values(["free", "paid"]),
        label("tenant").at_most(MAX_VALUES),
        label("a1"),
        label("_b"),
    ];
    assert_eq!(problems(&labels), "");
}

#[test]
fn every_mistake_says_how_to_mend_it() {
    let name =
        "must match [a-zA-Z_][a-zA-Z0-9_]*, must not start with __ and must not be le or quantile";
    for wrong in ["", "9a", "a-b", "le", "quantile", "__name__"] {
        assert_eq!(
            problems(&[label(wrong)]),
            format!("http_label {wrong:?}: {name}")
        );
    }
    let taken = "is what every request has already: choose another name";
    for own in ["method", "route"] {
        assert_eq!(
            problems(&[label(own)]),
            format!("http_label {own:?}: {taken}")
        );
    }
    for (change, expected) in [
        (
            label("a").at_most(0),
            "at_most(0) is no cap: it takes 1 to 250",
        ),
        (
            label("a").at_most(251),
            "at_most(251) is no cap: it takes 1 to 250",
        ),
        (
            label("a").values([""; 0]),
            "has 0 values: it takes 1 to 250",
        ),
        (
            label("a").values(["b", ""]),
            "value \"\" has 0 bytes: it takes 1 to 128, and empty is what none is shown as",
        ),
        (
            label("a").values(["b".repeat(129)]),
            "value \"bbbbbbbbbbbbbbbbbbbb\" has 129 bytes: it takes 1 to 128, and empty is what none is shown as",
        ),
    ] {
        assert_eq!(problems(&[change]), format!("http_label \"a\": {expected}"));
    }
    assert_eq!(
        problems(&[label("a"), label("b"), label("a")]),
        "http_label \"a\": is declared twice: leave one out or choose another name"
    );
    let five = ["a", "b", "c", "d", "e"].map(label);
    let expected = "http_label \"e\": is one too many: 5 labels are declared, and at most 4 may be, since each \
                    multiplies the series";
    assert_eq!(problems(&five), expected);
}
