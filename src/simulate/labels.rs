//! Labels that are made up, so that selectors take a series, or tell one from another: found by trying.

use std::collections::BTreeSet;

use crate::expr::{Compare, Matcher, Selector};

/// Names and values.
pub(crate) type Labels = Vec<(String, String)>;

/// So many combinations are tried at most.
const TRIES: usize = 4_096;

/// Values that patterns are often about, besides what follows from how they are written.
const USUAL: [&str; 12] = [
    "example", "200", "500", "404", "400", "503", "301", "GET", "POST", "error", "ok", "1",
];

/// Labels that the selector takes, as far as any can be found; none that may as well not be there.
pub(crate) fn labels(selector: &Selector) -> Labels {
    let found = keys(&[selector]).into_iter().filter_map(|key| {
        let of_key = |matcher: &&Matcher| matcher.label() == key;
        let holds = |value: &str| {
            let mut matchers = selector.matchers().iter().filter(of_key);
            matchers.all(|matcher| matcher.holds(value))
        };
        if holds("") {
            return None;
        }
        let value = values(&[selector], &key).into_iter().find(|it| holds(it))?;
        Some((key, value))
    });
    found.collect()
}

/// Labels of a series that the first counter of a ratio takes, and of one that only the second takes, if they are found: of one
/// family, where the second is the whole, it takes both.
pub(crate) fn pair(part: &Selector, rest: &Selector, rest_is_all: bool) -> Option<[Labels; 2]> {
    let found = match part.name() == rest.name() {
        true => {
            let both = [part, rest];
            let taken = |labels: &Labels| both.map(|selector| takes(selector, labels));
            [
                combinations(both).find(|labels| taken(labels) == [true, rest_is_all])?,
                combinations(both).find(|labels| taken(labels) == [false, true])?,
            ]
        }
        false => [labels(part), labels(rest)],
    };
    (takes(part, &found[0]) && takes(rest, &found[1])).then_some(found)
}

/// Whether a series of its family with these labels is one that it selects.
pub(super) fn takes(selector: &Selector, labels: &Labels) -> bool {
    let value = |key: &str| labels.iter().find(|label| label.0 == key);
    selector.has(|key| value(key).map_or("", |label| &*label.1))
}

fn keys(selectors: &[&Selector]) -> BTreeSet<String> {
    let matchers = selectors.iter().flat_map(|selector| selector.matchers());
    matchers.map(|matcher| matcher.label().to_owned()).collect()
}

/// Every label that they speak of, at any value.
fn combinations(selectors: [&Selector; 2]) -> impl Iterator<Item = Labels> {
    let keys = keys(&selectors).into_iter();
    let keys = keys.map(|key| (values(&selectors, &key), key));
    let keys: Vec<(Vec<String>, String)> = keys.collect();
    (0..TRIES).map_while(move |mut number| {
        let mut labels = Labels::new();
        for (values, key) in &keys {
            labels.push((key.clone(), values[number % values.len()].clone()));
            number /= values.len();
        }
        (number == 0).then_some(labels)
    })
}

/// What a label may be: what is written, another text, and what patterns may allow.
fn values(selectors: &[&Selector], key: &str) -> Vec<String> {
    let matchers = selectors.iter().flat_map(|selector| selector.matchers());
    let matchers: Vec<_> = matchers.filter(|matcher| matcher.label() == key).collect();
    let is_pattern = |compare| matches!(compare, Compare::Matches | Compare::NotMatches);
    let (patterns, texts): (Vec<&Matcher>, Vec<_>) = matchers
        .into_iter()
        .partition(|matcher| is_pattern(matcher.compare()));
    let mut values: Vec<String> = texts.iter().map(|text| text.value().to_owned()).collect();
    let parts = patterns
        .iter()
        .flat_map(|matcher| matcher.value().split('|'));
    values.extend(
        parts
            .clone()
            .filter(|part| is_text(part))
            .map(str::to_owned),
    );
    values.push("other".to_owned());
    if !patterns.is_empty() {
        values.extend(USUAL.map(str::to_owned));
        values.extend(parts.map(allowed));
    }
    values.retain(|value| !value.is_empty());
    values
}

/// Whether it stands for itself in a pattern.
fn is_text(pattern: &str) -> bool {
    !pattern.contains(|char| r".*+?()[]{}^$\".contains(char))
}

/// `/orders/example` of `/orders/.+`
fn allowed(pattern: &str) -> String {
    let filled = pattern.replace(".*", "example").replace(".+", "example");
    filled.replace('\\', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors() -> Selector {
        Selector::new("a_total")
            .label_matches("code", "5..")
            .expect("a pattern")
    }

    #[test]
    fn labels_are_such_as_the_selector_takes() {
        let any = || Selector::new("a_total");
        let matching = |pattern| any().label_matches("route", pattern).expect("a pattern");
        let of = |selector: Selector| labels(&selector).pop().map(|label| label.1);
        assert_eq!(of(errors()).as_deref(), Some("500"));
        assert_eq!(
            of(matching("/orders/.+")).as_deref(),
            Some("/orders/example")
        );
        assert_eq!(of(matching("a|b")).as_deref(), Some("a"));
        assert_eq!(of(any().label_not("code", "")).as_deref(), Some("other"));
        assert_eq!(of(any().label_not("code", "200")), None, "none is another");
        assert_eq!(of(matching("[x-z]{7}")), None);
    }

    #[test]
    fn a_pair_tells_a_part_from_the_rest() {
        let any = || Selector::new("a_total");
        let told = |part: Selector, rest: Selector, whole| {
            let labels = pair(&part, &rest, whole)?;
            assert_eq!(
                labels.each_ref().map(|its| takes(&part, its)),
                [true, false]
            );
            assert_eq!(
                labels.each_ref().map(|its| takes(&rest, its)),
                [whole, true]
            );
            Some(labels.map(|its| its.into_iter().map(|label| label.1).collect::<Vec<_>>()))
        };
        let one = |value: &str| vec![value.to_owned()];
        assert_eq!(
            told(any().label_not("code", "200"), any(), true),
            Some([one("other"), one("200")])
        );
        assert_eq!(
            told(errors(), any().label_not("code", "404"), true),
            Some([one("500"), one("other")])
        );
        let hit = |value| any().label("hit", value);
        assert_eq!(
            told(hit("true"), hit("false"), false),
            Some([one("true"), one("false")])
        );
        assert_eq!(told(any(), any(), true), None);
        assert_eq!(told(hit("true"), hit("false"), true), None, "no part of it");
        let labelled = pair(&errors(), &Selector::new("b_total"), true);
        assert_eq!(labelled.map(|labels| labels[1].len()), Some(0));
        let odd = any().label_matches("code", "[x-z]{7}").expect("a pattern");
        assert_eq!(pair(&odd, &Selector::new("b_total"), true), None);
    }
}
