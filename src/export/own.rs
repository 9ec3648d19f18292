//! The service's own instruments, and the probes' gauges.

use std::time::SystemTime;

use super::scope::Scope;
use super::series::{Reader, Values};
use super::sheet::{Distributed, Number, Sheet};
use crate::family::Kind;
use crate::histogram::{NativeSchema, Reading};
use crate::naming::sample_names;
use crate::registry::{InstrumentFamily, InstrumentKind, InstrumentValue, Instruments, Registry};

/// Series that are read before somebody else may read.
const AT_ONCE: usize = 128;

/// All instruments, kept from page to page.
#[derive(Debug)]
pub(super) struct Own {
    /// The registrations that it knows of.
    version: u64,
    pub(super) families: Vec<OwnFamily>,
    reader: Reader,
}

/// All series of one instrument.
#[derive(Debug)]
pub(super) struct OwnFamily {
    pub(super) name: String,
    help: String,
    pub(super) kind: Kind,
    keys: Vec<String>,
    /// By label values, in their order.
    series: Vec<OwnSeries>,
    /// Whether its name is free to be shown.
    pub(super) shown: bool,
}

#[derive(Debug)]
struct OwnSeries {
    labels: Vec<String>,
    created: SystemTime,
    cell: InstrumentValue,
    read: Read,
}

/// What a cell held when it was last read.
#[derive(Debug)]
enum Read {
    /// Of a counter.
    Count(u64),
    /// Of a gauge; it is asked when it is shown.
    Later,
    /// Of a histogram.
    Values(Values),
}

impl Own {
    pub(super) fn new(native: Option<NativeSchema>) -> Self {
        Self {
            version: 0,
            families: Vec::new(),
            reader: Reader::new(native),
        }
    }

    /// Reads what changed; `true` if there are series that were not there before.
    pub(super) fn renew(&mut self, registry: &Registry, scope: &Scope) -> bool {
        let version = registry.instruments.version();
        let grown = version != self.version;
        if grown {
            self.learn(&registry.instruments, scope);
            self.version = version;
        }
        let mut reading = registry.reading();
        for family in &mut self.families {
            for some in family.series.chunks_mut(AT_ONCE) {
                for series in some {
                    series.renew(&reading, &mut self.reader);
                }
                reading.pause();
            }
        }
        grown
    }

    fn learn(&mut self, instruments: &Instruments, scope: &Scope) {
        let families = instruments.families().into_iter();
        let reader = &self.reader;
        self.families = families
            .map(|(name, family)| OwnFamily::new(name, family, reader))
            .filter(|family| scope.shows(&family.name, family.kind))
            .collect();
    }

    /// Whether a sample of this name is shown.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut families = self.families.iter();
        families.any(|family| {
            let mut names = sample_names(&family.name, family.kind == Kind::Histogram);
            names.any(|known| known == name)
        })
    }

    /// Values above the range.
    pub(super) fn saturated(&self) -> u64 {
        let series = self.families.iter().flat_map(|family| &family.series);
        let saturated = |series: &OwnSeries| match &series.read {
            Read::Values(values) => values.folded.saturated,
            Read::Count(_) | Read::Later => 0,
        };
        series.map(saturated).sum()
    }

    /// Shows all families whose names are free. Observed gauges are asked on the calling thread.
    pub(super) fn show(&self, sheet: &mut impl Sheet) {
        for family in self.families.iter().filter(|family| family.shown) {
            sheet.family(&family.name, &family.help, family.kind);
            for series in &family.series {
                let keys = family.keys.iter().map(String::as_str);
                let labels = keys.zip(series.labels.iter().map(String::as_str));
                match series.number() {
                    Some(number) if family.kind == Kind::Gauge => sheet.sample(labels, number),
                    Some(number) => sheet.next_sample(labels, series.created, number),
                    // An observed gauge that has nothing to say.
                    None => {}
                }
            }
        }
    }
}

impl OwnFamily {
    fn new(name: String, family: InstrumentFamily, reader: &Reader) -> Self {
        let series = family.series.into_iter();
        Self {
            name,
            help: family.help,
            kind: match family.kind {
                InstrumentKind::Counter => Kind::Counter,
                InstrumentKind::Gauge => Kind::Gauge,
                InstrumentKind::Histogram(_) => Kind::Histogram,
            },
            keys: family.keys,
            series: series
                .map(|(labels, series)| OwnSeries {
                    labels,
                    created: series.created,
                    read: Read::new(&series.value, reader),
                    cell: series.value,
                })
                .collect(),
            shown: false,
        }
    }
}

impl Read {
    fn new(cell: &InstrumentValue, reader: &Reader) -> Self {
        match cell {
            InstrumentValue::Counter(_) => Self::Count(0),
            InstrumentValue::Gauge(_) | InstrumentValue::Observed(_) => Self::Later,
            InstrumentValue::Histogram(histogram) => {
                Self::Values(reader.nothing(histogram.buckets()))
            }
        }
    }
}

impl OwnSeries {
    fn renew(&mut self, reading: &Reading<'_>, reader: &mut Reader) {
        match (&self.cell, &mut self.read) {
            (InstrumentValue::Counter(cells), Read::Count(count)) => {
                *count = cells.total(reading, 0)
            }
            (InstrumentValue::Histogram(histogram), Read::Values(values)) => {
                reader.renew(reading, histogram, values);
            }
            _ => {}
        }
    }

    fn number(&self) -> Option<Number<'_>> {
        match (&self.cell, &self.read) {
            (_, Read::Count(count)) => Some(Number::Integer(*count)),
            (InstrumentValue::Histogram(histogram), Read::Values(values)) => {
                let buckets = histogram.buckets();
                let scale = buckets.layout().unit().scale();
                Some(Number::Histogram(Distributed {
                    buckets,
                    values,
                    scale,
                }))
            }
            (gauge, _) => gauge.number().map(Number::Float),
        }
    }
}
