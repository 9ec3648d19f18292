//! What was imported as a declaration of a service.

use std::collections::BTreeSet;

use super::problem::{Mistake, Note, SpecError};
use super::{Import, Origin};
use crate::Plimsoll;
use crate::config::{Problem, Reader};
use crate::expr::{Compare, Expr, Selector, TARGET_LABELS};
use crate::generate::rules::each_selector;
use crate::generate::{Declaration, Operations};
use crate::naming::Naming;
use crate::slo::{Sli, Slo};

impl Import {
    /// The SLOs of one service, checked as [`Builder::declaration`](crate::Builder::declaration) checks them. `service` is needed
    /// where the files speak of several.
    ///
    /// Families that this crate does not export are announced ([`Builder::expect_family`](crate::Builder::expect_family)). Where
    /// all queries that name a `job` name the same one, that is the job of the declaration, and no part of its conditions: in the
    /// process there is no other.
    ///
    /// # Errors
    ///
    /// [`SpecError`] with every mistake, each where the SLO stands.
    pub fn declaration(&self, service: Option<&str>) -> Result<Declaration, SpecError> {
        let service = self.only_service(service).map_err(|message| SpecError {
            mistakes: vec![unplaced(message)],
        })?;
        let of_service = self.slos.iter().zip(&self.origins);
        let of_service = of_service.filter(|(_, origin)| origin.service == service);
        let mut slos: Vec<Slo> = of_service.map(|(slo, _)| slo.clone()).collect();
        if slos.is_empty() {
            let message = format!(
                "service {service:?} has no SLO in these files: add one, or name the file that holds them as well"
            );
            return Err(SpecError {
                mistakes: vec![unplaced(message)],
            });
        }
        let mut operations = Operations::new();
        if let Some(job) = job(&slos) {
            slos.iter_mut().for_each(without_job);
            operations = operations.job(job);
        }
        let builder = Plimsoll::builder().service(service);
        let families = own_families(&slos).into_iter();
        let builder = families.fold(builder, |builder, family| builder.expect_family(family));
        let slos = slos.into_iter();
        let builder = slos.fold(builder, |builder, slo| builder.slo(slo));
        let declaration = builder.declaration();
        let declared = declaration.and_then(|declaration| declaration.operations(operations));
        let mut declared = declared.map_err(|error| SpecError {
            mistakes: error
                .problems()
                .iter()
                .map(|known| self.mistake(known))
                .collect(),
        })?;
        self.place(&mut declared.warnings);
        Ok(declared)
    }

    /// The notes on what [`Import::declaration`] of that service does not keep: those on SLOs of other services are not among them,
    /// nor those on a `job` that becomes the job of the declaration. All of them where there is no such declaration.
    pub fn notes_of(&self, service: Option<&str>) -> Vec<&Note> {
        let Ok(service) = self.only_service(service) else {
            return self.notes.iter().collect();
        };
        let of_service = self.slos.iter().zip(&self.origins);
        let of_service = of_service.filter(|(_, origin)| origin.service == service);
        let moved = job(of_service.map(|(slo, _)| slo)).is_some();
        let is_kept = |note: &&Note| moved && note.message == super::imported::ADDED;
        let is_of_another = |note: &&Note| {
            let around = self.origins.iter();
            let around = around.filter(|from| from.place.is_around(note));
            let services: Vec<_> = around.map(|from| &*from.service).collect();
            !services.is_empty() && !services.contains(&service)
        };
        let notes = self.notes.iter();
        notes
            .filter(|note| !is_kept(note) && !is_of_another(note))
            .collect()
    }

    /// Gives warnings the lines of their SLOs. What no spec can say is no fault of it.
    fn place(&self, warnings: &mut Vec<Problem>) {
        warnings.retain(|warning| {
            warning.field != "state_file" && !warning.field.ends_with(": absent_after")
        });
        for warning in warnings {
            let found = self.origin(&warning.field);
            warning.line = found.map(|(_, origin)| origin.place.line());
        }
    }

    fn only_service<'a>(&'a self, wanted: Option<&'a str>) -> Result<&'a str, String> {
        let all = self.services.join(", ");
        let with_slos = self.services.iter();
        let with_slos = with_slos.filter(|service| {
            self.origins
                .iter()
                .any(|origin| origin.service == **service)
        });
        let with_slos: Vec<&str> = with_slos.map(|service| &**service).collect();
        if let (None, [only]) = (wanted, &with_slos[..]) {
            return Ok(only);
        }
        match (wanted, &self.services[..]) {
            (Some(wanted), known) if known.iter().any(|known| known == wanted) => Ok(wanted),
            (Some(wanted), _) => Err(format!(
                "{wanted:?} is no service of these files: there are {all}"
            )),
            (None, [only]) => Ok(only),
            (None, []) => Err("the files name no service, and so no SLO".to_owned()),
            (None, _) => Err(format!(
                "the files are about several services: choose one of {} with `plimsoll import --service`",
                if with_slos.is_empty() {
                    all
                } else {
                    with_slos.join(", ")
                }
            )),
        }
    }

    /// Where the SLO stands that a problem is about.
    fn mistake(&self, problem: &Problem) -> Mistake {
        let problem = problem.clone().said_to(Reader::Spec);
        let Problem { field, message, .. } = &problem;
        match self.origin(field) {
            Some((field, Origin { place, .. })) => place.mistake(format!("{field} {message}")),
            None => unplaced(problem.to_string()),
        }
    }

    /// What of an SLO a field names, and where that SLO comes from.
    fn origin<'a>(&'a self, field: &'a str) -> Option<(&'a str, &'a Origin)> {
        let about = |slo: &Slo| field.strip_prefix(&*format!("slo {:?}: ", slo.name));
        let mut found = self.slos.iter().zip(&self.origins);
        found.find_map(|(slo, origin)| Some((about(slo)?, origin)))
    }
}

fn unplaced(message: String) -> Mistake {
    Mistake {
        file: String::new(),
        line: 0,
        document: String::new(),
        path: String::new(),
        message,
    }
}

/// The one job that is asked for, if nothing else is asked of what Prometheus adds.
fn job<'a>(slos: impl IntoIterator<Item = &'a Slo>) -> Option<String> {
    let mut jobs = BTreeSet::new();
    for slo in slos {
        each(slo, &mut |selector| {
            let matchers = selector.matchers().iter();
            let of_target = matchers.filter(|matcher| TARGET_LABELS.contains(&matcher.label()));
            jobs.extend(of_target.map(|matcher| {
                let plain = matcher.label() == "job" && matcher.compare() == Compare::Equal;
                plain.then(|| matcher.value().to_owned())
            }));
        });
    }
    match jobs.len() {
        1 => jobs.pop_first().flatten(),
        _ => None,
    }
}

fn each(slo: &Slo, see: &mut impl FnMut(&Selector)) {
    slo.read().visit(&mut |selector, _| see(selector));
}

fn without_job(slo: &mut Slo) {
    let of_expr = |expr: &mut Expr| *expr = each_selector(expr, &|of| of.without("job"));
    match &mut slo.sli {
        Sli::Ratio { part, valid, .. } => {
            (*part, *valid) = (part.without("job"), valid.without("job"));
        }
        Sli::Time(expr) | Sli::TimeSlice(expr, _) | Sli::RatioSlices(expr, _) => of_expr(expr),
        Sli::Availability(_) | Sli::Latency(..) | Sli::Weighted(_) | Sli::AllOf(_) => {}
    }
}

/// Families that the service has to register, histograms by their own names.
fn own_families(slos: &[Slo]) -> BTreeSet<String> {
    let ours = Naming::otel().readable();
    let mut names = BTreeSet::new();
    for slo in slos {
        each(slo, &mut |selector| {
            let name = selector.name();
            if !ours.contains(name) {
                names.insert(name.strip_suffix("_bucket").unwrap_or(name).to_owned());
            }
        });
    }
    // Of a histogram that is expected, the count and the sum are as well.
    let of_another = |name: &str| {
        let ends = ["_count", "_sum"];
        let whole = ends.iter().filter_map(|end| name.strip_suffix(end)).next();
        whole.is_some_and(|whole| names.contains(whole))
    };
    names
        .iter()
        .filter(|name| !of_another(name))
        .cloned()
        .collect()
}
