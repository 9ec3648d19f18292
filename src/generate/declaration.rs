//! What there is to generate from.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::dashboard::{self, Dashboard, DashboardBuilder, Promises};
use super::{Operations, advice, rules};
use crate::Plimsoll;
use crate::budget::{BREACH_DURATIONS, Budget};
use crate::config::{BuildError, Problem};
use crate::naming::{Namesake, Naming, is_reserved, sample_names};
use crate::rule::{Rule, RuleFile, RuleKind};
use crate::slo::Slo;

/// Everything that was promised, free of mistakes.
///
/// ```
/// use plimsoll::generate::Declaration;
///
/// let declaration = Declaration::parse("service = \"shop\"")?;
/// assert_eq!(declaration.service(), "shop");
/// # Ok::<(), plimsoll::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Declaration {
    pub(crate) service: String,
    pub(crate) naming: Naming,
    pub(crate) tick: Duration,
    /// Families of the service's own.
    pub(crate) expected: Vec<String>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) slos: Vec<Slo>,
    /// Rule files that are judged as they stand.
    pub(crate) rules: Vec<RuleFile>,
    /// `job` and `instance`, where they are known.
    pub(crate) target: Option<[String; 2]>,
    /// Whether what takes long to know outlives the process.
    pub(crate) remembers: bool,
    pub(crate) extras: Extras,
    pub(crate) warnings: Vec<Problem>,
}

/// What a file says that only generated files need.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {
    pub(crate) operations: Operations,
    pub(crate) dashboards: Vec<DashboardBuilder>,
}

impl Extras {
    /// Everything that is wrong with it beside these promises.
    pub(crate) fn problems(&self, service: &str, budgets: &[Budget], slos: &[Slo]) -> Vec<Problem> {
        let promises = Promises { budgets, slos };
        let mut problems = Vec::new();
        let mut taken: Vec<String> = dashboard::uids(service).into();
        for builder in &self.dashboards {
            if taken.contains(&builder.uid) {
                let message = "is that of another dashboard, or of one that comes by itself: choose another one";
                let field = format!("dashboard {:?}: uid", builder.uid);
                problems.push(Problem::new(field, message));
            }
            taken.push(builder.uid.clone());
            builder.clone().resolve(&promises, &mut problems);
        }
        problems
    }
}

impl Declaration {
    /// Reads the TOML of a service.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake.
    pub fn parse(toml: &str) -> Result<Self, BuildError> {
        Plimsoll::builder().toml(toml).declaration()
    }

    /// Reads a TOML file; files that it names are looked for beside it.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake, or why the file cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, BuildError> {
        Plimsoll::builder().toml_file(path).declaration()
    }

    /// Where it runs and who is told, instead of what a file says of that.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake in them.
    pub fn operations(mut self, operations: Operations) -> Result<Self, BuildError> {
        BuildError::check(operations.problems())?;
        self.extras.operations = operations;
        let before = std::mem::take(&mut self.warnings);
        self.advise();
        for warning in &mut self.warnings {
            let same = before.iter().find(|known| known.field == warning.field);
            warning.line = same.and_then(|known| known.line);
        }
        Ok(self)
    }

    /// What is no mistake, and yet hardly meant: silence that nobody hears of, a level that can never fire, a label that tells
    /// nothing apart, a family that nobody reads, what was learned or counted and is forgotten at each restart.
    ///
    /// ```
    /// use plimsoll::generate::Declaration;
    ///
    /// let declaration = Declaration::parse("expect_families = [\"queue_depth\"]")?;
    /// assert!(declaration.warnings()[0].message.contains("nothing is promised"));
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Finds out what is worth a warning.
    pub(crate) fn advise(&mut self) {
        self.warnings = advice::of(self);
    }

    /// What rules of its files record.
    pub(crate) fn recordings(&self) -> impl Iterator<Item = &Rule> {
        let groups = self.rules.iter().flat_map(RuleFile::groups);
        let rules = groups.flat_map(|group| &group.rules);
        rules.filter(|rule| matches!(rule.kind, RuleKind::Record(_)))
    }

    /// Names and labels that rules need for themselves.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = self.taken_labels();
        problems.extend(self.taken_names());
        problems
    }

    /// What is called as the alert that tells of a process that is down: both would have one page and one silence.
    fn taken_names(&self) -> impl Iterator<Item = Problem> {
        let budgets = self.budgets.iter().map(|budget| ("budget", &budget.name));
        let slos = self.slos.iter().map(|slo| ("slo", &slo.name));
        let all = budgets.chain(slos);
        let taken = |name: &String| {
            let mut slos = self.slos.iter();
            slos.find(|slo| rules::alert_of_down(slo).as_ref() == Some(name))
        };
        all.filter_map(move |(kind, name)| {
            let of = &taken(name)?.name;
            let message = format!(
                "{name:?} is the alert that tells that slo {of:?} cannot be judged: give one of them another name"
            );
            Some(Problem::new(format!("{kind} {name:?}: name"), message))
        })
    }

    /// Labels that promises are kept by.
    fn taken_labels(&self) -> Vec<Problem> {
        let of_budgets = self
            .budgets
            .iter()
            .map(|budget| ("budget", &budget.name, &budget.per));
        let of_slos = self.slos.iter().map(|slo| ("slo", &slo.name, &slo.per));
        let taken = |label: &&String| label.starts_with("__") || is_reserved(label);
        let all = of_budgets.chain(of_slos).flat_map(|(kind, name, per)| {
            let labels = per.iter().filter(taken);
            labels.map(move |label| {
                let message =
                    "is a label that generated rules have for themselves: give it another name";
                Problem::new(format!("{kind} {name:?}: per {label:?}"), message)
            })
        });
        all.collect()
    }

    /// Its dashboards: those that it declares (`[[dashboard]]`), or else one of its budgets with their limits; and, where
    /// there are SLOs, an overview of them and one of them in detail.
    pub fn dashboards(&self) -> Vec<Dashboard> {
        let mut builders = self.extras.dashboards.clone();
        if builders.is_empty() {
            builders.push(dashboard::of_budgets(&self.service, &self.budgets));
        }
        if !self.slos.is_empty() {
            builders.extend(dashboard::of_slos(&self.service, &self.slos));
        }
        let promises = Promises {
            budgets: &self.budgets,
            slos: &self.slos,
        };
        // What is declared was checked, and what comes by itself names what is declared.
        let mut problems = Vec::new();
        let resolved = builders.into_iter();
        resolved
            .map(|builder| builder.resolve(&promises, &mut problems))
            .collect()
    }

    /// What stands for a family among the names that a page or a server shows, where that is by another naming profile, another
    /// prefix, or before a rename. `None` if it is no family of ours (or one that is expected of the service itself), or there
    /// under no name.
    pub fn namesake<'a>(
        &self,
        family: &str,
        shown: impl Iterator<Item = &'a str>,
    ) -> Option<Namesake> {
        let is_own = |name: &str| {
            let ending = |own: &String| name.strip_prefix(own.as_str());
            let mut endings = self.expected.iter().filter_map(ending);
            endings.any(|end| ["", "_bucket", "_count", "_sum"].contains(&end))
        };
        if is_own(family) {
            return None;
        }
        let shown = shown.filter(|name| !is_own(name));
        self.naming.namesake(family, shown)
    }

    /// The names that it knows of: the families that plimsoll may show under its naming, those of the samples of histograms
    /// among them, and those that are expected of the service itself.
    ///
    /// Cost: a new set, with a copy of every name.
    ///
    /// ```
    /// use plimsoll::generate::Declaration;
    ///
    /// let declaration = Declaration::parse("expect_families = [\"queue_depth\"]")?;
    /// let families = declaration.families();
    /// assert!(families.contains("queue_depth") && families.contains("http_server_request_duration_seconds_bucket"));
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn families(&self) -> BTreeSet<String> {
        let own = sample_names(BREACH_DURATIONS, true);
        let ours = self.naming.readable().into_iter().chain(own);
        ours.chain(self.expected.iter().cloned()).collect()
    }

    /// The name of the service.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The budgets, those of key figures among them.
    pub fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    /// The SLOs.
    pub fn slos(&self) -> &[Slo] {
        &self.slos
    }
}
