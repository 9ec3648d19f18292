//! How a query failed, in as few words as an alert needs.

use crate::registry::{End, Outcome, Way};

/// What kind of failure a query ended in; the label `error_type` or `class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The database was not reached, or went away: SQLSTATE class 08, and 57P.. with which PostgreSQL ends connections.
    Connection,
    /// A value that does not fit (21, 22).
    Data,
    /// A constraint was violated (23, 44).
    Constraint,
    /// The transaction is not in the state for it (25).
    Transaction,
    /// The user may not do it (28, 42501).
    Auth,
    /// It may succeed when tried again: a deadlock, a serialization failure, a lock that was not to be had (40, 55P03).
    Retryable,
    /// The statement is wrong, or what it names is not there (42, 3D, 3F).
    Syntax,
    /// The server has not enough of something (53, 54).
    Resources,
    /// Somebody intervened (57, but for 57014 and 57P..).
    Operator,
    /// The server or its machine failed (58, XX).
    System,
    /// It took too long for the server or the driver (57014). Its outcome is `timeout`.
    Timeout,
    /// There was no such row (02): not a failure, so its outcome is `ok`.
    NoData,
    /// Anything else, and what nobody classified.
    Other,
}

impl ErrorClass {
    /// By the five characters that the standard and most databases have for it; anything else is [`Other`](Self::Other).
    ///
    /// PostgreSQL gives 57014 for `statement_timeout`, and for whoever cancels a query as well.
    pub fn from_sqlstate(code: &str) -> Self {
        match code {
            "57014" | "HYT00" | "HYT01" => return Self::Timeout,
            "55P03" => return Self::Retryable,
            "42501" => return Self::Auth,
            _ if code.len() != 5 => return Self::Other,
            // Whether the last words of a backend arrive or the socket is closed before is a matter of chance.
            _ if code.starts_with("57P") => return Self::Connection,
            _ => {}
        }
        match code.get(..2).unwrap_or_default() {
            "02" => Self::NoData,
            "08" => Self::Connection,
            "21" | "22" => Self::Data,
            "23" | "44" => Self::Constraint,
            "25" => Self::Transaction,
            "28" => Self::Auth,
            "40" => Self::Retryable,
            "42" | "3D" | "3F" => Self::Syntax,
            "53" | "54" => Self::Resources,
            "57" => Self::Operator,
            "58" | "XX" => Self::System,
            _ => Self::Other,
        }
    }

    /// The word used as a label value: `connection`, `data`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Data => "data",
            Self::Constraint => "constraint",
            Self::Transaction => "transaction",
            Self::Auth => "auth",
            Self::Retryable => "retryable",
            Self::Syntax => "syntax",
            Self::Resources => "resources",
            Self::Operator => "operator",
            Self::System => "system",
            Self::Timeout => "timeout",
            Self::NoData => "no_data",
            Self::Other => "other",
        }
    }
}

/// How a query ended: made of an [`Outcome`] or an [`ErrorClass`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub(super) End);

impl Status {
    /// `ok`, but not to its end: a stream that was left early, on purpose.
    pub fn partial() -> Self {
        Self(End {
            way: Way::PARTIAL,
            ..Outcome::Ok.into()
        })
    }

    /// `timeout`, an error.
    pub fn timeout() -> Self {
        ErrorClass::Timeout.into()
    }
}

/// An error is one of the class [`Other`](ErrorClass::Other).
impl From<Outcome> for Status {
    #[inline]
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Error => ErrorClass::Other.into(),
            outcome => Self(outcome.into()),
        }
    }
}

impl From<ErrorClass> for Status {
    #[inline]
    fn from(class: ErrorClass) -> Self {
        Self(match class {
            ErrorClass::NoData => Outcome::Ok.into(),
            ErrorClass::Timeout => End {
                way: Way::TIMEOUT,
                ..Outcome::Error.into()
            },
            class => End {
                way: Way::new(class.as_str()),
                ..Outcome::Error.into()
            },
        })
    }
}

/// Says what kind of failure an error is. Closures `Fn(&E) -> ErrorClass` do.
pub trait ClassifyError<E> {
    /// The class of `error`.
    fn classify(&self, error: &E) -> ErrorClass;

    /// How a query ended that returned `result`.
    #[inline]
    fn status<T>(&self, result: &Result<T, E>) -> Status {
        match result {
            Ok(_) => Outcome::Ok.into(),
            Err(error) => self.classify(error).into(),
        }
    }
}

/// The default: every error is [`ErrorClass::Other`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Unclassified;

impl<E> ClassifyError<E> for Unclassified {
    fn classify(&self, _: &E) -> ErrorClass {
        ErrorClass::Other
    }
}

impl<E, F: Fn(&E) -> ErrorClass> ClassifyError<E> for F {
    fn classify(&self, error: &E) -> ErrorClass {
        self(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_standard() {
        for (code, class) in [
            ("08006", "connection"),
            ("22012", "data"),
            ("23505", "constraint"),
            ("25P02", "transaction"),
            ("28P01", "auth"),
            ("40P01", "retryable"),
            ("55P03", "retryable"),
            ("42P01", "syntax"),
            ("42501", "auth"),
            ("53300", "resources"),
            ("57014", "timeout"),
            ("57P01", "connection"),
            ("57P03", "connection"),
            ("57000", "operator"),
            ("58030", "system"),
            ("XX000", "system"),
            ("02000", "no_data"),
            ("0A000", "other"),
        ] {
            assert_eq!(ErrorClass::from_sqlstate(code).as_str(), class, "{code}");
        }
    }

    #[test]
    fn what_is_no_sqlstate_is_other() {
        for code in [
            "",
            "1",
            "HY000",
            "23",
            "235055",
            "ß23",
            "\0\0\0\0\0",
            "2067",
        ] {
            assert_eq!(ErrorClass::from_sqlstate(code), ErrorClass::Other, "{code}");
        }
    }

    #[test]
    fn a_missing_row_is_no_failure_and_a_timeout_is_one() {
        let outcome = |status: Status| (status.0.outcome, status.0.outcome_str());
        assert_eq!(outcome(ErrorClass::NoData.into()), (Outcome::Ok, "ok"));
        assert_eq!(outcome(Status::timeout()), (Outcome::Error, "timeout"));
        assert_eq!(outcome(Status::partial()), (Outcome::Ok, "partial"));
        assert_eq!(outcome(Outcome::Error.into()), (Outcome::Error, "error"));
        assert_eq!(Status::from(Outcome::Error).0.as_str(), "other");
    }
}
