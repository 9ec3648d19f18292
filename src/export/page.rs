//! A page in the making: any format, printed sample by sample, so that nobody must hold all of it.

use std::sync::{Arc, Weak};

use super::Format;
use super::openmetrics::OpenMetrics;
use super::picture::Picture;
use super::print::Print;
#[cfg(feature = "native")]
use super::protobuf::Protobuf;
use super::text::Text;
use crate::instance::Inner;

/// Bytes of a page that are printed before they are handed on.
pub(super) const CHUNK: usize = 64 * 1024;

/// A picture of one moment, and how far it is printed.
pub(super) struct Page {
    /// Where the picture goes back to; a page in the making does not keep the instance alive.
    home: Weak<Inner>,
    /// `None` when it has gone back.
    picture: Option<Box<Picture>>,
    printer: Printer,
    family: usize,
    sample: usize,
}

/// An enum, because a box would be an allocation for each page.
enum Printer {
    Text(Text),
    OpenMetrics(OpenMetrics),
    #[cfg(feature = "native")]
    Protobuf(Protobuf),
}

impl Printer {
    fn as_print(&mut self) -> &mut dyn Print {
        match self {
            Self::Text(text) => text,
            Self::OpenMetrics(openmetrics) => openmetrics,
            #[cfg(feature = "native")]
            Self::Protobuf(protobuf) => protobuf,
        }
    }
}

impl Page {
    pub(super) fn new(inner: &Arc<Inner>, format: Format) -> Self {
        let scrape = inner.engine.scrape();
        let picture = || Picture::take(inner);
        let (picture, printer) = match format {
            Format::Text => (picture(), Printer::Text(Text)),
            Format::OpenMetrics { created } => {
                let picture = picture();
                let created = created.then_some(inner.created);
                let printer = OpenMetrics::new(&picture.families, created, &inner.foreign.refused);
                (picture, Printer::OpenMetrics(printer))
            }
            #[cfg(feature = "native")]
            Format::Protobuf { schema } => (
                Picture::with_native(inner, schema),
                Printer::Protobuf(Protobuf::new(inner.created)),
            ),
        };
        if let Some(scrape) = scrape {
            scrape.take(&mut picture.families.iter().map(|shown| &shown.family));
        }
        Self {
            home: Arc::downgrade(inner),
            picture: Some(picture),
            printer,
            family: 0,
            sample: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn forget_families(&mut self) {
        self.picture
            .iter_mut()
            .for_each(|picture| picture.families.clear());
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
        let print = self.printer.as_print();
        let Some(Picture {
            families, lines, ..
        }) = self.picture.as_deref_mut()
        else {
            return false;
        };
        while families
            .get(self.family)
            .is_some_and(|shown| !print.shows(shown))
        {
            self.family += 1;
        }
        let Some(shown) = families.get(self.family) else {
            print.close(out);
            return false;
        };
        if self.sample == 0 {
            print.begin(out, shown);
        }
        print.sample(out, lines, shown, self.sample);
        self.sample += 1;
        if self.sample == shown.family.samples.len() {
            print.end(out);
            (self.family, self.sample) = (self.family + 1, 0);
        }
        true
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let (Some(home), Some(picture)) = (self.home.upgrade(), self.picture.take()) {
            picture.put_back(&home);
        }
    }
}
