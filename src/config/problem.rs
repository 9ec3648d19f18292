//! What is wrong with a configuration, in the words of what its reader writes.

use std::fmt;

use crate::budget::{Budget, Misfit, Unit};

/// One mistake in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where it is: a budget and its field, a TOML key, a variable.
    pub field: String,
    /// What is wrong and how to mend it.
    pub message: String,
    /// The line of the TOML text that it is about, from 1 up, if it is in that text.
    pub line: Option<usize>,
    /// What of the message depends on who mends it.
    advice: Option<Advice>,
}

/// What is wrong, and how that is mended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Advice {
    pub(crate) what: String,
    pub(crate) mend: Mend,
}

/// A mend that is written otherwise in Rust than in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mend {
    /// It is written the same everywhere, and part of what is wrong.
    Said,
    /// Correct the name of a family, or announce it.
    Announce(String),
    /// Say what Prometheus calls the process.
    Target,
    /// Write the limit in this unit; a floor, if so.
    Unit(Unit, bool),
    /// Give the key figure a unit of this kind.
    KeyFigure(Unit),
}

/// Who mends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(all(feature = "config", feature = "generate")),
    allow(dead_code, reason = "without them nobody writes files")
)]
pub(crate) enum Reader {
    Rust,
    Toml,
    /// A spec of another tool.
    Spec,
}

impl Problem {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            line: None,
            advice: None,
        }
    }

    /// One whose mend depends on who reads it: in Rust's words until [`said_to`](Self::said_to) says otherwise.
    pub(crate) fn advised(field: impl Into<String>, advice: Advice) -> Self {
        let problem = Self {
            advice: Some(advice),
            ..Self::new(field, "")
        };
        problem.said_to(Reader::Rust)
    }

    /// A limit in another unit than what a budget measures.
    pub(crate) fn misfit(budget: &Budget, misfit: Misfit) -> Self {
        let mend = match misfit.of_key_figure {
            true => Mend::KeyFigure(misfit.unit),
            false => Mend::Unit(misfit.unit, budget.floor),
        };
        let field = format!("budget {:?}: {}", budget.name, misfit.field);
        let what = misfit.what;
        Self::advised(field, Advice { what, mend })
    }

    /// The same in the words of what this reader writes.
    pub(crate) fn said_to(mut self, reader: Reader) -> Self {
        if let Some(Advice { what, mend }) = &self.advice {
            let key = self.field.rsplit(": ").next().unwrap_or_default();
            self.message = match mend.words(key, reader) {
                Some(mend) => format!("{what}: {mend}"),
                None => what.clone(),
            };
        }
        self
    }

    /// Whether it follows from one of these, which are about the same field or a part of it.
    pub(crate) fn follows_from(&self, read: &[Self]) -> bool {
        let mut read = read.iter();
        read.any(|known| {
            let rest = known.field.strip_prefix(&*self.field);
            // A table of the file is more than what is wrong with one of its keys.
            let is_key = self.field.contains(": ");
            rest.is_some_and(|rest| rest.is_empty() || (is_key && rest.starts_with(": ")))
        })
    }
}

impl Mend {
    /// How to mend what stands in `key`.
    fn words(&self, key: &str, reader: Reader) -> Option<String> {
        let words = match (self, reader) {
            (Self::Said, _) => return None,
            (Self::Announce(name), Reader::Rust) => format!(
                "correct the name, or announce it with Builder::expect_family({name:?}) if its instrument comes later"
            ),
            (Self::Announce(name), Reader::Toml) => format!(
                "correct the name, or write expect_families = [{name:?}] above the first table if its instrument comes later"
            ),
            (Self::Announce(_), Reader::Spec) => "query one that it exports".to_owned(),
            (Self::Target, Reader::Rust) => {
                "say which one that is with Builder::target(job, instance), or leave it out".to_owned()
            }
            (Self::Target, Reader::Toml) => {
                "leave it out, for the process knows no series but its own".to_owned()
            }
            (Self::Target, Reader::Spec) => {
                "let all queries of the service ask for the same job and no instance, or leave it out"
                    .to_owned()
            }
            (Self::Unit(Unit::Duration, _), Reader::Toml) => format!("write {key} = \"200ms\""),
            (Self::Unit(Unit::Duration, _), _) => "write Duration::from_millis(200)".to_owned(),
            (Self::Unit(Unit::Share, true), _) => "write 0.99 for 99 %".to_owned(),
            (Self::Unit(Unit::Share, false), _) => "write 0.01 for 1 %".to_owned(),
            (Self::Unit(Unit::PerSecond, _), _) => "write 100 for 100 per second".to_owned(),
            (Self::KeyFigure(unit), reader) => unit_of_key_figure(*unit, reader).to_owned(),
        };
        Some(words)
    }
}

/// Which unit to give a key figure that measures this.
fn unit_of_key_figure(unit: Unit, reader: Reader) -> &'static str {
    match (unit, reader) {
        (Unit::Duration, Reader::Rust) => "write KpiUnit::Milliseconds or KpiUnit::Seconds",
        (Unit::Duration, _) => "write unit = \"ms\" or unit = \"s\"",
        (Unit::Share, Reader::Rust) => "write KpiUnit::Percent, or leave the unit out",
        (Unit::Share, _) => "write unit = \"%\", or leave the unit out",
        (Unit::PerSecond, Reader::Rust) => "write KpiUnit::PerSecond, or leave the unit out",
        (Unit::PerSecond, _) => "write unit = \"/s\", or leave the unit out",
    }
}

impl From<String> for Advice {
    fn from(what: String) -> Self {
        let mend = Mend::Said;
        Self { what, mend }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{} {}", self.field, self.message)
    }
}

/// Every mistake that a configuration has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    problems: Vec<Problem>,
}

impl BuildError {
    pub(crate) fn new(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }

    /// `Ok` without problems.
    pub(crate) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { problems })
        }
    }

    /// The mistakes, in the order in which they were found.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(
            f,
            "{count} mistake{} in the configuration",
            if count == 1 { "" } else { "s" }
        )?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for BuildError {}
