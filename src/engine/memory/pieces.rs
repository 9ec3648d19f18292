//! How everything is written without standing in anybody's way: the engine's lock is taken for a few things at a time.
//!
//! A tick that comes meanwhile goes first, so one section may be a tick younger than another. Nothing is lost by that: what a series,
//! a ledger or an alert says, it says with its own moments.

use parking_lot::MutexGuard;

use super::Sections;
use super::groups::GroupMemory;
use super::rules::Timers;
use super::slos::SloMemory;
use super::table::Draft;
use crate::engine::Engine;
use crate::engine::judge::Judge;
use crate::rule::Evaluator;

/// How many things are written at a time: series of thousands of samples, ledgers, bands of 40 KB.
const PIECE: usize = 16;

#[derive(Debug, Clone, Copy)]
enum Section {
    Series,
    Rules,
    Ledgers,
    Maintenance,
    SloAlerts,
    GroupAlerts,
    Recorded,
    Bands,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Series,
        Self::Rules,
        Self::Ledgers,
        Self::Maintenance,
        Self::SloAlerts,
        Self::GroupAlerts,
        Self::Recorded,
        Self::Bands,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Rules => "rules",
            Self::Ledgers => "ledgers",
            Self::Maintenance => "maintenance",
            Self::SloAlerts => "slo_alerts",
            Self::GroupAlerts => "group_alerts",
            Self::Recorded => "recorded",
            Self::Bands => "bands",
        }
    }
}

impl Engine {
    /// All that the next process is to remember, and the moment of the latest tick, in milliseconds since 1970.
    ///
    /// Cost: a pass over all samples of all series that rules read; the lock that a tick needs is taken for [`PIECE`] things
    /// at a time.
    pub(crate) fn remember(&self) -> (Sections, i64) {
        let now_ms = self.judge.lock().book.latest.at_ms;
        let sections =
            Section::ALL.map(|section| (section.name().to_owned(), self.written(section)));
        (sections.into(), now_ms)
    }

    fn written(&self, section: Section) -> Vec<u8> {
        let mut draft = Draft::default();
        for from in (0..).step_by(PIECE) {
            let judge = self.judge.lock();
            // What was there before comes first: whoever has taken it meanwhile says more.
            if from == 0 {
                judge.write_waiting(section, &mut draft);
            }
            let all = judge.write_piece(section, from, &mut draft);
            MutexGuard::unlock_fair(judge);
            if from + PIECE >= all {
                break;
            }
        }
        draft.finish()
    }
}

impl Judge {
    /// Writes what nobody has taken yet.
    fn write_waiting(&self, section: Section, draft: &mut Draft) {
        let (book, now_ms) = (&self.book, self.book.latest.at_ms);
        match section {
            Section::Series => draft.add(book.store.memory.waiting(now_ms)),
            Section::Rules => draft.add(book.timers.0.waiting(now_ms)),
            Section::Ledgers => draft.add(self.slos.memory.ledgers.waiting(now_ms)),
            Section::Maintenance => draft.add(self.slos.memory.maintenance.waiting(now_ms)),
            Section::SloAlerts => draft.add(self.slos.memory.alerts.0.waiting(now_ms)),
            Section::GroupAlerts => draft.add(book.files.memory.alerts.waiting(now_ms)),
            Section::Recorded => draft.add(book.files.memory.recorded.waiting(now_ms)),
            Section::Bands => draft.add(book.bands.memory.0.waiting(now_ms)),
        }
    }

    /// Writes the things from one on; returns how many there are in all.
    fn write_piece(&self, section: Section, from: usize, draft: &mut Draft) -> usize {
        let (book, now) = (&self.book, self.book.latest);
        match section {
            Section::Series => {
                let (store, memory) = (&book.store, &book.store.memory);
                let series = store.saved(from, PIECE);
                draft.add(series.filter_map(|(labels, counter, series)| {
                    memory.entry(labels, counter, &series)
                }));
                store.places()
            }
            Section::Rules => {
                let rules = book.rules.iter().skip(from).take(PIECE);
                draft.add(rules.filter_map(|judged| Timers::entry(judged, now)));
                book.rules.len()
            }
            Section::Ledgers => {
                let parts = self.slos.ledgers().skip(from).take(PIECE);
                draft.add(parts.map(|(slo, part)| SloMemory::entry(slo, part, now.at_ms)));
                self.slos.ledgers().count()
            }
            Section::Maintenance => {
                let slos = self.slos.declared().skip(from).take(PIECE);
                draft.add(slos.filter_map(|slo| SloMemory::maintenance_entry(slo, now.at_ms)));
                self.slos.declared().count()
            }
            Section::SloAlerts => {
                let alerts = self.slos.judged().skip(from).take(PIECE);
                draft.add(alerts.filter_map(|judged| Timers::entry(judged, now)));
                self.slos.judged().count()
            }
            Section::GroupAlerts => {
                draft.add(GroupMemory::entries(&book.files, now.at_ms));
                0
            }
            Section::Recorded => {
                let memory = &book.files.memory.recorded;
                let recorded = || book.files.all().iter().flat_map(Evaluator::recorded);
                let series = recorded().skip(from).take(PIECE);
                draft
                    .add(series.filter_map(|(labels, series)| {
                        memory.entry(labels, false, &series.save())
                    }));
                recorded().count()
            }
            Section::Bands => {
                let bands = book.bands.saved(from, PIECE);
                draft.add(bands.filter_map(|(part, band)| self.band_entry(part, band)));
                book.bands.len()
            }
        }
    }
}
