//! Transactions whose statements are counted, their own included.

use std::fmt;
use std::ops::{Deref, DerefMut};

use sqlx_core::database::Database;
use sqlx_core::error::Error;
use sqlx_core::sql_str::SqlStr;
use sqlx_core::transaction::TransactionManager;

use super::super::transactions::TransactionEnd;
use super::connection::Connection;
use super::ended::end;

/// A transaction, or a savepoint inside of one. Dereferences to [`Connection`].
///
/// `BEGIN`, `COMMIT` and `ROLLBACK` are statements like others; those of savepoints are `SAVEPOINT`, `RELEASE` and
/// `ROLLBACK TO`. Dropped without an end it is rolled back as by sqlx: the statement runs when the connection is used next,
/// or goes back to its pool, and nobody waits for it. So it is not counted as one; that the transaction was dropped is, in
/// `db_transactions_total`. So is a `begin` or a `commit` that was given up on its way, whatever the server made of it: it may
/// have committed, and with PostgreSQL sqlx 0.9 forgets a transaction that was begun for nobody, which the connection then
/// takes back to its pool.
pub struct Transaction<'c, DB: Database> {
    connection: Held<'c, DB>,
    /// Whether a drop has to roll back.
    open: bool,
    /// How many there are, this one included.
    depth: usize,
}

/// What a transaction is on.
pub(super) enum Held<'c, DB: Database> {
    Owned(Connection<DB>),
    Borrowed(&'c mut Connection<DB>),
}

impl<'c, DB: Database> From<&'c mut Connection<DB>> for Held<'c, DB> {
    fn from(connection: &'c mut Connection<DB>) -> Self {
        Self::Borrowed(connection)
    }
}

impl<'c, DB: Database> Transaction<'c, DB> {
    pub(super) async fn begin(
        connection: Held<'c, DB>,
        statement: Option<SqlStr>,
    ) -> Result<Self, Error> {
        let mut transaction = Self {
            connection,
            // Dropped in the middle it may have begun.
            open: true,
            depth: 0,
        };
        let depth = DB::TransactionManager::get_transaction_depth(transaction.inner());
        transaction.depth = depth + 1;
        let text = match &statement {
            Some(statement) => statement.as_str(),
            None if depth == 0 => "BEGIN",
            None => "SAVEPOINT",
        };
        let guard = transaction.meter().begin(text);
        let result = DB::TransactionManager::begin(transaction.inner_mut(), statement).await;
        end(guard, &result, |()| None);
        if let Err(error) = result {
            // Nothing was begun that could be counted as dropped; the rollback is sqlx' precaution.
            transaction.depth = 0;
            return Err(error);
        }
        Ok(transaction)
    }

    /// Commits the transaction, or releases the savepoint.
    ///
    /// # Errors
    ///
    /// Those of the database; the transaction is rolled back then.
    pub async fn commit(mut self) -> Result<(), Error> {
        let text = self.text("COMMIT", "RELEASE SAVEPOINT");
        let guard = self.meter().begin(text);
        let result = DB::TransactionManager::commit(self.inner_mut()).await;
        end(guard, &result, |()| None);
        result?;
        self.close(TransactionEnd::Committed);
        Ok(())
    }

    /// Rolls back the transaction, or to the savepoint.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn rollback(mut self) -> Result<(), Error> {
        let text = self.text("ROLLBACK", "ROLLBACK TO SAVEPOINT");
        let guard = self.meter().begin(text);
        let result = DB::TransactionManager::rollback(self.inner_mut()).await;
        end(guard, &result, |()| None);
        result?;
        self.close(TransactionEnd::RolledBack);
        Ok(())
    }

    fn text(&self, transaction: &'static str, savepoint: &'static str) -> &'static str {
        if self.depth > 1 {
            savepoint
        } else {
            transaction
        }
    }

    fn close(&mut self, end: TransactionEnd) {
        self.open = false;
        // A savepoint is a part of its transaction.
        if self.depth == 1 {
            self.meter().transaction_ended(end);
        }
    }
}

impl<DB: Database> Drop for Transaction<'_, DB> {
    fn drop(&mut self) {
        if self.open {
            DB::TransactionManager::start_rollback(self.inner_mut());
            self.close(TransactionEnd::Dropped);
        }
    }
}

impl<DB: Database> Deref for Transaction<'_, DB> {
    type Target = Connection<DB>;

    fn deref(&self) -> &Self::Target {
        match &self.connection {
            Held::Owned(connection) => connection,
            Held::Borrowed(connection) => connection,
        }
    }
}

impl<DB: Database> DerefMut for Transaction<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.connection {
            Held::Owned(connection) => connection,
            Held::Borrowed(connection) => connection,
        }
    }
}

impl<DB: Database> AsMut<Connection<DB>> for Transaction<'_, DB> {
    fn as_mut(&mut self) -> &mut Connection<DB> {
        self
    }
}

impl<DB: Database> fmt::Debug for Transaction<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}
