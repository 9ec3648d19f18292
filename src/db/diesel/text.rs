//! The SQL of a query, without the values that diesel shows behind it.

use std::fmt::{self, Write as _};

use diesel::connection::DebugQuery;

/// Hands the SQL of `query` to `take`; an empty text, if diesel cannot put it into words.
///
/// diesel writes the SQL in one piece, and then ` -- binds: [..]`. Who refuses to be told more after the first piece has
/// nothing to cut off, whatever the SQL looks like, and the values are not even put into words.
pub(super) fn of<T>(query: &dyn DebugQuery, take: impl FnOnce(&str) -> T) -> T {
    let mut first = FirstPiece {
        take: Some(take),
        taken: None,
    };
    // An error it is in any case: our refusal, or a query that cannot be written.
    _ = write!(first, "{query}");
    match first {
        FirstPiece {
            taken: Some(taken), ..
        } => taken,
        FirstPiece { take, .. } => take.expect("it was not called")(""),
    }
}

struct FirstPiece<F, T> {
    take: Option<F>,
    taken: Option<T>,
}

impl<F: FnOnce(&str) -> T, T> fmt::Write for FirstPiece<F, T> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if let Some(take) = self.take.take() {
            self.taken = Some(take(piece));
        }
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A query, as diesel shows it.
    #[derive(Debug)]
    struct Shown(Result<&'static str, fmt::Error>);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let sql = self.0?.to_owned();
            write!(f, "{sql} -- binds: {:?}", [Value])
        }
    }

    impl DebugQuery for Shown {}

    /// A value that must not be put into words.
    struct Value;

    impl fmt::Debug for Value {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("somebody asked for it")
        }
    }

    #[test]
    fn the_sql_is_taken_whole_and_nothing_behind_it() {
        for sql in [
            "SELECT 1",
            "SELECT ' -- binds: [1]', 2 -- binds: [3]\n, 4",
            "SELECT\n{}",
        ] {
            assert_eq!(of(&Shown(Ok(sql)), str::to_owned), sql);
        }
    }

    #[test]
    fn what_cannot_be_written_is_empty() {
        assert_eq!(of(&Shown(Err(fmt::Error)), str::to_owned), "");
    }
}
