//! Rule files from YAML: every mistake with its line, all of them at once.

mod group;
pub(crate) mod yaml;

use super::{Refusal, RuleFile, RuleFileError};
use group::Reader;

const MAX_BYTES: usize = 4 << 20;

impl RuleFile {
    /// The groups of a rule file of Prometheus, of at most 4 MiB.
    ///
    /// Labels of a group become labels of its rules; annotations stay the templates that they are.
    ///
    /// # Errors
    ///
    /// [`RuleFileError`] with everything that Prometheus would refuse, and everything that is not judged in this process:
    /// expressions outside of [`Expr::parse`](crate::Expr::parse)'s set, `limit`, `query_offset`, templates in labels, aliases and
    /// tags of YAML.
    pub fn parse(text: &str) -> Result<Self, RuleFileError> {
        let (file, refusals) = Self::parse_lenient(text);
        match refusals.is_empty() {
            true => Ok(file),
            false => Err(RuleFileError { refusals }),
        }
    }

    /// What of a rule file can be judged in this process, and what cannot.
    ///
    /// A rule that reads what a refused rule would have made (a recorded family, or its alert in `ALERTS`) is refused too.
    pub fn parse_lenient(text: &str) -> (Self, Vec<Refusal>) {
        let mut reader = Reader::default();
        if text.len() > MAX_BYTES {
            let message = format!(
                "the file has {} bytes: split what is longer than {MAX_BYTES}",
                text.len()
            );
            reader.refuse(0, "", message);
            return (Self::default(), reader.refusals);
        }
        match yaml::read(text) {
            Ok(None) => {}
            Ok(Some(root)) => reader.file(root),
            Err(error) => reader.refuse(error.line, error.construct, error.message),
        }
        let Reader {
            mut file,
            mut refusals,
            lost,
            ..
        } = reader;
        refusals.extend(file.take_dependent(lost));
        refusals.sort_by_key(|refusal| refusal.line);
        (file, refusals)
    }
}

#[cfg(test)]
mod tests;
