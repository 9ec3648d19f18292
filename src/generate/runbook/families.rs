//! What the service calls what is asked for.

use crate::expr::{Expr, Selector};
use crate::naming::{Label, Naming, Spec, Take};
use crate::registry::Domain;

/// The families of a service, for queries over one job.
#[derive(Debug)]
pub(super) struct Families<'a> {
    specs: Vec<Spec>,
    naming: &'a Naming,
    job: &'a str,
}

impl<'a> Families<'a> {
    pub(super) fn new(naming: &'a Naming, job: &'a str) -> Self {
        Self {
            specs: naming.specs(),
            naming,
            job,
        }
    }

    pub(super) fn find(&self, of: Domain, take: impl Fn(Take) -> bool) -> Option<&Spec> {
        let mut specs = self.specs.iter();
        specs.find(|spec| spec.source == of && take(spec.take))
    }

    /// The durations of a kind of work.
    pub(super) fn durations(&self, of: Domain) -> Option<&Spec> {
        self.find(of, |take| matches!(take, Take::Duration { .. }))
    }

    /// A family that has a label of this kind, which tells how operations ended.
    pub(super) fn with(&self, of: Domain, label: Label) -> Option<(String, &str)> {
        let mut specs = self.specs.iter().filter(|spec| spec.source == of);
        specs.find_map(|spec| {
            let (key, _) = spec.labels.iter().find(|(_, known)| *known == label)?;
            let counter = match spec.take {
                Take::Duration { .. } => format!("{}_count", spec.name),
                Take::Ended | Take::EndedAs(_) => spec.name.clone(),
                _ => return None,
            };
            Some((counter, key.as_str()))
        })
    }

    /// A family of the probes' own, by its name without prefix, of this job.
    pub(super) fn instrument(&self, name: &str) -> String {
        self.of_job(&self.naming.instrument(name))
    }

    /// A family of this job.
    pub(super) fn of_job(&self, family: &str) -> String {
        self.labelled(family, &[])
    }

    pub(super) fn labelled(&self, family: &str, labels: &[(&str, &str)]) -> String {
        let selector = Selector::new(family).label("job", self.job);
        let labels = labels.iter();
        let selector = labels.fold(selector, |selector, (key, value)| {
            selector.label(*key, *value)
        });
        Expr::select(selector).to_string()
    }

    /// Growth per second in five minutes, by labels.
    pub(super) fn rate(&self, counter: &str, by: &str) -> String {
        let by = match by {
            "" => String::new(),
            by => format!(" by ({by})"),
        };
        format!("sum{by} (rate({}[5m]))", self.of_job(counter))
    }

    /// The quantile of a histogram over five minutes, the five greatest.
    pub(super) fn worst(&self, q: f64, spec: &Spec) -> String {
        let by = keys(spec);
        let by = match by.as_str() {
            "" => "le".to_owned(),
            by => format!("le, {by}"),
        };
        let rate = self.rate(&format!("{}_bucket", spec.name), &by);
        format!("topk(5, histogram_quantile({q}, {rate}))")
    }
}

/// The labels that tell operations apart, not how they ended.
pub(super) fn keys(spec: &Spec) -> String {
    let keys = spec.labels.iter();
    let keys = keys.filter(|(_, label)| matches!(label, Label::Key(_)));
    let keys: Vec<&str> = keys.map(|(key, _)| key.as_str()).collect();
    keys.join(", ")
}
