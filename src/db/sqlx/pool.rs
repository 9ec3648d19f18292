//! A pool whose statements and waits are counted.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use sqlx_core::connection::Connection as DriverConnection;
use sqlx_core::database::Database;
use sqlx_core::error::Error;
use sqlx_core::pool::{CloseEvent, Pool as Inner, PoolOptions};
use sqlx_core::sql_str::{SqlSafeStr, SqlStr};

use super::connection::{Connection, PoolConnection};
use super::meter::Meter;
use super::transaction::{Held, Transaction};
use crate::instance::Plimsoll;
use crate::pool::{Pool as Waits, PoolDetail};
use crate::registry::InstrumentError;

type ConnectOptions<DB> = <<DB as Database>::Connection as DriverConnection>::Options;

/// A pool whose statements and waits are counted: where sqlx has `SqlitePool`, `PgPool`, ... Cheap to clone.
///
/// `&Pool<DB>` is an executor. What the methods do beside counting is what sqlx' own do.
pub struct Pool<DB: Database>(pub(super) Arc<Shared<DB>>);

pub(super) struct Shared<DB: Database> {
    inner: Inner<DB>,
    waits: Waits,
    meter: Arc<Meter>,
}

impl Plimsoll {
    /// Counts what is done through a pool of sqlx, under `name`.
    ///
    /// Waits, connections and transactions have the label `pool` = `name`. The pool's gauges are left out once it is
    /// gone; this keeps no connection open. Asked twice for one name, both count together, and the gauges are the second's.
    ///
    /// # Errors
    ///
    /// [`InstrumentError`] when one of the names under which pools are exported, with the configured prefix, was
    /// registered before as something else.
    pub fn sqlx_pool<DB: Database>(
        &self,
        name: &str,
        pool: Inner<DB>,
    ) -> Result<Pool<DB>, InstrumentError> {
        let waits = self.pool(name)?;
        let meter = Arc::new(Meter::new(self, name, DB::NAME)?);
        let shared = Arc::new(Shared {
            inner: pool,
            waits: waits.clone(),
            meter,
        });
        let weak = Arc::downgrade(&shared);
        _ = waits.observe_detail(move || Some(weak.upgrade()?.detail()))?;
        Ok(Pool(shared))
    }

    /// Counts what is done on a single connection of sqlx, under `name`.
    ///
    /// # Errors
    ///
    /// As those of [`sqlx_pool`](Self::sqlx_pool).
    pub fn sqlx_connection<DB: Database>(
        &self,
        name: &str,
        connection: DB::Connection,
    ) -> Result<Connection<DB>, InstrumentError> {
        let meter = Arc::new(Meter::new(self, name, DB::NAME)?);
        Ok(Connection::own(connection, meter))
    }
}

impl<DB: Database> Shared<DB> {
    pub(super) async fn acquire(self: Arc<Self>) -> Result<PoolConnection<DB>, Error> {
        let wait = self.waits.wait();
        let result = self.inner.acquire().await;
        wait.finish(&result, |error| matches!(error, Error::PoolTimedOut));
        Ok(PoolConnection(Connection::pooled(result?, Lent::new(self))))
    }

    fn detail(&self) -> PoolDetail {
        PoolDetail {
            active: self.meter.lent(),
            max: self.inner.options().get_max_connections().into(),
            size: self.inner.size().into(),
            idle: self.inner.num_idle() as u64,
        }
    }
}

/// One connection that is lent out, for as long as it lives.
pub(super) struct Lent<DB: Database>(Arc<Shared<DB>>);

impl<DB: Database> Lent<DB> {
    fn new(shared: Arc<Shared<DB>>) -> Self {
        shared.meter.lend();
        Self(shared)
    }

    pub(super) fn meter(&self) -> &Arc<Meter> {
        &self.0.meter
    }
}

impl<DB: Database> Drop for Lent<DB> {
    fn drop(&mut self) {
        self.0.meter.take_back();
    }
}

impl<DB: Database> Pool<DB> {
    /// sqlx' pool. Nothing that is done through it is counted, and connections that it lends out look like ghosts.
    pub fn inner(&self) -> &Inner<DB> {
        &self.0.inner
    }

    /// Waits for a connection; the wait is counted, and timed apart from any query.
    ///
    /// # Errors
    ///
    /// `PoolTimedOut`, `PoolClosed`, and those of opening a connection.
    pub fn acquire(
        &self,
    ) -> impl Future<Output = Result<PoolConnection<DB>, Error>> + Send + use<DB> {
        self.0.clone().acquire()
    }

    /// A connection, if one is idle. It waits for nothing, so no wait is counted.
    pub fn try_acquire(&self) -> Option<PoolConnection<DB>> {
        let connection = self.inner().try_acquire()?;
        let lent = Lent::new(self.0.clone());
        Some(PoolConnection(Connection::pooled(connection, lent)))
    }

    /// Waits for a connection and begins a transaction on it.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire) and of the database.
    pub fn begin(
        &self,
    ) -> impl Future<Output = Result<Transaction<'static, DB>, Error>> + Send + use<DB> {
        self.begin_on(None)
    }

    /// The same, with a statement of your own, such as `BEGIN IMMEDIATE`.
    ///
    /// # Errors
    ///
    /// As those of [`begin`](Self::begin).
    pub async fn begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> Result<Transaction<'static, DB>, Error> {
        self.begin_on(Some(statement.into_sql_str())).await
    }

    /// Begins a transaction, if a connection is idle.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn try_begin(&self) -> Result<Option<Transaction<'static, DB>>, Error> {
        self.try_begin_on(None).await
    }

    /// The same, with a statement of your own.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn try_begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> Result<Option<Transaction<'static, DB>>, Error> {
        self.try_begin_on(Some(statement.into_sql_str())).await
    }

    fn begin_on(
        &self,
        statement: Option<SqlStr>,
    ) -> impl Future<Output = Result<Transaction<'static, DB>, Error>> + Send + use<DB> {
        let shared = self.0.clone();
        async move {
            let connection = shared.acquire().await?;
            Transaction::begin(Held::Owned(connection.0), statement).await
        }
    }

    async fn try_begin_on(
        &self,
        statement: Option<SqlStr>,
    ) -> Result<Option<Transaction<'static, DB>>, Error> {
        match self.try_acquire() {
            Some(connection) => {
                let connection = Held::Owned(connection.0);
                Transaction::begin(connection, statement).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Closes the pool and waits until its connections are back and closed.
    pub fn close(&self) -> impl Future<Output = ()> + '_ {
        self.inner().close()
    }

    /// Whether the pool is closed, or is being closed.
    pub fn is_closed(&self) -> bool {
        self.inner().is_closed()
    }

    /// Resolves when the pool begins to close.
    pub fn close_event(&self) -> CloseEvent {
        self.inner().close_event()
    }

    /// Connections that there are.
    pub fn size(&self) -> u32 {
        self.inner().size()
    }

    /// Connections that wait for work.
    pub fn num_idle(&self) -> usize {
        self.inner().num_idle()
    }

    /// How connections are opened. sqlx prints passwords that are in it, here as anywhere: not for a log.
    pub fn connect_options(&self) -> Arc<ConnectOptions<DB>> {
        self.inner().connect_options()
    }

    /// Changes how connections are opened from now on.
    pub fn set_connect_options(&self, options: ConnectOptions<DB>) {
        self.inner().set_connect_options(options);
    }

    /// How the pool was made.
    pub fn options(&self) -> &PoolOptions<DB> {
        self.inner().options()
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.0.meter
    }
}

impl<DB: Database> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<DB: Database> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("inner", self.inner())
            .finish_non_exhaustive()
    }
}
