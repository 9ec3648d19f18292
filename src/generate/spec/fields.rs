//! The fields of a map in a document.

use std::cell::RefCell;
use std::collections::HashSet;

use super::cursor::At;
use crate::rule::yaml::{Key, Kind, Node};

/// The fields of a map: what is never asked for is unknown.
pub(super) struct Fields<'a> {
    pub(super) at: At<'a>,
    entries: &'a [(Key, Node)],
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    /// Of a map with these entries; of two with one key the second is refused.
    pub(super) fn new(at: &At<'a>, entries: &'a [(Key, Node)]) -> Self {
        let mut seen = HashSet::new();
        for (key, _) in entries {
            if !seen.insert(&*key.name) {
                let message = "stands there twice: keep the one that counts";
                at.refuse_key(key.line, &key.name, message);
            }
        }
        Self {
            at: at.clone(),
            entries,
            asked: RefCell::default(),
        }
    }

    /// A field; one that holds nothing is not there.
    pub(super) fn get(&self, key: &'static str) -> Option<At<'a>> {
        self.asked.borrow_mut().push(key);
        let (_, node) = self.entries.iter().find(|(known, _)| known.name == key)?;
        let at = self.at.inner(node, key);
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
        self.at.inner(self.at.node, key).refuse(message);
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
            let message = format!("is not known here: known are {known}");
            self.at.refuse_key(key.line, &key.name, message);
        }
    }
}
