//! What one connection tells.

use std::fmt;

use diesel::connection::{DebugQuery, Instrumentation, InstrumentationEvent};
use diesel::result::Error;

use super::super::transactions::TransactionEnd;
use super::super::{Guard, OpenTransaction};
use super::{Diesel, text};
use crate::pool::Opening;
use crate::registry::Outcome;

/// What diesel asks PostgreSQL in the middle of a query that has a type which it does not know yet.
const LOOKUP_OF_A_TYPE: &str = r#""pg_type"."typarray""#;

/// Counts what one connection does: what [`Diesel::instrumentation`] returns.
pub struct ConnectionInstrumentation {
    diesel: Diesel,
    query: Option<UnderWay>,
    /// A [lookup](LOOKUP_OF_A_TYPE) inside of it.
    lookup: Option<UnderWay>,
    /// What the next statement is going to do.
    announced: Option<Step>,
    transaction: Option<OpenTransaction>,
    /// The connection, while it is being opened.
    opening: Option<Opening>,
}

/// A query between its beginning and its end.
struct UnderWay {
    guard: Guard,
    step: Option<Step>,
}

/// What a statement does to the transaction of its connection.
#[derive(Debug, Clone, Copy)]
enum Step {
    Begin,
    End(TransactionEnd),
}

impl ConnectionInstrumentation {
    pub(super) fn new(diesel: Diesel) -> Self {
        Self {
            diesel,
            query: None,
            lookup: None,
            announced: None,
            transaction: None,
            opening: None,
        }
    }

    fn begun(&mut self, query: &dyn DebugQuery) {
        let is_inside = self.query.is_some();
        let (guard, is_lookup) = text::of(query, |sql| {
            let is_lookup = is_inside && sql.contains(LOOKUP_OF_A_TYPE);
            (self.diesel.begin(sql), is_lookup)
        });
        let step = self.announced.take();
        let place = if is_lookup {
            &mut self.lookup
        } else {
            &mut self.query
        };
        // Of one that is still there nobody told the end: it was given up, and dropping it says so.
        *place = Some(UnderWay { guard, step });
    }

    fn ended(&mut self, error: Option<&Error>) {
        // Some backends tell an end twice.
        let Some(UnderWay { guard, step }) = self.lookup.take().or_else(|| self.query.take())
        else {
            return;
        };
        match error {
            Some(error) => guard.fail((self.diesel.errors)(error)),
            // Rows that were still being read are dropped by it; the guard knows what to make of that.
            None if std::thread::panicking() => drop(guard),
            None => {
                guard.finish_as(Outcome::Ok);
                step.into_iter().for_each(|step| self.take_step(step));
            }
        }
    }

    fn take_step(&mut self, step: Step) {
        let begin = || self.diesel.transactions.begin();
        match step {
            Step::Begin => self.transaction = Some(begin()),
            Step::End(end) => self.transaction.take().unwrap_or_else(begin).end(end),
        }
    }

    /// A savepoint is a part of its transaction.
    fn announce(&mut self, step: Step, depth: u32) {
        self.announced = (depth == 1).then_some(step);
    }

    fn opened<E>(&mut self, result: &Result<(), E>) {
        if let Some(opening) = self.opening.take() {
            opening.finish(result);
        }
    }
}

impl Instrumentation for ConnectionInstrumentation {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        use InstrumentationEvent as Event;
        match event {
            Event::StartQuery { query, .. } => self.begun(query),
            Event::FinishQuery { error, .. } => self.ended(error),
            Event::BeginTransaction { depth, .. } => self.announce(Step::Begin, depth.get()),
            Event::CommitTransaction { depth, .. } => {
                self.announce(Step::End(TransactionEnd::Committed), depth.get());
            }
            Event::RollbackTransaction { depth, .. } => {
                self.announce(Step::End(TransactionEnd::RolledBack), depth.get());
            }
            Event::StartEstablishConnection { .. } => {
                self.opening = Some(self.diesel.connections.begin());
            }
            Event::FinishEstablishConnection { error, .. } => {
                self.opened(&error.map_or(Ok(()), Err))
            }
            // That a statement is prepared and kept is no run of it; its time is in the query that it is for.
            _ => {}
        }
    }
}

impl fmt::Debug for ConnectionInstrumentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionInstrumentation")
            .field("diesel", &self.diesel)
            .finish_non_exhaustive()
    }
}
