//! What a stream holds, by kind and name.

use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::super::cursor::{At, Raw};
use super::super::problem::Report;
use super::{NAME_ONLY, SERVICE_ONLY, VERSION};

const KINDS: [&str; 7] = [
    "SLO",
    "SLI",
    "Service",
    "AlertPolicy",
    "AlertCondition",
    "AlertNotificationTarget",
    "DataSource",
];

/// A document by what it is and what it says.
pub(super) struct Document<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) at: At<'a>,
    /// Nothing where it cannot be used; what refers to it is not wrong for that.
    pub(super) spec: Option<At<'a>>,
}

/// All documents of a stream.
pub(super) struct Documents<'a> {
    all: Vec<Document<'a>>,
    /// Where in these they are, by kind and name.
    places: HashMap<(&'a str, &'a str), usize>,
    used: RefCell<HashSet<(&'static str, &'a str)>>,
}

impl<'a> Documents<'a> {
    /// Reads how each of them begins.
    pub(super) fn of(raws: &[&'a Raw], report: &'a Report) -> Self {
        let mut documents = Self {
            all: Vec::new(),
            places: HashMap::new(),
            used: RefCell::default(),
        };
        for raw in raws {
            let root = At::root(raw, report);
            let label = match (root.peek(&["kind"]), root.peek(&["metadata", "name"])) {
                (Some(kind), Some(name)) => Some(format!("{kind} {name:?}")),
                _ => None,
            };
            documents.add(header(root.called(label)));
        }
        documents
    }

    fn add(&mut self, document: Document<'a>) {
        match self.places.entry((document.kind, document.name)) {
            Entry::Vacant(place) => {
                place.insert(self.all.len());
            }
            Entry::Occupied(_) if !document.name.is_empty() => document
                .at
                .refuse("stands twice: give one of both another name"),
            Entry::Occupied(_) => {}
        }
        self.all.push(document);
    }

    /// In the order of the stream.
    pub(super) fn all(&self) -> &[Document<'a>] {
        &self.all
    }

    /// What a document of a kind says; reports at the reference if there is none.
    pub(super) fn find(&self, kind: &'static str, at: &At<'a>) -> Option<&Document<'a>> {
        let name = at.text()?;
        self.used.borrow_mut().insert((kind, name));
        let found = self.named(kind, name);
        if found.is_none() {
            at.refuse(format!(
                "names {name:?}, which is no {kind} of this file, or of those read with it: put it into one of them"
            ));
        }
        found
    }

    pub(super) fn named(&self, kind: &str, name: &str) -> Option<&Document<'a>> {
        let place = self.places.get(&(kind, name))?;
        self.all.get(*place)
    }

    /// What nobody reads is said.
    pub(super) fn note_unused(&self) {
        let used = self.used.borrow();
        for document in &self.all {
            let refers = ["SLI", "AlertPolicy", "AlertCondition"].contains(&document.kind);
            let is_used = used.contains(&(document.kind, document.name));
            if refers && !is_used {
                document.at.note("is not read: no SLO refers to it");
            }
        }
    }
}

/// What every document begins with.
fn header<'a>(at: At<'a>) -> Document<'a> {
    let fields = at.fields();
    let version = fields.need("apiVersion", "write openslo/v1");
    let version = version.and_then(|at| Some((at.text()?, at)));
    let sound = version.is_some_and(|(text, at)| {
        if text != VERSION {
            at.refuse(foreign(text));
        }
        text == VERSION
    });
    let kind = fields.need("kind", "write SLO");
    let kind = kind.and_then(|at| Some((at.text()?, at)));
    if let Some((kind, at)) = &kind
        && !KINDS.contains(kind)
        && sound
    {
        at.refuse(format!(
            "{kind:?} is no kind of OpenSLO v1: known are {}",
            KINDS.join(", ")
        ));
    }
    let kind = kind.map_or("", |(kind, _)| kind);
    let name = fields.need("metadata", "write metadata: { name: .. }");
    let unsaid = match kind {
        "Service" => SERVICE_ONLY,
        _ => NAME_ONLY,
    };
    let name = name.and_then(|metadata| named(&metadata, unsaid));
    let name = name.unwrap_or("");
    let spec = fields.need("spec", "say what it is about");
    let spec = spec.filter(|_| sound);
    if sound {
        fields.finish();
    }
    Document {
        kind,
        name,
        at,
        spec,
    }
}

fn foreign(version: &str) -> String {
    match version.strip_prefix("openslo/") {
        Some(_) => {
            format!("{version:?} is another version: {VERSION} is read, so translate it first")
        }
        None => format!("{version:?} is not OpenSLO: write {VERSION}"),
    }
}

/// The name in a `metadata`; `unsaid` is what becomes of the rest.
pub(super) fn named<'a>(metadata: &At<'a>, unsaid: &str) -> Option<&'a str> {
    let fields = metadata.fields();
    let name = fields
        .need("name", "everything has one")
        .and_then(|at| at.text());
    fields.leave(&["displayName", "labels", "annotations"], unsaid);
    fields.finish();
    name
}
