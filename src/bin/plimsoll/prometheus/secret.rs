//! Who asks.

use std::fs;
use std::path::Path;

use crate::failure::Failure;

pub(super) enum Who {
    Anybody,
    Bearer(String),
    User(String, String),
}

impl Who {
    /// A token; `from` is where it stands.
    pub(super) fn bearer(from: &str, text: &str) -> Result<Self, Failure> {
        let token = text.trim();
        let wrong = match token.chars().all(|char| char.is_ascii_graphic()) {
            _ if token.is_empty() => "is empty: put the token into it",
            false => "holds more than a token: put one into it, without blanks and other lines",
            true => return Ok(Self::Bearer(token.to_owned())),
        };
        Err(Failure::new(format!("{from}: {wrong}")))
    }

    /// `USER:PASSWORD`; `from` is where it stands.
    pub(super) fn user(from: &str, text: &str) -> Result<Self, Failure> {
        let pair = text.trim().split_once(':');
        let (name, password) = pair
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| Failure::new(format!("{from}: write USER:PASSWORD into it")))?;
        Ok(Self::User(name.to_owned(), password.to_owned()))
    }
}

pub(super) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}
