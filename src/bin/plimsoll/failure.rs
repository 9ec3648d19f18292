//! Why a command cannot do what it was asked to.

use std::fmt;

/// One or several mistakes, each with what is to be done about it.
#[derive(Debug)]
pub(crate) struct Failure(Vec<String>);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(vec![message.into()])
    }

    pub(crate) fn all(messages: impl IntoIterator<Item = String>) -> Self {
        Self(messages.into_iter().collect())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
