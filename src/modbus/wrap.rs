//! Measuring somebody else's context.

use std::io;
use std::pin::Pin;
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

type Calling<'a> = Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>>;

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
            meter: self.clone(),
            unit: Slave::tcp_device().0,
            state: State {
                held: Some(Held::new(&self.ledger, Change::Given)),
                troubled: false,
            },
        });
        client.into()
    }
}

struct Measured {
    /// What is in the context: one boxed future less than the context itself.
    client: Box<dyn Client>,
    meter: Meter,
    /// The unit that was set last; a context does not show which it was made for, so until then it is the default.
    unit: u8,
    state: State,
}

/// What is known of a context.
struct State {
    /// `None` once it is known to be dead. A reply proves that it is not.
    held: Option<Held>,
    /// Whether something went wrong since the latest good reply.
    troubled: bool,
}

impl State {
    /// Takes in how a request ended, before which there was trouble or not; and how far its values may be believed.
    fn learn(&mut self, before: bool, result: &Result<Response>, ledger: &Arc<Ledger>) -> Quality {
        match result {
            Ok(_) if self.held.is_none() => {
                let again = Change::Opened { again: false };
                self.held = Some(Held::new(ledger, again));
            }
            Err(Error::Transport(_)) => self.held = None,
            Ok(_) | Err(Error::Protocol(_)) => {}
        }
        match result {
            Ok(Ok(_)) => self.troubled = false,
            Ok(Err(_)) => self.troubled = before,
            Err(_) => {}
        }
        match result {
            Ok(Ok(_)) if before => Quality::Suspect,
            _ => Quality::Good,
        }
    }
}

#[async_trait]
impl Client for Measured {
    // Written out, for the future is smaller without the request, which the one inside has.
    fn call<'s, 'r, 'f>(&'s mut self, request: Request<'r>) -> Calling<'f>
    where
        's: 'f,
        'r: 'f,
    {
        let (code, points) = (request.function_code(), pdu::points(&request));
        let (ledger, state, unit) = (&self.meter.ledger, &mut self.state, self.unit);
        let call = self.client.call(request);
        Box::pin(async move {
            let running = ledger.begin(Some(unit), code);
            // Until its end is known: nobody may wait for it.
            let before = std::mem::replace(&mut state.troubled, true);
            let result = call.await;
            let quality = state.learn(before, &result, ledger);
            let end = match &result {
                Ok(Ok(_)) => Ok(points),
                Ok(Err(code)) => Err(Failure::of_exception(*code)),
                Err(error) => Err(Failure::of(error)),
            };
            running.end(end, quality);
            result
        })
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        self.state.held = None;
        self.client.disconnect().await
    }
}

impl SlaveContext for Measured {
    fn set_slave(&mut self, slave: Slave) {
        self.unit = slave.0;
        self.client.set_slave(slave);
    }
}
