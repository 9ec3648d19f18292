//! The labels of one element of a vector.

use std::fmt;
use std::sync::Arc;

/// The name of the label that holds the family's name.
pub(crate) const NAME: &str = "__name__";

/// Whether a label may be called so in every version of Prometheus.
pub(crate) fn is_label_name(name: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(part) && name.starts_with(|char: char| !char.is_ascii_digit())
}

/// Whether a family may be called so in every version of Prometheus.
pub(crate) fn is_family_name(name: &str) -> bool {
    is_label_name(&name.replace(':', "_"))
}

/// Names and values, ordered by name; a value that is empty is no label, as for Prometheus.
///
/// The family's name is the label `__name__`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Labels(Arc<[(String, String)]>);

impl Labels {
    /// Of names and values in any order; of a name that comes twice the last one stands.
    pub fn new<K: Into<String>, V: Into<String>>(labels: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut all: Vec<(String, String)> = Vec::new();
        for (key, value) in labels {
            let (key, value) = (key.into(), value.into());
            match all.binary_search_by(|known| known.0.cmp(&key)) {
                Ok(at) => all[at].1 = value,
                Err(at) => all.insert(at, (key, value)),
            }
        }
        all.retain(|label| !label.1.is_empty());
        Self(all.into())
    }

    /// The value of a label; empty where there is none.
    pub fn get(&self, key: &str) -> &str {
        let found = self.0.binary_search_by(|label| label.0.as_str().cmp(key));
        found.map_or("", |at| &self.0[at].1)
    }

    /// Names and values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These, with another value of one label.
    pub(crate) fn with(&self, key: &str, value: &str) -> Self {
        let others = self.iter().filter(|label| label.0 != key);
        Self::new(others.chain([(key, value)]))
    }

    /// The labels that `keep` wants.
    pub(crate) fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        if self.0.iter().all(|label| keep(&label.0)) {
            return self.clone();
        }
        let kept = self.0.iter().filter(|label| keep(&label.0));
        Self(kept.cloned().collect())
    }
}

/// `{__name__="up", job="api"}`
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (key, value)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{key}={}", super::print::Quoted(value))?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
