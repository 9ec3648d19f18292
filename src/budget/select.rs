//! Which operations a budget speaks of.

use crate::registry::Domain;

/// Which operations a budget speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    pub(crate) domain: Domain,
    pub(crate) labels: Vec<(String, String)>,
    /// What it leaves out.
    pub(crate) except: Vec<(String, String)>,
}

impl Select {
    pub(crate) fn all(domain: Domain) -> Self {
        Self {
            domain,
            labels: Vec::new(),
            except: Vec::new(),
        }
    }

    /// All measured HTTP requests; labels `method`, `route`, and those of requests that the builder was told of.
    pub fn http() -> Self {
        Self::all(Domain::Http)
    }

    /// All calls of measured tower services; label `operation`.
    pub fn service() -> Self {
        Self::all(Domain::Service)
    }

    /// All queries; labels `operation`, `model`, `query` (the summary of the statement, `SELECT orders`, or its name).
    pub fn db() -> Self {
        Self::all(Domain::Db)
    }

    /// All Modbus transactions; labels `device`, `operation`.
    pub fn modbus() -> Self {
        Self::all(Domain::Modbus)
    }

    /// All attempts to connect to a device; labels `protocol`, `device`.
    pub fn connect() -> Self {
        Self::all(Domain::Connect)
    }

    /// All rounds of polling cycles; labels `device`, `cycle`. A round fails when it is not over before the next is due.
    pub fn cycle() -> Self {
        Self::all(Domain::Cycle)
    }

    /// Looks at each device, one of each kind per tick; labels `device`, `check`: `connected` fails while the device is
    /// down, `fresh` while its last good reply is too long ago. So a ratio of them is a share of time.
    pub fn device_check() -> Self {
        Self::all(Domain::Check)
    }

    /// All values of devices that were checked by rules; label `device`. One fails when a rule refuses it.
    pub fn data_points() -> Self {
        Self::all(Domain::Point)
    }

    /// All waits for a pooled connection; label `pool`.
    pub fn acquire() -> Self {
        Self::all(Domain::Acquire)
    }

    /// All openings of connections for a pool; label `pool`.
    pub fn create() -> Self {
        Self::all(Domain::Create)
    }

    /// One of the service's own operations.
    pub fn operation(name: impl Into<String>) -> Self {
        Self::all(Domain::Operation).label("operation", name)
    }

    /// The kind with this configuration word, with all its operations.
    #[cfg(feature = "config")]
    pub(crate) fn named(kind: &str) -> Option<Self> {
        Domain::ALL
            .into_iter()
            .find(|domain| domain.as_str() == kind)
            .map(Self::all)
    }

    /// Only operations in which the label `key` has this value. A `*` in it stands for any run of characters:
    /// `/api/*` are all routes below `/api/`. The star of a template such as `/files/{*path}` stands for itself.
    ///
    /// Cost: none for the operations; values are compared when an operation is first seen.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((key.into(), value.into()));
        self
    }

    /// Without the operations in which the label `key` has this value, or one that fits if there is a `*` in it: health checks
    /// (`route`, `/health*`) are no part of what is promised. Those that are left out are neither valid nor bad.
    pub fn except(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.except.push((key.into(), value.into()));
        self
    }

    /// Labels that are none of `keys`, which the kind of work has, as (`labels` or `except`, label, what it has).
    pub(crate) fn unknown_labels(&self, keys: &[&str]) -> Vec<(&'static str, &str, String)> {
        let lists = [("labels", &self.labels), ("except", &self.except)];
        let labels = lists.into_iter();
        let labels =
            labels.flat_map(|(list, labels)| labels.iter().map(move |label| (list, label)));
        let unknown =
            labels.filter_map(|(list, (key, _))| Some((list, &**key, self.no_label(key, keys)?)));
        unknown.collect()
    }

    /// What is wrong with a label's key, if it is none of `keys`.
    pub(crate) fn no_label(&self, key: &str, keys: &[&str]) -> Option<String> {
        let message = || {
            format!(
                "is not a label of {}: it has {}",
                self.domain.as_str(),
                keys.join(", ")
            )
        };
        (!keys.contains(&key)).then(message)
    }
}
