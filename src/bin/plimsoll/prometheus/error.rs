//! Why Prometheus did not answer a question.

use std::fmt;

use crate::failure::Failure;

#[derive(Debug)]
pub(crate) enum Error {
    /// It read the question and cannot answer this one: others it may.
    Refused(String),
    /// Nothing can be asked of it: it is not there, too slow, or something else.
    Lost(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "Prometheus refused the question: {why}"),
            Self::Lost(why) => f.write_str(why),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.to_string())
    }
}
