//! How a query ended, as diesel tells it.

use diesel::result::{DatabaseErrorKind, Error};

use super::super::ErrorClass;

/// What kind of failure an error of diesel is, as far as diesel tells: it has no SQLSTATE, and what is none of its
/// [`DatabaseErrorKind`]s is [`ErrorClass::Other`], a wrong statement and a timeout of the server among them.
pub fn class_of(error: &Error) -> ErrorClass {
    match error {
        Error::DatabaseError(kind, _) => class_of_kind(*kind),
        Error::NotFound => ErrorClass::NoData,
        Error::InvalidCString(_) | Error::QueryBuilderError(_) => ErrorClass::Syntax,
        Error::SerializationError(_)
        | Error::DeserializationError(_)
        | Error::IntegerConversion(_) => ErrorClass::Data,
        Error::RollbackErrorOnCommit { commit_error, .. } => class_of(commit_error),
        Error::AlreadyInTransaction | Error::NotInTransaction | Error::BrokenTransactionManager => {
            ErrorClass::Transaction
        }
        _ => ErrorClass::Other,
    }
}

fn class_of_kind(kind: DatabaseErrorKind) -> ErrorClass {
    match kind {
        DatabaseErrorKind::UniqueViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::RestrictViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::ExclusionViolation => ErrorClass::Constraint,
        DatabaseErrorKind::SerializationFailure => ErrorClass::Retryable,
        DatabaseErrorKind::ReadOnlyTransaction => ErrorClass::Transaction,
        DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection => {
            ErrorClass::Connection
        }
        _ => ErrorClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_a_class() {
        let database = |kind| Error::DatabaseError(kind, Box::new(String::new()));
        for (error, class) in [
            (
                database(DatabaseErrorKind::UniqueViolation),
                ErrorClass::Constraint,
            ),
            (
                database(DatabaseErrorKind::SerializationFailure),
                ErrorClass::Retryable,
            ),
            (
                database(DatabaseErrorKind::ClosedConnection),
                ErrorClass::Connection,
            ),
            (
                database(DatabaseErrorKind::ReadOnlyTransaction),
                ErrorClass::Transaction,
            ),
            (database(DatabaseErrorKind::Unknown), ErrorClass::Other),
            (Error::NotFound, ErrorClass::NoData),
            (Error::SerializationError("".into()), ErrorClass::Data),
            (Error::QueryBuilderError("".into()), ErrorClass::Syntax),
            (Error::BrokenTransactionManager, ErrorClass::Transaction),
            (Error::RollbackTransaction, ErrorClass::Other),
        ] {
            assert_eq!(class_of(&error), class, "{error:?}");
        }
        let both = Error::RollbackErrorOnCommit {
            rollback_error: Box::new(database(DatabaseErrorKind::ClosedConnection)),
            commit_error: Box::new(database(DatabaseErrorKind::ForeignKeyViolation)),
        };
        assert_eq!(class_of(&both), ErrorClass::Constraint);
    }
}
