//! Connections whose statements are counted.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use futures_core::future::BoxFuture;
use sqlx_core::connection::Connection as _;
use sqlx_core::database::{Database, HasStatementCache};
use sqlx_core::error::Error;
use sqlx_core::pool::PoolConnection as Pooled;
use sqlx_core::sql_str::SqlSafeStr;
use sqlx_core::transaction::TransactionManager;

use super::meter::Meter;
use super::pool::Lent;
use super::transaction::Transaction;

/// A connection whose statements are counted: where sqlx has `SqliteConnection`, `PgConnection`, ...
///
/// `&mut Connection<DB>` is an executor. It does not dereference to the driver's connection, on which nothing is counted:
/// [`inner`](Self::inner) and [`inner_mut`](Self::inner_mut) say so.
pub struct Connection<DB: Database>(Inner<DB>);

enum Inner<DB: Database> {
    Pooled(Pooled<DB>, Lent<DB>),
    Own(DB::Connection, Arc<Meter>),
}

impl<DB: Database> Connection<DB> {
    pub(super) fn pooled(connection: Pooled<DB>, lent: Lent<DB>) -> Self {
        Self(Inner::Pooled(connection, lent))
    }

    pub(super) fn own(connection: DB::Connection, meter: Arc<Meter>) -> Self {
        Self(Inner::Own(connection, meter))
    }

    /// Where its statements are counted.
    pub(super) fn meter(&self) -> &Arc<Meter> {
        match &self.0 {
            Inner::Pooled(_, lent) => lent.meter(),
            Inner::Own(_, meter) => meter,
        }
    }

    /// The driver's connection.
    pub fn inner(&self) -> &DB::Connection {
        match &self.0 {
            Inner::Pooled(connection, _) => connection,
            Inner::Own(connection, _) => connection,
        }
    }

    /// The driver's connection. Statements that are executed on it are not counted.
    pub fn inner_mut(&mut self) -> &mut DB::Connection {
        match &mut self.0 {
            Inner::Pooled(connection, _) => connection,
            Inner::Own(connection, _) => connection,
        }
    }

    /// Begins a transaction, or a savepoint inside of one.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub fn begin(&mut self) -> impl Future<Output = Result<Transaction<'_, DB>, Error>> + Send {
        Transaction::begin(self.into(), None)
    }

    /// Begins a transaction with a statement of your own, such as `BEGIN IMMEDIATE`.
    ///
    /// # Errors
    ///
    /// Those of the database; inside of a transaction `InvalidSavePointStatement`.
    pub fn begin_with(
        &mut self,
        statement: impl SqlSafeStr,
    ) -> impl Future<Output = Result<Transaction<'_, DB>, Error>> + Send {
        Transaction::begin(self.into(), Some(statement.into_sql_str()))
    }

    /// Runs `callback` in a transaction: committed if it returns `Ok`, rolled back if it does not.
    ///
    /// # Errors
    ///
    /// Those of `callback` and of the database.
    pub async fn transaction<'a, F, R, E>(&'a mut self, callback: F) -> Result<R, E>
    where
        F: for<'c> FnOnce(&'c mut Transaction<'_, DB>) -> BoxFuture<'c, Result<R, E>> + Send + 'a,
        R: Send,
        E: From<Error> + Send,
    {
        let mut transaction = self.begin().await?;
        let result = callback(&mut transaction).await;
        match result {
            Ok(_) => transaction.commit().await?,
            Err(_) => transaction.rollback().await?,
        }
        result
    }

    /// Whether a transaction is open.
    pub fn is_in_transaction(&self) -> bool {
        DB::TransactionManager::get_transaction_depth(self.inner()) != 0
    }

    /// Asks the database whether it is there. Not counted.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn ping(&mut self) -> Result<(), Error> {
        self.inner_mut().ping().await
    }

    /// How many prepared statements the connection keeps.
    pub fn cached_statements_size(&self) -> usize
    where
        DB: HasStatementCache,
    {
        self.inner().cached_statements_size()
    }

    /// Forgets the prepared statements.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn clear_cached_statements(&mut self) -> Result<(), Error>
    where
        DB: HasStatementCache,
    {
        self.inner_mut().clear_cached_statements().await
    }

    /// Gives back memory that buffers do not need.
    pub fn shrink_buffers(&mut self) {
        self.inner_mut().shrink_buffers();
    }

    /// Closes the connection and waits until it is.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn close(self) -> Result<(), Error> {
        match self.0 {
            Inner::Pooled(connection, _lent) => connection.close().await,
            Inner::Own(connection, _) => connection.close().await,
        }
    }
}

/// A connection that goes back to its pool when it is dropped. Dereferences to [`Connection`].
pub struct PoolConnection<DB: Database>(pub(super) Connection<DB>);

impl<DB: Database> PoolConnection<DB> {
    /// Closes the connection, so that the pool may open another one, and waits until it is closed.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn close(self) -> Result<(), Error> {
        self.0.close().await
    }

    /// sqlx' connection. Nothing that is done on it is counted, and to the pool's gauges it is a ghost.
    pub fn into_inner(self) -> Pooled<DB> {
        match self.0.0 {
            Inner::Pooled(connection, _lent) => connection,
            Inner::Own(..) => unreachable!("whatever is wrapped so came from a pool"),
        }
    }

    /// Lets the connection be closed when it is dropped.
    pub fn close_on_drop(&mut self) {
        if let Inner::Pooled(connection, _) = &mut self.0.0 {
            connection.close_on_drop();
        }
    }

    /// Takes the connection from the pool for ever; the pool may open another one. Its statements are still counted.
    pub fn detach(self) -> Connection<DB> {
        Connection(match self.0.0 {
            Inner::Pooled(connection, lent) => {
                Inner::Own(connection.detach(), lent.meter().clone())
            }
            own => own,
        })
    }

    /// Takes the connection from the pool for ever; to the pool it is lent out for ever, and so it is shown. Its statements
    /// are still counted.
    pub fn leak(self) -> Connection<DB> {
        Connection(match self.0.0 {
            Inner::Pooled(connection, lent) => {
                let meter = lent.meter().clone();
                // This loan ends with the connection that the pool knows, and another one begins that never ends.
                meter.lend();
                Inner::Own(connection.leak(), meter)
            }
            own => own,
        })
    }
}

impl<DB: Database> Deref for PoolConnection<DB> {
    type Target = Connection<DB>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<DB: Database> DerefMut for PoolConnection<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<DB: Database> AsMut<Connection<DB>> for PoolConnection<DB> {
    fn as_mut(&mut self) -> &mut Connection<DB> {
        self
    }
}

impl<DB: Database> fmt::Debug for Connection<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("database", &DB::NAME)
            .finish_non_exhaustive()
    }
}

impl<DB: Database> fmt::Debug for PoolConnection<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PoolConnection").field(&self.0).finish()
    }
}
