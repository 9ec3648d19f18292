//! Measuring somebody else's context.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_modbus::client::{Client, Context};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Error, Request, Response, Result, Slave};

use super::device::Quality;
use super::failure::Failure;
use super::ledger::{Change, Held, Ledger};
use super::names::Name;
use super::pdu;

/// Measures contexts of one device; made by [`DeviceBuilder::meter`](super::DeviceBuilder::meter). Cheap to clone.
#[derive(Debug, Clone)]
pub struct Meter {
    pub(super) ledger: Arc<Ledger>,
    pub(super) name: Name,
}

impl Meter {
    /// Measures a context and changes nothing about it: no timeout, no reconnect, the same replies and errors.
    ///
    /// Cost per request: one boxed future, as in every layer of tokio-modbus, and two readings of the clock.
    #[must_use]
    pub fn wrap(&self, context: Context) -> Context {
        let client: Box<dyn Client> = Box::new(Measured {
            client: context.into(),
            held: Some(Held::new(&self.ledger, Change::Given)),
            meter: self.clone(),
            unit: Slave::tcp_device().0,
            troubled: false,
        });
        client.into()
    }
}

struct Measured {
    /// What was in the context: through that, each call would allocate once more.
    client: Box<dyn Client>,
    meter: Meter,
    /// `None` once the context is known to be dead. A reply proves that it is not.
    held: Option<Held>,
    /// The unit that was set last; a context does not show which it was made for, so until then it is the default.
    unit: u8,
    /// Whether something went wrong since the latest good reply.
    troubled: bool,
}

impl Measured {
    fn learn(&mut self, result: &Result<Response>) {
        match result {
            Ok(_) if self.held.is_none() => {
                let again = Change::Opened { again: false };
                self.held = Some(Held::new(&self.meter.ledger, again));
            }
            Err(Error::Transport(_)) => self.held = None,
            Ok(_) | Err(Error::Protocol(_)) => {}
        }
    }
}

#[async_trait]
impl Client for Measured {
    async fn call(&mut self, request: Request<'_>) -> Result<Response> {
        let ledger = self.meter.ledger.clone();
        let points = pdu::points(&request);
        let running = ledger.begin(Some(self.unit), request.function_code());
        // Until its end is known: nobody may wait for it.
        let troubled = std::mem::replace(&mut self.troubled, true);
        let result = self.client.call(request).await;
        self.learn(&result);
        let (end, quality) = match &result {
            Ok(Ok(_)) if troubled => (Ok(points), Quality::Suspect),
            Ok(Ok(_)) => (Ok(points), Quality::Good),
            Ok(Err(code)) => (Err(Failure::of_exception(*code)), Quality::Good),
            Err(error) => (Err(Failure::of(error)), Quality::Good),
        };
        self.troubled = match &result {
            Ok(Ok(_)) => false,
            Ok(Err(_)) => troubled,
            Err(_) => true,
        };
        running.end(end, quality);
        result
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        self.held = None;
        self.client.disconnect().await
    }
}

impl SlaveContext for Measured {
    fn set_slave(&mut self, slave: Slave) {
        self.unit = slave.0;
        self.client.set_slave(slave);
    }
}
