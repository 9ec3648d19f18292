//! Remembered things by their keys, yet to be taken.

use std::collections::BTreeMap;

use super::LARGEST;
use crate::state::{Decoder, Encoder};

/// What is remembered of things of one kind.
#[derive(Debug, Default)]
pub(in crate::engine) struct Table {
    pub(super) entries: BTreeMap<Vec<u8>, Entry>,
    /// What did not fit, and why.
    pub(in crate::engine) dropped: Vec<(String, String)>,
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
            if entry.until_ms >= now_ms {
                table.entries.insert(key, entry);
            }
        }
        read.is_empty().then_some(table)
    }

    /// Writes these, and what nobody has taken.
    pub(super) fn write(
        &self,
        current: impl Iterator<Item = (Vec<u8>, Entry)>,
        now_ms: i64,
    ) -> Vec<u8> {
        let waiting = self.entries.iter();
        let waiting = waiting.filter(|(_, entry)| entry.until_ms >= now_ms);
        let mut all: BTreeMap<Vec<u8>, Entry> = waiting
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect();
        all.extend(current);
        let mut out = Encoder::default();
        out.number(all.len() as u64);
        for (key, entry) in all {
            out.bytes(&key);
            out.number(entry.identity);
            out.signed(entry.until_ms);
            out.bytes(&entry.bytes);
        }
        out.finish()
    }

    /// Takes what is remembered of something, unless it is another one by now.
    pub(super) fn take(
        &mut self,
        key: &[u8],
        identity: u64,
        now_ms: i64,
        (subject, other): (&str, &str),
    ) -> Option<Vec<u8>> {
        let entry = self.entries.remove(key)?;
        if entry.identity != identity {
            self.dropped.push((subject.to_owned(), other.to_owned()));
            return None;
        }
        (entry.until_ms >= now_ms).then_some(entry.bytes)
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
