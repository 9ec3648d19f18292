//! SLOs from and to the files of other tools: OpenSLO v1 and sloth.
//!
//! A team that has its SLOs in one of these keeps them: [`from_openslo`] and [`from_sloth`] make [`Slo`]s of them, judged in
//! the process; [`to_openslo`] and [`to_sloth`] give what was declared here to tools that read those. What is wrong, or
//! cannot be said here, is refused: every mistake at once, with document, path and line. What is left out without changing
//! what is counted or judged, such as a description, comes back as a [`Note`].
//!
//! ```
//! use plimsoll::generate::spec;
//! use std::time::Duration;
//!
//! let import = spec::from_openslo(
//!     r#"
//! apiVersion: openslo/v1
//! kind: SLO
//! metadata: { name: checkout }
//! spec:
//!   service: shop
//!   budgetingMethod: Occurrences
//!   timeWindow: [{ duration: 28d, isRolling: true }]
//!   indicator:
//!     metadata: { name: checkout-errors }
//!     spec:
//!       ratioMetric:
//!         counter: true
//!         bad: { metricSource: { type: Prometheus, spec: { query: 'sum(rate(orders_total{result="error"}[5m]))' } } }
//!         total: { metricSource: { type: Prometheus, spec: { query: 'sum(rate(orders_total[5m]))' } } }
//!   objectives: [{ target: 0.99 }]
//! "#,
//!     &[],
//! )?;
//! assert_eq!((&*import.services, import.slos[0].name()), (&["shop".to_owned()][..], "checkout"));
//! # Ok::<(), plimsoll::generate::spec::SpecError>(())
//! ```
//!
//! # Own counters
//!
//! An exported SLO is one over the counters `plimsoll_sli_bad_total` and `plimsoll_sli_valid_total` that it has anyway: exact,
//! born at 0, without maintenance. Read again, such a query stands for the SLO whose counters they are, which therefore has
//! to be among the `known` ones: objective, period and burn alerts are then those of the file, all else is as it was declared.

mod cursor;
mod declared;
mod events;
mod export;
mod fields;
mod imported;
mod openslo;
mod problem;
mod shares;
mod sloth;
mod toml;
mod write;

pub use export::Export;
pub use problem::{Mistake, Note, SpecError};

use crate::config::BuildError;
use crate::generate::Declaration;
use crate::slo::Slo;
use cursor::{At, Raw};
use imported::{Importer, Origin};

/// What a spec says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Import {
    /// The services that it speaks of, each once, in the order of the file.
    pub services: Vec<String>,
    /// In the order of the file, for [`Builder::slo`](crate::Builder::slo).
    pub slos: Vec<Slo>,
    /// What is not kept, in the order of the file.
    pub notes: Vec<Note>,
    /// Where each SLO comes from.
    origins: Vec<Origin>,
}

/// The SLOs of files, each given as what it is called and its text, of at most 4 MiB: OpenSLO v1 or specs of sloth, document by
/// document, those of OpenSLO first. What refers to another document finds it in any of the files. SLOs over the counters of
/// plimsoll are looked up among the `known` ones.
///
/// ```
/// use plimsoll::generate::spec;
///
/// let error = spec::from_files(&[("orders.yaml", "apiVersion: pyrra.dev/v1alpha1")], &[]).unwrap_err();
/// assert!(error.to_string().starts_with("orders.yaml:1: document 1: "));
/// ```
///
/// # Errors
///
/// [`SpecError`] with every mistake of every file.
pub fn from_files(files: &[(&str, &str)], known: &[Slo]) -> Result<Import, SpecError> {
    Importer::run(files, known, |importer, raws| {
        let of = |wanted| {
            let raws = raws.iter();
            let of_tongue =
                raws.filter(|raw| Tongue::of(&At::root(raw, importer.report)) == wanted);
            of_tongue.collect::<Vec<_>>()
        };
        let (openslo, sloth) = (of(Tongue::OpenSlo), of(Tongue::Sloth));
        for raw in of(Tongue::Other) {
            At::root(raw, importer.report).refuse(
                "is neither OpenSLO (apiVersion: openslo/v1) nor sloth (version: prometheus/v1, \
                 or apiVersion: sloth.slok.dev/v1): translate it into one of them",
            );
        }
        openslo::read(importer, &openslo);
        sloth::read(importer, &sloth);
    })
}

/// Whose document it is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Tongue {
    OpenSlo,
    Sloth,
    Other,
}

impl Tongue {
    fn of(root: &At<'_>) -> Self {
        match root.peek(&["apiVersion"]) {
            Some(version) if version.starts_with("openslo/") => Self::OpenSlo,
            Some(version) if version.starts_with("sloth.slok.dev/") => Self::Sloth,
            None if root.holds("version") => Self::Sloth,
            _ => Self::Other,
        }
    }
}

/// The SLOs of a stream of OpenSLO v1 documents, of at most 4 MiB. SLOs over the counters of plimsoll are looked up among the
/// `known` ones.
///
/// Each objective makes an SLO: of several, each is named `name-displayName`, or `name-0`, `name-1`. Where objectives have
/// indicators of their own, the SLO itself becomes their mean, weighted by `compositeWeight`.
///
/// # Errors
///
/// [`SpecError`] with every mistake: what is no YAML, no OpenSLO v1, or nothing that an [`Slo`] could be.
pub fn from_openslo(text: &str, known: &[Slo]) -> Result<Import, SpecError> {
    read_as(text, known, openslo::read)
}

/// The SLOs of sloth's specs, `prometheus/v1` and the Kubernetes resource `PrometheusServiceLevel`, of at most 4 MiB in one or
/// several documents. SLOs over the counters of plimsoll are looked up among the `known` ones.
///
/// The period is that of sloth's default, 30 days, unless an SLO says `period: 28d` as slokit has it.
///
/// # Errors
///
/// [`SpecError`] with every mistake: what is no YAML, no spec of sloth, or nothing that an [`Slo`] could be.
pub fn from_sloth(text: &str, known: &[Slo]) -> Result<Import, SpecError> {
    read_as(text, known, sloth::read)
}

fn read_as(
    text: &str,
    known: &[Slo],
    read: fn(&mut Importer<'_>, &[&Raw]),
) -> Result<Import, SpecError> {
    Importer::run(&[("", text)], known, |importer, raws| {
        read(importer, &raws.iter().collect::<Vec<_>>());
    })
}

/// The SLOs of a declaration as OpenSLO v1: the service, notification targets to be filled in, and each SLO with an alert policy
/// for each of its burn alerts.
///
/// Queries are PromQL with `{{.window}}` in place of the range, as generators of Prometheus rules read it.
pub fn to_openslo(declaration: &Declaration) -> Export {
    openslo::write(declaration)
}

/// The SLOs of a declaration as a spec of sloth (`prometheus/v1`).
///
/// sloth knows one period for all and burn alerts of its own; what differs is a [`Note`].
pub fn to_sloth(declaration: &Declaration) -> Export {
    sloth::write(declaration)
}

/// The SLOs of a declaration as TOML, with the service, the families that they expect, and `[generate]`: read again
/// ([`Declaration::parse`]) they are the same.
///
/// # Errors
///
/// [`BuildError`] with everything else that was declared: budgets, rule files, dashboards, names of families, a target, a state file. Nothing
/// is left out silently.
pub fn to_toml(declaration: &Declaration) -> Result<String, BuildError> {
    toml::write(declaration)
}
