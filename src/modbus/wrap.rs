//! Measuring somebody else's context.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_modbus::client::{Client, Context};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Error, Request, Response, Result, Slave};

use super::meters::{Held, Meters};
use super::values::asked;

pub(super) struct Measured {
    context: Context,
    meters: Arc<Meters>,
    /// `None` once the context is known to be dead. A reply proves that it is not.
    held: Option<Held>,
}

impl Measured {
    pub(super) fn new(context: Context, meters: Arc<Meters>) -> Self {
        let held = Some(Held::new(&meters));
        Self {
            context,
            meters,
            held,
        }
    }

    fn learn(&mut self, result: &Result<Response>) {
        match result {
            Ok(_) if self.held.is_none() => self.held = Some(Held::new(&self.meters)),
            Err(Error::Transport(_)) => self.held = None,
            Ok(_) | Err(Error::Protocol(_)) => {}
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
        self.meters.end(counted, asked, &result);
        result
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        self.held = None;
        self.context.disconnect().await
    }
}

impl SlaveContext for Measured {
    fn set_slave(&mut self, slave: Slave) {
        self.context.set_slave(slave);
    }
}
