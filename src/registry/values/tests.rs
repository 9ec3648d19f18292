use std::thread;

use super::*;

fn label(change: impl FnOnce(Label) -> Label) -> LabelValues {
    let declared = Label::new("tier", Side::Request, Box::new(()));
    LabelValues::new(change(declared), &Arc::new(Memory::new(usize::MAX)))
}

#[test]
fn a_value_stays_where_it_is_and_is_found_by_its_place() {
    let label = label(|label| label.at_most(MAX_VALUES));
    let names: Vec<String> = (0..MAX_VALUES).map(|nth| format!("v{nth}")).collect();
    let places: Vec<_> = names.iter().map(|name| label.place(Some(name))).collect();
    for (name, (place, text)) in names.iter().zip(&places) {
        let (again, kept) = label.place(Some(name));
        assert_eq!((again, kept.as_ptr()), (*place, text.as_ptr()));
        assert_eq!(label.text(*place), name);
    }
    assert_eq!(label.place(Some("one more")), (BEYOND, OTHER));
    assert_eq!((label.text(BEYOND), label.overflows()), (OTHER, 1));
}

#[test]
fn nothing_is_empty_and_what_is_too_long_is_one_too_many() {
    let label = label(|label| label);
    assert_eq!(label.place(None), (EMPTY, ""));
    assert_eq!(label.place(Some("")), (EMPTY, ""));
    assert_eq!(label.overflows(), 0);
    assert_eq!(label.place(Some(&"x".repeat(MAX_BYTES))).0, FIRST);
    assert_eq!(
        label.place(Some(&"x".repeat(MAX_BYTES + 1))),
        (BEYOND, OTHER)
    );
    assert_eq!(label.place(Some(&"x".repeat(1 << 20))), (BEYOND, OTHER));
    assert_eq!(label.overflows(), 2);
}

#[test]
fn only_declared_values_are_told_apart_even_if_one_is_declared_twice() {
    let label = label(|label| label.at_most(3).values(["free", "paid", "free"]));
    assert_eq!(label.place(Some("paid")).1, "paid");
    for undeclared in ["gold", "FREE", "fre", "free "] {
        assert_eq!(label.place(Some(undeclared)), (BEYOND, UNDECLARED));
    }
    assert_eq!(label.overflows(), 4);
    assert_eq!(label.panicked(), (BEYOND, UNDECLARED));
    assert_eq!((label.overflows(), label.panics()), (4, 1));
}

#[test]
fn racing_threads_agree_on_places_and_never_pass_the_cap() {
    for _ in 0..50 {
        let label = label(|label| label.at_most(4));
        let place = |nth: usize| label.place(Some(["a", "b", "c", "d", "e", "f"][nth])).0;
        let seen = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|first| {
                    scope.spawn(move || (0..6).map(|nth| place((first + nth) % 6)).collect())
                })
                .collect();
            let joined = threads.into_iter().map(|thread| thread.join());
            joined
                .collect::<Result<Vec<Vec<u8>>, _>>()
                .expect("no panic")
        });
        let kept: Vec<&str> = (FIRST..FIRST + 5).map(|place| label.text(place)).collect();
        assert_eq!(kept.iter().filter(|text| !text.is_empty()).count(), 4);
        let beyond = seen.iter().flatten().filter(|place| **place == BEYOND);
        assert_eq!(beyond.count(), 8, "{seen:?}");
        assert_eq!(label.overflows(), 8);
    }
}
