//! Measuring somebody else's context.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use async_trait::async_trait;
use tokio_modbus::client::{Client, Context};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Error, ExceptionCode, FunctionCode, Request, Response, Result, Slave};

use super::device::Quality;
use super::failure::Failure;
use super::ledger::{Change, Held, Ledger, Running};
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
    /// A reply came through it.
    #[inline]
    fn alive(&mut self, ledger: &Arc<Ledger>) {
        if self.held.is_none() {
            let again = Change::Opened { again: false };
            self.held = Some(Held::new(ledger, again));
        }
    }
}

#[async_trait]
impl Client for Measured {
    // Not an `async fn`: its future would be made on the stack, and copied before the processor could have it all.
    fn call<'s, 'r, 'f>(&'s mut self, request: Request<'r>) -> Calling<'f>
    where
        's: 'f,
        'r: 'f,
    {
        let (code, points) = (request.function_code(), pdu::points(&request));
        let call = self.client.call(request);
        // The place first, so that it is made there.
        let place = Box::<Call<'_>>::new_uninit();
        let call = Call {
            call,
            running: None,
            ledger: &self.meter.ledger,
            troubled: self.state.troubled,
            state: &mut self.state,
            unit: self.unit,
            code,
            points,
        };
        Pin::from(Box::write(place, call))
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

/// A request and what is to be known when it ends.
struct Call<'a> {
    call: Calling<'a>,
    /// From the first poll on.
    running: Option<Running<'a>>,
    ledger: &'a Arc<Ledger>,
    state: &'a mut State,
    /// Whether there was trouble before it.
    troubled: bool,
    unit: u8,
    code: FunctionCode,
    /// The values of a good reply.
    points: usize,
}

impl<'a> Call<'a> {
    #[inline]
    fn begin(&mut self) -> &mut Running<'a> {
        // Until its end is known: nobody may wait for it.
        self.state.troubled = true;
        self.running
            .insert(self.ledger.begin(Some(self.unit), self.code))
    }

    /// Values came.
    #[inline]
    fn succeed(&mut self) {
        self.state.alive(self.ledger);
        self.state.troubled = false;
        let quality = match self.troubled {
            false => Quality::Good,
            true => Quality::Suspect,
        };
        if let Some(running) = &mut self.running {
            running.succeed(self.points, quality);
        }
    }

    /// Anything else came.
    #[cold]
    #[inline(never)]
    fn fail(&mut self, end: std::result::Result<ExceptionCode, &Error>) {
        let failure = match end {
            Ok(code) => {
                self.state.alive(self.ledger);
                self.state.troubled = self.troubled;
                Failure::of_exception(code)
            }
            Err(error) => {
                if matches!(error, Error::Transport(_)) {
                    self.state.held = None;
                }
                Failure::of(error)
            }
        };
        if let Some(running) = &mut self.running {
            running.fail(failure);
        }
    }
}

impl Future for Call<'_> {
    type Output = Result<Response>;

    fn poll(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.running.is_none() {
            this.begin();
        }
        let unwinding = Unwinding(&mut this.running);
        let polled = this.call.as_mut().poll(context);
        std::mem::forget(unwinding);
        match polled {
            Poll::Pending => {}
            Poll::Ready(Ok(Ok(_))) => this.succeed(),
            Poll::Ready(Ok(Err(code))) => this.fail(Ok(code)),
            Poll::Ready(Err(ref error)) => this.fail(Err(error)),
        }
        polled
    }
}

/// Tells the end of a request whose poll panics while it does, as an `async fn` would: whoever catches the panic may drop
/// the future later.
struct Unwinding<'a, 'r>(&'a mut Option<Running<'r>>);

impl Drop for Unwinding<'_, '_> {
    #[cold]
    fn drop(&mut self) {
        *self.0 = None;
    }
}
