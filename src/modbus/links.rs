//! The connections of one device, lent out in the order in which they are asked for.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_modbus::{Error, Request, Response, Result};

use super::asked::Asked;
use super::device::Quality;
use super::failure::{Failure, Fault};
use super::ledger::Ledger;
use super::link::{Line, Link};
use super::names::Name;
use super::pdu;
use super::wire::Wire;
use crate::pool::{Pool, PoolState};

pub(super) struct Links {
    line: Arc<Line>,
    /// A permit for each free link; handed out first come, first served.
    turns: Semaphore,
    free: Mutex<Vec<Link>>,
    pool: Pool,
    /// Nobody else has it while there is this device.
    _name: Name,
}

impl Links {
    /// `pool` measures the wait for a connection.
    pub(super) fn new(line: Line, pool: Pool, name: Name) -> Arc<Self> {
        let line = Arc::new(line);
        let count = line.settings.connections;
        Arc::new_cyclic(|links: &Weak<Self>| {
            let links = links.clone();
            let state = move || PoolState {
                active: links.upgrade().map_or(0, |links| links.lent()),
                max: count as u64,
            };
            Self {
                turns: Semaphore::new(count),
                free: Mutex::new((0..count).map(|_| Link::new(line.clone())).collect()),
                pool: pool.observe(state),
                line,
                _name: name,
            }
        })
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.line.ledger
    }

    /// How long the line is busy with a request that is not answered, retries included, once connected.
    pub(super) fn longest(&self) -> Duration {
        self.line.settings.longest()
    }

    fn lent(&self) -> u64 {
        (self.line.settings.connections - self.turns.available_permits()) as u64
    }

    /// Asks through the next free connection.
    pub(super) async fn ask(&self, unit: u8, request: Request<'_>) -> (Result<Response>, Quality) {
        let asked = match Asked::new(unit, &request, &self.line) {
            Ok(asked) => asked,
            Err(fault) => {
                let mut running = self.line.ledger.begin(None, request.function_code());
                running.fail(fault.failure);
                return (Err(self.error(fault)), Quality::Good);
            }
        };
        let mut lease = match self.lease().await {
            Ok(lease) => lease,
            Err(fault) => return (Err(self.error(fault)), Quality::Good),
        };
        let told = asked.unanswered.is_none().then_some(unit);
        let mut running = self.line.ledger.begin(told, request.function_code());
        let end = lease.link.ask(&asked).await;
        drop(lease);
        let quality = match end {
            Ok((Ok(_), true)) => Quality::Suspect,
            _ => Quality::Good,
        };
        match &end {
            Ok((Ok(_), _)) if asked.unanswered.is_some() => running.succeed(0, quality),
            Ok((Ok(_), _)) => running.succeed(pdu::points(&request), quality),
            Ok((Err(code), _)) => running.fail(Failure::of_exception(*code)),
            Err(fault) => running.fail(fault.failure),
        }
        let end = end.map(|(answer, _)| answer);
        (end.map_err(|fault| self.error(fault)), quality)
    }

    async fn lease(&self) -> std::result::Result<Lease<'_>, Fault> {
        let limit = self.line.settings.wait_timeout;
        let waiting = self.pool.begin();
        // Nobody closes the semaphore. As long as somebody waits there is no permit to be had at once.
        let turn = match self.turns.try_acquire() {
            Ok(turn) => Some(turn),
            Err(_) => match timeout(limit, self.turns.acquire()).await {
                Ok(turn) => turn.ok(),
                Err(_) => None,
            },
        };
        let Some(turn) = turn else {
            waiting.timed_out();
            let text = format!("no connection came free within {limit:?}");
            return Err(Fault::new(Failure::PoolTimeout, text));
        };
        waiting.finish(&Ok::<_, ()>(()));
        Ok(Lease {
            links: self,
            link: self.next(),
            _turn: turn,
        })
    }

    /// The one that was used last, so that no more are open than are needed.
    fn next(&self) -> Link {
        let mut free = self.free.lock();
        let open = free.iter().rposition(|link| link.wire.is_some());
        match open.or(free.len().checked_sub(1)) {
            Some(at) => free.remove(at),
            None => Link::new(self.line.clone()),
        }
    }

    fn error(&self, fault: Fault) -> Error {
        fault.into_error(&self.line.ledger.device, &self.line.at)
    }

    /// Closes the connections that are free; those in use stay. Who does not take part in a good end is left after the
    /// time of a request.
    pub(super) async fn disconnect(&self) -> std::io::Result<()> {
        let wires: Vec<Wire> = self
            .free
            .lock()
            .iter_mut()
            .filter_map(|link| link.wire.take())
            .collect();
        let limit = self.line.settings.request_timeout;
        for mut wire in wires {
            if let Ok(end) = timeout(limit, wire.shutdown()).await {
                end?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links")
            .field("device", &self.line.ledger.device)
            .field("at", &self.line.at)
            .finish_non_exhaustive()
    }
}

/// A link that is lent out. It comes back however the request ends.
struct Lease<'a> {
    links: &'a Links,
    link: Link,
    // Behind the link: whoever gets the turn finds it.
    _turn: SemaphorePermit<'a>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let empty = Link::new(self.links.line.clone());
        let mut link = std::mem::replace(&mut self.link, empty);
        link.rest();
        self.links.free.lock().push(link);
    }
}
