//! Work of a request in a task or on a thread of its own: a record of its own, which joins that of the request.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::ptr;

use super::here::{self, Here, Record};
use super::record::Scope;
use crate::clock::SharedClock;

/// Makes a future that may run in another task, with a record of its own: what it queries and calls and its stages are a part
/// of the request at hand as soon as they [join](Forked::join) it.
///
/// Its queries have the request's trace, in the slow log and for the watchdog. What it does when it is dropped before its
/// end is no part of the request. Outside of a request with a record, this does nothing. Cost: one allocation of 900 bytes,
/// and one for each of its statements.
///
/// ```
/// # async fn run(ids: Vec<u32>) {
/// # async fn price(id: u32) -> u32 { id }
/// use plimsoll::scope;
///
/// let mut tasks = Vec::new();
/// for id in ids {
///     tasks.push(tokio::spawn(scope::fork(price(id))));
/// }
/// for task in tasks {
///     let price = task.await.expect("no panic").join();
/// #   _ = price;
/// }
/// # }
/// ```
pub fn fork<F: Future>(future: F) -> impl Future<Output = Forked<F::Output>> + use<F> {
    let mut part = Part::of_request();
    async move {
        let mut future = pin!(future);
        let output = poll_fn(|context| {
            let here = Part::here(&mut part);
            let _entered = here.enter();
            future.as_mut().poll(context)
        });
        let output = output.await;
        Forked { output, part }
    }
}

/// The same for a closure, as `spawn_blocking` takes it.
pub fn fork_sync<T, F: FnOnce() -> T>(work: F) -> impl FnOnce() -> Forked<T> + use<T, F> {
    let mut part = Part::of_request();
    move || {
        let output = {
            let here = Part::here(&mut part);
            let _entered = here.enter();
            work()
        };
        Forked { output, part }
    }
}

/// What came of work that was [forked](fork) off a request.
#[derive(Debug)]
#[must_use = "what is not joined is no part of the request"]
pub struct Forked<T> {
    output: T,
    part: Option<Box<Part>>,
}

impl<T> Forked<T> {
    /// What it returned; from now on its queries, calls and stages are a part of the request at hand, nearly always the
    /// one that it was forked off.
    pub fn join(self) -> T {
        if let Some(part) = self.part {
            here::with(|record| record.change(|scope| scope.join(part.scope)));
        }
        self.output
    }
}

/// The record of forked work.
#[derive(Debug)]
struct Part {
    scope: Scope,
    clock: SharedClock,
}

impl Part {
    /// One for the request at hand, if that has a record.
    fn of_request() -> Option<Box<Self>> {
        let fork = |record: &Record| Self {
            scope: record.change(|scope| scope.fork()),
            clock: record.clock().clone(),
        };
        here::with(fork).map(Box::new)
    }

    fn here(part: &mut Option<Box<Self>>) -> Here<'_> {
        let part = part.as_deref_mut();
        Here::new(ptr::null(), part.map(|part| (&mut part.scope, &part.clock)))
    }
}
