//! A walk through a document that knows where it is.

use std::rc::Rc;

use super::fields::Fields;
use super::problem::{Mistake, Note, Report};
use crate::rule::yaml::{Kind, Node};

/// A document of a file, as it was read.
pub(super) struct Raw {
    pub(super) file: Rc<str>,
    /// Which one of the file, from 1.
    pub(super) nth: usize,
    pub(super) node: Node,
}

/// A value, and where it stands.
#[derive(Clone)]
pub(super) struct At<'a> {
    pub(super) node: &'a Node,
    file: Rc<str>,
    document: Rc<str>,
    path: String,
    report: &'a Report,
}

/// The same, without the value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    file: Rc<str>,
    line: usize,
    document: Rc<str>,
    path: String,
}

impl Place {
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Whether a note is about the same document.
    pub(super) fn is_around(&self, note: &Note) -> bool {
        (&*self.file, &*self.document) == (&*note.file, &*note.document)
    }

    pub(super) fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake {
            file: self.file.to_string(),
            line: self.line,
            document: self.document.to_string(),
            path: self.path.clone(),
            message: message.into(),
        }
    }
}

impl<'a> At<'a> {
    /// The root of a document, which is known by its number until it is called something.
    pub(super) fn root(raw: &'a Raw, report: &'a Report) -> Self {
        Self {
            node: &raw.node,
            file: raw.file.clone(),
            document: format!("document {}", raw.nth).into(),
            path: String::new(),
            report,
        }
    }

    pub(super) fn called(mut self, name: Option<String>) -> Self {
        self.document = name.map_or(self.document, Rc::from);
        self
    }

    pub(super) fn place(&self) -> Place {
        Place {
            file: self.file.clone(),
            line: self.node.line,
            document: self.document.clone(),
            path: self.path.clone(),
        }
    }

    pub(super) fn refuse(&self, message: impl Into<String>) {
        self.report.refuse(self.place().mistake(message));
    }

    /// Refuses one of its keys, where that stands.
    pub(super) fn refuse_key(&self, line: usize, key: &str, message: impl Into<String>) {
        let mut place = self.inner(self.node, key).place();
        place.line = line;
        self.report.refuse(place.mistake(message));
    }

    pub(super) fn note(&self, message: impl Into<String>) {
        self.report.note(Note {
            file: self.file.to_string(),
            line: self.node.line,
            document: self.document.to_string(),
            path: self.path.clone(),
            message: message.into(),
        });
    }

    /// A text some fields down, if it is there; nothing is reported.
    pub(super) fn peek(&self, path: &[&str]) -> Option<&'a str> {
        let mut node = self.node;
        for wanted in path {
            let Kind::Map(entries) = &node.kind else {
                return None;
            };
            node = &entries.iter().find(|(key, _)| key.name == *wanted)?.1;
        }
        match &node.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is a map with something in this field.
    pub(super) fn holds(&self, key: &str) -> bool {
        let Kind::Map(entries) = &self.node.kind else {
            return false;
        };
        let mut entries = entries.iter();
        entries.any(|(known, node)| known.name == key && !matches!(node.kind, Kind::Null))
    }

    /// Whether it is a text rather than a list or a map.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.node.kind, Kind::Text(_))
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        match &self.node.kind {
            Kind::Text(text) => Some(text),
            _ => self.wanted("a text"),
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        let text = self.text()?;
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.or_else(|| self.wanted("a number"))
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self.text()? {
            "true" => Some(true),
            "false" => Some(false),
            _ => self.wanted("true or false"),
        }
    }

    pub(super) fn list(&self) -> Vec<Self> {
        let Kind::List(list) = &self.node.kind else {
            self.wanted::<()>("a list");
            return Vec::new();
        };
        let item = |(at, node)| self.at(node, format!("{}[{at}]", self.path));
        list.iter().enumerate().map(item).collect()
    }

    /// The fields of a map, each key once.
    pub(super) fn fields(&self) -> Fields<'a> {
        Fields::new(
            self,
            match &self.node.kind {
                Kind::Map(entries) => entries,
                _ => {
                    self.wanted::<()>("a map");
                    &[]
                }
            },
        )
    }

    fn wanted<T>(&self, what: &str) -> Option<T> {
        let shown = match &self.node.kind {
            Kind::Text(text) => format!("{text:?}"),
            Kind::Null => "nothing".to_owned(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
        };
        self.refuse(format!("is {shown} and must be {what}"));
        None
    }

    fn at(&self, node: &'a Node, path: String) -> Self {
        let mut at = self.clone();
        (at.node, at.path) = (node, path);
        at
    }

    /// What stands under a key.
    pub(super) fn inner(&self, node: &'a Node, key: &str) -> Self {
        self.at(
            node,
            match &*self.path {
                "" => key.to_owned(),
                path => format!("{path}.{key}"),
            },
        )
    }
}
