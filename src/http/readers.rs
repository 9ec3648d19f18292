//! Reads the user's labels while a request is counted.

use std::panic::{AssertUnwindSafe, catch_unwind};

use http::Response;

use super::head::{RequestHead, ResponseHead};
use super::label::{OfRequest, OfResponse};
use crate::registry::{LabelValues, MAX_KEYS, OperationSet, Places};

/// Hands on all label values of a request: its `own`, then those that the user's labels have for it.
#[inline]
pub(super) fn labelled<'s, R>(
    set: &'s OperationSet,
    own: [&str; 2],
    head: &RequestHead<'_>,
    find: impl FnOnce(&'s OperationSet, &[&str]) -> R,
) -> R {
    if set.labels.request.is_empty() {
        return find(set, &own);
    }
    let mut values = [""; MAX_KEYS];
    values[..own.len()].copy_from_slice(&own);
    for (label, value) in set.labels.request.iter().zip(&mut values[own.len()..]) {
        let read = |reader: &OfRequest| (reader.0)(head);
        *value = place(label, || label.reader().and_then(read)).1;
    }
    find(set, &values[..set.keys().len()])
}

/// Where the values of a response's labels stand.
#[inline]
pub(super) fn places<B>(set: &OperationSet, response: &Response<B>) -> Places {
    if set.labels.response.is_empty() {
        Places::default()
    } else {
        read_places(set, &ResponseHead::new(response))
    }
}

#[inline(never)]
fn read_places(set: &OperationSet, head: &ResponseHead<'_>) -> Places {
    let mut places = Places::default();
    for (at, label) in set.labels.response.iter().enumerate() {
        let read = |reader: &OfResponse| (reader.0)(head);
        places.set(at, place(label, || label.reader().and_then(read)).0);
    }
    places
}

/// The place and the text of what `read` returns; a panic ends here.
fn place<'a, 'h>(label: &'a LabelValues, read: impl FnOnce() -> Option<&'h str>) -> (u8, &'a str) {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(value) => label.place(value),
        Err(_) => label.panicked(),
    }
}
