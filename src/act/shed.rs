//! The layer that sheds.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::{ActError, Chosen, Refusal, Refuse, Unavailable};
use crate::budget::Level;
use crate::engine::{Standing, StateCell};
use crate::histogram::nanos;
use crate::instance::Plimsoll;
use crate::registry::{ActCount, Acted};

/// A share of 1. A share is a whole number of steps, so that sharing out is exact.
const WHOLE: u64 = 1 << 32;

/// Decides which requests are not to be shed.
type Except = Box<dyn Fn(&Parts) -> bool + Send + Sync>;

/// Refuses a share of the requests while a budget is in breach; see the [module](super).
///
/// Cheap to clone and to apply. All services that one layer is applied to share out together.
pub struct ShedLayer<R = Unavailable> {
    policy: Arc<Policy<R>>,
}

struct Policy<R> {
    cell: StateCell,
    /// In steps of which [`WHOLE`] are 1.
    share: u64,
    ramp_ns: u64,
    /// The shares of all requests that were to be shared out. Whenever it passes a whole, one is refused. Relaxed: the
    /// additions alone decide, and no other memory depends on it.
    due: AtomicU64,
    shed: Arc<AtomicU64>,
    refusal: Refusal,
    except: Option<Except>,
    refuse: R,
    /// Whoever acts needs somebody to judge.
    _judge: Plimsoll,
}

impl ShedLayer {
    /// Sheds with the defaults of the [builder](Self::builder).
    ///
    /// # Errors
    ///
    /// [`ActError::Budget`] if there is no such budget.
    pub fn new(plimsoll: &Plimsoll, budget: &str) -> Result<Self, ActError> {
        Self::builder(plimsoll, budget).build()
    }

    /// Begins a layer that sheds while any level of this budget is in breach.
    pub fn builder(plimsoll: &Plimsoll, budget: &str) -> ShedBuilder {
        ShedBuilder {
            chosen: Chosen::new(plimsoll, budget),
            share: 0.9,
            retry_after: Duration::from_secs(1),
            ramp: Duration::from_secs(5),
            except: None,
            refuse: Unavailable,
        }
    }
}

/// A layer in the making. Every mistake surfaces at [`build`](Self::build).
#[must_use = "nothing is shed before `build`"]
pub struct ShedBuilder<R = Unavailable> {
    chosen: Chosen,
    share: f64,
    retry_after: Duration,
    ramp: Duration,
    except: Option<Except>,
    refuse: R,
}

impl<R> ShedBuilder<R> {
    /// Only a breach of this level; by default that of any.
    pub fn level(mut self, level: Level) -> Self {
        self.chosen.level = Some(level);
        self
    }

    /// The share of the requests that is refused during a breach, in `0.0..=1.0`; 0.9 by default. The others are the
    /// probes by which the recovery is seen: with 1.0 a budget recovers only by its window running empty.
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// What clients are told to wait; 1 s by default, after which the next tick has judged. More than 0; the header
    /// has whole seconds, rounded up.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = wait;
        self
    }

    /// How long after the recovery the share falls to 0, in equal steps of a tick; 5 s by default. With zero all
    /// requests come back at once, and under a lasting overload so does the breach.
    pub fn ramp(mut self, ramp: Duration) -> Self {
        self.ramp = ramp;
        self
    }

    /// Never sheds what `except` returns true for, such as health checks. Asked only while there is something to shed;
    /// such requests do not count towards the share.
    pub fn except(mut self, except: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.except = Some(Box::new(except));
        self
    }

    /// Answers with what `refuse` returns instead of [`Unavailable`]. It is marked as [`Acted::Shed`], and otherwise sent
    /// as it is. The body need not have a default then.
    pub fn respond<F, B>(self, refuse: F) -> ShedBuilder<F>
    where
        F: Fn(&Refusal) -> Response<B>,
    {
        ShedBuilder {
            chosen: self.chosen,
            share: self.share,
            retry_after: self.retry_after,
            ramp: self.ramp,
            except: self.except,
            refuse,
        }
    }

    /// Makes the layer. From now on `plimsoll_shed_total` has a sample for the budget.
    ///
    /// # Errors
    ///
    /// [`ActError`] if there is no such budget or level, if the share is not a ratio, or if `retry_after` is 0.
    pub fn build(self) -> Result<ShedLayer<R>, ActError> {
        let cell = self.chosen.cell()?;
        let share = self.share;
        if !(0.0..=1.0).contains(&share) {
            return Err(ActError::Share { share });
        }
        if self.retry_after.is_zero() {
            let field = "retry_after";
            return Err(ActError::Zero { field });
        }
        let Chosen {
            plimsoll, budget, ..
        } = self.chosen;
        let policy = Policy {
            cell,
            // Rounded up: 0.9 of ten requests are nine.
            share: (share * WHOLE as f64).ceil() as u64,
            ramp_ns: nanos(self.ramp),
            due: AtomicU64::new(0),
            shed: plimsoll.registry().acts.of(&budget, ActCount::Shed),
            refusal: Refusal {
                acted: Acted::Shed,
                budget,
                retry_after: self.retry_after,
            },
            except: self.except,
            refuse: self.refuse,
            _judge: plimsoll,
        };
        Ok(ShedLayer {
            policy: Arc::new(policy),
        })
    }
}

impl<R> Policy<R> {
    /// The share that is shed at present. One atomic load.
    fn share(&self) -> u64 {
        match self.cell.standing() {
            Standing::Breached => self.share,
            Standing::Recovered { ago_ns } if ago_ns < self.ramp_ns => {
                let left = 1.0 - ago_ns as f64 / self.ramp_ns as f64;
                (self.share as f64 * left).ceil() as u64
            }
            Standing::Recovered { .. } | Standing::Calm => 0,
        }
    }

    /// Whether the next request is one of this share.
    fn is_due(&self, share: u64) -> bool {
        let before = self.due.fetch_add(share, Ordering::Relaxed);
        before.wrapping_add(share) / WHOLE != before / WHOLE
    }

    /// The request, unless it is to be shed.
    fn admit<A>(&self, share: u64, request: Request<A>) -> Option<Request<A>> {
        let request = match &self.except {
            Some(except) => {
                let (parts, body) = request.into_parts();
                let excepted = except(&parts);
                let request = Request::from_parts(parts, body);
                if excepted {
                    return Some(request);
                }
                request
            }
            None => request,
        };
        if self.is_due(share) {
            self.shed.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(request)
    }
}

// By hand: a closure cannot be shown, and its layer is a clone whether or not it is.
impl<R> Clone for ShedLayer<R> {
    fn clone(&self) -> Self {
        Self {
            policy: self.policy.clone(),
        }
    }
}

impl<R> fmt::Debug for ShedLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShedLayer")
            .field("policy", &self.policy)
            .finish()
    }
}

impl<R> fmt::Debug for Policy<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("refusal", &self.refusal)
            .field("cell", &self.cell)
            .finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for ShedBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShedBuilder")
            .field("chosen", &self.chosen)
            .field("share", &self.share)
            .field("retry_after", &self.retry_after)
            .field("ramp", &self.ramp)
            .finish_non_exhaustive()
    }
}

impl<S, R> Layer<S> for ShedLayer<R> {
    type Service = Shed<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Shed {
            inner,
            policy: self.policy.clone(),
        }
    }
}

/// A service that sheds. What it does not shed it answers exactly as `S` does.
pub struct Shed<S, R = Unavailable> {
    inner: S,
    policy: Arc<Policy<R>>,
}

impl<S: Clone, R> Clone for Shed<S, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            policy: self.policy.clone(),
        }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for Shed<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shed")
            .field("inner", &self.inner)
            .field("policy", &self.policy)
            .finish()
    }
}

impl<S, R, A, B> Service<Request<A>> for Shed<S, R>
where
    S: Service<Request<A>, Response = Response<B>>,
    R: Refuse<B>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = ShedFuture<S::Future, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let policy = &*self.policy;
        let request = match policy.share() {
            0 => Some(request),
            share => policy.admit(share, request),
        };
        ShedFuture {
            end: match request {
                Some(request) => End::Passed {
                    future: self.inner.call(request),
                },
                None => End::Refused {
                    response: Some(policy.refusal.answer(&policy.refuse)),
                },
            },
        }
    }
}

pin_project! {
    /// The future of a request that may have been shed.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ShedFuture<F, B> {
        #[pin]
        end: End<F, B>,
    }
}

pin_project! {
    #[project = EndProjection]
    #[derive(Debug)]
    enum End<F, B> {
        Passed { #[pin] future: F },
        // `None` when done.
        Refused { response: Option<Response<B>> },
    }
}

impl<F, B, E> Future for ShedFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().end.project() {
            EndProjection::Passed { future } => future.poll(cx),
            EndProjection::Refused { response } => {
                // Polled after its end it waits for ever, as futures may.
                response
                    .take()
                    .map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
        }
    }
}
