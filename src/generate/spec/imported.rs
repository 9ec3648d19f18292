//! What both kinds of specs have in common when they are read.

use std::rc::Rc;
use std::time::Duration;

use super::cursor::{At, Place, Raw};
use super::events::{Events, known_by_ratio};
use super::problem::{Mistake, Report, SpecError};
use super::{Import, events};
use crate::expr::{Expr, TARGET_LABELS};
use crate::rule::yaml::{self, Kind, Node, Stream};
use crate::slo::{BurnAlert, Slo};

const MAX_BYTES: usize = 4 << 20;

/// What is said of a query that only a target can answer.
pub(super) const ADDED: &str = "asks for `job` or `instance`, which only Prometheus adds: let all queries of a service ask for the same job and no instance";

/// That of services that say nothing else.
const TICK: Duration = Duration::from_secs(1);

/// Files while they are read.
pub(super) struct Importer<'a> {
    pub(super) report: &'a Report,
    pub(super) known: &'a [Slo],
    services: Vec<String>,
    slos: Vec<Slo>,
    origins: Vec<Origin>,
    /// The one that was named last: what comes belongs to it.
    service: String,
}

/// Where an SLO comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Origin {
    pub(super) place: Place,
    pub(super) service: String,
}

/// What a query counts.
pub(super) enum Indicator {
    Events(Events),
    /// A ratio of which no events are known; `good` says of what.
    Ratio {
        ratio: Expr,
        good: bool,
    },
    Threshold(Expr),
    /// One that counts by itself.
    Known(Box<Slo>),
}

impl<'a> Importer<'a> {
    /// Reads files, each with what it is called.
    pub(super) fn run(
        files: &[(&str, &str)],
        known: &[Slo],
        read: impl FnOnce(&mut Importer<'_>, &[Raw]),
    ) -> Result<Import, SpecError> {
        let report = Report::default();
        let mut importer = Importer {
            report: &report,
            known,
            services: Vec::new(),
            slos: Vec::new(),
            origins: Vec::new(),
            service: String::new(),
        };
        let mut raws = Vec::new();
        for (file, text) in files {
            importer.documents(&Rc::from(*file), text, &mut raws);
        }
        read(&mut importer, &raws);
        importer.check();
        let (services, slos, origins) = (importer.services, importer.slos, importer.origins);
        let notes = report.finish()?;
        Ok(Import {
            services,
            slos,
            notes,
            origins,
        })
    }

    fn documents(&self, file: &Rc<str>, text: &str, raws: &mut Vec<Raw>) {
        let refuse = |line: usize, message: String| {
            self.report.refuse(Mistake {
                file: file.to_string(),
                line,
                document: String::new(),
                path: String::new(),
                message,
            });
        };
        if text.len() > MAX_BYTES {
            let length = text.len();
            return refuse(
                0,
                format!("the file has {length} bytes: split what is longer than {MAX_BYTES}"),
            );
        }
        let Stream {
            mut documents,
            broken,
        } = yaml::stream(text);
        // A `---` at the end, or two in a row.
        documents.retain(|(_, node)| !matches!(node.kind, yaml::Kind::Null));
        match broken {
            Some(error) => {
                let construct = match error.construct {
                    "" => String::new(),
                    construct => format!("{construct}: "),
                };
                refuse(error.line, construct + &error.message);
            }
            None if documents.is_empty() => {
                refuse(0, "holds no document: is it the right file?".to_owned());
            }
            None => {}
        }
        let documents = documents.into_iter().flat_map(|(_, node)| listed(node));
        let numbered = (1..).zip(documents);
        raws.extend(numbered.map(|(nth, node)| Raw {
            file: file.clone(),
            nth,
            node,
        }));
    }

    /// As every declared SLO is checked. Labels of what is known were checked where it was declared.
    fn check(&self) {
        let all: Vec<Slo> = self.slos.iter().chain(self.known).cloned().collect();
        for (slo, origin) in self.slos.iter().zip(&self.origins) {
            let select = slo.select();
            let labels = select
                .into_iter()
                .flat_map(|of| of.labels.iter().chain(&of.except));
            let keys = labels
                .map(|label| &*label.0)
                .chain(slo.per.iter().map(|key| &**key));
            let keys: Vec<&str> = keys.collect();
            for (field, message) in slo.problems(TICK, &keys, &all) {
                let promise = format!("slo {:?}: ", slo.name);
                let field = field.strip_prefix(&*promise).unwrap_or(&field);
                let mistake = origin.place.mistake(format!("{field} {message}"));
                self.report.refuse(mistake);
            }
            if let Err(error) = slo.read().check() {
                self.report.refuse(origin.place.mistake(error.to_string()));
            }
        }
    }

    /// What follows belongs to this service.
    pub(super) fn service(&mut self, name: &str) {
        name.clone_into(&mut self.service);
        if !self.services.iter().any(|known| known == name) {
            self.services.push(name.to_owned());
        }
    }

    /// Keeps an SLO, unless another one has its name.
    pub(super) fn keep(&mut self, slo: Slo, at: &At<'_>) {
        if self.slos.iter().any(|known| known.name == slo.name) {
            at.refuse(format!(
                "makes a second SLO {:?}: give one of both another name",
                slo.name
            ));
            return;
        }
        self.slos.push(slo);
        self.origins.push(Origin {
            place: at.place(),
            service: self.service.clone(),
        });
    }

    /// A query, or what is wrong with it.
    pub(super) fn query(&self, at: &At<'_>) -> Option<Expr> {
        let parsed = events::parse(at.text()?);
        let parsed = or_refused(at, parsed)?;
        parsed.visit(&mut |selector, _| {
            let mut matchers = selector.matchers().iter();
            if matchers.any(|matcher| TARGET_LABELS.contains(&matcher.label())) {
                at.note(ADDED);
            }
        });
        Some(parsed)
    }

    /// What two queries count; a mistake of both is reported at the part.
    pub(super) fn events(
        &self,
        (part, good): (&At<'_>, bool),
        valid: &At<'_>,
    ) -> Option<Indicator> {
        let (counted, of) = (self.query(part), self.query(valid));
        let of = of.and_then(|of| or_refused(valid, events::total(&of)));
        let events = or_refused(part, Events::new(&counted?, good, of?))?;
        self.own(events, part)
    }

    /// What a ratio counts.
    pub(super) fn ratio(&self, at: &At<'_>, good: bool) -> Option<Indicator> {
        let ratio = self.query(at)?;
        if let Some(known) = known_by_ratio(self.known, &ratio).filter(|_| !good) {
            return Some(Indicator::Known(Box::new(known.clone())));
        }
        match Events::of_ratio(&ratio, good) {
            Some(events) => self.own(events, at),
            None => Some(Indicator::Ratio { ratio, good }),
        }
    }

    /// Own counters stand for the SLO that counts them.
    fn own(&self, events: Events, at: &At<'_>) -> Option<Indicator> {
        let name = match events.own() {
            None => return Some(Indicator::Events(events)),
            Some(Ok(name)) => name,
            Some(Err(message)) => {
                at.refuse(message);
                return None;
            }
        };
        let known = self.known.iter().find(|slo| slo.name == name);
        if known.is_none() {
            at.refuse(format!(
                "reads the counters of the SLO {name:?}, which is not declared: declare it, or query what it counts"
            ));
        }
        known.map(|slo| Indicator::Known(Box::new(slo.clone())))
    }
}

/// The documents that one stands for: tools of OpenSLO write lists of them.
fn listed(node: Node) -> Vec<Node> {
    match node.kind {
        Kind::List(items) if !items.is_empty() => items,
        _ => vec![node],
    }
}

/// Gives an SLO these burn alerts, as the usual ones where they are.
pub(super) fn alerted(slo: &mut Slo, alerts: Vec<BurnAlert>) {
    slo.burn_alerts = None;
    for reachable_only in [slo.reachable_only, true] {
        slo.reachable_only = reachable_only;
        if slo.burns() == alerts {
            return;
        }
    }
    slo.reachable_only = false;
    slo.burn_alerts = Some(alerts);
}

/// What was found out, or else the mistake is reported.
fn or_refused<T>(at: &At<'_>, found: Result<T, String>) -> Option<T> {
    found.map_err(|message| at.refuse(message)).ok()
}
