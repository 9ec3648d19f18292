//! Why two recordings cannot be compared, or one cannot be read.

use std::fmt;
use std::path::PathBuf;

/// What is wrong with a recording or its file.
#[derive(Debug)]
#[non_exhaustive]
pub enum CompareError {
    /// A file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A field does not hold what it should.
    Field {
        /// Where, such as `operations[3].cells_ns[7]`.
        field: String,
        /// What is wrong and how to mend it.
        message: String,
    },
}

impl CompareError {
    pub(super) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        Self::Field { field, message }
    }
}

impl fmt::Display for CompareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "file {}: {error}", path.display()),
            Self::Field { field, message } => write!(f, "{field}: {message}"),
        }
    }
}

impl std::error::Error for CompareError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { error, .. } => Some(error),
            Self::Field { .. } => None,
        }
    }
}
