//! The layer that breaks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Response;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::circuit::{Circuit, Trial};
use super::{ActError, BreakerError, Chosen, Refusal, Refuse, Unavailable};
use crate::budget::Level;
use crate::histogram::nanos;
use crate::instance::Plimsoll;
use crate::registry::{ActCount, Acted, ByResult, Classify, Outcome};

/// Stops calling a service while a budget is in breach, and finds out when it may call again; see the
/// [module](super).
///
/// Cheap to clone and to apply. One layer is one breaker, whatever number of services it is applied to.
pub struct BreakerLayer<A = Fail, C = ByResult> {
    policy: Arc<Policy<A, C>>,
}

struct Policy<A, C> {
    circuit: Arc<Circuit>,
    budget: Arc<str>,
    broken: Arc<AtomicU64>,
    answer: A,
    classify: C,
}

impl BreakerLayer {
    /// Breaks with the defaults of the [builder](Self::builder).
    ///
    /// # Errors
    ///
    /// [`ActError::Budget`] if there is no such budget.
    pub fn new(plimsoll: &Plimsoll, budget: &str) -> Result<Self, ActError> {
        Self::builder(plimsoll, budget).build()
    }

    /// Begins a breaker for any service, which refuses with [`BreakerError::Open`] and whose trials succeed with `Ok`.
    pub fn builder(plimsoll: &Plimsoll, budget: &str) -> BreakerBuilder {
        BreakerBuilder::new(plimsoll, budget, Fail, ByResult)
    }

    /// Begins a breaker for an HTTP service, which refuses with a response, leaves the error type as it is, and whose
    /// trials succeed with a status below 500.
    pub fn http(plimsoll: &Plimsoll, budget: &str) -> BreakerBuilder<Http, ByStatus> {
        BreakerBuilder::new(plimsoll, budget, Http(Unavailable), ByStatus)
    }
}

/// A breaker in the making. Every mistake surfaces at [`build`](Self::build).
#[must_use = "nothing is refused before `build`"]
pub struct BreakerBuilder<A = Fail, C = ByResult> {
    chosen: Chosen,
    pause: Duration,
    trials: usize,
    answer: A,
    classify: C,
}

impl<A, C> BreakerBuilder<A, C> {
    fn new(plimsoll: &Plimsoll, budget: &str, answer: A, classify: C) -> Self {
        Self {
            chosen: Chosen::new(plimsoll, budget),
            pause: Duration::from_secs(5),
            trials: 3,
            answer,
            classify,
        }
    }

    /// Only a breach of this level; by default that of any.
    pub fn level(mut self, level: Level) -> Self {
        self.chosen.level = Some(level);
        self
    }

    /// How long nothing is let through before it is tried; 5 s by default, more than 0.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// How many trials there are at a time, and how many have to succeed; 3 by default, more than 0.
    pub fn trials(mut self, trials: usize) -> Self {
        self.trials = trials;
        self
    }

    /// Decides by `classify` how a trial ended: [`Outcome::Ok`] speaks for the service, [`Outcome::Error`] against it,
    /// anything else says nothing. Other calls are not looked at: for those the budget speaks.
    pub fn classify<F, Res, Err>(self, classify: F) -> BreakerBuilder<A, F>
    where
        F: Fn(&Result<Res, Err>) -> Outcome,
    {
        BreakerBuilder {
            chosen: self.chosen,
            pause: self.pause,
            trials: self.trials,
            answer: self.answer,
            classify,
        }
    }

    /// Makes the layer. From now on `plimsoll_broken_total` and `plimsoll_breaker_state` have a sample for the budget.
    ///
    /// # Errors
    ///
    /// [`ActError`] if there is no such budget or level, or if `pause` or `trials` is 0.
    pub fn build(self) -> Result<BreakerLayer<A, C>, ActError> {
        let cell = self.chosen.cell()?;
        let zero = [
            ("pause", self.pause.is_zero()),
            ("trials", self.trials == 0),
        ];
        if let Some((field, _)) = zero.into_iter().find(|(_, zero)| *zero) {
            return Err(ActError::Zero { field });
        }
        let Chosen {
            plimsoll, budget, ..
        } = self.chosen;
        let acts = &plimsoll.registry().acts;
        let broken = acts.of(&budget, ActCount::Broken);
        let shown = acts.of(&budget, ActCount::BreakerState);
        let measures = (nanos(self.pause), self.trials as u64);
        let policy = Policy {
            circuit: Arc::new(Circuit::new(plimsoll, cell, measures, shown)),
            budget,
            broken,
            answer: self.answer,
            classify: self.classify,
        };
        Ok(BreakerLayer {
            policy: Arc::new(policy),
        })
    }
}

impl<R, C> BreakerBuilder<Http<R>, C> {
    /// Answers with what `refuse` returns instead of [`Unavailable`]. It is marked as [`Acted::Broken`], and otherwise sent
    /// as it is. The body need not have a default then.
    pub fn respond<F, B>(self, refuse: F) -> BreakerBuilder<Http<F>, C>
    where
        F: Fn(&Refusal) -> Response<B>,
    {
        BreakerBuilder {
            chosen: self.chosen,
            pause: self.pause,
            trials: self.trials,
            answer: Http(refuse),
            classify: self.classify,
        }
    }
}

/// How a breaker refuses.
pub trait Answer<Res, Err> {
    /// The error of the service behind it.
    type Error;

    /// What is returned in place of the service's result.
    ///
    /// # Errors
    ///
    /// Where the refusal is an error.
    fn refuse(&self, refusal: &Refusal) -> Result<Res, Self::Error>;

    /// What an error of the service itself becomes.
    fn pass(error: Err) -> Self::Error;
}

/// With [`BreakerError::Open`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Fail;

impl<Res, Err> Answer<Res, Err> for Fail {
    type Error = BreakerError<Err>;

    fn refuse(&self, refusal: &Refusal) -> Result<Res, BreakerError<Err>> {
        Err(BreakerError::Open {
            budget: refusal.budget.clone(),
            retry_after: refusal.retry_after,
        })
    }

    fn pass(error: Err) -> BreakerError<Err> {
        BreakerError::Inner(error)
    }
}

/// With a response.
#[derive(Debug, Clone, Copy, Default)]
pub struct Http<R = Unavailable>(R);

impl<R: Refuse<B>, B, Err> Answer<Response<B>, Err> for Http<R> {
    type Error = Err;

    fn refuse(&self, refusal: &Refusal) -> Result<Response<B>, Err> {
        Ok(refusal.answer(&self.0))
    }

    fn pass(error: Err) -> Err {
        error
    }
}

/// By the status of the response: an error from 500 on, and without a response. A response that a layer further in refused
/// with is neither.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByStatus;

impl<B, Err> Classify<Response<B>, Err> for ByStatus {
    fn classify(&self, result: &Result<Response<B>, Err>) -> Outcome {
        let Ok(response) = result else {
            return Outcome::Error;
        };
        match response.extensions().get::<Acted>() {
            Some(acted) => acted.outcome(),
            None if response.status().is_server_error() => Outcome::Error,
            None => Outcome::Ok,
        }
    }
}

/// How a call through a breaker ended: [`Outcome::Broken`] if it was refused. For
/// [`service::MeasureLayer::classify`](crate::service::MeasureLayer::classify), which cannot tell by itself.
pub fn outcome<Res, Err>(result: &Result<Res, BreakerError<Err>>) -> Outcome {
    match result {
        Err(BreakerError::Open { .. }) => Outcome::Broken,
        result => Outcome::of(result),
    }
}

impl<A, C> Policy<A, C> {
    fn refusal(&self, retry_after: Duration) -> Refusal {
        self.broken.fetch_add(1, Ordering::Relaxed);
        Refusal {
            acted: Acted::Broken,
            budget: self.budget.clone(),
            retry_after,
        }
    }
}

// By hand: a closure cannot be shown, and its layer is a clone whether or not it is.
impl<A, C> Clone for BreakerLayer<A, C> {
    fn clone(&self) -> Self {
        Self {
            policy: self.policy.clone(),
        }
    }
}

impl<A, C> fmt::Debug for BreakerLayer<A, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerLayer")
            .field("policy", &self.policy)
            .finish()
    }
}

impl<A, C> fmt::Debug for Policy<A, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("budget", &self.budget)
            .field("circuit", &self.circuit)
            .finish_non_exhaustive()
    }
}

impl<A, C> fmt::Debug for BreakerBuilder<A, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerBuilder")
            .field("chosen", &self.chosen)
            .field("pause", &self.pause)
            .field("trials", &self.trials)
            .finish_non_exhaustive()
    }
}

impl<S, A, C> Layer<S> for BreakerLayer<A, C> {
    type Service = Breaker<S, A, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Breaker {
            inner,
            policy: self.policy.clone(),
        }
    }
}

/// A service behind a breaker. What is not refused it answers exactly as `S` does.
pub struct Breaker<S, A = Fail, C = ByResult> {
    inner: S,
    policy: Arc<Policy<A, C>>,
}

impl<S: Clone, A, C> Clone for Breaker<S, A, C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            policy: self.policy.clone(),
        }
    }
}

impl<S: fmt::Debug, A, C> fmt::Debug for Breaker<S, A, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("inner", &self.inner)
            .field("policy", &self.policy)
            .finish()
    }
}

impl<S, A, C, Req> Service<Req> for Breaker<S, A, C>
where
    S: Service<Req>,
    A: Answer<S::Response, S::Error>,
    C: Classify<S::Response, S::Error>,
{
    type Response = S::Response;
    type Error = A::Error;
    type Future = BreakerFuture<S::Future, Result<S::Response, A::Error>, A, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), A::Error>> {
        self.inner.poll_ready(cx).map_err(A::pass)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let policy = &self.policy;
        let end = match policy.circuit.admit() {
            Ok(trial) => {
                let trial = trial.map(|trial| (trial, policy.clone()));
                let future = self.inner.call(request);
                End::Passed { future, trial }
            }
            Err(retry_after) => {
                let result = policy.answer.refuse(&policy.refusal(retry_after));
                End::Refused {
                    result: Some(result),
                }
            }
        };
        BreakerFuture { end }
    }
}

pin_project! {
    /// The future of a call through a breaker. That of a trial, dropped before its end, frees its place.
    #[must_use = "futures do nothing unless polled"]
    pub struct BreakerFuture<F, T, A, C> {
        #[pin]
        end: End<F, T, A, C>,
    }
}

pin_project! {
    #[project = EndProjection]
    enum End<F, T, A, C> {
        // `trial` is `None` for other calls, and when done.
        Passed { #[pin] future: F, trial: Option<(Trial, Arc<Policy<A, C>>)> },
        // `None` when done.
        Refused { result: Option<T> },
    }
}

impl<F, T, A, C> fmt::Debug for BreakerFuture<F, T, A, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerFuture").finish_non_exhaustive()
    }
}

impl<F, A, C, Res, Err> Future for BreakerFuture<F, Result<Res, A::Error>, A, C>
where
    F: Future<Output = Result<Res, Err>>,
    A: Answer<Res, Err>,
    C: Classify<Res, Err>,
{
    type Output = Result<Res, A::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().end.project() {
            EndProjection::Passed { future, trial } => {
                // Out of the future while the service runs: if it panics, the unwinding itself drops this and the trial
                // has failed, even where somebody catches the panic and drops the future later.
                let taken = trial.take();
                let Poll::Ready(result) = future.poll(cx) else {
                    *trial = taken;
                    return Poll::Pending;
                };
                if let Some((trial, policy)) = taken {
                    trial.finish(policy.classify.classify(&result));
                }
                Poll::Ready(result.map_err(A::pass))
            }
            // Polled after its end it waits for ever, as futures may.
            EndProjection::Refused { result } => result.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}
