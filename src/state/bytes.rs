//! How what is remembered becomes bytes: numbers of a few bits take a byte, and nothing that is read is trusted.

use crate::expr::Labels;

/// Bytes in the making.
#[derive(Debug, Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Seven bits a byte, the lowest first.
    pub(crate) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Small in bytes where it is near 0, on either side.
    pub(crate) fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    pub(crate) fn float(&mut self, value: f64) {
        self.0.extend(value.to_bits().to_le_bytes());
    }

    pub(crate) fn maybe(&mut self, value: Option<i64>) {
        self.flag(value.is_some());
        value.into_iter().for_each(|value| self.signed(value));
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn labels<'a>(&mut self, labels: impl Iterator<Item = (&'a str, &'a str)>) {
        let labels: Vec<_> = labels.collect();
        self.number(labels.len() as u64);
        for (key, value) in labels {
            self.text(key);
            self.text(value);
        }
    }
}

/// Bytes that somebody wrote; whatever they are not is `None`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        (*byte < 2).then_some(*byte == 1)
    }

    pub(crate) fn float(&mut self) -> Option<f64> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(f64::from_bits(u64::from_le_bytes(*bytes)))
    }

    pub(crate) fn maybe(&mut self) -> Option<Option<i64>> {
        Some(match self.flag()? {
            true => Some(self.signed()?),
            false => None,
        })
    }

    /// How many of something follow, each of which takes at least a byte.
    pub(crate) fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.0.len()).then_some(count)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.count()?;
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn labels(&mut self) -> Option<Labels> {
        let labels = (0..self.count()?).map(|_| Some((self.text()?, self.text()?)));
        Some(Labels::new(labels.collect::<Option<Vec<_>>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let numbers = [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN];
        let mut out = Encoder::default();
        numbers.iter().for_each(|number| out.signed(*number));
        out.maybe(Some(-7));
        out.maybe(None);
        out.float(-0.25);
        out.labels([("a", "1"), ("b", "")].into_iter());
        let bytes = out.finish();
        let mut read = Decoder::new(&bytes);
        let found: Vec<_> = numbers.iter().filter_map(|_| read.signed()).collect();
        assert_eq!(found, numbers);
        assert_eq!((read.maybe(), read.maybe()), (Some(Some(-7)), Some(None)));
        assert_eq!(read.float(), Some(-0.25));
        assert_eq!(read.labels(), Some(Labels::new([("a", "1")])));
        assert!(read.is_empty());
    }

    #[test]
    fn what_is_no_number_and_no_length_is_refused() {
        assert_eq!(Decoder::new(&[0xff; 12]).number(), None);
        assert_eq!(Decoder::new(&[0x80]).number(), None);
        assert_eq!(Decoder::new(&[5, 1, 2]).bytes(), None);
        assert_eq!(Decoder::new(&[2]).flag(), None);
        assert_eq!(Decoder::new(&[1, 0xff]).text(), None);
    }
}
