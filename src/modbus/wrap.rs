//! Measuring somebody else's context.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_modbus::client::{Client, Context};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Error, Request, Response, Result, Slave};

use super::health::Cause;
use super::meters::{Held, Meters};
use super::values::asked;

pub(super) struct Measured {
    context: Context,
    meters: Arc<Meters>,
    /// As it was set since; a context does not tell the one that it was made with.
    unit: Slave,
    /// `None` once the context is known to be dead. A reply proves that it is not.
    held: Option<Held>,
}

impl Measured {
    pub(super) fn new(context: Context, meters: Arc<Meters>) -> Self {
        let held = Some(Held::new(&meters));
        Self {
            context,
            meters,
            unit: Slave::tcp_device(),
            held,
        }
    }

    fn learn(&mut self, result: &Result<Response>) {
        match result {
            Ok(_) if self.held.is_none() => self.held = Some(Held::new(&self.meters)),
            Err(Error::Transport(_)) => {
                self.meters.lost(Cause::Io);
                self.held = None;
            }
            Err(Error::Protocol(_)) => self.meters.health.failed(self.unit.0, Cause::Protocol),
            Ok(_) => {}
        }
    }
}

#[async_trait]
impl Client for Measured {
    async fn call(&mut self, request: Request<'_>) -> Result<Response> {
        let asked = asked(&request);
        let counted = self.meters.begin(&request);
        let result = self.context.call(request).await;
        self.learn(&result);
        self.meters.end(counted, self.unit, asked, &result);
        result
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        self.held = None;
        self.context.disconnect().await
    }
}

impl SlaveContext for Measured {
    fn set_slave(&mut self, slave: Slave) {
        self.unit = slave;
        self.context.set_slave(slave);
    }
}
