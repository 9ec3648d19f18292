//! Closures.

use std::marker::PhantomData;

use http::{HeaderMap, Request, Response, StatusCode};

use super::{ClassifyEnd, ClassifyFailure, ClassifyHead, ClassifyRequest, Judged, Verdict, caught};
use crate::http::end;
use crate::http::head::ResponseHead;
use crate::registry::Outcome;

/// What a closure says of the head of each response; made by
/// [`MeasureLayer::classify`](crate::http::MeasureLayer::classify).
///
/// A body that fails and a service that returns an error have failed, whatever the closure said.
#[derive(Debug)]
pub struct ByClosure<F, V> {
    classify: F,
    says: PhantomData<fn() -> V>,
}

// Not derived: the word of the closure need not be clonable.
impl<F: Clone, V> Clone for ByClosure<F, V> {
    fn clone(&self) -> Self {
        Self::new(self.classify.clone())
    }
}

impl<F, V> ByClosure<F, V> {
    pub(crate) fn new(classify: F) -> Self {
        Self {
            classify,
            says: PhantomData,
        }
    }
}

/// What a closure said; nothing if it panicked.
#[derive(Debug)]
pub struct Said(Option<Verdict>);

impl<F, V> ClassifyRequest for ByClosure<F, V>
where
    F: Clone,
{
    type Head = Self;

    fn begin<B>(&self, _: &Request<B>) -> Self {
        self.clone()
    }
}

impl<F, V, E> ClassifyHead<E> for ByClosure<F, V>
where
    F: Fn(&ResponseHead<'_>) -> V,
    V: Into<Verdict>,
{
    type End = Said;

    fn head<B>(self, response: &Response<B>) -> Said {
        let head = ResponseHead::new(response);
        Said(caught(|| (self.classify)(&head).into()))
    }

    fn error(self, _: &E) -> Judged {
        Judged(Some(end::without_response()))
    }
}

impl ClassifyEnd for Said {
    fn end(&mut self, status: StatusCode, _: Option<&HeaderMap>) -> Judged {
        Judged::verdict(self.0, status)
    }

    fn failed_before(&self, status: StatusCode) -> Option<Judged> {
        let failed = self
            .0
            .is_some_and(|verdict| verdict.outcome == Outcome::Error);
        failed.then(|| Judged::verdict(self.0, status))
    }
}

impl<E> ClassifyFailure<E> for Said {
    fn failure(&mut self, status: StatusCode, _: &E) -> Judged {
        Judged(Some(end::failed(status)))
    }
}
