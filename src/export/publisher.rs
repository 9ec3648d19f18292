//! Why it exists: a service that has a recorder of the `metrics` facade already wants our numbers there too.

use std::collections::HashSet;
use std::fmt;

use metrics::{Key, KeyName, Label, Level, Metadata, Recorder};
use parking_lot::Mutex;

use super::picture::Picture;
use crate::family::{Family, Kind, Sample, Value};
use crate::instance::Plimsoll;

/// By it our own recorder knows what comes from here, through whatever wraps it.
const TARGET: &str = "plimsoll::export::publisher";
const METADATA: Metadata<'static> = Metadata::new(TARGET, Level::INFO, Some(module_path!()));

/// Whether a metric comes from a [`Publisher`].
pub(super) fn published(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET
}

/// Puts our numbers into another recorder of the `metrics` facade; made by [`Plimsoll::publish_to`].
pub struct Publisher {
    plimsoll: Plimsoll,
    recorder: Box<dyn Recorder + Send + Sync>,
    /// Held while publishing, so that two calls do not overtake each other.
    told: Mutex<Told>,
}

/// What the recorder has been told.
#[derive(Default)]
struct Told {
    described: HashSet<String>,
    gauges: HashSet<Key>,
}

impl Plimsoll {
    /// A publisher of everything that this instance counts and judges into `recorder`, under the exported names and
    /// labels. Nothing is published before [`Publisher::publish`].
    ///
    /// It keeps the instance alive. What the facade itself recorded is left out: whoever installed `recorder` beside
    /// plimsoll's own has that already. A plimsoll [`Recorder`](super::Recorder), wrapped or not, takes nothing from it.
    ///
    /// ```
    /// use plimsoll::{Outcome, Plimsoll};
    /// use std::time::Duration;
    ///
    /// let other = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    /// let page = other.handle();
    /// let plimsoll = Plimsoll::builder().build()?;
    /// let publisher = plimsoll.publish_to(other);
    /// plimsoll.operation("import").record(Outcome::Ok, Duration::from_millis(3));
    /// publisher.publish(); // once a second, say
    /// assert!(page.render().contains(r#"operation_duration_seconds_count{operation="import",outcome="ok"} 1"#));
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn publish_to(&self, recorder: impl Recorder + Send + Sync + 'static) -> Publisher {
        Publisher {
            plimsoll: self.clone(),
            recorder: Box::new(recorder),
            told: Mutex::default(),
        }
    }
}

impl Publisher {
    /// Publishes everything as it is now.
    ///
    /// Counters become absolute counters and gauges gauges. Of a histogram its `_count` becomes a counter and its
    /// `_sum` a gauge, because counters of the facade are whole numbers; its buckets are not published. A gauge that has
    /// no value any more (a budget whose window is empty) is set to NaN.
    ///
    /// Cost: that of [`Plimsoll::families`], and one registration with the recorder per sample. The recorder is called
    /// on the calling thread.
    pub fn publish(&self) {
        let inner = self.plimsoll.inner();
        let picture = Picture::take(inner);
        let mut told = self.told.lock();
        let mut shown = HashSet::new();
        for family in picture.own_families(inner) {
            if told.described.insert(family.name.clone()) {
                self.describe(family);
            }
            for sample in &family.samples {
                self.sample(family, sample, &mut shown);
            }
        }
        for gone in told.gauges.difference(&shown) {
            self.recorder.register_gauge(gone, &METADATA).set(f64::NAN);
        }
        told.gauges = shown;
        picture.put_back(inner);
    }

    fn describe(&self, family: &Family) {
        let name = |suffix: &str| KeyName::from(format!("{}{suffix}", family.name));
        let help = || family.help.clone().into();
        match family.kind {
            Kind::Counter => self.recorder.describe_counter(name(""), None, help()),
            Kind::Gauge => self.recorder.describe_gauge(name(""), None, help()),
            Kind::Histogram => {
                self.recorder.describe_counter(name("_count"), None, help());
                self.recorder.describe_gauge(name("_sum"), None, help());
            }
        }
    }

    fn sample(&self, family: &Family, sample: &Sample, shown: &mut HashSet<Key>) {
        match (&sample.value, family.kind) {
            (Value::Histogram(distribution), _) => {
                self.counter(key(family, "_count", sample), distribution.count);
                self.gauge(key(family, "_sum", sample), distribution.sum, shown);
            }
            (Value::Integer(value), Kind::Counter) => self.counter(key(family, "", sample), *value),
            (Value::Integer(value), _) => {
                self.gauge(key(family, "", sample), *value as f64, shown);
            }
            (Value::Float(value), _) => self.gauge(key(family, "", sample), *value, shown),
        }
    }

    fn counter(&self, key: Key, value: u64) {
        self.recorder
            .register_counter(&key, &METADATA)
            .absolute(value);
    }

    fn gauge(&self, key: Key, value: f64, shown: &mut HashSet<Key>) {
        self.recorder.register_gauge(&key, &METADATA).set(value);
        shown.insert(key);
    }
}

fn key(family: &Family, suffix: &str, sample: &Sample) -> Key {
    let labels = sample.labels.iter();
    let labels: Vec<Label> = labels
        .map(|(key, value)| Label::new(key.clone(), value.clone()))
        .collect();
    Key::from_parts(format!("{}{suffix}", family.name), labels)
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}
