//! What every series held when it was last read, finest first: what families are sums of.

use std::sync::Arc;
use std::time::SystemTime;

use crate::histogram::{
    Buckets, Folded, Histogram, NativeBuckets, NativeSchema, RawExemplar, Reading, Snapshot,
};
use crate::registry::{Domain, End, Extra, Operation, OperationSet, QueryFindingKind, Registry};

/// Operations that are read before somebody else may read.
const AT_ONCE: usize = 128;

/// All series of one domain, kept from page to page: only what changed is read again.
#[derive(Debug)]
pub(super) struct DomainSeries {
    pub(super) domain: Domain,
    pub(super) buckets: Arc<Buckets>,
    pub(super) operations: Vec<OperationSeries>,
    pub(super) overflow: u64,
    reader: Reader,
}

/// What one operation had counted.
#[derive(Debug)]
pub(super) struct OperationSeries {
    operation: Arc<Operation>,
    pub(super) started: u64,
    pub(super) in_flight: u64,
    pub(super) ended: Vec<EndedSeries>,
    /// By extra; `None` where nobody measured it.
    pub(super) extras: [Option<Values>; Extra::ALL.len()],
    pub(super) stages: Vec<StageValues>,
    /// By kind; `None` where nobody looked out for it.
    pub(super) found: [Option<u64>; QueryFindingKind::ALL.len()],
}

/// A part that the time of its requests went to.
#[derive(Debug)]
pub(super) struct StageValues {
    pub(super) name: &'static str,
    pub(super) created: SystemTime,
    pub(super) durations: Values,
    pub(super) shares: Values,
}

/// The operations that ended in one way.
#[derive(Debug)]
pub(super) struct EndedSeries {
    pub(super) end: End,
    pub(super) created: SystemTime,
    pub(super) values: Values,
}

/// The values of a histogram, as far as a page shows them.
#[derive(Debug, Clone)]
pub(super) struct Values {
    pub(super) folded: Folded,
    /// (bucket, its exemplar), ascending.
    pub(super) exemplars: Vec<(usize, RawExemplar)>,
    /// Only where it was asked for: it is larger than all the rest.
    pub(super) native: Option<NativeBuckets>,
}

impl DomainSeries {
    pub(super) fn new(set: &OperationSet, native: Option<NativeSchema>) -> Self {
        Self {
            domain: set.domain(),
            buckets: set.buckets().clone(),
            operations: Vec::new(),
            overflow: 0,
            reader: Reader::new(native),
        }
    }

    /// Reads what changed; `true` if there are series that were not there before.
    pub(super) fn renew(&mut self, registry: &Registry) -> bool {
        let set = registry.set(self.domain);
        self.overflow = set.overflow();
        let known = self.operations.len();
        let new = |operation: &Arc<Operation>| OperationSeries {
            operation: operation.clone(),
            started: 0,
            in_flight: 0,
            ended: Vec::new(),
            extras: Extra::ALL.map(|_| None),
            stages: Vec::new(),
            found: [None; QueryFindingKind::ALL.len()],
        };
        let operations = &mut self.operations;
        set.each_since(known, |operation| operations.push(new(operation)));
        let mut grown = operations.len() > known;
        let mut reading = registry.reading();
        for some in operations.chunks_mut(AT_ONCE) {
            for operation in some {
                grown |= operation.renew(&reading, &mut self.reader, &self.buckets);
            }
            reading.pause();
        }
        grown
    }

    /// Values above the range.
    pub(super) fn saturated(&self) -> u64 {
        let ended = self
            .operations
            .iter()
            .flat_map(|operation| &operation.ended);
        ended.map(|ended| ended.values.folded.saturated).sum()
    }

    /// What an extra is counted into, if some operation has it.
    pub(super) fn buckets_of(&self, extra: Extra) -> Option<&Arc<Buckets>> {
        let made = |operation: &OperationSeries| operation.extras[extra as usize].is_some();
        let operation = self.operations.iter().find(|operation| made(operation))?;
        Some(operation.operation.made(extra)?.buckets())
    }

    /// What shares of a request are counted into, if some operation has them.
    pub(super) fn share_buckets(&self) -> Option<&Arc<Buckets>> {
        let operations = self.operations.iter();
        let mut stages = operations.flat_map(|operation| operation.operation.each_stage());
        stages.next().map(|stage| stage.shares.buckets())
    }

    /// What nothing looks like.
    pub(super) fn nothing(&self, buckets: &Buckets) -> Values {
        self.reader.nothing(buckets)
    }
}

impl OperationSeries {
    fn renew(
        &mut self,
        reading: &Reading<'_>,
        reader: &mut Reader,
        buckets: &Arc<Buckets>,
    ) -> bool {
        let known = self.ended.len();
        for (at, series) in self.operation.each_series().enumerate() {
            if at == self.ended.len() {
                self.ended.push(EndedSeries {
                    end: series.end,
                    created: series.created,
                    values: reader.nothing(buckets),
                });
            }
            reader.renew(reading, &series.histogram, &mut self.ended[at].values);
        }
        let mut grown = self.ended.len() > known;
        for extra in Extra::ALL {
            if let Some(histogram) = self.operation.made(extra) {
                let values = &mut self.extras[extra as usize];
                grown |= values.is_none();
                let values = values.get_or_insert_with(|| reader.nothing(histogram.buckets()));
                reader.renew(reading, histogram, values);
            }
        }
        grown |= self.renew_stages(reading, reader);
        let found = QueryFindingKind::ALL.map(|kind| self.operation.found(kind, reading));
        grown |= found.map(|count| count.is_some()) != self.found.map(|count| count.is_some());
        self.found = found;
        // After the ends: what ended before is then among those that began.
        self.started = self.operation.started(reading);
        self.in_flight = self.operation.in_flight(reading);
        grown
    }

    fn renew_stages(&mut self, reading: &Reading<'_>, reader: &mut Reader) -> bool {
        let known = self.stages.len();
        for (at, stage) in self.operation.each_stage().enumerate() {
            if at == self.stages.len() {
                self.stages.push(StageValues {
                    name: stage.name,
                    created: stage.created,
                    durations: reader.nothing(stage.durations.buckets()),
                    shares: reader.nothing(stage.shares.buckets()),
                });
            }
            let values = &mut self.stages[at];
            reader.renew(reading, &stage.durations, &mut values.durations);
            reader.renew(reading, &stage.shares, &mut values.shares);
        }
        self.stages.len() > known
    }

    pub(super) fn created(&self) -> SystemTime {
        self.operation.created
    }

    pub(super) fn label(&self, index: usize) -> &str {
        &self.operation.labels()[index]
    }

    /// Whether one of the domain's labels is `operation` and has this value.
    pub(super) fn is_operation(&self, domain: Domain, value: &str) -> bool {
        let key = domain.keys().iter().position(|&key| key == "operation");
        key.is_some_and(|index| self.label(index) == value)
    }
}

/// Reads histograms one after the other.
#[derive(Debug)]
pub(super) struct Reader {
    native: Option<NativeSchema>,
    /// Where native buckets are asked for: all cells of the histogram at hand.
    cells: Option<Snapshot>,
}

impl Reader {
    pub(super) fn new(native: Option<NativeSchema>) -> Self {
        let cells = None;
        Self { native, cells }
    }

    /// What nothing looks like: with native buckets from the start, where they were asked for.
    pub(super) fn nothing(&self, buckets: &Buckets) -> Values {
        Values {
            folded: Folded::empty(buckets),
            exemplars: Vec::new(),
            native: self
                .native
                .map(|schema| NativeBuckets::empty(buckets, schema)),
        }
    }

    /// Makes `values` what `histogram` holds, if anything was recorded since they last were.
    pub(super) fn renew(
        &mut self,
        reading: &Reading<'_>,
        histogram: &Histogram,
        values: &mut Values,
    ) {
        let Some(schema) = self.native else {
            if histogram.fold(reading, &mut values.folded) {
                values.take_exemplars(histogram);
            }
            return;
        };
        let buckets = histogram.buckets();
        let of_others = |cells: &mut Snapshot| !Arc::ptr_eq(cells.buckets(), buckets);
        self.cells.take_if(of_others);
        let cells = self
            .cells
            .get_or_insert_with(|| Snapshot::empty(buckets.clone()));
        histogram.read_into(reading, cells);
        // Both from the same cells: a server refuses a native histogram whose buckets do not add up to its count.
        values.folded.copy(cells);
        values.native = Some(cells.native(schema));
        values.take_exemplars(histogram);
    }
}

impl Values {
    fn take_exemplars(&mut self, histogram: &Histogram) {
        self.exemplars.clear();
        histogram.each_exemplar(|bucket, exemplar| self.exemplars.push((bucket, exemplar)));
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.folded.add(&other.folded);
        for &(bucket, exemplar) in &other.exemplars {
            match self
                .exemplars
                .binary_search_by_key(&bucket, |known| known.0)
            {
                Ok(at) if self.exemplars[at].1.at >= exemplar.at => {}
                Ok(at) => self.exemplars[at].1 = exemplar,
                Err(at) => self.exemplars.insert(at, (bucket, exemplar)),
            }
        }
        if let (Some(total), Some(more)) = (&mut self.native, &other.native) {
            total.add(more);
        }
    }

    pub(super) fn clear(&mut self) {
        self.folded.clear();
        self.exemplars.clear();
        if let Some(native) = &mut self.native {
            native.clear();
        }
    }
}
