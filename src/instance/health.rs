//! Whether the service should get traffic, for readiness probes.

use std::sync::Arc;
use std::time::SystemTime;

use super::Plimsoll;
use crate::budget::Level;
use crate::engine::{AlertState, BudgetReading};
use crate::slo::{Severity, SloReading, SloState};

/// What makes a service not ready.
///
/// A readiness probe that fails takes an instance out of the traffic, and the others get its share: name only what is wrong with
/// one instance and not with all of them at once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotReady {
    /// Any budget is in breach at its level critical.
    Critical,
    /// Any budget is in breach at any level, or any SLO's alert fires.
    Breach,
    /// Any SLO's error budget is spent.
    Exhausted,
    /// This budget is in breach, or a page of this SLO fires.
    Named(String),
}

impl NotReady {
    /// This budget is in breach, or a page of this SLO fires.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Named(name.into())
    }

    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            _ => None,
        }
    }
}

/// How the service is, as of the latest tick.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Health {
    /// The short answer.
    pub status: HealthStatus,
    /// Everything that is in breach: budgets by level, then SLOs.
    pub breached: Vec<Breached>,
    /// Budgets and SLOs of which nothing is known, for want of operations or data.
    pub no_data: Vec<String>,
}

/// Whether the service is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum HealthStatus {
    /// Nothing is in breach.
    Ok,
    /// Something is, but nothing that [`Builder::not_ready_when`](crate::Builder::not_ready_when) names.
    Degraded,
    /// It should get no traffic.
    NotReady,
}

/// A budget or SLO that is not kept.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Breached {
    /// `budget` or `slo`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The labels that it is kept by.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialise::labels"))]
    pub labels: Arc<[(&'static str, String)]>,
    /// `target`, `warning` or `critical` of a budget; `ticket` or `page`, the gravest that fires, or `exhausted` of an SLO.
    pub what: &'static str,
    /// Since when.
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "crate::serialise::maybe_time")
    )]
    pub since: Option<SystemTime>,
    /// Whether it makes the service not ready.
    pub not_ready: bool,
}

impl Plimsoll {
    /// Whether the service is well, for a readiness probe: what is in breach and since when, and of what nothing is known.
    ///
    /// ```
    /// use plimsoll::{Budget, HealthStatus, NotReady, Plimsoll, Select};
    ///
    /// let plimsoll = Plimsoll::builder()
    ///     .budget(Budget::error_ratio("errors", Select::http()).at_most(0.001).critical(0.05))
    ///     .not_ready_when(NotReady::Critical)
    ///     .build()?;
    /// let health = plimsoll.health();
    /// assert_eq!((health.status, health.no_data), (HealthStatus::Ok, vec!["errors".to_owned()]));
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn health(&self) -> Health {
        let (budgets, slos) = (self.budgets(), self.slos());
        let mut breached: Vec<_> = budgets.iter().filter_map(of_budget).collect();
        breached.extend(slos.iter().flat_map(of_slo));
        for breach in &mut breached {
            let mut rules = self.inner.not_ready.iter();
            breach.not_ready = rules.any(|rule| breach.is_named_by(rule));
        }
        let status = match &breached[..] {
            [] => HealthStatus::Ok,
            some if some.iter().any(|breach| breach.not_ready) => HealthStatus::NotReady,
            _ => HealthStatus::Degraded,
        };
        let unknown = budgets.iter().filter(|budget| budget.value.is_none());
        let unknown = unknown.map(|budget| budget.budget.clone());
        let insufficient = |slo: &&SloReading| slo.state == SloState::InsufficientData;
        let unknown = unknown.chain(slos.iter().filter(insufficient).map(|slo| slo.slo.clone()));
        let mut no_data: Vec<String> = unknown.collect();
        no_data.sort();
        no_data.dedup();
        Health {
            status,
            breached,
            no_data,
        }
    }
}

impl Breached {
    fn is_named_by(&self, rule: &NotReady) -> bool {
        match rule {
            NotReady::Critical => self.what == Level::Critical.as_str(),
            NotReady::Breach => self.what != EXHAUSTED,
            NotReady::Exhausted => self.what == EXHAUSTED,
            NotReady::Named(name) => {
                let acute = self.kind == "budget" || self.what == Severity::Page.as_str();
                self.name == *name && acute
            }
        }
    }
}

const EXHAUSTED: &str = "exhausted";

fn of_budget(reading: &BudgetReading) -> Option<Breached> {
    (reading.state == AlertState::Firing).then(|| Breached {
        kind: "budget",
        name: reading.budget.clone(),
        labels: reading.labels.clone(),
        what: reading.level.as_str(),
        since: reading.since,
        not_ready: false,
    })
}

/// The gravest alert that fires, and whether the error budget is spent.
fn of_slo(reading: &SloReading) -> Vec<Breached> {
    let firing = reading
        .alerts
        .iter()
        .filter(|alert| alert.state == AlertState::Firing);
    let gravest = firing.max_by_key(|alert| alert.severity);
    let gravest = gravest.map(|alert| (alert.severity.as_str(), alert.since));
    let spent = reading.state == SloState::Breached;
    let spent = spent.then_some((EXHAUSTED, Some(reading.since)));
    let breached = |(what, since)| Breached {
        kind: "slo",
        name: reading.slo.clone(),
        labels: reading.labels.clone(),
        what,
        since,
        not_ready: false,
    };
    gravest.into_iter().chain(spent).map(breached).collect()
}
