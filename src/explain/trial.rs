//! When alerts fire and clear: found by trying.

use std::time::Duration;

use super::past::{Past, Stretch};
use super::play::{Act, Play};
use super::table::{Fired, Row, Table};
use crate::budget::Level;
use crate::config::BuildError;
use crate::engine::AlertState;
use crate::generate::Declaration;
use crate::simulate::{AlertChange, NOON, SimulatedAlert, Stage};

/// No past and no situation lasts longer.
const LONGEST: Duration = Duration::from_secs(20 * 366 * 86_400);

/// No situation takes more operations, which is some tens of seconds.
const MOST: f64 = 4e8;

/// What may happen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Situation {
    pub(super) what: String,
    pub(super) acts: Vec<Act>,
}

/// What is tried out.
#[derive(Debug)]
pub(super) struct Trial<'a> {
    pub(super) declaration: &'a Declaration,
    pub(super) name: &'a str,
    /// What tells alerts apart: levels, or severities.
    pub(super) alerts: Vec<String>,
    /// Operations per second of what no act speaks of.
    pub(super) rate: f64,
    /// What happens while all is well.
    pub(super) good: Vec<Act>,
    pub(super) past: Past,
    pub(super) horizon: Duration,
    pub(super) intro: String,
}

impl Trial<'_> {
    /// Every situation, each by itself, side by side; a sentence where that takes too long.
    pub(super) fn table(
        &self,
        situations: &[Situation],
    ) -> Result<Result<Table, String>, BuildError> {
        if let Some(why) = self.too_much() {
            return Ok(Err(why));
        }
        let rows = std::thread::scope(|scope| {
            let started = situations.iter().map(|situation| {
                let row = || self.row(situation);
                scope.spawn(row)
            });
            let started: Vec<_> = started.collect();
            let ended = started.into_iter().map(|row| {
                row.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            ended.collect::<Result<_, _>>()
        })?;
        Ok(Ok(Table {
            intro: format!("{}{}", self.intro, self.past.words()),
            alerts: self.alerts.clone(),
            rows,
            horizon: self.horizon,
        }))
    }

    fn too_much(&self) -> Option<String> {
        if self.past.length() > LONGEST || self.horizon > LONGEST {
            return Some("It looks further back, or may take longer, than the 20 years that can be tried out.".to_owned());
        }
        let lived = self.past.lived() + self.horizon * 2;
        // Counters and gauges cost nothing for each operation.
        let Declaration { budgets, slos, .. } = self.declaration;
        let recorded = budgets.iter().any(|budget| budget.select().is_some())
            || slos.iter().any(|slo| slo.select().is_some());
        let operations = self.rate * lived.as_secs_f64();
        (recorded && operations > MOST).then(|| {
            format!("To try it out takes {operations:.0} operations, which is too many. Try it with `plimsoll simulate`.")
        })
    }

    fn row(&self, situation: &Situation) -> Result<Row, BuildError> {
        let mut fires: Vec<Option<Fired>> = vec![None; self.alerts.len()];
        let mut known = vec![false; self.alerts.len()];
        for alert in 0..self.alerts.len() {
            if known[alert] {
                continue;
            }
            let run = self.run(alert, &situation.acts)?;
            fires[alert] = run.fired[alert].map(|after| Fired {
                after,
                clears: run.clears,
            });
            if fires[alert].is_none() {
                // What did not fire in all this time need not be waited for again.
                for (known, fired) in known.iter_mut().zip(&run.fired) {
                    *known |= fired.is_none();
                }
            }
        }
        Ok(Row {
            what: situation.what.clone(),
            fires,
        })
    }

    /// Lets it happen until this alert has fired and a tenth longer, and then all be well until it clears.
    fn run(&self, alert: usize, acts: &[Act]) -> Result<Run, BuildError> {
        let (mut stage, mut firing) = self.beginning()?;
        let mut fired = vec![None; self.alerts.len()];
        let mut play = Play::new(&stage, acts, self.rate);
        loop {
            for (kind, fired) in fired.iter_mut().enumerate() {
                if self.is_firing(&firing, kind) {
                    fired.get_or_insert(stage.elapsed());
                }
            }
            let enough = fired[alert].map_or(self.horizon, |fired: Duration| fired + fired / 10);
            if stage.elapsed() >= enough {
                break;
            }
            let step = self.past.step(stage.tick(), stage.elapsed());
            note(&mut firing, play.step(&mut stage, step)?);
        }
        let mut clears = None;
        let over = stage.elapsed();
        let mut play = Play::new(&stage, &self.good, self.rate);
        while fired[alert].is_some() && stage.elapsed() < over + self.horizon {
            let since = stage.elapsed() - over;
            if !self.is_firing(&firing, alert) {
                clears = Some(since);
                break;
            }
            let step = self.past.step(stage.tick(), since);
            note(&mut firing, play.step(&mut stage, step)?);
        }
        Ok(Run { fired, clears })
    }

    /// After the past, with what fires already.
    fn beginning(&self) -> Result<(Stage, Vec<SimulatedAlert>), BuildError> {
        let start = NOON - self.past.length();
        let mut stage = Stage::new(self.declaration, None, None, start)?;
        let mut firing = Vec::new();
        let mut play = Play::new(&stage, &self.good, self.rate);
        for stretch in self.past.stretches(stage.tick()) {
            match stretch {
                Stretch::Lived(step) => note(&mut firing, play.step(&mut stage, step)?),
                Stretch::Skipped(length) => stage.rest(length),
            }
        }
        stage.begin();
        Ok((stage, firing))
    }

    fn is_firing(&self, firing: &[SimulatedAlert], kind: usize) -> bool {
        firing.iter().any(|alert| {
            let silent = alert.windows == Level::Absent.as_str();
            let its = if silent { &alert.windows } else { &alert.level };
            alert.name == self.name && *its == self.alerts[kind]
        })
    }
}

/// When each alert fired, and how long the one that was waited for took to clear.
struct Run {
    fired: Vec<Option<Duration>>,
    clears: Option<Duration>,
}

/// Keeps what fires up to date.
fn note(firing: &mut Vec<SimulatedAlert>, changes: Vec<AlertChange>) {
    for change in changes {
        match (change.from, change.to) {
            (_, AlertState::Firing) => firing.push(change.alert),
            (AlertState::Firing, _) => firing.retain(|alert| *alert != change.alert),
            _ => {}
        }
    }
}
