//! A query taken apart, so that its text can be looked at before the driver has it.

use std::fmt;

use sqlx_core::database::Database;
use sqlx_core::error::BoxDynError;
use sqlx_core::executor::Execute;
use sqlx_core::sql_str::SqlStr;

type Arguments<DB> = Result<Option<<DB as Database>::Arguments>, BoxDynError>;

/// Everything that a query says about itself, to be said again to the driver.
pub(super) struct Taken<DB: Database> {
    statement: Option<DB::Statement>,
    /// The first to ask gets them, as with sqlx' own queries.
    arguments: Arguments<DB>,
    persistent: bool,
    sql: SqlStr,
    /// What the user calls it.
    name: Option<&'static str>,
}

impl<DB: Database> Taken<DB> {
    /// In the order in which drivers ask: whether a query wants to be cached may depend on its arguments having been
    /// taken, and its text ends it. Cost: moves; a statement that was prepared by hand is a few reference counts.
    pub(super) fn of<'q>(mut query: impl Execute<'q, DB>) -> Self {
        let statement = query.statement().cloned();
        let arguments = query.take_arguments();
        let persistent = query.persistent();
        Self {
            statement,
            arguments,
            persistent,
            sql: query.sql(),
            name: None,
        }
    }

    /// The same under a name.
    pub(super) fn named(self, name: &'static str) -> Self {
        let name = Some(name);
        Self { name, ..self }
    }

    pub(super) fn name(&self) -> Option<&'static str> {
        self.name
    }

    pub(super) fn text(&self) -> &str {
        self.sql.as_str()
    }
}

impl<DB: Database> Execute<'_, DB> for Taken<DB> {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&DB::Statement> {
        self.statement.as_ref()
    }

    fn take_arguments(&mut self) -> Arguments<DB> {
        std::mem::replace(&mut self.arguments, Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

// Not the arguments: they are somebody's values.
impl<DB: Database> fmt::Debug for Taken<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("sql", &self.sql)
            .finish_non_exhaustive()
    }
}
