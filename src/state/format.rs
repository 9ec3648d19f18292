//! The bytes of a state file; little-endian.
//!
//! Magic, version (u16), number of sections (u32), for each: length of the name (u16), name (UTF-8), length (u64),
//! bytes; then CRC-32 of everything before. The newline and the high byte of the magic show a file that was sent as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::StoreError;

pub(super) type Sections = BTreeMap<String, Vec<u8>>;

/// A larger file is neither written nor read: 64 MiB, about 1,700 bands.
pub const MAX_BYTES: u64 = 64 << 20;
/// Of a section.
pub const MAX_NAME_BYTES: usize = 255;

const MAGIC: &[u8; 8] = b"\x89PLIMS\r\n";
const VERSION: u16 = 1;
const CHECKSUM: usize = size_of::<u32>();

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// It does not begin as a state file does.
    Foreign,
    /// It has this version, which only a newer plimsoll knows.
    Newer(u16),
    /// It is larger than [`MAX_BYTES`].
    TooLarge,
    /// It is cut off, or its checksum is another.
    Torn,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => write!(f, "is no state file"),
            Self::Newer(version) => write!(
                f,
                "has format {version}, and this version knows {VERSION} at most"
            ),
            Self::TooLarge => write!(f, "is larger than {MAX_BYTES} bytes"),
            Self::Torn => write!(f, "is cut off or damaged"),
        }
    }
}

pub(super) fn encode(sections: &[(&str, &[u8])]) -> Result<Vec<u8>, StoreError> {
    let mut seen = BTreeSet::new();
    for &(name, _) in sections {
        if name.is_empty() || name.len() > MAX_NAME_BYTES || !seen.insert(name) {
            return Err(StoreError::Section(name.to_owned()));
        }
    }
    let head = MAGIC.len() + size_of::<u16>() + size_of::<u32>();
    let entry = |(name, bytes): &(&str, &[u8])| {
        (size_of::<u16>() + name.len() + size_of::<u64>() + bytes.len()) as u64
    };
    let size = sections.iter().map(entry).sum::<u64>() + (head + CHECKSUM) as u64;
    if size > MAX_BYTES {
        return Err(StoreError::TooLarge(size));
    }
    let mut out = Vec::with_capacity(size as usize);
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend((sections.len() as u32).to_le_bytes());
    for (name, bytes) in sections {
        out.extend((name.len() as u16).to_le_bytes());
        out.extend(name.as_bytes());
        out.extend((bytes.len() as u64).to_le_bytes());
        out.extend(*bytes);
    }
    out.extend(crc32fast::hash(&out).to_le_bytes());
    Ok(out)
}

pub(super) fn decode(bytes: &[u8]) -> Result<Sections, Damage> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Damage::TooLarge);
    }
    // The beginning of a state file is one that was cut off.
    if bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) {
        return Err(Damage::Torn);
    }
    let rest = bytes.strip_prefix(MAGIC).ok_or(Damage::Foreign)?;
    let version = Reader(rest).number::<2>()?;
    if version > u64::from(VERSION) {
        return Err(Damage::Newer(version as u16));
    }
    if version != u64::from(VERSION) {
        return Err(Damage::Torn);
    }
    let (sealed, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(Damage::Torn)?;
    if crc32fast::hash(sealed).to_le_bytes() != *checksum {
        return Err(Damage::Torn);
    }
    let mut reader = Reader(sealed.get(MAGIC.len() + 2..).ok_or(Damage::Torn)?);
    let mut sections = Sections::new();
    for _ in 0..reader.number::<4>()? {
        let length = reader.number::<2>()?;
        let name = String::from_utf8(reader.take(length)?.to_vec()).map_err(|_| Damage::Torn)?;
        let length = reader.number::<8>()?;
        sections.insert(name, reader.take(length)?.to_vec());
    }
    if reader.0.is_empty() {
        Ok(sections)
    } else {
        Err(Damage::Torn)
    }
}

/// What is left to read. Lengths are compared with it before anything is taken.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], Damage> {
        let length = usize::try_from(length).map_err(|_| Damage::Torn)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Damage::Torn)?;
        self.0 = rest;
        Ok(taken)
    }

    /// An unsigned number of so many bytes.
    fn number<const N: usize>(&mut self) -> Result<u64, Damage> {
        let bytes = self.take(N as u64)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}
