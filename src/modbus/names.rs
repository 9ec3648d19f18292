//! Which devices an instance has: a name is one device, and only so many are told apart.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::settings::Mistake;
use crate::registry::{OTHER, Registry};

/// The devices of an instance by name. A name is free again when its device is gone; its series stay.
#[derive(Debug, Default)]
pub(crate) struct Devices(Mutex<HashMap<String, Weak<str>>>);

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
        let mut names = self.0.lock();
        let known = names.get(name);
        if known.is_some_and(|held| held.strong_count() > 0) {
            return Err(Mistake::NameTaken);
        }
        if known.is_none() && names.len() >= registry.instruments.cap() {
            registry.instruments.count_overflow();
            return Ok(Name(OTHER.into()));
        }
        let taken: Arc<str> = name.into();
        names.insert(name.to_owned(), Arc::downgrade(&taken));
        Ok(Name(taken))
    }
}
