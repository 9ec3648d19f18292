//! What a process remembers of the one before: bytes in, bytes out, and whatever fits is taken up where it belongs.
//!
//! Everything is known by names, labels and the text of what was counted or judged. What comes into being takes its own out of
//! a memory, at once or when its first operation appears; what nobody has taken yet is handed on to the next file, until it is too old to
//! say anything.

mod bands;
mod gone;
mod groups;
mod loss;
mod maintenance;
mod pieces;
mod rules;
mod series;
mod slos;
mod table;

use std::collections::BTreeMap;

use super::judge::Judge;
use super::moment::Moment;
use super::{Engine, Keep};
use crate::alert::Warning;
pub(super) use bands::BandMemory;
pub(super) use gone::Gone;
pub(super) use groups::GroupMemory;
use loss::{Loss, Losses};
pub(super) use rules::Timers;
pub(super) use series::SeriesMemory;
pub(super) use slos::SloMemory;
use table::Table;

/// An alert is not resumed after a longer outage, as in Prometheus.
const OUTAGE_MS: i64 = 3_600_000;
/// Milliseconds and counts beyond are none that this crate wrote.
const LARGEST: u64 = 1 << 53;

/// Everything that is remembered.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(super) series: SeriesMemory,
    pub(super) rules: Timers,
    pub(super) slos: SloMemory,
    pub(super) groups: GroupMemory,
    pub(super) bands: BandMemory,
    pub(super) gone: Gone,
}

/// Sections of a state file, by name.
pub(crate) type Sections = BTreeMap<String, Vec<u8>>;

impl Memory {
    /// What sections say to a process that begins at this moment; and the names of those that cannot be read.
    pub(crate) fn read(sections: &Sections, now_ms: i64) -> (Self, Vec<&'static str>) {
        let mut unread = Vec::new();
        let mut table = |name| {
            let Some(bytes) = sections.get(name) else {
                return Table::default();
            };
            Table::read(bytes, now_ms).unwrap_or_else(|| {
                unread.push(name);
                Table::default()
            })
        };
        let mut memory = Self {
            series: SeriesMemory::of(table("series"), now_ms),
            rules: Timers(table("rules")),
            slos: SloMemory {
                ledgers: table("ledgers"),
                alerts: Timers(table("slo_alerts")),
                maintenance: table("maintenance"),
            },
            groups: GroupMemory {
                alerts: table("group_alerts"),
                recorded: SeriesMemory::of(table("recorded"), now_ms),
            },
            bands: BandMemory(table("bands")),
            gone: Gone::default(),
        };
        memory.gone.late = memory.late();
        (memory, unread)
    }

    /// The alerts that were active before an outage that is too long for them.
    fn late(&mut self) -> Losses {
        let tables = [
            &mut self.rules.0,
            &mut self.slos.alerts.0,
            &mut self.groups.alerts,
        ];
        let mut late = Losses::default();
        for table in tables {
            for (owner, alert) in table.expired.iter().filter_map(|key| table::names(key)) {
                late.add(Loss::Outage, format!("{owner}/{alert}"));
            }
        }
        late
    }
}

impl Judge {
    /// What was dropped of it since the latest look: what it is of, and why.
    pub(super) fn dropped(&mut self) -> Vec<(String, String)> {
        let mut dropped = Losses::default();
        let (book, slos) = (&mut self.book, &mut self.slos.memory);
        for losses in [
            &mut self.gone.late,
            &mut book.store.memory.dropped,
            &mut book.timers.0.dropped,
            &mut book.bands.memory.0.dropped,
            &mut slos.ledgers.dropped,
            &mut slos.alerts.0.dropped,
            &mut book.files.memory.alerts.dropped,
            &mut book.files.memory.recorded.dropped,
        ] {
            dropped.take(losses);
        }
        if self.gone.is_due(self.book.latest) {
            self.find_gone(&mut dropped);
        }
        dropped.told()
    }
}

impl Engine {
    /// Nanoseconds of its clock.
    pub(crate) fn now_ns(&self) -> u64 {
        self.registry.clock().now_ns()
    }

    /// Who keeps that, from now on; the first one stays.
    pub(crate) fn keep(&self, keep: Box<dyn Keep>) {
        let _ = self.keep.set(keep);
    }

    /// Tells everybody of something that is to be mended, once.
    pub(crate) fn warn(&self, warning: Warning) {
        if let Some(warning) = self.warnings.add(warning) {
            self.hub.publish_warning(&warning);
        }
    }
}

impl Moment {
    /// What is to be added to nanoseconds of this clock, to have them since 1970.
    fn ahead_ns(self) -> i64 {
        self.at_ms
            .saturating_mul(1_000_000)
            .saturating_sub(self.at_ns as i64)
    }
}

/// FNV-1a: what was counted or judged has the same number in the next process, if its text is the same.
fn identity(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
