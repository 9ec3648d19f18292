//! When alerts fire and clear: found by trying.

use std::time::Duration;

use super::length;
use super::past::{PART, Past, Stretch};
use super::play::{Act, Play};
use super::table::{Fired, Row, Table, after};
use crate::budget::Level;
use crate::config::BuildError;
use crate::engine::AlertState;
use crate::generate::Declaration;
use crate::simulate::{AlertChange, NOON, SimulatedAlert, Stage};

/// No past and no situation lasts longer.
const LONGEST: Duration = Duration::from_secs(20 * 366 * 86_400);

/// No table takes more ticks, which is some seconds.
const MOST: u64 = 1_000_000;

/// Waits of so long are found in steps that are worth a word.
const LONG: Duration = Duration::from_secs(3_600);

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
    pub(super) alerts: Vec<Awaited>,
    /// Operations per second of what no act speaks of.
    pub(super) rate: f64,
    /// What happens while all is well.
    pub(super) good: Vec<Act>,
    pub(super) intro: String,
}

/// An alert that is waited for, tried out by itself: each looks back as far as it does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Awaited {
    /// What tells it from the others: a level, or a severity.
    pub(super) name: String,
    pub(super) past: Past,
    pub(super) horizon: Duration,
}

/// What is said of all of them, once if it is the same: `6h (page), 3d (ticket)`.
pub(super) fn each(alerts: &[Awaited], said: impl Fn(&Awaited) -> String) -> String {
    let all: Vec<String> = alerts.iter().map(said).collect();
    match all.first() {
        Some(first) if all.iter().all(|said| said == first) => first.clone(),
        _ => {
            let named = alerts.iter().zip(&all);
            let named = named.map(|(alert, said)| format!("{said} ({})", alert.name));
            named.collect::<Vec<_>>().join(", ")
        }
    }
}

impl Trial<'_> {
    /// Every situation, each by itself, side by side; a sentence where that takes too long.
    pub(super) fn table(&self, situations: &[Situation]) -> Result<Table, String> {
        if let Some(why) = self.too_much(situations.len()) {
            return Err(why);
        }
        let rows = self.rows(situations);
        let rows = rows.map_err(|error| {
            let why: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
            format!("It could not be tried out: {}.", why.join("; "))
        })?;
        // They are all alike in this.
        let even = self
            .alerts
            .iter()
            .all(|alert| alert.past.even_step().is_some());
        let step = |alert: &Awaited| alert.past.even_step().map(length).unwrap_or_default();
        let judged = match even {
            true => format!(", judged every {}", each(&self.alerts, step)),
            false => String::new(),
        };
        let coarse = !even && self.alerts.iter().any(|alert| alert.horizon > LONG);
        Ok(Table {
            intro: format!("{}{judged}", self.intro),
            alerts: self.alerts.iter().map(|alert| alert.name.clone()).collect(),
            rows,
            horizon: each(&self.alerts, |alert| after(alert.horizon)),
            coarse: coarse.then(|| self.declaration.tick * PART),
        })
    }

    fn rows(&self, situations: &[Situation]) -> Result<Vec<Row>, BuildError> {
        std::thread::scope(|scope| {
            let started = situations.iter().map(|situation| {
                let row = || self.row(situation);
                scope.spawn(row)
            });
            let started: Vec<_> = started.collect();
            let ended = started.into_iter().map(|row| {
                row.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            ended.collect()
        })
    }

    fn too_much(&self, situations: usize) -> Option<String> {
        let is_long = |alert: &Awaited| alert.past.length().max(alert.horizon) > LONGEST;
        if self.alerts.iter().any(is_long) {
            return Some("It looks further back, or may take longer, than the 20 years that can be tried out.".to_owned());
        }
        let tick = self.declaration.tick;
        let ticks = |alert: &Awaited| {
            let once = alert.past.ticks(tick, alert.horizon, MOST);
            once.saturating_mul(situations as u64)
        };
        let all = self.alerts.iter().map(ticks).fold(0, u64::saturating_add);
        let slowest = self.alerts.iter().max_by_key(|alert| ticks(alert))?;
        (all > MOST).then(|| {
            format!(
                "Its {} alert may take {} to fire, and must be judged every {} until then, which takes too long to try out.",
                slowest.name,
                after(slowest.horizon),
                length(slowest.past.step(tick, slowest.horizon))
            )
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
                let (its, all) = (&self.alerts[alert], self.alerts.iter().zip(&run.fired));
                for (known, (other, fired)) in known.iter_mut().zip(all) {
                    let same = (other.past, other.horizon) == (its.past, its.horizon);
                    *known |= same && fired.is_none();
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
        let (past, horizon) = (self.alerts[alert].past, self.alerts[alert].horizon);
        let (mut stage, mut firing) = self.beginning(past)?;
        let mut fired = vec![None; self.alerts.len()];
        let mut play = Play::new(&stage, acts, self.rate);
        loop {
            for (kind, fired) in fired.iter_mut().enumerate() {
                if self.is_firing(&firing, kind) {
                    fired.get_or_insert(stage.elapsed());
                }
            }
            let enough = fired[alert].map_or(horizon, |fired: Duration| fired + fired / 10);
            if stage.elapsed() >= enough {
                break;
            }
            let step = past.step(stage.tick(), stage.elapsed());
            note(&mut firing, play.step(&mut stage, step)?);
        }
        let mut clears = None;
        let over = stage.elapsed();
        let mut play = Play::new(&stage, &self.good, self.rate);
        while fired[alert].is_some() && stage.elapsed() < over + horizon {
            let since = stage.elapsed() - over;
            if !self.is_firing(&firing, alert) {
                clears = Some(since);
                break;
            }
            let step = past.step(stage.tick(), since);
            note(&mut firing, play.step(&mut stage, step)?);
        }
        Ok(Run { fired, clears })
    }

    /// After the past, with what fires already.
    fn beginning(&self, past: Past) -> Result<(Stage, Vec<SimulatedAlert>), BuildError> {
        let start = NOON - past.length();
        let mut stage = Stage::new(self.declaration, None, None, start)?;
        let mut firing = Vec::new();
        let mut play = Play::new(&stage, &self.good, self.rate);
        for stretch in past.stretches(stage.tick()) {
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
            alert.name == self.name && *its == self.alerts[kind].name
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
