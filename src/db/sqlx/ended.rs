//! How a statement ended, as sqlx tells it.

use sqlx_core::error::{DatabaseError, Error, ErrorKind};

use super::super::{ErrorClass, Guard};
use crate::registry::Outcome;

/// Ends a statement as its result says; so many rows of it were read.
pub(super) fn end<T>(
    mut guard: Guard,
    result: &Result<T, Error>,
    rows: impl FnOnce(&T) -> Option<u64>,
) {
    match result {
        Ok(value) => {
            if let Some(rows) = rows(value) {
                guard.rows(rows);
            }
            guard.finish_as(Outcome::Ok);
        }
        Err(Error::RowNotFound) => {
            guard.rows(0);
            guard.fail(ErrorClass::NoData);
        }
        Err(error) => guard.fail(class_of(error)),
    }
}

/// What kind of failure an error of sqlx is: by SQLSTATE, of SQLite by its codes. For code that counts by itself.
pub fn class_of(error: &Error) -> ErrorClass {
    match error {
        Error::Database(error) => class_of_database(&**error),
        Error::RowNotFound => ErrorClass::NoData,
        Error::Io(_) | Error::Tls(_) | Error::WorkerCrashed => ErrorClass::Connection,
        Error::Protocol(_) => ErrorClass::System,
        Error::Encode(_)
        | Error::Decode(_)
        | Error::ColumnDecode { .. }
        | Error::TypeNotFound { .. } => ErrorClass::Data,
        Error::InvalidSavePointStatement | Error::BeginFailed => ErrorClass::Transaction,
        _ => ErrorClass::Other,
    }
}

/// By SQLSTATE; SQLite has numbers of its own instead, of up to four digits.
fn class_of_database(error: &dyn DatabaseError) -> ErrorClass {
    let code = error.code().unwrap_or_default();
    match code.parse::<u32>() {
        _ if !matches!(error.kind(), ErrorKind::Other) => ErrorClass::Constraint,
        Ok(number) if code.len() < 5 => class_of_sqlite(number),
        _ => ErrorClass::from_sqlstate(&code),
    }
}

/// By the primary code, which is the lowest byte of the extended one.
fn class_of_sqlite(code: u32) -> ErrorClass {
    match code & 0xff {
        // Busy, locked.
        5 | 6 => ErrorClass::Retryable,
        // No memory, the disk is full.
        7 | 13 => ErrorClass::Resources,
        // Interrupted.
        9 => ErrorClass::Operator,
        // It cannot be opened.
        14 => ErrorClass::Connection,
        // No permission, read only, not authorized.
        3 | 8 | 23 => ErrorClass::Auth,
        // Too big, of another type, out of range.
        18 | 20 | 25 => ErrorClass::Data,
        19 => ErrorClass::Constraint,
        // What cannot be prepared: a statement that is wrong, or a table that is not there.
        1 => ErrorClass::Syntax,
        // An internal error, input and output, a damaged file, no database.
        2 | 10 | 11 | 26 => ErrorClass::System,
        _ => ErrorClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_database_reported_has_a_class_too() {
        let io = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(class_of(&Error::Io(io)), ErrorClass::Connection);
        assert_eq!(class_of(&Error::WorkerCrashed), ErrorClass::Connection);
        assert_eq!(class_of(&Error::Encode("".into())), ErrorClass::Data);
        assert_eq!(class_of(&Error::RowNotFound), ErrorClass::NoData);
        assert_eq!(class_of(&Error::BeginFailed), ErrorClass::Transaction);
        assert_eq!(class_of(&Error::PoolClosed), ErrorClass::Other);
    }

    #[test]
    fn sqlite_has_numbers() {
        for (code, class) in [
            (5, ErrorClass::Retryable),
            (261, ErrorClass::Retryable),
            (9, ErrorClass::Operator),
            (1, ErrorClass::Syntax),
            (787, ErrorClass::Constraint),
            (13, ErrorClass::Resources),
            (14, ErrorClass::Connection),
            (522, ErrorClass::System),
            (101, ErrorClass::Other),
        ] {
            assert_eq!(class_of_sqlite(code), class, "{code}");
        }
    }
}
