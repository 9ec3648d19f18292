//! SLOs of an instance that is built already, and their maintenance.

use std::time::Duration;

use super::readable::Readable;
use super::{Inner, Plimsoll};
use crate::config::{BuildError, Problem};
use crate::slo::{Maintenance, Slo};

impl Plimsoll {
    /// Adds an SLO to an instance that is built: it counts from now on, with a whole error budget, and
    /// [`coverage`](crate::PeriodReading::coverage) says how little of its period that is yet.
    ///
    /// What counters of the service's own held before is not counted; with [`Sampling::Scrape`](crate::Sampling::Scrape)
    /// that is what they hold at the next scrape. Bounds are fixed once an instance is built, so the threshold of a
    /// [`latency`](Slo::latency) SLO has to be one of those that there are, as for [`add_budget`](Self::add_budget). Cost: a look
    /// at each series, and the SLO's own.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake in the declaration: a threshold that is no bound (with the two nearest), a name that is
    /// taken, parts of a composite that there are not, and whatever [`build`](crate::Builder::build) refuses. Then it is not
    /// kept, and those that were there go on.
    ///
    /// ```
    /// use plimsoll::{Plimsoll, Select, Slo};
    /// use std::time::Duration;
    ///
    /// let plimsoll = Plimsoll::builder().build()?;
    /// let fast = |threshold| Slo::latency("fast", Select::http(), threshold).objective(0.99);
    /// let refused = plimsoll.add_slo(fast(Duration::from_millis(200)).objective(99.0)).unwrap_err();
    /// assert_eq!(refused.problems().len(), 2);
    /// plimsoll.add_slo(fast(Duration::from_millis(250)))?;
    /// assert_eq!(plimsoll.slos()[0].period.coverage, 0.0);
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn add_slo(&self, slo: Slo) -> Result<(), BuildError> {
        self.inner.add_slo(slo)
    }

    /// Announces maintenance of an SLO: what happens within, from now on, is left out as by [`Slo::maintenance`], and every reading
    /// lists it with its reason once it has begun.
    ///
    /// What is counted stays counted, so a start in the past is moved to now, and that is what readings show; one that
    /// comes again keeps its hours. With a state file it outlives the process, as does the end of one; else it does not, and what is known
    /// beforehand belongs into the declaration. Cost: a look at each series that promises speak of.
    ///
    /// # Errors
    ///
    /// [`BuildError`] that names the SLO if there is none of this name, if the SLO is weighted and so counts nothing, and if the maintenance
    /// is over already, ends before it begins, has no reason, or comes again before it ends.
    ///
    /// ```
    /// use plimsoll::{Maintenance, Plimsoll, Select, Slo};
    /// use std::time::{Duration, SystemTime};
    ///
    /// let api = Slo::availability("api", Select::http()).objective(0.999);
    /// let plimsoll = Plimsoll::builder().slo(api).build()?;
    /// let now = SystemTime::now();
    /// plimsoll.add_maintenance("api", Maintenance::new(now, now + Duration::from_secs(3600), "migration"))?;
    /// // Done sooner than announced.
    /// plimsoll.end_maintenance("api", "migration")?;
    /// assert!(plimsoll.end_maintenance("api", "migration").is_err());
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn add_maintenance(&self, slo: &str, maintenance: Maintenance) -> Result<(), BuildError> {
        self.inner
            .maintain(slo, |slo, now_ms| slo.announce(maintenance, now_ms))
    }

    /// Ends the maintenance of an SLO that is under way for this reason, declared or announced: what happens from now on counts, unless
    /// it is left out for another reason as well. Readings go on to list the time up to now.
    ///
    /// Maintenance that comes again comes again. Cost: a look at each series that promises speak of.
    ///
    /// # Errors
    ///
    /// [`BuildError`] that names the SLO if there is none of this name, or none of its maintenance is under way for this reason.
    pub fn end_maintenance(&self, slo: &str, reason: &str) -> Result<(), BuildError> {
        self.inner
            .maintain(slo, |slo, now_ms| slo.end_maintenance(reason, now_ms))
    }
}

impl Inner {
    fn add_slo(&self, slo: Slo) -> Result<(), BuildError> {
        let mut all = self.engine.slos();
        all.push(slo);
        Slo::resolve(&mut all);
        let Some(slo) = all.pop() else {
            return Ok(());
        };
        let select = slo.select();
        let keys = select.map_or(&[][..], |select| self.registry.set(select.domain).keys());
        let mut problems = problems(&slo, self.tick, &Readable::of(self), keys, &all);
        let field = format!("slo {:?}: threshold", slo.name);
        problems.extend(self.bound_problems(&slo.carrier(), &field));
        if self.engine.has_promise(&slo.name) {
            problems.push(taken(&slo.name));
        }
        BuildError::check(problems)?;
        let name = slo.name.clone();
        match self.engine.add_slo(slo) {
            true => Ok(()),
            false => Err(BuildError::new(taken(&name))),
        }
    }

    fn maintain(
        &self,
        slo: &str,
        change: impl FnOnce(&mut Slo, i64) -> Result<(), String>,
    ) -> Result<(), BuildError> {
        let field = format!("slo {slo:?}: maintenance");
        let unknown = || Err("is of no SLO of this instance: name one that is declared".to_owned());
        let changed = self.engine.maintain(slo, change);
        let changed = changed.unwrap_or_else(unknown);
        changed.map_err(|message| BuildError::new(Problem::new(field, message)))
    }
}

/// Everything that is wrong with a declaration by itself; `keys` are the labels that its kind of work has, `all` the SLOs that it may
/// be made of.
pub(super) fn problems(
    slo: &Slo,
    tick: Duration,
    readable: &Readable<'_>,
    keys: &[&str],
    all: &[Slo],
) -> Vec<Problem> {
    let found = slo.problems(tick, keys, all).into_iter();
    let mut problems: Vec<_> = found
        .map(|(field, message)| Problem::new(field, message))
        .collect();
    let promise = format!("slo {:?}", slo.name);
    problems.extend(readable.problems_of(&promise, &slo.sources()));
    problems
}

/// A name belongs to another promise.
pub(super) fn taken(name: &str) -> Problem {
    let message = "is that of another SLO or budget: give one of the two another name";
    Problem::new(format!("slo {name:?}: name"), message)
}
