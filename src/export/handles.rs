//! Handles of the facade's counters and gauges: the macros ask for one at every value, and invented labels must not
//! fill the memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;
use metrics::{Key, Label};
use parking_lot::RwLock;

use crate::registry::OTHER;

/// Handles by key: at most so many label sets of each name, and one `other` for the rest.
pub(super) struct Handles<T> {
    known: RwLock<Known<T>>,
    cap: usize,
}

struct Known<T> {
    handles: HashMap<Key, T, RandomState>,
    /// Label sets of each name.
    sets: HashMap<String, usize, RandomState>,
}

impl<T: Clone> Handles<T> {
    pub(super) fn new(cap: usize) -> Self {
        let known = Known {
            handles: HashMap::default(),
            sets: HashMap::default(),
        };
        Self {
            known: RwLock::new(known),
            cap,
        }
    }

    /// The handle of `key`, made by `make` if it is new; that of `other`, after a call of `overflow`, if the name has
    /// enough label sets.
    pub(super) fn get(&self, key: &Key, overflow: impl FnOnce(), make: impl Fn(&Key) -> T) -> T {
        if let Some(handle) = self.known.read().handles.get(key) {
            return handle.clone();
        }
        let mut known = self.known.write();
        let Known { handles, sets } = &mut *known;
        let count = sets.entry(key.name().to_owned()).or_default();
        let is_new = !handles.contains_key(key);
        if is_new && *count >= self.cap && key.labels().len() > 0 {
            overflow();
            let other = other(key);
            return handles.entry(other).or_insert_with_key(make).clone();
        }
        match handles.entry(key.clone()) {
            Entry::Occupied(made) => made.get().clone(),
            Entry::Vacant(place) => {
                *count += 1;
                let handle = make(key);
                place.insert(handle).clone()
            }
        }
    }
}

/// The same keys with one value.
fn other(key: &Key) -> Key {
    let labels = key.labels();
    let labels = labels.map(|label| Label::new(label.key().to_owned(), OTHER));
    Key::from_parts(key.name().to_owned(), labels.collect::<Vec<_>>())
}
