//! A stream of rows, counted from its first poll to its last row or its drop.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use sqlx_core::Either;
use sqlx_core::database::Database;
use sqlx_core::error::Error;

use super::super::Guard;
use super::connection::Connection;
use super::driver::{Driver, Step};
use super::ended::class_of;
use super::query::Taken;
use crate::registry::Outcome;

/// Left before its end it counts as `partial` if it had given a row, else as cancelled; never polled it does not count.
pub(super) enum Rows<'e, DB: Database> {
    /// Nobody asked yet; `None` only in between.
    Asked(Option<(&'e mut Connection<DB>, Taken<DB>)>),
    Running {
        stream: BoxStream<'e, Result<Step<DB>, Error>>,
        counted: Counted,
    },
}

impl<'e, DB: Driver> Rows<'e, DB> {
    pub(super) fn new(connection: &'e mut Connection<DB>, query: Taken<DB>) -> Self {
        Self::Asked(Some((connection, query)))
    }

    pub(super) async fn next(&mut self) -> Option<Result<Step<DB>, Error>> {
        poll_fn(|context| self.poll_step(context)).await
    }

    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Step<DB>, Error>>> {
        if let Self::Asked(asked) = self
            && let Some((connection, query)) = asked.take()
        {
            let guard = Guard::begin(connection.meter().find_query(&query));
            *self = Self::Running {
                stream: DB::fetch_many(connection.inner_mut(), query),
                counted: Counted {
                    guard: Some(guard),
                    rows: 0,
                },
            };
        }
        let Self::Running { stream, counted } = self else {
            return Poll::Ready(None);
        };
        let step = ready!(stream.as_mut().poll_next(context));
        match &step {
            Some(Ok(Either::Right(_))) => counted.rows += 1,
            Some(Ok(Either::Left(_))) => {}
            Some(Err(error)) => counted.fail(error),
            None => counted.finish(),
        }
        Poll::Ready(step)
    }
}

// Nothing here is pinned but what its own box pins.
impl<DB: Database> Unpin for Rows<'_, DB> {}

impl<DB: Driver> Stream for Rows<'_, DB> {
    type Item = Result<Step<DB>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_step(context)
    }
}

/// The statement and its rows so far.
pub(super) struct Counted {
    /// `None` once the end is counted.
    guard: Option<Guard>,
    rows: u64,
}

impl Counted {
    fn finish(&mut self) {
        if let Some(guard) = self.end() {
            guard.finish_as(Outcome::Ok);
        }
    }

    fn fail(&mut self, error: &Error) {
        if let Some(guard) = self.end() {
            guard.fail(class_of(error));
        }
    }

    fn end(&mut self) -> Option<Guard> {
        let mut guard = self.guard.take()?;
        guard.rows(self.rows);
        Some(guard)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.rows > 0
            && !std::thread::panicking()
            && let Some(guard) = self.end()
        {
            guard.partial();
        }
    }
}
