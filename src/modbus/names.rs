//! Which devices an instance has: a name is one device, and only so many are told apart.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::settings::Mistake;
use crate::registry::{OTHER, Registry};

/// The devices of an instance. A name is free again when its device is gone.
#[derive(Debug, Default)]
pub(crate) struct Devices(Mutex<Names>);

#[derive(Debug, Default)]
struct Names {
    /// Those that are told apart; their series stay, and so do they.
    told: HashMap<String, Weak<str>>,
    /// Those above the cap.
    others: HashMap<String, Weak<str>>,
}

/// A name that nobody else has, as long as somebody holds this: what the device is counted under.
#[derive(Debug, Clone)]
pub(super) struct Name(Arc<str>);

impl Name {
    pub(super) fn label(&self) -> &str {
        &self.0
    }
}

impl Devices {
    /// Takes a name. Above the cap on label sets it is counted under `other`.
    pub(super) fn take(&self, name: &str, registry: &Registry) -> Result<Name, Mistake> {
        if name.is_empty() {
            return Err(Mistake::NoName);
        }
        let Names { told, others } = &mut *self.0.lock();
        let known = told.get(name);
        let held = |held: &Weak<str>| held.strong_count() > 0;
        if known.or(others.get(name)).is_some_and(held) {
            return Err(Mistake::NameTaken);
        }
        let (names, label) = if known.is_some() || told.len() < registry.instruments.cap() {
            (told, name)
        } else {
            registry.instruments.count_overflow();
            if others.len() == others.capacity() {
                others.retain(|_, other| held(other));
            }
            (others, OTHER)
        };
        let taken: Arc<str> = label.into();
        names.insert(name.to_owned(), Arc::downgrade(&taken));
        Ok(Name(taken))
    }
}
