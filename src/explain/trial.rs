//! When alerts fire: found by trying.

use std::time::Duration;

use super::length;
use super::situations::{Situation, good};
use super::table::Table;
use crate::budget::Level;
use crate::config::BuildError;
use crate::engine::AlertState;
use crate::generate::Declaration;
use crate::simulate::{Load, SimulatedAlert, Stage};

/// Time passes in steps of the tick, or of so small a part of what has passed.
const PART: u32 = 500;

/// What is tried out.
pub(super) struct Trial<'a> {
    pub(super) declaration: &'a Declaration,
    pub(super) name: &'a str,
    /// What tells alerts apart: levels, or severities.
    pub(super) alerts: Vec<String>,
    pub(super) rate: f64,
    pub(super) history: Duration,
    pub(super) horizon: Duration,
}

impl Trial<'_> {
    pub(super) fn table(&self, mut situations: Vec<Situation>) -> Result<Table, BuildError> {
        situations.push(("no operations".to_owned(), good(0.0)));
        let rows = situations
            .into_iter()
            .map(|(what, load)| Ok((what, self.fires(load)?)));
        Ok(Table {
            intro: format!(
                "After {} of {} good operations per second, on a Monday from noon on:",
                length(self.history),
                (self.rate * 1e6).round() / 1e6
            ),
            alerts: self.alerts.clone(),
            rows: rows.collect::<Result<_, BuildError>>()?,
            horizon: self.horizon,
        })
    }

    /// After how long each alert fires for the first time.
    fn fires(&self, load: Load) -> Result<Vec<Option<Duration>>, BuildError> {
        let mut stage = Stage::new(self.declaration, None, None)?;
        stage.live_through(self.history, self.rate);
        stage.begin();
        let mut fires = vec![None; self.alerts.len()];
        while stage.elapsed() < self.horizon && fires.contains(&None) {
            let length = stage.tick().max(stage.elapsed() / PART);
            let length = Duration::from_millis(length.as_millis() as u64);
            let (_, changes) = stage.step(length, load);
            for change in changes
                .iter()
                .filter(|change| change.to == AlertState::Firing)
            {
                if let Some(fires) = self.place(&change.alert).map(|place| &mut fires[place]) {
                    fires.get_or_insert(change.at);
                }
            }
        }
        Ok(fires)
    }

    fn place(&self, alert: &SimulatedAlert) -> Option<usize> {
        let silent = alert.windows == Level::Absent.as_str();
        let kind = if silent { &alert.windows } else { &alert.level };
        let place = || self.alerts.iter().position(|known| known == kind);
        (alert.name == self.name).then(place)?
    }
}
