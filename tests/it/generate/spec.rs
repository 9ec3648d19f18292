//! OpenSLO and sloth: what is read, what is refused, what is written.

mod exported;
mod openslo;
mod round_trip;
mod sloth;

use plimsoll::generate::Declaration;
use plimsoll::generate::spec::{Import, SpecError};
use plimsoll::{Plimsoll, Slo};

fn declaration(slos: impl IntoIterator<Item = Slo>) -> Declaration {
    let builder = Plimsoll::builder().service("shop");
    let builder = slos
        .into_iter()
        .fold(builder, |builder, slo| builder.slo(slo));
    builder.declaration().unwrap()
}

/// Mistakes as (line, path, part of the message), all of them.
#[track_caller]
fn refused(read: Result<Import, SpecError>, expected: &[(usize, &str, &str)]) {
    let mistakes = read.unwrap_err().mistakes;
    let shown = || {
        mistakes
            .iter()
            .map(|mistake| format!("\n{mistake}"))
            .collect::<String>()
    };
    assert_eq!(mistakes.len(), expected.len(), "{}", shown());
    for (mistake, (line, path, part)) in mistakes.iter().zip(expected) {
        assert_eq!(
            (mistake.line, &*mistake.path),
            (*line, *path),
            "{}",
            shown()
        );
        assert!(mistake.message.contains(part), "{part}: {}", shown());
    }
}

/// Notes by their paths and parts of what they say, all of them.
#[track_caller]
fn noted(import: &Import, expected: &[(&str, &str)]) {
    let notes = &import.notes;
    assert_eq!(notes.len(), expected.len(), "{notes:#?}");
    for (note, (path, part)) in notes.iter().zip(expected) {
        assert!(
            note.path == *path && note.message.contains(part),
            "{part}: {note}"
        );
    }
}
