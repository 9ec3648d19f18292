//! Budgets as an attribute of routes: by a layer on them, or by an extension of a request.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Extensions, Request};
use tower::{Layer, Service};

use super::bound::Bound;
use super::route;
use crate::budget::Budget;
use crate::config::{BuildError, Problem};
use crate::engine::Reach;
use crate::instance::{Inner, Plimsoll};
use crate::registry::Domain;

/// A budget that is judged on the routes that it is put on, each by itself.
///
/// It gets to a route by a [`BudgetLayer`] around it; or a middleware puts it into a request's extensions, and
/// [`BudgetLayer::of_requests`] further in takes it from there. The first request binds it: from that one on, all requests
/// to the route count, whatever their method, unless the budget's [`Select`](crate::Select) says otherwise. It is kept by
/// the label `route`, and by those that [`Budget::per`] adds.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct RouteBudget {
    shared: Arc<Shared>,
}

struct Shared {
    plimsoll: Arc<Inner>,
    name: String,
    /// Its place in the engine.
    index: usize,
    bound: Bound,
}

impl RouteBudget {
    /// Checks the budget and adds it to the instance; it has no route yet.
    ///
    /// Made again with the same declaration it is the same budget: routers may be built several times.
    ///
    /// # Errors
    ///
    /// [`BuildError`], as [`Plimsoll::add_budget`]; also if the budget does not select HTTP requests, and if its name belongs
    /// to another declaration.
    pub fn new(plimsoll: &Plimsoll, mut budget: Budget) -> Result<Self, BuildError> {
        if !budget
            .select()
            .is_some_and(|select| select.domain == Domain::Http)
        {
            let message = "does not select requests: a route's budget is one over Select::http()";
            let field = format!("budget {:?}: select", budget.name());
            return Err(BuildError::new(Problem::new(field, message)));
        }
        if !budget.per.iter().any(|key| key == "route") {
            budget = budget.per("route");
        }
        let name = budget.name().to_owned();
        let index = plimsoll.inner().add_budget(budget, Reach::Bound)?;
        let shared = Shared {
            plimsoll: plimsoll.inner().clone(),
            name,
            index,
            bound: Bound::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Binds it to the request's route, once. Requests without a route are nobody's.
    #[inline]
    fn bind(&self, extensions: &Extensions) {
        if let Some(route) = route::route(extensions) {
            let Shared {
                plimsoll,
                index,
                bound,
                ..
            } = &*self.shared;
            bound.once(route, || plimsoll.engine.bind(*index, route));
        }
    }
}

impl fmt::Debug for RouteBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RouteBudget")
            .field(&self.shared.name)
            .finish()
    }
}

/// Puts a budget on the routes that it wraps; requests and responses pass through unchanged.
///
/// ```
/// use axum::{Router, routing::{get, post}};
/// use plimsoll::{Budget, Plimsoll, Select, http::{BudgetLayer, MeasureLayer}};
/// use std::time::Duration;
///
/// let plimsoll = Plimsoll::builder().build()?;
/// let limit = Duration::from_millis(250);
/// let fast = Budget::quantile("checkout", Select::http(), 0.95).at_most(limit);
/// let app: Router = Router::new()
///     .route("/checkout", post(|| async { "thanks" }).layer(BudgetLayer::new(&plimsoll, fast)?))
///     .route("/catalogue", get(|| async { "apples" }))
///     .layer(MeasureLayer::new(&plimsoll)); // it measures, the budget is judged by that
/// # let _ = app;
/// # Ok::<(), plimsoll::BuildError>(())
/// ```
///
/// The route is found as by [`MeasureLayer`](super::MeasureLayer): a [`Route`](super::Route) in the request's extensions, or
/// axum's `MatchedPath`. On a router, each of its routes is judged by itself.
///
/// Cost: making one is like [`Plimsoll::add_budget`]; the first request to each route takes the lock that a tick takes, and a
/// look at each series. From then on a request costs a hash of its route and one or two atomic loads, no lock and no
/// allocation. [`of_requests`](Self::of_requests) costs those that have no budget a look into their extensions.
#[derive(Debug, Clone)]
pub struct BudgetLayer {
    /// `None` for those of the requests.
    budget: Option<RouteBudget>,
}

impl BudgetLayer {
    /// Puts `budget` on the routes that it will wrap.
    ///
    /// # Errors
    ///
    /// Those of [`RouteBudget::new`]: all mistakes surface here, none at a request.
    pub fn new(plimsoll: &Plimsoll, budget: Budget) -> Result<Self, BuildError> {
        Ok(RouteBudget::new(plimsoll, budget)?.into())
    }

    /// Puts on each route the [`RouteBudget`] that a middleware further out left in the request's extensions, if any.
    ///
    /// ```
    /// use axum::{Extension, Router, routing::get};
    /// use plimsoll::{Budget, Plimsoll, Select, http::{BudgetLayer, MeasureLayer, RouteBudget}};
    ///
    /// let plimsoll = Plimsoll::builder().build()?;
    /// let errors = Budget::error_ratio("reports", Select::http()).at_most(0.01);
    /// let reports = Extension(RouteBudget::new(&plimsoll, errors)?);
    /// let app: Router = Router::new()
    ///     .route("/reports", get(|| async { "a report" }))
    ///     .layer(BudgetLayer::of_requests())
    ///     .layer(reports) // or whichever middleware knows what was promised
    ///     .layer(MeasureLayer::new(&plimsoll));
    /// # let _ = app;
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn of_requests() -> Self {
        Self { budget: None }
    }
}

impl From<RouteBudget> for BudgetLayer {
    fn from(budget: RouteBudget) -> Self {
        Self {
            budget: Some(budget),
        }
    }
}

impl<S> Layer<S> for BudgetLayer {
    type Service = WithBudget<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithBudget {
            inner,
            budget: self.budget.clone(),
        }
    }
}

/// A service with a budget; made by [`BudgetLayer`]. It answers exactly as `S` does.
#[derive(Debug, Clone)]
pub struct WithBudget<S> {
    inner: S,
    budget: Option<RouteBudget>,
}

impl<S, B> Service<Request<B>> for WithBudget<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let extensions = request.extensions();
        let budget = self.budget.as_ref();
        if let Some(budget) = budget.or_else(|| extensions.get()) {
            budget.bind(extensions);
        }
        self.inner.call(request)
    }
}
