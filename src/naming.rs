//! Why it exists: what is exported is public API of the service that embeds us, so its names are the service's choice.
//!
//! A [`Naming`] is a profile (a table of families), a prefix, and renames of single families and labels. One family
//! has one label schema; two families with one name are refused when the instance is built.
//!
//! ```
//! use plimsoll::{Naming, Plimsoll};
//!
//! let naming = Naming::classic().prefix("shop_").rename("requests_total", "http_requests_total");
//! let plimsoll = Plimsoll::builder().naming(naming).build()?;
//! assert!(plimsoll.render().contains("plimsoll_build_info"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Families whose name begins with `plimsoll_` report on this crate itself; they take neither prefix nor rename.

mod distance;
#[cfg(feature = "generate")]
mod namesakes;
mod problems;
mod table;

use std::collections::HashSet;

use crate::registry::{self, Domain, Side};
#[cfg(feature = "generate")]
pub(crate) use distance::distance;
#[cfg(feature = "generate")]
pub use namesakes::Namesake;
pub(crate) use problems::OF_BUDGETS;
#[cfg(feature = "generate")]
pub(crate) use problems::is_reserved;
pub(crate) use table::{Label, Take};
use table::{OWN, Row, axum_prometheus, bounds};

/// How exported families are named: a profile, a prefix and renames.
#[derive(Debug, Clone, PartialEq)]
pub struct Naming {
    profile: Profile,
    prefix: String,
    errors_family: bool,
    status_class: bool,
    renames: Vec<(String, String)>,
    label_renames: Vec<LabelRename>,
    /// What the user adds to the labels of requests: (key, where its value comes from).
    added: Vec<(&'static str, Label)>,
}

/// The naming profiles of the metric catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    Otel,
    Classic,
    Millis,
    AxumPrometheus,
}

#[derive(Debug, Clone, PartialEq)]
struct LabelRename {
    family: String,
    label: String,
    new: String,
}

/// A family as it is exported: a row of the profile's table with prefix and renames applied.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) help: &'static str,
    pub(crate) source: Domain,
    pub(crate) take: Take,
    pub(crate) labels: Vec<(String, Label)>,
    /// Whether statuses are shown by their first digit.
    pub(crate) status_class: bool,
}

/// A family as the catalogue of metrics knows it.
#[cfg(feature = "generate")]
#[derive(Debug)]
pub(crate) struct Catalogued {
    /// Its name in the profile.
    pub(crate) name: String,
    pub(crate) shown: String,
    /// Labels of the profile, each with how it is shown.
    pub(crate) labels: Vec<(String, String)>,
    /// Labels that the user adds.
    pub(crate) added: Vec<String>,
}

#[cfg(feature = "generate")]
impl Catalogued {
    /// Of a name that nobody changes.
    pub(crate) fn fixed(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            shown: name.to_owned(),
            labels: Vec::new(),
            added: Vec::new(),
        }
    }
}

impl Naming {
    /// OpenTelemetry's names in Prometheus' spelling: `http_server_request_duration_seconds` and the like.
    ///
    /// This is the default. Durations are in seconds.
    pub fn otel() -> Self {
        Self::of(Profile::Otel)
    }

    /// The short names of many services: `requests_total`, `request_duration_seconds`, `db_query_duration_seconds`.
    ///
    /// Usually with a [`prefix`](Self::prefix). Durations are in seconds.
    pub fn classic() -> Self {
        Self::of(Profile::Classic)
    }

    /// Names with durations in milliseconds: `http_request_duration_ms`, `db_query_duration_ms`.
    ///
    /// For dashboards that exist already; Prometheus' convention is seconds.
    pub fn millis() -> Self {
        Self::of(Profile::Millis)
    }

    /// The names, labels and bounds of axum-prometheus: `axum_http_requests_total{method,endpoint,status}` and the like.
    ///
    /// For dashboards and rules that exist already: `docs/migrating-from-axum-prometheus.md` tells what changes in
    /// meaning. As there, a [`prefix`](Self::prefix) takes the place of `axum_`: `"shop_"` is its `with_prefix("shop")`.
    pub fn axum_prometheus() -> Self {
        Self::of(Profile::AxumPrometheus)
    }

    fn of(profile: Profile) -> Self {
        Self {
            profile,
            prefix: String::new(),
            errors_family: false,
            status_class: false,
            renames: Vec::new(),
            label_renames: Vec::new(),
            added: Vec::new(),
        }
    }

    /// Puts `prefix`, underscore included (`"bifrost_"`), before every family but those of `plimsoll_*`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Counts failed requests in a family of their own, with the labels of the requests, so that the two divide.
    ///
    /// [`classic`](Self::classic) only: `requests_total` and `errors_total` by `{method,route}`, and
    /// `responses_total` by `{method,route,status}`, instead of `requests_total` by `{method,route,status}`.
    pub fn errors_family(mut self) -> Self {
        self.errors_family = true;
        self
    }

    /// Shows HTTP statuses by their class: `2xx` instead of `200` and `204`, also where the status is the cause.
    ///
    /// For fewer series on the server. Nothing is counted otherwise than before, and the label keeps its name.
    pub fn status_class(mut self) -> Self {
        self.status_class = true;
        self
    }

    /// Exports the family `old` as `new`; both are given without the prefix, which stays in front.
    ///
    /// Of two renames of one family the later one holds.
    pub fn rename(mut self, old: impl Into<String>, new: impl Into<String>) -> Self {
        self.renames.push((old.into(), new.into()));
        self
    }

    /// Exports `label` of `family` (its name in the profile, before any rename) as `new`, which must be none that Prometheus or our own
    /// families and rules have: `job`, `le`, `budget`, `level` and the like.
    pub fn rename_label(
        mut self,
        family: impl Into<String>,
        label: impl Into<String>,
        new: impl Into<String>,
    ) -> Self {
        self.label_renames.push(LabelRename {
            family: family.into(),
            label: label.into(),
            new: new.into(),
        });
        self
    }

    /// Adds the user's labels to the families of requests.
    pub(crate) fn add_labels(&mut self, labels: &[registry::Label]) {
        for side in [Side::Request, Side::Response] {
            let of_side = labels.iter().filter(|label| label.side == side);
            self.added.extend(of_side.enumerate().map(|(at, label)| {
                let key = match self.profile {
                    Profile::Otel => label.otel,
                    Profile::Classic | Profile::Millis | Profile::AxumPrometheus => label.name,
                };
                let of_request = Label::Key(Domain::Http.keys().len() + at);
                let of_response = Label::Response(at);
                match side {
                    Side::Request => (key, of_request),
                    Side::Response => (key, of_response),
                }
            }));
        }
    }

    /// The exported name of an instrument that is called `name` without prefix and renames.
    pub(crate) fn instrument(&self, name: &str) -> String {
        format!("{}{}", self.prefix, self.renamed(name).unwrap_or(name))
    }

    /// The exported name of a row of the profile's table.
    fn family(&self, name: &str) -> String {
        let own_prefix = match self.profile {
            Profile::AxumPrometheus if !self.prefix.is_empty() => axum_prometheus::PREFIX,
            _ => "",
        };
        let without = name.strip_prefix(own_prefix).unwrap_or(name);
        format!("{}{}", self.prefix, self.renamed(name).unwrap_or(without))
    }

    fn renamed(&self, name: &str) -> Option<&str> {
        let renamed = self.renames.iter().rev().find(|(old, _)| old == name);
        renamed.map(|(_, new)| new.as_str())
    }

    /// The bounds, in seconds, that the profile gives a domain's durations.
    pub(crate) fn bounds(&self, domain: Domain) -> Vec<f64> {
        bounds(self.profile, domain).to_vec()
    }

    /// The bounds, in bytes, of sizes.
    pub(crate) fn size_bounds(&self) -> &'static [f64] {
        table::SIZE_BOUNDS
    }

    /// Every family that is projected from counted operations, as it is exported.
    pub(crate) fn specs(&self) -> Vec<Spec> {
        self.rows().map(|row| self.spec(row)).collect()
    }

    /// Every name that a sample of ours bears, `_bucket`, `_sum` and `_count` of histograms included.
    pub(crate) fn names(&self) -> HashSet<String> {
        let specs = self.specs();
        let of_specs = specs
            .iter()
            .flat_map(|spec| sample_names(&spec.name, spec.take.is_histogram()));
        let own = OWN.iter().map(|name| (*name).to_owned());
        of_specs.chain(own).collect()
    }

    /// Every name that rules may read: those, and what probes and observers show once they are there.
    pub(crate) fn readable(&self) -> HashSet<String> {
        let probes = table::INSTRUMENTS.iter();
        let probes = probes.map(|name| self.instrument(name));
        let process = table::PROCESS.iter().map(|name| (*name).to_owned());
        let names = self.names().into_iter();
        names.chain(probes).chain(process).collect()
    }

    /// Every family, as the catalogue of metrics knows it.
    #[cfg(feature = "generate")]
    pub(crate) fn catalogued(&self) -> Vec<Catalogued> {
        let as_it_is = |name: &str, shown: String| Catalogued {
            shown,
            ..Catalogued::fixed(name)
        };
        let projected = self.rows().map(|row| Catalogued {
            labels: row
                .labels
                .iter()
                .map(|(key, _)| ((*key).to_owned(), self.label(row.name, key)))
                .collect(),
            added: self
                .labels(row)
                .skip(row.labels.len())
                .map(|(key, _)| self.label(row.name, key))
                .collect(),
            ..as_it_is(row.name, self.family(row.name))
        });
        let probes = table::INSTRUMENTS.iter();
        let probes = probes.map(|name| as_it_is(name, self.instrument(name)));
        let fixed = OWN.iter().chain(table::PROCESS);
        let fixed = fixed.map(|name| Catalogued::fixed(name));
        projected.chain(probes).chain(fixed).collect()
    }

    fn rows(&self) -> impl Iterator<Item = &'static Row> {
        use table::{BY_MODEL, BY_MODEL_IN_SECONDS, BY_ROUTE};
        let ends = match self.errors_family {
            true => table::CLASSIC_ERRORS,
            false => table::CLASSIC_BY_STATUS,
        };
        let tables = match self.profile {
            Profile::Otel => vec![table::OTEL],
            Profile::Classic => {
                vec![
                    table::CLASSIC,
                    ends,
                    BY_ROUTE,
                    BY_MODEL,
                    BY_MODEL_IN_SECONDS,
                ]
            }
            Profile::Millis => vec![table::MILLIS_FAMILIES, BY_ROUTE, BY_MODEL],
            Profile::AxumPrometheus => {
                vec![axum_prometheus::FAMILIES, BY_MODEL, BY_MODEL_IN_SECONDS]
            }
        };
        tables.into_iter().chain([table::COMMON]).flatten()
    }

    fn spec(&self, row: &'static Row) -> Spec {
        Spec {
            name: self.family(row.name),
            help: row.help,
            source: row.source,
            take: row.take,
            labels: self
                .labels(row)
                .map(|(key, label)| (self.label(row.name, key), label))
                .collect(),
            status_class: self.status_class,
        }
    }

    /// A row's labels in the profile, with those that the user adds: to whatever tells routes apart, and what is known
    /// of the response only to what tells ends apart.
    fn labels(&self, row: &'static Row) -> impl Iterator<Item = (&'static str, Label)> {
        let has = |wanted: fn(Label) -> bool| row.labels.iter().any(|&(_, label)| wanted(label));
        let by_route = row.source == Domain::Http && has(|label| label == Label::ROUTE);
        let by_end = has(Label::is_per_series);
        let added = self.added.iter().copied();
        let added = added.filter(move |&(_, label)| by_route && (by_end || !label.is_per_series()));
        row.labels.iter().copied().chain(added)
    }

    fn label(&self, family: &str, label: &str) -> String {
        let renamed = self.label_renames.iter().rev();
        renamed
            .into_iter()
            .find(|rename| rename.family == family && rename.label == label)
            .map_or(label, |rename| &rename.new)
            .to_owned()
    }
}

impl Default for Naming {
    fn default() -> Self {
        Self::otel()
    }
}

/// The names that samples of a family bear: a histogram owns three more than its own.
pub(crate) fn sample_names(family: &str, histogram: bool) -> impl Iterator<Item = String> {
    let suffixes: &[&str] = if histogram {
        &["", "_bucket", "_sum", "_count"]
    } else {
        &[""]
    };
    suffixes
        .iter()
        .map(move |suffix| format!("{family}{suffix}"))
}

#[cfg(test)]
mod tests;
