//! What both kinds of specs have in common when they are read.

use std::collections::HashSet;
use std::time::Duration;

use super::cursor::At;
use super::events::{Events, known_by_ratio};
use super::problem::{Mistake, Report, SpecError};
use super::{Import, events};
use crate::expr::Expr;
use crate::rule::yaml::{self, Node, Stream};
use crate::slo::{BurnAlert, Period, Slo};

const MAX_BYTES: usize = 4 << 20;

/// A stream of documents while it is read.
pub(super) struct Importer<'a> {
    pub(super) report: &'a Report,
    pub(super) known: &'a [Slo],
    pub(super) services: Vec<String>,
    pub(super) slos: Vec<Slo>,
    names: HashSet<String>,
    served: HashSet<String>,
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
    pub(super) fn run(
        text: &str,
        known: &[Slo],
        read: impl FnOnce(&mut Importer<'_>, &[(usize, Node)]),
    ) -> Result<Import, SpecError> {
        let report = Report::default();
        let mut importer = Importer {
            report: &report,
            known,
            services: Vec::new(),
            slos: Vec::new(),
            names: HashSet::new(),
            served: HashSet::new(),
        };
        importer.documents(text, read);
        let (services, slos) = (importer.services, importer.slos);
        Ok(Import {
            services,
            slos,
            notes: report.finish()?,
        })
    }

    fn documents(&mut self, text: &str, read: impl FnOnce(&mut Self, &[(usize, Node)])) {
        if text.len() > MAX_BYTES {
            let length = text.len();
            return self.refuse(
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
                self.refuse(error.line, construct + &error.message);
            }
            None if documents.is_empty() => {
                self.refuse(0, "holds no document: is it the right file?");
            }
            None => {}
        }
        read(self, &documents);
    }

    fn refuse(&self, line: usize, message: impl Into<String>) {
        self.report.refuse(Mistake {
            line,
            document: String::new(),
            path: String::new(),
            message: message.into(),
        });
    }

    pub(super) fn service(&mut self, name: &str) {
        if self.served.insert(name.to_owned()) {
            self.services.push(name.to_owned());
        }
    }

    /// Keeps an SLO, unless another one has its name.
    pub(super) fn keep(&mut self, slo: Slo, at: &At<'_>) {
        if !self.names.insert(slo.name.clone()) {
            at.refuse(format!(
                "makes a second SLO {:?}: give one of both another name",
                slo.name
            ));
        } else {
            self.slos.push(slo);
        }
    }

    /// A query, or what is wrong with it.
    pub(super) fn query(&self, at: &At<'_>) -> Option<Expr> {
        let parsed = events::parse(at.text()?);
        let parsed = parsed.map_err(|message| at.refuse(message)).ok()?;
        parsed.visit(&mut |selector, _| {
            let added = |label: &str| matches!(label, "job" | "instance");
            if selector.matchers().iter().any(|matcher| added(matcher.label())) {
                at.note("asks for `job` or `instance`, which only Prometheus adds: name both with Builder::target");
            }
        });
        Some(parsed)
    }

    /// What two queries count; a mistake is reported at the part.
    pub(super) fn events(
        &self,
        (part, good): (&At<'_>, bool),
        valid: &At<'_>,
    ) -> Option<Indicator> {
        let (counted, of) = (self.query(part), self.query(valid));
        match Events::new(&counted?, good, &of?) {
            Ok(events) => self.own(events, part),
            Err(message) => {
                part.refuse(message);
                None
            }
        }
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

/// The alert that fires above this burn rate.
pub(super) fn burn_share(rate: f64, long: Duration, period: Period) -> f64 {
    digits(rate * long.as_secs_f64() / period.nominal().as_secs_f64())
}

/// To ten significant digits: what was multiplied and divided again is what it was.
pub(super) fn digits(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

/// A share that is promised, from a share or from percent.
pub(super) fn objective(at: &At<'_>, percent: bool) -> Option<f64> {
    let number = at.number()?;
    let share = match percent {
        true => digits(number / 100.0),
        false => number,
    };
    let wrong = match (percent, number) {
        (false, percent) if percent > 1.0 && percent < 100.0 => {
            let share = digits(percent / 100.0);
            format!("{percent} is a percentage: write {share} for {percent} %")
        }
        (true, share) if share > 0.0 && share < 1.0 => {
            let percent = digits(share * 100.0);
            format!("{share} is a share, and means {share} % here: write {percent}")
        }
        _ if share > 0.0 && share < 1.0 => return Some(share),
        (true, other) => format!("{other} is not between 0 and 100: write 99.9"),
        (false, other) => format!("{other} is not between 0 and 1: write 0.999 for 99.9 %"),
    };
    at.refuse(wrong);
    None
}
