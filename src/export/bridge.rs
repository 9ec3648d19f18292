//! Why it exists: code that counts through the `metrics` facade belongs on the same page.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use metrics::{Counter, Gauge, HistogramFn, Key, KeyName, Metadata, SharedString, Unit};
use metrics_exporter_prometheus::formatting::{sanitize_label_key, sanitize_metric_name};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use parking_lot::Mutex;

use super::parse::parse;
use crate::family::Family;
use crate::family::{Refused, Source};
use crate::histogram::{Buckets, Histogram, Layout};
use crate::instance::Plimsoll;
use crate::naming::{Naming, sample_names};
use crate::registry::{Domain, InstrumentKind, InstrumentValue, Registry};

/// A recorder for the `metrics` facade, whose metrics appear in [`Plimsoll::render`] under their own names.
///
/// Counters and gauges are kept by `metrics-exporter-prometheus`. Histograms are kept by plimsoll, as durations in
/// seconds from 1 µs to 1 h with the bounds of the naming profile: nothing piles up between scrapes. A value that is
/// not a number is ignored, a negative one counts as 0.
///
/// A name that plimsoll exports itself stays plimsoll's: the facade's family is left out, and counted once in
/// `plimsoll_families_dropped_total`. So are repeated label keys, and a histogram whose keys change between calls.
///
/// Cost: looking up a histogram takes a lock and allocates its labels; keep the handle where that matters.
/// Recording into it costs about 5 ns.
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
        let refused = &inner.foreign.refused;
        let make = || Kept::new(inner.registry.clone(), &inner.naming, refused.clone());
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

    /// Used as HELP if it comes before the first value, as the facade's own advice is.
    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        let name = sanitize_metric_name(key.as_str());
        let mut descriptions = self.kept.descriptions.lock();
        descriptions.insert(name, description.into_owned());
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.kept.exporter.register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.kept.exporter.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        match self.kept.histogram(key) {
            Some(histogram) => metrics::Histogram::from_arc(Arc::new(Seconds(histogram))),
            None => metrics::Histogram::noop(),
        }
    }
}

/// What the facade's metrics are kept in.
struct Kept {
    exporter: PrometheusRecorder,
    handle: PrometheusHandle,
    registry: Arc<Registry>,
    taken: HashSet<String>,
    buckets: Option<Arc<Buckets>>,
    descriptions: Mutex<HashMap<String, String>>,
    refused: Refused,
}

impl Kept {
    fn new(registry: Arc<Registry>, naming: &Naming, refused: Refused) -> Self {
        let exporter = PrometheusBuilder::new().build_recorder();
        Self {
            handle: exporter.handle(),
            exporter,
            registry,
            buckets: Buckets::new(Layout::durations(), &naming.bounds(Domain::Operation)).ok(),
            taken: naming.names(),
            descriptions: Mutex::default(),
            refused,
        }
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
        let help = self.descriptions.lock().get(name).cloned();
        let kind = InstrumentKind::Histogram(self.buckets.clone()?);
        let instruments = &self.registry.instruments;
        match instruments.register(name, &help.unwrap_or_default(), kind, &labels) {
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
}

/// A histogram of nanoseconds that is given seconds.
struct Seconds(Arc<Histogram>);

impl HistogramFn for Seconds {
    fn record(&self, value: f64) {
        if !value.is_nan() {
            // The conversion saturates, at 0 as well.
            self.0.record((value * 1e9).round() as u64);
        }
    }
}
