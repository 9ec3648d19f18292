//! What was told of the maintenance of SLOs while a process ran.

use super::loss::Loss;
use super::slos::SloMemory;
use super::table::{Entry, moment};
use crate::slo::{SavedMaintenance, Slo};
use crate::state::{Decoder, Encoder};

/// It is of the SLO's name, whatever that counts by now.
const IDENTITY: u64 = 0;

impl SloMemory {
    /// Lets an SLO that is new go on with it.
    pub(in crate::engine) fn resume_maintenance(&mut self, slo: &mut Slo, now_ms: i64) {
        let told = (Loss::Slo, slo.name());
        let found = self.maintenance.take(&key(slo), IDENTITY, now_ms, told);
        if let Some(saved) = found.and_then(|bytes| read(&mut Decoder::new(&bytes))) {
            slo.resume_maintenance(saved);
        }
    }

    /// `None` if nothing was told.
    pub(super) fn maintenance_entry(slo: &Slo, now_ms: i64) -> Option<(Vec<u8>, Entry)> {
        // A calendar's period may be longer than its nominal length, and a rolling one reaches back for a step more.
        let length_ms = 2 * slo.period.nominal().as_millis() as i64;
        let told = slo.told_maintenance(now_ms.saturating_sub(length_ms));
        let latest_ms = told.iter().map(|saved| saved.end_ms).max()?;
        let entry = Entry {
            identity: IDENTITY,
            until_ms: latest_ms.max(now_ms).saturating_add(length_ms),
            bytes: write(&told),
        };
        Some((key(slo), entry))
    }
}

fn key(slo: &Slo) -> Vec<u8> {
    let mut key = Encoder::default();
    key.text(slo.name());
    key.finish()
}

fn write(told: &[SavedMaintenance]) -> Vec<u8> {
    let mut out = Encoder::default();
    out.number(told.len() as u64);
    for saved in told {
        out.signed(saved.start_ms);
        out.signed(saved.end_ms);
        out.text(&saved.reason);
        out.maybe(saved.every_ms);
        out.maybe(saved.announced_ms);
        out.number(saved.ended_ms.len() as u64);
        saved.ended_ms.iter().for_each(|ended| out.signed(*ended));
    }
    out.finish()
}

fn read(read: &mut Decoder<'_>) -> Option<Vec<SavedMaintenance>> {
    let all = (0..read.count()?).map(|_| read_one(read)).collect();
    read.is_empty().then_some(all)?
}

fn read_one(read: &mut Decoder<'_>) -> Option<SavedMaintenance> {
    Some(SavedMaintenance {
        start_ms: moment(read)?,
        end_ms: moment(read)?,
        reason: read.text()?.to_owned(),
        every_ms: maybe_moment(read)?,
        announced_ms: maybe_moment(read)?,
        ended_ms: (0..read.count()?)
            .map(|_| moment(read))
            .collect::<Option<_>>()?,
    })
}

fn maybe_moment(read: &mut Decoder<'_>) -> Option<Option<i64>> {
    match read.flag()? {
        true => moment(read).map(Some),
        false => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Vec<SavedMaintenance> {
        vec![
            SavedMaintenance {
                start_ms: 1_700_000_000_000,
                end_ms: 1_700_000_360_000,
                reason: "migration".into(),
                every_ms: None,
                announced_ms: Some(1_700_000_000_500),
                ended_ms: vec![],
            },
            SavedMaintenance {
                start_ms: 5,
                end_ms: 9,
                reason: "backup".into(),
                every_ms: Some(86_400_000),
                announced_ms: None,
                ended_ms: vec![7, 86_400_007],
            },
        ]
    }

    #[test]
    fn what_was_written_is_read_and_nothing_that_is_cut_off() {
        let bytes = write(&told());
        assert_eq!(read(&mut Decoder::new(&bytes)), Some(told()));
        for length in 0..bytes.len() {
            assert_eq!(read(&mut Decoder::new(&bytes[..length])), None, "{length}");
        }
    }
}
