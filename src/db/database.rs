//! A database whose queries are told apart by their statements.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::error::Status;
use super::guard::{Counted, Guard};
use super::statement::{DoubleQuotes, Statement};
use super::statements::Statements;
use crate::config::DatabaseSettings;
use crate::histogram::{Cells, Reading, nanos};
use crate::instance::Plimsoll;
use crate::registry::{Domain, Operation, Outcome, Registry};
use crate::scope::StatementId;

/// Statements that are told apart unless told otherwise.
pub(super) const MAX_STATEMENTS: usize = 256;

const COUNT: usize = 0;
const TOTAL_NS: usize = 1;
const ERRORS: usize = 2;

impl Plimsoll {
    /// Measures queries by their SQL: a database of this name, which only [`top_queries`](Self::top_queries) shows.
    ///
    /// One name is one table of statements, whoever opens it; the options are those of the first, and those of the
    /// configuration (`[[database]]`) win over them.
    pub fn database(&self, name: impl Into<String>) -> DatabaseBuilder {
        DatabaseBuilder {
            plimsoll: self.clone(),
            name: name.into(),
            quotes: DoubleQuotes::default(),
            max_statements: MAX_STATEMENTS,
        }
    }
}

/// A database in the making; made by [`Plimsoll::database`].
#[derive(Debug, Clone)]
#[must_use = "nothing is measured before it is opened"]
pub struct DatabaseBuilder {
    plimsoll: Plimsoll,
    name: String,
    quotes: DoubleQuotes,
    max_statements: usize,
}

impl DatabaseBuilder {
    /// What double quotes stand around: names, unless told otherwise. MySQL needs [`DoubleQuotes::Literals`], or else
    /// what is between them is taken for a name.
    pub fn double_quotes(mut self, quotes: DoubleQuotes) -> Self {
        self.quotes = quotes;
        self
    }

    /// How many statements are told apart, 256 unless told otherwise; at most 32 000. What comes after them is counted
    /// under `_OTHER` and in `plimsoll_statement_overflow_total`.
    ///
    /// Memory: some 200 bytes for each, its text, and 64 bytes for each thread that uses it.
    pub fn max_statements(mut self, statements: usize) -> Self {
        self.max_statements = statements;
        self
    }

    /// The handle to measure with.
    pub fn open(self) -> Database {
        let inner = self.plimsoll.inner();
        let settings = inner.databases.settings(&self.name);
        let known = inner.databases.open(&self.name, || {
            let memory = inner.registry.memory_of_cells().clone();
            let cap = settings.max_statements.unwrap_or(self.max_statements);
            let quotes = match settings.quoted_literals {
                None => self.quotes,
                Some(false) => DoubleQuotes::Names,
                Some(true) => DoubleQuotes::Literals,
            };
            let statements = Statements::new(quotes, cap, memory);
            let queries = settings.queries.iter();
            queries.for_each(|name| statements.declare(name));
            Known {
                name: self.name.as_str().into(),
                statements,
            }
        });
        Database {
            registry: inner.registry.clone(),
            known,
        }
    }
}

/// All databases of an instance.
#[derive(Debug)]
pub(crate) struct Databases {
    /// What the configuration says, whatever the code does.
    settings: Vec<DatabaseSettings>,
    open: Mutex<Vec<Arc<Known>>>,
}

/// A database and its statements.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: Box<str>,
    pub(super) statements: Statements<Arc<Kept>>,
}

impl Databases {
    pub(crate) fn new(settings: Vec<DatabaseSettings>) -> Self {
        let open = Mutex::default();
        Self { settings, open }
    }

    /// What the configuration says of a database.
    fn settings(&self, name: &str) -> DatabaseSettings {
        let mut all = self.settings.iter();
        let found = all.find(|settings| settings.name == name);
        found.cloned().unwrap_or_default()
    }

    fn open(&self, name: &str, make: impl FnOnce() -> Known) -> Arc<Known> {
        let mut all = self.open.lock();
        if let Some(known) = all.iter().find(|known| *known.name == *name) {
            return known.clone();
        }
        let known = Arc::new(make());
        all.push(known.clone());
        known
    }

    pub(crate) fn all(&self) -> Vec<Arc<Known>> {
        self.open.lock().clone()
    }
}

impl Known {
    /// How many queries had no place of their own.
    pub(crate) fn overflow(&self) -> u64 {
        self.statements.overflow()
    }
}

/// What is counted of one statement.
#[derive(Debug)]
pub(super) struct Kept {
    operation: Arc<Operation>,
    cells: Cells,
}

/// What one statement has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) count: u64,
    pub(super) errors: u64,
    pub(super) total_ns: u64,
}

impl Kept {
    pub(super) fn operation(&self) -> &Arc<Operation> {
        &self.operation
    }

    /// A query ended.
    #[inline]
    pub(super) fn count(&self, elapsed_ns: u64, failed: bool) {
        self.cells.add(TOTAL_NS, elapsed_ns);
        if failed {
            self.cells.add(ERRORS, 1);
        }
        self.cells.add(COUNT, 1);
    }

    pub(super) fn counts(&self, reading: &Reading<'_>) -> Counts {
        let total = |counter| self.cells.total(reading, counter);
        // What ended since the first look may be in the others already, never the other way round.
        let count = total(COUNT);
        Counts {
            count,
            errors: total(ERRORS).min(count),
            total_ns: total(TOTAL_NS),
        }
    }
}

/// Measures queries of one database by their SQL, whatever the driver. Cheap to clone.
///
/// A statement's first words and tables are its label `query`: `SELECT orders`; its text never leaves the process. Cost of
/// a query whose statement is known: a hash of its first 4 KiB, a look at a table, two readings of the clock; no lock and
/// no allocation.
#[derive(Debug, Clone)]
pub struct Database {
    registry: Arc<Registry>,
    known: Arc<Known>,
}

impl Database {
    /// The name it was opened under.
    pub fn name(&self) -> &str {
        &self.known.name
    }

    /// Counts a query as begun, here and now; the guard counts its end.
    ///
    /// With a `name` (`orders.by_id`) that is its identity and its label `query`, whatever the text. Without one it is the
    /// text without its values. Any text will do; of more than 4 KiB only these are looked at.
    pub fn begin_sql(&self, sql: &str, name: Option<&str>) -> Guard {
        Guard::begin(self.find(sql, name))
    }

    /// What a query is counted as, which is not begun yet.
    pub(super) fn find(&self, sql: &str, name: Option<&str>) -> Counted {
        Counted::Statement(self.kept(sql, name).clone())
    }

    /// The same for text that may not be UTF-8, as some drivers have it: what is none is read as `\u{fffd}`, by a copy.
    pub fn begin_bytes(&self, sql: &[u8], name: Option<&str>) -> Guard {
        self.begin_sql(&String::from_utf8_lossy(sql), name)
    }

    /// Counts a query that somebody else timed, by its SQL or by `name` as [`begin_sql`](Self::begin_sql) does, with an
    /// [`Outcome`], an [`ErrorClass`](super::ErrorClass) or a [`Status`]. A duration above the range counts as the range's end.
    pub fn track_sql(
        &self,
        sql: &str,
        name: Option<&str>,
        duration: Duration,
        status: impl Into<Status>,
    ) {
        let (kept, end, elapsed_ns) = (self.kept(sql, name), status.into().0, nanos(duration));
        let operation = kept.operation();
        operation.record(end, elapsed_ns);
        kept.count(elapsed_ns, end.outcome == Outcome::Error);
        operation.ended(StatementId::of(&**kept), end, elapsed_ns, None);
    }

    /// Times a query from its first poll and returns its result, unchanged: [`Db::time`](super::Db::time) by statement.
    ///
    /// The text is read when this is called. Errors are not told apart; use [`begin_sql`](Self::begin_sql) for that.
    ///
    /// # Errors
    ///
    /// Those of `query`.
    pub fn time_sql<F, T, E>(
        &self,
        sql: &str,
        query: F,
    ) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let counted = self.find(sql, None);
        async move {
            let guard = Guard::begin(counted);
            let result = query.await;
            guard.finish(&result);
            result
        }
    }

    /// Queries of these names are told apart whatever came before: neither the cap on statements nor that on label sets
    /// concerns them. At most 32 000 of them; the others are as any.
    pub fn declare_queries<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        names
            .into_iter()
            .for_each(|name| self.known.statements.declare(name));
    }

    #[inline]
    fn kept(&self, sql: &str, name: Option<&str>) -> &Arc<Kept> {
        let statements = &self.known.statements;
        let slot = match name {
            Some(name) => statements.named(name, sql, |statement, declared| {
                self.keep(statement, name, declared)
            }),
            None => statements.of(sql, |statement, _| {
                self.keep(statement, &statement.summary, false)
            }),
        };
        &slot.kept
    }

    fn keep(&self, statement: &Statement, query: &str, declared: bool) -> Arc<Kept> {
        let set = self.registry.set(Domain::Db);
        let labels = [statement.verb, &statement.table, query];
        let operation = if declared {
            let operation = set.declare(&labels);
            operation.series(Outcome::Ok);
            operation.series(Status::from(Outcome::Error).0);
            operation
        } else {
            set.get(&labels)
        };
        Arc::new(Kept {
            operation: operation.clone(),
            cells: Cells::new(0, self.registry.memory_of_cells().clone()),
        })
    }
}
