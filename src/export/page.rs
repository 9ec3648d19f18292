//! A page in the making: any format, printed sample by sample, so that nobody must hold all of it.

use super::Format;
use super::collect;
use super::openmetrics::OpenMetrics;
#[cfg(feature = "native")]
use super::protobuf::Protobuf;
use super::text::Text;
use crate::family::{Family, Sample};
use crate::instance::Inner;

/// Bytes of a page that are printed before they are handed on.
pub(super) const CHUNK: usize = 64 * 1024;

/// One format.
pub(super) trait Print: Send {
    /// What stands before the samples of a family.
    fn begin(&mut self, out: &mut Vec<u8>, family: &Family);
    /// One sample of the family that was begun.
    fn sample(&mut self, out: &mut Vec<u8>, family: &Family, sample: &Sample);
    /// What stands behind its samples.
    fn end(&mut self, _out: &mut Vec<u8>) {}
    /// What stands at the end of the page.
    fn close(&mut self, _out: &mut Vec<u8>) {}
}

/// Families that were gathered at one moment, and how far they are printed.
pub(super) struct Page {
    print: Box<dyn Print>,
    families: Vec<Family>,
    family: usize,
    sample: usize,
}

impl Page {
    pub(super) fn new(inner: &Inner, format: Format) -> Self {
        let (families, print): (_, Box<dyn Print>) = match format {
            Format::Text => (collect::families(inner, None), Box::new(Text::default())),
            Format::OpenMetrics { created } => {
                let mut families = collect::families(inner, None);
                let created = created.then_some(inner.created);
                let refused = &inner.foreign.refused;
                let print = OpenMetrics::new(&mut families, created, refused);
                (families, Box::new(print))
            }
            #[cfg(feature = "native")]
            Format::Protobuf { schema } => (
                collect::families(inner, Some(schema)),
                Box::new(Protobuf::new(inner.created)),
            ),
        };
        Self {
            print,
            families,
            family: 0,
            sample: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn forget_families(&mut self) {
        self.families.clear();
    }

    /// Prints until `out` holds [`CHUNK`] bytes or a little more; `false` if that was the last of it.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>) -> bool {
        while self.step(out) {
            if out.len() >= CHUNK {
                return true;
            }
        }
        false
    }

    /// Prints all that is left.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        while self.step(out) {}
    }

    /// Prints one sample, or the end of the page; `false` if it was that.
    fn step(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(family) = self.families.get(self.family) else {
            self.print.close(out);
            return false;
        };
        if self.sample == 0 {
            self.print.begin(out, family);
        }
        self.print.sample(out, family, &family.samples[self.sample]);
        self.sample += 1;
        if self.sample == family.samples.len() {
            self.print.end(out);
            (self.family, self.sample) = (self.family + 1, 0);
        }
        true
    }
}
