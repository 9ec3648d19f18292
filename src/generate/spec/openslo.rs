//! OpenSLO v1: documents that refer to each other.

mod alerts;
mod indicator;
mod objective;
mod window;
mod write;

pub(super) use write::write;

use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::cursor::{At, Fields};
use super::imported::{Importer, alerted};
use crate::rule::yaml::Node;
use crate::slo::{Period, Slo};
use objective::{Method, Objective};

const VERSION: &str = "openslo/v1";

const KINDS: [&str; 7] = [
    "SLO",
    "SLI",
    "Service",
    "AlertPolicy",
    "AlertCondition",
    "AlertNotificationTarget",
    "DataSource",
];

const NAME_ONLY: &str = "is not kept: here an SLO is known by its name";

/// A document by what it is and what it says.
struct Document<'a> {
    kind: &'a str,
    name: &'a str,
    at: At<'a>,
    /// Nothing where it cannot be used; what refers to it is not wrong for that.
    spec: Option<At<'a>>,
}

/// All documents of a stream.
struct Documents<'a> {
    all: Vec<Document<'a>>,
    /// Where in these they are, by kind and name.
    places: HashMap<(&'a str, &'a str), usize>,
    used: RefCell<HashSet<(&'static str, &'a str)>>,
}

pub(super) fn read(importer: &mut Importer<'_>, stream: &[(usize, Node)]) {
    let report = importer.report;
    let mut documents = Documents {
        all: Vec::new(),
        places: HashMap::new(),
        used: RefCell::default(),
    };
    for (at, (_, node)) in stream.iter().enumerate() {
        let root = At::root(node, &format!("document {}", at + 1), report);
        let label = match (root.peek(&["kind"]), root.peek(&["metadata", "name"])) {
            (Some(kind), Some(name)) => format!("{kind} {name:?}"),
            _ => format!("document {}", at + 1),
        };
        let document = header(At::root(node, &label, report));
        let place = documents.places.entry((document.kind, document.name));
        if let Entry::Occupied(_) = place
            && !document.name.is_empty()
        {
            document
                .at
                .refuse("stands twice: give one of both another name");
        }
        place.or_insert(at);
        documents.all.push(document);
    }
    for document in &documents.all {
        if let Some(spec) = &document.spec {
            one(importer, &documents, document, spec);
        }
    }
    documents.note_unused();
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
    let name = name.and_then(|metadata| named(&metadata)).unwrap_or("");
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

/// The name in a `metadata`.
fn named<'a>(metadata: &At<'a>) -> Option<&'a str> {
    let fields = metadata.fields();
    let name = fields
        .need("name", "everything has one")
        .and_then(|at| at.text());
    fields.leave(&["displayName", "labels", "annotations"], NAME_ONLY);
    fields.finish();
    name
}

fn one<'a>(
    importer: &mut Importer<'_>,
    documents: &Documents<'a>,
    document: &Document<'a>,
    spec: &At<'a>,
) {
    match document.kind {
        "SLO" => slo(importer, documents, document, spec),
        "Service" => {
            importer.service(document.name);
            let fields = spec.fields();
            fields.leave(&["description"], NAME_ONLY);
            fields.finish();
        }
        "DataSource" => document
            .at
            .note("is not needed: everything is counted in the process"),
        "AlertNotificationTarget" => document
            .at
            .note("is not kept: alerts go by their severity, to who subscribes or to Alertmanager"),
        _ => {}
    }
}

fn slo<'a>(
    importer: &mut Importer<'_>,
    documents: &Documents<'a>,
    document: &Document<'a>,
    spec: &At<'a>,
) {
    let fields = spec.fields();
    fields.leave(&["description"], NAME_ONLY);
    let service = fields.need("service", "name the service that it belongs to");
    if let Some(service) = service.and_then(|at| at.text()) {
        importer.service(service);
    }
    let method = method(&fields);
    let period = window::period(&fields);
    let shared = shared_indicator(&fields);
    let objectives = fields.need("objectives", "write objectives: [{ target: 0.999 }]");
    let objectives = objectives.map(|at| (at.list(), at));
    if let Some((list, at)) = &objectives
        && list.is_empty()
    {
        at.refuse("holds none: write [{ target: 0.999 }]");
    }
    let objectives = objectives.map_or(Vec::new(), |(list, _)| list);
    let composite = objectives
        .iter()
        .any(|at| at.holds("indicator") || at.holds("indicatorRef"));
    let objectives: Vec<_> = objectives.into_iter().map(Objective::read).collect();
    let burns = alerts::read(documents, &fields, period);
    fields.finish();
    // Whatever else is wrong.
    let own = objectives.iter().filter(|_| composite);
    let own = own.filter_map(Objective::indicator);
    for indicator in shared.iter().cloned().chain(own) {
        documents.indicator(importer, &indicator);
    }
    if !composite && shared.is_none() {
        spec.refuse("has no indicator: write indicator, or indicatorRef for one of the kind SLI");
    }
    let (Some(method), Some(period)) = (method, period) else {
        return;
    };
    let made = Made {
        name: document.name,
        method,
        period,
        burns,
    };
    match (composite, shared) {
        (false, Some(shared)) => made.each(importer, documents, &shared, objectives),
        (false, None) => {}
        (true, Some(shared)) => shared.refuse(
            "stands beside indicators of the objectives: keep it here, or there for a composite",
        ),
        (true, None) => made.composite(importer, documents, document, objectives),
    }
}

/// The indicator of an SLO, or what refers to it.
fn shared_indicator<'a>(fields: &Fields<'a>) -> Option<At<'a>> {
    let (inline, reference) = (fields.get("indicator"), fields.get("indicatorRef"));
    if let (Some(_), Some(reference)) = (&inline, &reference) {
        reference.refuse("stands beside indicator: keep one of both");
    }
    inline.or(reference)
}

fn method(fields: &Fields<'_>) -> Option<Method> {
    let at = fields.need("budgetingMethod", "write Occurrences")?;
    let method = Method::named(at.text()?);
    if method.is_none() {
        at.refuse("is no method: choose Occurrences, Timeslices or RatioTimeslices");
    }
    method
}

/// What the SLOs of one document have in common.
struct Made<'a> {
    name: &'a str,
    method: Method,
    period: Period,
    burns: alerts::Burns,
}

impl Made<'_> {
    /// An SLO for each objective.
    fn each<'a>(
        &self,
        importer: &mut Importer<'_>,
        documents: &Documents<'a>,
        indicator: &At<'a>,
        objectives: Vec<Objective<'a>>,
    ) {
        let alone = objectives.len() == 1;
        for (at, objective) in objectives.into_iter().enumerate() {
            let indicator = documents.indicator(importer, indicator);
            let name = match alone {
                true => self.name.to_owned(),
                false => objective.name(self.name, at),
            };
            let slo = indicator.and_then(|of| objective.slo(&name, of, self.method));
            if let (Some(slo), Some(target)) = (slo, objective.target) {
                importer.keep(self.finished(slo, target), &objective.at);
            }
        }
    }

    /// The mean of SLOs, one for each objective.
    fn composite<'a>(
        &self,
        importer: &mut Importer<'_>,
        documents: &Documents<'a>,
        document: &Document<'a>,
        objectives: Vec<Objective<'a>>,
    ) {
        let mut parts = Vec::new();
        let (mut kept, mut weights) = (0.0, 0.0);
        for (at, objective) in objectives.into_iter().enumerate() {
            let name = objective.name(self.name, at);
            let Some(shared) = objective.indicator() else {
                continue;
            };
            let Some(indicator) = documents.indicator(importer, &shared) else {
                continue;
            };
            let slo = objective.slo(&name, indicator, self.method);
            let (Some(mut slo), Some(target)) = (slo, objective.target) else {
                continue;
            };
            let weight = objective.weight;
            (kept, weights) = (kept + weight * target, weights + weight);
            let declared = importer.known.iter().any(|known| known.name == slo.name);
            parts.push((slo.clone(), weight));
            if !declared {
                // People are told of the whole.
                (slo.objective, slo.period) = (Some(target), self.period);
                slo.burn_alerts = Some(Vec::new());
                importer.keep(slo, &objective.at);
            }
        }
        let of = parts.iter().map(|(slo, weight)| (slo, *weight));
        let mean = super::imported::digits(kept / weights);
        let whole = Slo::weighted(self.name, of);
        importer.keep(self.finished(whole, mean), &document.at);
    }

    fn finished(&self, mut slo: Slo, target: f64) -> Slo {
        (slo.objective, slo.period) = (Some(target), self.period);
        slo.half_window = self.burns.wait_half();
        alerted(&mut slo, self.burns.alerts());
        slo
    }
}

impl<'a> Documents<'a> {
    /// What a document of a kind says; reports at the reference if there is none.
    fn find(&self, kind: &'static str, at: &At<'a>) -> Option<&Document<'a>> {
        let name = at.text()?;
        self.used.borrow_mut().insert((kind, name));
        let found = self.named(kind, name);
        if found.is_none() {
            at.refuse(format!(
                "names {name:?}, which is no {kind} of this file: put it into the same one"
            ));
        }
        found
    }

    fn named(&self, kind: &str, name: &str) -> Option<&Document<'a>> {
        let place = self.places.get(&(kind, name))?;
        self.all.get(*place)
    }

    fn note_unused(&self) {
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
