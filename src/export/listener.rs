//! The page on a port of its own, for services without a router, or whose router is public.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::handler;
use crate::instance::Plimsoll;

/// Serves `GET /metrics` on `address` (`"127.0.0.1:9100"`), and 404 elsewhere, until the [`Listener`] is dropped.
///
/// Port 0 lets the system choose; [`Listener::local_addr`] tells which. Runs on the current tokio runtime.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let plimsoll = plimsoll::Plimsoll::builder().build()?;
/// let listener = plimsoll::export::listen(&plimsoll, "127.0.0.1:0").await?;
/// println!("http://{}/metrics", listener.local_addr());
/// listener.stop().await;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`ListenError`] if the address is already in use or cannot be bound for another reason.
///
/// # Panics
///
/// Outside of a tokio runtime with I/O enabled.
pub async fn listen(plimsoll: &Plimsoll, address: &str) -> Result<Listener, ListenError> {
    let refused = |error| ListenError::new(address, error);
    let socket = TcpListener::bind(address).await.map_err(refused)?;
    let local_addr = socket.local_addr().map_err(refused)?;
    let router = Router::new().route("/metrics", handler(plimsoll));
    let (stop, stopped) = oneshot::channel::<()>();
    let serve = axum::serve(socket, router).with_graceful_shutdown(async {
        // Nothing is ever sent: the listener's end comes with its drop.
        let _ = stopped.await;
    });
    Ok(Listener {
        local_addr,
        _stop: stop,
        task: tokio::spawn(async {
            // `axum::serve` retries failed accepts itself and does not return an error.
            let _ = serve.await;
        }),
    })
}

/// A listener under way. Dropped, it closes its port and lets the answers under way finish.
#[derive(Debug)]
#[must_use = "dropped at once, it stops listening"]
pub struct Listener {
    local_addr: SocketAddr,
    /// Open connections are told to finish by its drop.
    _stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listener {
    /// The address that it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops, and returns when the port is free again.
    pub async fn stop(mut self) {
        self.task.abort();
        // It was aborted: that is the only error there is.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why the metrics cannot be served.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListenError {
    /// Somebody else listens on the address.
    InUse {
        /// The address as given.
        address: String,
    },
    /// The address cannot be bound for another reason.
    Bind {
        /// The address as given.
        address: String,
        /// The system's reason.
        source: io::Error,
    },
}

impl ListenError {
    fn new(address: &str, source: io::Error) -> Self {
        let address = address.to_owned();
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { address },
            _ => Self::Bind { address, source },
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { address } => write!(
                f,
                "address {address} is already in use: stop what listens there, or choose another port (0 lets the \
                 system choose)"
            ),
            Self::Bind { address, source } => write!(
                f,
                "cannot listen on {address:?}: {source}; it must be an address of this machine with a port, such as \
                 127.0.0.1:9100"
            ),
        }
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bind { source, .. } => Some(source),
            Self::InUse { .. } => None,
        }
    }
}
