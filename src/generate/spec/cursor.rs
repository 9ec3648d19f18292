//! A walk through a document that knows where it is.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use super::problem::{Mistake, Note, Report};
use crate::rule::yaml::{Key, Kind, Node};

/// A value, and where it stands.
#[derive(Clone)]
pub(super) struct At<'a> {
    node: &'a Node,
    document: Rc<str>,
    path: String,
    report: &'a Report,
}

impl<'a> At<'a> {
    /// The root of a document.
    pub(super) fn root(node: &'a Node, document: &str, report: &'a Report) -> Self {
        Self {
            node,
            document: document.into(),
            path: String::new(),
            report,
        }
    }

    pub(super) fn refuse(&self, message: impl Into<String>) {
        self.report.refuse(Mistake {
            line: self.node.line,
            document: self.document.to_string(),
            path: self.path.clone(),
            message: message.into(),
        });
    }

    pub(super) fn note(&self, message: impl Into<String>) {
        self.report.note(Note {
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
        let entries = match &self.node.kind {
            Kind::Map(entries) => &entries[..],
            _ => {
                self.wanted::<()>("a map");
                &[]
            }
        };
        let mut seen = HashSet::new();
        for (key, _) in entries {
            if !seen.insert(&*key.name) {
                self.beside(key)
                    .refuse("stands there twice: keep the one that counts");
            }
        }
        Fields {
            at: self.clone(),
            entries,
            asked: RefCell::default(),
        }
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

    fn inner(&self, key: &str) -> String {
        match &*self.path {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    /// Where a key stands, for a report on it.
    fn beside(&self, key: &Key) -> Place<'a> {
        Place {
            line: key.line,
            path: self.inner(&key.name),
            at: self.clone(),
        }
    }
}

struct Place<'a> {
    line: usize,
    path: String,
    at: At<'a>,
}

impl Place<'_> {
    fn refuse(&self, message: impl Into<String>) {
        self.at.report.refuse(Mistake {
            line: self.line,
            document: self.at.document.to_string(),
            path: self.path.clone(),
            message: message.into(),
        });
    }
}

/// The fields of a map: what is never asked for is unknown.
pub(super) struct Fields<'a> {
    pub(super) at: At<'a>,
    entries: &'a [(Key, Node)],
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    /// A field; one that holds nothing is not there.
    pub(super) fn get(&self, key: &'static str) -> Option<At<'a>> {
        self.asked.borrow_mut().push(key);
        let (_, node) = self.entries.iter().find(|(known, _)| known.name == key)?;
        let at = self.at.at(node, self.at.inner(key));
        (!matches!(node.kind, Kind::Null)).then_some(at)
    }

    /// A field that must be there; `mend` says what to write.
    pub(super) fn need(&self, key: &'static str, mend: &str) -> Option<At<'a>> {
        let found = self.get(key);
        if found.is_none() {
            self.refuse(key, format!("is missing: {mend}"));
        }
        found
    }

    /// Reports on a field that may not be there.
    pub(super) fn refuse(&self, key: &str, message: impl Into<String>) {
        let at = self.at.at(self.at.node, self.at.inner(key));
        at.refuse(message);
    }

    /// Notes the fields that are not kept.
    pub(super) fn leave(&self, keys: &[&'static str], why: &str) {
        for at in keys.iter().filter_map(|key| self.get(key)) {
            at.note(why);
        }
    }

    /// Takes fields that say nothing here.
    pub(super) fn ignore(&self, keys: &[&'static str]) {
        self.asked.borrow_mut().extend(keys);
    }

    /// Refuses what was not asked for.
    pub(super) fn finish(self) {
        let mut known = self.asked.into_inner();
        let unknown = |entry: &&(Key, Node)| !known.contains(&&*entry.0.name);
        let unknown: Vec<_> = self.entries.iter().filter(unknown).collect();
        known.sort_unstable();
        known.dedup();
        for (key, _) in unknown {
            let known = known.join(", ");
            self.at
                .beside(key)
                .refuse(format!("is not known here: known are {known}"));
        }
    }
}
