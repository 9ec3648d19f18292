//! What is said of mistakes in a file: each once, all at once, where it stands, and in the words of who wrote it.

mod places;
mod units;
mod words;

use plimsoll::Plimsoll;

/// What is wrong with a file, a line each.
fn said(toml: &str) -> Vec<String> {
    let built = Plimsoll::builder().manual_tick().toml(toml).build();
    let error = built.map(|_| ()).expect_err(toml);
    error.problems().iter().map(ToString::to_string).collect()
}

/// Exactly these are the mistakes; of each its beginning.
#[track_caller]
fn says(toml: &str, expected: &[&str]) {
    let mut said = said(toml);
    said.sort_by_key(|line| {
        let number = line
            .strip_prefix("line ")
            .and_then(|rest| rest.split(':').next());
        number.and_then(|number| number.parse::<usize>().ok())
    });
    let same = said.len() == expected.len();
    let begins = said
        .iter()
        .zip(expected)
        .all(|(said, expected)| said.starts_with(expected));
    assert!(
        same && begins,
        "{toml}\n{said:#?}\nshould be\n{expected:#?}"
    );
}
