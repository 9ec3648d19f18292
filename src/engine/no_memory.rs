//! What a process remembers of the one before, in a build that remembers nothing.

use super::judged::Judged;
use super::moment::Moment;
use crate::band::{Band, Dynamic};
use crate::budget;
use crate::expr::{Labels, Selector};
use crate::rule::Evaluator;
use crate::window::Series;

/// Nothing.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(super) series: SeriesMemory,
    pub(super) rules: Timers,
    pub(super) slos: SloMemory,
    pub(super) groups: GroupMemory,
    pub(super) bands: BandMemory,
    pub(super) gone: Gone,
}

#[derive(Debug, Default)]
pub(super) struct SeriesMemory;

impl SeriesMemory {
    pub(super) fn meet(&mut self, _: &str, _: impl FnOnce() -> String) {}

    pub(super) fn matching(&self, _: &Selector) -> Vec<(Labels, bool)> {
        Vec::new()
    }

    pub(super) fn recall(&mut self, _: &Labels, _: &mut Series) -> Option<i64> {
        None
    }
}

#[derive(Debug, Default)]
pub(super) struct Timers;

impl Timers {
    pub(super) fn resume(&mut self, _: &mut Judged, _: Moment) {}
}

#[derive(Debug, Default)]
pub(super) struct SloMemory {
    pub(super) alerts: Timers,
}

impl SloMemory {
    pub(super) fn resume(&mut self, _: &crate::slo::Slo, _: &mut super::slos::Part) {}

    pub(super) fn resume_maintenance(&mut self, _: &mut crate::slo::Slo, _: i64) {}
}

#[derive(Debug, Default)]
pub(super) struct GroupMemory;

impl GroupMemory {
    pub(super) fn resume(&mut self, _: &mut Evaluator, _: Moment) {}
}

#[derive(Debug, Default)]
pub(super) struct BandMemory;

impl BandMemory {
    pub(super) fn recall(
        &mut self,
        _: (&str, &budget::Labels),
        _: &Dynamic,
        _: impl FnOnce() -> String,
        _: Moment,
    ) -> Option<Band> {
        None
    }
}

#[derive(Debug, Default)]
pub(super) struct Gone;

impl Gone {
    fn told(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

impl super::Judge {
    /// What was dropped of it since the latest look, and why.
    pub(super) fn dropped(&mut self) -> Vec<(String, String)> {
        self.gone.told()
    }
}
