//! Remembered things by their keys, yet to be taken.

use std::collections::BTreeMap;

use super::LARGEST;
use super::loss::{Loss, Losses};
use crate::state::{Decoder, Encoder};

/// What is remembered of things of one kind.
#[derive(Debug, Default)]
pub(in crate::engine) struct Table {
    pub(super) entries: BTreeMap<Vec<u8>, Entry>,
    /// Keys of what was too old already.
    pub(super) expired: Vec<Vec<u8>>,
    /// What did not fit.
    pub(super) dropped: Losses,
}

/// What is remembered of one thing.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Of what it was remembered of.
    pub(super) identity: u64,
    /// Afterwards it says nothing any more.
    pub(super) until_ms: i64,
    pub(super) bytes: Vec<u8>,
}

impl Table {
    /// What is not too old by now; `None` if these are not the bytes of a table.
    pub(super) fn read(bytes: &[u8], now_ms: i64) -> Option<Self> {
        let mut read = Decoder::new(bytes);
        let mut table = Self::default();
        for _ in 0..read.count()? {
            let key = read.bytes()?.to_vec();
            let entry = Entry {
                identity: read.number()?,
                until_ms: read.signed()?,
                bytes: read.bytes()?.to_vec(),
            };
            match entry.until_ms >= now_ms {
                true => drop(table.entries.insert(key, entry)),
                false => table.expired.push(key),
            }
        }
        read.is_empty().then_some(table)
    }

    /// What nobody has taken, and is not too old.
    pub(super) fn waiting(&self, now_ms: i64) -> impl Iterator<Item = (Vec<u8>, Entry)> {
        let waiting = self.entries.iter();
        let waiting = waiting.filter(move |(_, entry)| entry.until_ms >= now_ms);
        waiting.map(|(key, entry)| (key.clone(), entry.clone()))
    }

    /// Takes what is remembered of something, unless it is another one by now.
    pub(super) fn take(
        &mut self,
        key: &[u8],
        identity: u64,
        now_ms: i64,
        (loss, subject): (Loss, &str),
    ) -> Option<Vec<u8>> {
        let entry = self.entries.remove(key)?;
        if entry.identity != identity {
            self.dropped.add(loss, subject);
            return None;
        }
        (entry.until_ms >= now_ms).then_some(entry.bytes)
    }
}

/// The name that a key begins with: of a budget, an SLO, a group.
pub(super) fn name(key: &[u8]) -> Option<&str> {
    Decoder::new(key).text()
}

/// The two that the key of an alert begins with.
pub(super) fn names(key: &[u8]) -> Option<(&str, &str)> {
    let mut key = Decoder::new(key);
    Some((key.text()?, key.text()?))
}

/// A table that is being written.
#[derive(Debug, Default)]
pub(super) struct Draft(BTreeMap<Vec<u8>, Entry>);

impl Draft {
    /// Adds entries; of two with one key the later one holds.
    pub(super) fn add(&mut self, entries: impl IntoIterator<Item = (Vec<u8>, Entry)>) {
        self.0.extend(entries);
    }

    /// The bytes that [`Table::read`] reads.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.number(self.0.len() as u64);
        for (key, entry) in self.0 {
            out.bytes(&key);
            out.number(entry.identity);
            out.signed(entry.until_ms);
            out.bytes(&entry.bytes);
        }
        out.finish()
    }
}

/// A moment in milliseconds since 1970.
pub(super) fn moment(read: &mut Decoder<'_>) -> Option<i64> {
    read.signed().filter(|ms| ms.unsigned_abs() <= LARGEST)
}

/// A count.
pub(super) fn count(read: &mut Decoder<'_>) -> Option<u64> {
    read.number().filter(|count| *count <= LARGEST)
}
