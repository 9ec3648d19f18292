//! The classifiers that tower-http knows.

use std::fmt::{self, Display};
use std::mem;

use http::{HeaderMap, Request, Response, StatusCode};
use tower_http::classify::{ClassifiedResponse, ClassifyEos, ClassifyResponse, MakeClassifier};

use super::{ClassifyEnd, ClassifyFailure, ClassifyHead, ClassifyRequest, Judged, Verdict, caught};
use crate::http::end;
use crate::registry::Outcome;

/// What a [`MakeClassifier`] says, the one of a `TraceLayer` for instance; made by
/// [`MeasureLayer::make_classifier`](crate::http::MeasureLayer::make_classifier).
///
/// Its failure classes may be anything, and unbounded in number, so each is told by a function that puts it into a word.
pub struct ByClassifier<M: MakeClassifier> {
    make: M,
    tell: Tell<M::FailureClass>,
}

/// Puts a failure class into a word.
type Tell<F> = fn(&F) -> Verdict;

impl<M: MakeClassifier> ByClassifier<M> {
    pub(crate) fn new(make: M, tell: Tell<M::FailureClass>) -> Self {
        Self { make, tell }
    }
}

// Not derived: failures need be neither clonable nor printable.
impl<M: MakeClassifier + Clone> Clone for ByClassifier<M> {
    fn clone(&self) -> Self {
        Self::new(self.make.clone(), self.tell)
    }
}

impl<M: MakeClassifier> fmt::Debug for ByClassifier<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByClassifier").finish_non_exhaustive()
    }
}

/// A classifier that waits for the head of a response.
pub struct Classifying<C: ClassifyResponse> {
    /// `None` if making it panicked.
    classifier: Option<C>,
    tell: Tell<C::FailureClass>,
}

/// A classifier that saw the head of a response.
pub struct Classified<C: ClassifyEos> {
    seen: Seen<C>,
    tell: Tell<C::FailureClass>,
}

enum Seen<C> {
    /// All that it had to.
    Enough(Verdict),
    /// It waits for the end.
    Head(C),
    /// It panicked, or was asked already.
    Gone,
}

impl<C: ClassifyResponse> fmt::Debug for Classifying<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classifying").finish_non_exhaustive()
    }
}

impl<C: ClassifyEos> fmt::Debug for Classified<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classified").finish_non_exhaustive()
    }
}

impl<M: MakeClassifier> ClassifyRequest for ByClassifier<M> {
    type Head = Classifying<M::Classifier>;

    fn begin<B>(&self, request: &Request<B>) -> Self::Head {
        Classifying {
            classifier: caught(|| self.make.make_classifier(request)),
            tell: self.tell,
        }
    }
}

impl<C, E> ClassifyHead<E> for Classifying<C>
where
    C: ClassifyResponse,
    E: Display + 'static,
{
    type End = Classified<C::ClassifyEos>;

    fn head<B>(self, response: &Response<B>) -> Self::End {
        let Self { classifier, tell } = self;
        let classify = |classifier: C| {
            caught(|| match classifier.classify_response(response) {
                ClassifiedResponse::Ready(result) => Seen::Enough(verdict(result, tell)),
                ClassifiedResponse::RequiresEos(classifier) => Seen::Head(classifier),
            })
        };
        let seen = classifier.and_then(classify).unwrap_or(Seen::Gone);
        Classified { seen, tell }
    }

    fn error(self, error: &E) -> Judged {
        let Self { classifier, tell } = self;
        let classify = |classifier: C| caught(|| tell(&classifier.classify_error(error)));
        let verdict = classifier.and_then(classify);
        Judged(verdict.map(end::failed_without_response))
    }
}

impl<C: ClassifyEos> ClassifyEnd for Classified<C> {
    fn end(&mut self, status: StatusCode, trailers: Option<&HeaderMap>) -> Judged {
        let tell = self.tell;
        let judged = match mem::replace(&mut self.seen, Seen::Gone) {
            Seen::Enough(verdict) => Some(verdict),
            Seen::Head(classifier) => caught(|| verdict(classifier.classify_eos(trailers), tell)),
            Seen::Gone => None,
        };
        Judged::verdict(judged, status)
    }

    fn failed_before(&self, status: StatusCode) -> Option<Judged> {
        match self.seen {
            Seen::Enough(verdict) if verdict.outcome == Outcome::Error => {
                Some(Judged::verdict(Some(verdict), status))
            }
            _ => None,
        }
    }
}

impl<C, E> ClassifyFailure<E> for Classified<C>
where
    C: ClassifyEos,
    E: Display + 'static,
{
    fn failure(&mut self, status: StatusCode, error: &E) -> Judged {
        let tell = self.tell;
        match mem::replace(&mut self.seen, Seen::Gone) {
            Seen::Enough(verdict) if verdict.outcome == Outcome::Error => {
                Judged::verdict(Some(verdict), status)
            }
            Seen::Enough(_) => Judged(Some(end::failed(status))),
            Seen::Head(classifier) => {
                let verdict = caught(|| tell(&classifier.classify_error(error)));
                Judged::verdict(verdict, status)
            }
            Seen::Gone => Judged::nothing(),
        }
    }
}

fn verdict<F>(result: Result<(), F>, tell: Tell<F>) -> Verdict {
    result.map_or_else(|failure| tell(&failure), |()| Outcome::Ok.into())
}
