//! Saved bands: a head, what was learned, a checksum; little-endian.
//!
//! `PLBAND`, version, method, window (ms, i64), offset (min, i32), the method's own fields, FNV-1a (64 bits) of all before.

use super::{BandError, Dynamic, Method};

const MAGIC: &[u8; 6] = b"PLBAND";
const VERSION: u8 = 1;
const CHECKSUM: usize = size_of::<u64>();

/// The head of a saved band.
pub(super) fn begin(declared: &Dynamic) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.push(VERSION);
    out.extend(learned_by(declared));
    out
}

/// What the learned depends on.
fn learned_by(declared: &Dynamic) -> Vec<u8> {
    let mut out = vec![match declared.method {
        Method::Classic => 0,
        Method::HourOfWeek => 1,
    }];
    out.extend(declared.window_ms().to_le_bytes());
    out.extend(declared.offset_minutes.to_le_bytes());
    out
}

/// Adds the checksum.
pub(super) fn seal(mut out: Vec<u8>) -> Vec<u8> {
    out.extend(checksum(&out).to_le_bytes());
    out
}

/// Every change of a single byte changes it: each step maps different states to different ones.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// What is left of a saved band.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Behind the head, if these are whole bytes of a band that was declared alike.
    pub(super) fn open(saved: &'a [u8], declared: &Dynamic) -> Result<Self, BandError> {
        let rest = saved.strip_prefix(MAGIC).ok_or(BandError::Foreign)?;
        let version = *rest.first().ok_or(BandError::Torn)?;
        if version != VERSION {
            return Err(BandError::Version(version));
        }
        let end = saved.len().checked_sub(CHECKSUM).ok_or(BandError::Torn)?;
        let (sealed, sum) = saved.split_at(end);
        if checksum(sealed).to_le_bytes() != sum {
            return Err(BandError::Torn);
        }
        let rest = sealed.get(MAGIC.len() + 1..).ok_or(BandError::Torn)?;
        let learned = rest
            .strip_prefix(learned_by(declared).as_slice())
            .ok_or(BandError::Different)?;
        Ok(Self(learned))
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], BandError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(BandError::Torn)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u64(&mut self) -> Result<u64, BandError> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, BandError> {
        self.take().map(i64::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, BandError> {
        self.take().map(u16::from_le_bytes)
    }

    pub(super) fn f32(&mut self) -> Result<f32, BandError> {
        self.take().map(f32::from_le_bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn end(self) -> Result<(), BandError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(BandError::Torn)
        }
    }
}
