//! Why it exists: code that counts through the `metrics` facade belongs on the same page.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;
use metrics::{Counter, Gauge, HistogramFn, Key, KeyName, Metadata, SharedString, Unit};
use metrics_exporter_prometheus::formatting::{sanitize_label_key, sanitize_metric_name};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use parking_lot::{Mutex, RwLock};

use super::handles::Handles;
use super::parse::parse;
use super::publisher;
use super::shape::Shape;
use crate::family::Family;
use crate::family::{Foreign, Invalid, Refused, Source};
use crate::histogram::{Buckets, Histogram};
use crate::instance::Plimsoll;
use crate::naming::{Naming, sample_names};
use crate::registry::{Domain, InstrumentKind, InstrumentValue, Registry};

/// A recorder for the `metrics` facade, whose metrics appear in [`Plimsoll::render`] under their own names.
///
/// Counters and gauges are kept by `metrics-exporter-prometheus`, up to the cap on label sets of each name
/// ([`Builder::max_series`](crate::Builder::max_series)), after which they share one that is called `other`. Histograms are kept by plimsoll: nothing piles up
/// between scrapes. They are exported in the unit that the user records, which also decides the layout:
///
/// | described unit, or else suffix of the name | range | bounds |
/// |---|---|---|
/// | seconds; `_seconds` `_secs` `_s` | 1 µs to 1 h | those of the naming profile |
/// | milliseconds; `_milliseconds` `_millis` `_ms` | 1 µs to 1 h | the same |
/// | micro-, nanoseconds; `_microseconds` `_micros` `_us`, `_nanoseconds` `_nanos` `_ns` | 1 ns to 1 h | the same, and 1 µs to 1 ms |
/// | bytes, kibi-, mebibytes; `_bytes` and so on | 1 B to 1 TiB (bytes) or 64 TiB | by four from 64 B to 1 GiB |
/// | gibi-, tebibytes | 1 B to 64 TiB | by four from 1 MiB to 16 TiB |
/// | count; `_count` `_size` `_length` `_depth` `_items` `_rows` | 1 to 2³², whole | 1 to 1,000,000 |
/// | `_ratio` | 10⁻⁶ to 1000 | 0.01 to 1 |
/// | percent; `_percent` | 10⁻⁶ to 1000 | 1 to 100 |
/// | bits per second | 1 to 2⁴⁶, whole | 1 kbit/s to 100 Gbit/s |
/// | anything else | 10⁻⁴ to 10⁸ | those of the profile, and 100 to 1,000,000 |
///
/// The last row suits undescribed seconds as well as undescribed sizes. Other bounds are set with
/// [`Builder::facade_bounds`](crate::Builder::facade_bounds). The first use of a name decides: a unit that is described
/// later, like a help text, comes too late.
///
/// What is no measurement does no harm: not a number is ignored, a negative value counts as 0, and both are counted
/// in `plimsoll_values_invalid_total`; infinity, and all that lies above the range, counts as the range's end and in
/// `plimsoll_values_saturated_total`.
///
/// A family that cannot be shown is left out, and its name is counted once in `plimsoll_families_dropped_total`:
/// a name that plimsoll exports itself; labels that repeat a key; a counter or gauge whose name a histogram has, or
/// the `_bucket`, `_sum` or `_count` of one, or a gauge with a counter's name; and of a histogram whose label keys
/// change between calls the series with other keys than the first (those of a counter or gauge may change).
///
/// Cost: about 6 ns to record through a handle that is kept, about 30 ns through `histogram!`, which takes a shared lock
/// to find it; about 1 µs and an exclusive lock for the first use of a label set, and for each use of one after the
/// first 10,000.
///
/// ```
/// let plimsoll = plimsoll::Plimsoll::builder().build()?;
/// // A service would call `metrics::set_global_recorder(plimsoll.metrics_recorder())`.
/// metrics::with_local_recorder(&plimsoll.metrics_recorder(), || {
///     metrics::counter!("orders_total", "shop" => "north").increment(2);
///     metrics::histogram!("packing_seconds").record(0.02);
/// });
/// let page = plimsoll.render();
/// assert!(page.contains(r#"orders_total{shop="north"} 2"#));
/// assert!(page.contains(r#"packing_seconds_bucket{le="0.025"} 1"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Recorder {
    kept: Arc<Kept>,
}

impl Plimsoll {
    /// The recorder that puts the `metrics` facade on this instance's page; every call returns the same one.
    ///
    /// It does not keep the instance alive.
    pub fn metrics_recorder(&self) -> Recorder {
        let inner = self.inner();
        let make = || Kept::new(inner.registry.clone(), &inner.naming, &inner.foreign);
        let source = inner.foreign.source.get_or_init(|| Arc::new(make()));
        let kept = (source.clone() as Arc<dyn Any + Send + Sync>).downcast();
        // Nobody else attaches a source, so its type is the right one; a recorder without a page is the worst case.
        let kept = kept.unwrap_or_else(|_| Arc::new(make()));
        Recorder { kept }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.kept.exporter.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.kept.exporter.describe_gauge(key, unit, description);
    }

    /// Heeded if it comes before the first value, as the facade's own advice is.
    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        let name = sanitize_metric_name(key.as_str());
        let mut described = self.kept.described.lock();
        described.insert(name, (unit, description.into_owned()));
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        if publisher::published(metadata) {
            return Counter::noop();
        }
        let kept = &self.kept;
        let make = |key: &Key| kept.exporter.register_counter(key, metadata);
        kept.counters.get(key, || kept.overflow(), make)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        if publisher::published(metadata) {
            return Gauge::noop();
        }
        let kept = &self.kept;
        let make = |key: &Key| kept.exporter.register_gauge(key, metadata);
        kept.gauges.get(key, || kept.overflow(), make)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        self.kept.handle(key)
    }
}

/// Handles that are found without looking their labels up.
const MAX_HANDLES: usize = 10_000;

/// What the facade's metrics are kept in.
struct Kept {
    exporter: PrometheusRecorder,
    handle: PrometheusHandle,
    counters: Handles<Counter>,
    gauges: Handles<Gauge>,
    registry: Arc<Registry>,
    taken: HashSet<String>,
    /// The bounds, in seconds, that the profile gives to durations.
    seconds: Vec<f64>,
    /// Bounds by end of the name.
    bounds: Vec<(String, Vec<f64>)>,
    described: Mutex<HashMap<String, (Option<Unit>, String)>>,
    /// The macros ask for a handle at every value.
    handles: RwLock<HashMap<Key, metrics::Histogram, RandomState>>,
    /// The buckets of every histogram, decided at its first use.
    buckets: Mutex<HashMap<String, Arc<Buckets>>>,
    refused: Refused,
    invalid: Arc<Invalid>,
}

impl Kept {
    fn new(registry: Arc<Registry>, naming: &Naming, foreign: &Foreign) -> Self {
        let exporter = PrometheusBuilder::new().build_recorder();
        Self {
            handle: exporter.handle(),
            exporter,
            counters: Handles::new(registry.instruments.cap()),
            gauges: Handles::new(registry.instruments.cap()),
            registry,
            taken: naming.names(),
            seconds: naming.bounds(Domain::Operation),
            bounds: foreign.bounds.clone(),
            described: Mutex::default(),
            handles: RwLock::default(),
            buckets: Mutex::default(),
            refused: foreign.refused.clone(),
            invalid: foreign.invalid.clone(),
        }
    }

    /// A label set came after the cap.
    fn overflow(&self) {
        self.registry.instruments.count_overflow();
    }

    /// The handle of `key`: the one that was made before, or a new one.
    fn handle(&self, key: &Key) -> metrics::Histogram {
        if let Some(handle) = self.handles.read().get(key) {
            return handle.clone();
        }
        let made = self.histogram(key).map(|histogram| Handle {
            steps: histogram.buckets().layout().unit().scale(),
            histogram,
            invalid: self.invalid.clone(),
        });
        let handle = made.map_or_else(metrics::Histogram::noop, |made| Arc::new(made).into());
        let mut handles = self.handles.write();
        // Whoever invents labels must not fill the memory: what comes after is looked up the long way.
        if handles.len() < MAX_HANDLES {
            handles.insert(key.clone(), handle.clone());
        }
        handle
    }

    /// The buckets of the histogram `name`, the same ones at every call.
    fn buckets(&self, name: &str, unit: Option<Unit>) -> Option<Arc<Buckets>> {
        let mut kept = self.buckets.lock();
        if let Some(buckets) = kept.get(name) {
            return Some(buckets.clone());
        }
        let shape = Shape::of(unit, name);
        let layout = shape.layout();
        let bounds = self.bounds_of(name, shape);
        // Most histograms look like another one, and the tables of one are 50 KiB.
        let mut others = kept.values();
        let alike = others
            .find(|other| other.layout() == layout && other.bounds().eq(bounds.iter().copied()));
        let buckets = match alike {
            Some(buckets) => buckets.clone(),
            None => Buckets::new(layout, &bounds).ok()?,
        };
        kept.insert(name.to_owned(), buckets.clone());
        Some(buckets)
    }

    /// The configured bounds, or those of the shape. Configured ones that the layout cannot have are left out.
    fn bounds_of(&self, name: &str, shape: Shape) -> Vec<f64> {
        let configured = self.bounds.iter().rev();
        let configured = configured
            .into_iter()
            .find(|(suffix, _)| name.ends_with(suffix));
        let Some((_, bounds)) = configured else {
            return shape.bounds(&self.seconds);
        };
        let layout = shape.layout();
        let (sound, unsound): (Vec<f64>, Vec<f64>) =
            bounds.iter().partition(|bound| layout.raw(**bound).is_ok());
        if !unsound.is_empty() {
            self.refused.add(name);
        }
        sound
    }

    /// Our histogram for `key`; `None`, and counted, if its name or labels are refused.
    fn histogram(&self, key: &Key) -> Option<Arc<Histogram>> {
        let name = sanitize_metric_name(key.name());
        let histogram = self.register(&name, key);
        if histogram.is_none() {
            self.refused.add(&name);
        }
        histogram
    }

    fn register(&self, name: &str, key: &Key) -> Option<Arc<Histogram>> {
        if sample_names(name, true).any(|name| self.taken.contains(&name)) {
            return None;
        }
        let keys = key.labels().map(|label| sanitize_label_key(label.key()));
        let mut labels: Vec<_> = keys.zip(key.labels().map(metrics::Label::value)).collect();
        // The facade's labels have no order, and may repeat a key.
        labels.sort_unstable();
        if labels.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let labels: Vec<_> = labels
            .iter()
            .map(|(key, value)| (key.as_str(), *value))
            .collect();
        let described = self.described.lock().get(name).cloned();
        let (unit, help) = described.unwrap_or_default();
        let kind = InstrumentKind::Histogram(self.buckets(name, unit)?);
        let instruments = &self.registry.instruments;
        match instruments.register(name, &help, kind, &labels) {
            Ok(InstrumentValue::Histogram(histogram)) => Some(histogram),
            _ => None,
        }
    }
}

impl Source for Kept {
    fn families(&self) -> Vec<Family> {
        let (families, refused) = parse(&self.handle.render());
        refused.iter().for_each(|name| self.refused.add(name));
        families
    }

    fn keeps(&self, histogram: &str) -> bool {
        self.buckets.lock().contains_key(histogram)
    }
}

/// What the facade holds of a histogram.
struct Handle {
    histogram: Arc<Histogram>,
    /// Raw steps in one of the user's units.
    steps: f64,
    invalid: Arc<Invalid>,
}

impl HistogramFn for Handle {
    #[inline]
    fn record(&self, value: f64) {
        let steps = value * self.steps;
        if steps >= 0.0 {
            // To the nearest step; the conversion saturates. Cheaper than `round`, which is a call.
            self.histogram.record((steps + 0.5) as u64);
        } else {
            self.mend(value);
        }
    }
}

impl Handle {
    #[cold]
    fn mend(&self, value: f64) {
        if self.invalid.add(value) {
            self.histogram.record(0);
        }
    }
}
