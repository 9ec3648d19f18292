//! Samples as Prometheus' remote write takes them: stale markers and native histograms too.

use plimsoll::expr::{Labels, NativeHistogram, SampleValue};

/// The bits of a stale marker.
pub(super) const STALE: u64 = 0x7ff0_0000_0000_0002;

/// One sample of a series.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) at_ms: i64,
    pub(super) value: SampleValue,
}

/// A message of the protobuf format.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn whole(mut self, tag: u64, value: u64) -> Self {
        self.varint(tag << 3);
        self.varint(value);
        self
    }

    fn signed(self, tag: u64, value: i64) -> Self {
        self.whole(tag, zigzag(value))
    }

    fn double(mut self, tag: u64, value: f64) -> Self {
        self.varint(tag << 3 | 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, tag: u64, bytes: &[u8]) -> Self {
        self.varint(tag << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// Spans and deltas of buckets.
fn side(mut message: Message, spans_tag: u64, buckets: &[(i32, f64)]) -> Message {
    let mut deltas = Message::default();
    let (mut next, mut last) = (0, 0);
    for &(index, count) in buckets {
        let span = Message::default()
            .signed(1, i64::from(index - next))
            .whole(2, 1);
        message = message.bytes(spans_tag, &span.0);
        deltas.varint(zigzag(count as i64 - last));
        (next, last) = (index + 1, count as i64);
    }
    match buckets.is_empty() {
        true => message,
        false => message.bytes(spans_tag + 1, &deltas.0),
    }
}

fn histogram(at_ms: i64, of: &NativeHistogram) -> Message {
    let message = Message::default()
        .whole(1, of.count as u64)
        .double(3, of.sum)
        .signed(4, of.schema.into())
        .double(5, of.zero_threshold)
        .whole(6, of.zero_count as u64);
    let message = side(side(message, 8, &of.negative), 11, &of.positive);
    message.whole(15, at_ms as u64)
}

fn series(labels: &Labels, samples: &[Written]) -> Message {
    let mut message = Message::default();
    for (name, value) in labels.iter() {
        let label = Message::default()
            .bytes(1, name.as_bytes())
            .bytes(2, value.as_bytes());
        message = message.bytes(1, &label.0);
    }
    for Written { at_ms, value } in samples {
        message = match value {
            SampleValue::Histogram(value) => message.bytes(4, &histogram(*at_ms, value).0),
            value => {
                let value = value.as_float().unwrap();
                let sample = Message::default().double(1, value).whole(2, *at_ms as u64);
                message.bytes(2, &sample.0)
            }
        };
    }
    message
}

/// A request's body: in the framing of snappy, with nothing compressed.
pub(super) fn body<'a>(all: impl Iterator<Item = (&'a Labels, &'a [Written])>) -> Vec<u8> {
    let mut request = Message::default();
    for (labels, samples) in all {
        request = request.bytes(1, &series(labels, samples).0);
    }
    let mut framed = Message::default();
    framed.varint(request.0.len() as u64);
    for literal in request.0.chunks(1 << 16) {
        framed.0.push(61 << 2);
        framed
            .0
            .extend((literal.len() as u16).wrapping_sub(1).to_le_bytes());
        framed.0.extend(literal);
    }
    framed.0
}
