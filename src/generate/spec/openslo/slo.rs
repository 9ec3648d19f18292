//! One document of the kind SLO: an SLO for each of its objectives, or their mean.

use super::super::cursor::At;
use super::super::fields::Fields;
use super::super::imported::{Importer, alerted};
use super::super::shares::digits;
use super::documents::{Document, Documents};
use super::objective::{Method, Objective};
use super::{NAME_ONLY, alerts, window};
use crate::slo::{Period, Slo};

pub(super) fn read<'a>(
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
    let objectives = objectives(&fields);
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

fn objectives<'a>(fields: &Fields<'a>) -> Vec<At<'a>> {
    let Some(at) = fields.need("objectives", "write objectives: [{ target: 0.999 }]") else {
        return Vec::new();
    };
    let list = at.list();
    if list.is_empty() {
        at.refuse("holds none: write [{ target: 0.999 }]");
    }
    list
}

/// The indicator of an SLO, or what refers to it.
pub(super) fn shared_indicator<'a>(fields: &Fields<'a>) -> Option<At<'a>> {
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
        let mean = digits(kept / weights);
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
