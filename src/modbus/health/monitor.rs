//! The health of one device, fed by its connections: gauges, a watch, and a look at the clock once a tick.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::line::{Line, Settings, Standing};
use super::{Failure, Health};
use crate::instance::Plimsoll;
use crate::registry::{Domain, InstrumentError, OTHER, Operation, Outcome, Pulse, Registry};

const CONNECTED: (&str, &str) = (
    "device_connected",
    "Whether the device is there: 1 or 0; degraded is there.",
);
const STATE: (&str, &str) = (
    "device_state",
    "1 for the state that the device is in, 0 for the others.",
);
const UNIT: (&str, &str) = (
    "device_unit_connected",
    "Whether a unit on the device's line is there, where there are several: 1 or 0.",
);
const LAST: (&str, &str) = (
    "last_success_timestamp_seconds",
    "Unix time of the device's last good reply; 0 before the first one.",
);

pub(in crate::modbus) struct Monitor {
    me: Weak<Self>,
    registry: Arc<Registry>,
    device: String,
    unit_gauge: String,
    connected: Arc<Operation>,
    fresh: Arc<Operation>,
    /// When the last good reply came, and 1 more; 0 before the first one. Relaxed: a single independent value.
    good: AtomicU64,
    /// A bit for each unit whose reply changes nothing: it is known, and all that is known is well. Stored under the lock of
    /// `state`. Relaxed: whoever reads an old value leaves the news to the next reply, or takes the lock for nothing.
    calm: [AtomicU64; 4],
    state: Mutex<State>,
}

struct State {
    line: Line,
    device: Watched,
    units: BTreeMap<u8, Watched>,
    /// How many units have a gauge.
    shown: usize,
}

/// A standing with its time, and those who wait for another one.
struct Watched {
    standing: Standing,
    sender: watch::Sender<Health>,
}

impl Watched {
    fn new() -> Self {
        Self {
            standing: Standing::Unknown,
            sender: watch::Sender::new(Health::Unknown),
        }
    }

    fn health(&self) -> Health {
        *self.sender.borrow()
    }

    fn move_to(&mut self, standing: Standing, now: impl Fn() -> SystemTime) {
        if standing == self.standing {
            return;
        }
        let known = self
            .health()
            .since()
            .filter(|_| standing.is_like(self.standing));
        let since = known.unwrap_or_else(now);
        self.standing = standing;
        self.sender.send_replace(match standing {
            Standing::Unknown => Health::Unknown,
            Standing::Connected => Health::Connected { since },
            Standing::Degraded(cause) => Health::Degraded { cause, since },
            Standing::Down(cause) => Health::Down { cause, since },
        });
    }
}

impl Monitor {
    /// Begins with nothing known; the gauges stand at 0 and go when this does. `other` devices have none.
    pub(in crate::modbus) fn new(
        plimsoll: &Plimsoll,
        device: &str,
        settings: Settings,
    ) -> Result<Arc<Self>, InstrumentError> {
        let registry = plimsoll.registry();
        let check = |check| declare(registry, device, check);
        let monitor = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            registry: registry.clone(),
            device: device.to_owned(),
            unit_gauge: plimsoll.inner().naming.instrument(UNIT.0),
            connected: check("connected"),
            fresh: check("fresh"),
            good: AtomicU64::new(0),
            calm: Default::default(),
            state: Mutex::new(State {
                line: Line::new(settings),
                device: Watched::new(),
                units: BTreeMap::new(),
                shown: 0,
            }),
        });
        if device != OTHER {
            monitor.show(plimsoll)?;
        }
        let pulse: Weak<dyn Pulse> = monitor.me.clone();
        registry.pulses.add(pulse);
        Ok(monitor)
    }

    /// Exports the gauges of the device.
    fn show(&self, plimsoll: &Plimsoll) -> Result<(), InstrumentError> {
        let naming = &plimsoll.inner().naming;
        let instruments = &self.registry.instruments;
        let observe = |(name, help): (&str, &str),
                       state: Option<&str>,
                       read: fn(&Self, &str) -> f64| {
            let device = Some(("device", &*self.device));
            let labels: Vec<_> = device
                .into_iter()
                .chain(state.map(|state| ("state", state)))
                .collect();
            let (me, state) = (self.me.clone(), state.unwrap_or_default().to_owned());
            let read = move || Some(read(&*me.upgrade()?, &state));
            instruments.observe_declared(&naming.instrument(name), help, &labels, Arc::new(read))
        };
        observe(CONNECTED, None, |me, _| is(me.health().is_connected()))?;
        observe(LAST, None, |me, _| {
            me.last_success().map_or(0.0, unix_seconds)
        })?;
        for state in Health::STATES {
            observe(STATE, Some(state), |me, state| {
                is(me.health().as_str() == state)
            })?;
        }
        instruments.reserve(&self.unit_gauge, UNIT.1, &["device", "unit"])
    }

    /// Exports gauges of the units, once there are several.
    fn show_units(&self, state: &mut State) {
        let units = state.line.units();
        if units.len() < 2 || units.len() == state.shown || self.device == OTHER {
            return;
        }
        state.shown = units.len();
        for unit in units {
            let me = self.me.clone();
            let read = move || Some(is(me.upgrade()?.unit_health(unit).is_connected()));
            let labels = [("device", &*self.device), ("unit", &unit.to_string())];
            let instruments = &self.registry.instruments;
            let shown =
                instruments.observe_declared(&self.unit_gauge, UNIT.1, &labels, Arc::new(read));
            // `show` made the family, and a family keeps its kind and its keys for ever.
            debug_assert_eq!(shown, Ok(()));
        }
    }

    /// None could be made; `left` others are open.
    pub(in crate::modbus) fn connect_failed(&self, failure: Failure, left: usize) {
        self.happened(|line| line.broke(failure.into(), left));
    }

    /// A connection was found closed or broken; `left` others are open. Not for one that we closed ourselves.
    pub(in crate::modbus) fn lost(&self, failure: Failure, left: usize) {
        self.connect_failed(failure, left);
    }

    /// A good reply came at `now_ns`, by the instance's clock.
    ///
    /// Cost while all is well: a store and a load.
    #[inline]
    pub(in crate::modbus) fn replied(&self, unit: u8, now_ns: u64) {
        self.good.store(now_ns.saturating_add(1), Relaxed);
        self.answered(unit);
    }

    /// A Modbus exception came: whoever sent it is alive.
    pub(in crate::modbus) fn exception(&self, unit: u8, exception: Failure) {
        match exception {
            Failure::GatewayPath | Failure::GatewayTarget => {
                self.happened(|line| line.unreachable(unit, exception.into()));
            }
            _ => self.answered(unit),
        }
    }

    #[inline]
    fn answered(&self, unit: u8) {
        if !self.is_calm(unit) {
            self.changed(unit);
        }
    }

    #[cold]
    #[inline(never)]
    fn changed(&self, unit: u8) {
        self.happened(|line| line.answered(unit));
    }

    /// No reply came in time, or none that can be used.
    pub(in crate::modbus) fn failed(&self, unit: u8, failure: Failure) {
        self.happened(|line| line.failed(unit, failure.into()));
    }

    /// Where the device stands now.
    pub(in crate::modbus) fn health(&self) -> Health {
        self.look(|state| state.device.health())
    }

    /// Where a unit stands now.
    pub(in crate::modbus) fn unit_health(&self, unit: u8) -> Health {
        self.look(|state| {
            state
                .units
                .get(&unit)
                .map_or(Health::Unknown, Watched::health)
        })
    }

    pub(in crate::modbus) fn watch(&self) -> watch::Receiver<Health> {
        self.look(|state| state.device.sender.subscribe())
    }

    pub(in crate::modbus) fn watch_unit(&self, unit: u8) -> watch::Receiver<Health> {
        self.look(|state| {
            let watched = state.units.entry(unit).or_insert_with(Watched::new);
            watched.sender.subscribe()
        })
    }

    /// How long ago the last good reply came; `None` before the first one.
    pub(in crate::modbus) fn age(&self) -> Option<Duration> {
        let age_ns = self
            .registry
            .clock()
            .now_ns()
            .saturating_sub(self.good_ns()?);
        Some(Duration::from_nanos(age_ns))
    }

    /// When it came, by the wall clock as it goes now.
    fn last_success(&self) -> Option<SystemTime> {
        self.registry.clock().system_time().checked_sub(self.age()?)
    }

    fn good_ns(&self) -> Option<u64> {
        self.good.load(Relaxed).checked_sub(1)
    }

    #[inline]
    fn is_calm(&self, unit: u8) -> bool {
        self.calm[usize::from(unit / 64)].load(Relaxed) & 1 << (unit % 64) != 0
    }

    /// Something was tried, and this came of it.
    fn happened(&self, event: impl FnOnce(&mut Line)) {
        let mut state = self.state.lock();
        let now_ns = self.registry.clock().now_ns();
        state.line.begin(now_ns);
        event(&mut state.line);
        self.settle(&mut state, now_ns);
    }

    /// Looks at what holds now.
    fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        self.settle(&mut state, self.registry.clock().now_ns());
        look(&mut state)
    }

    /// Tells those who wait for a change.
    fn settle(&self, state: &mut State, now_ns: u64) {
        let now = || self.registry.clock().system_time();
        let State {
            line,
            device,
            units,
            ..
        } = &mut *state;
        device.move_to(line.standing(now_ns, self.good_ns()), now);
        let mut calm = [0; 4];
        for unit in line.units() {
            let watched = units.entry(unit).or_insert_with(Watched::new);
            watched.move_to(line.unit_standing(unit), now);
            calm[usize::from(unit / 64)] |= 1 << (unit % 64);
        }
        if device.standing != Standing::Connected {
            calm = [0; 4];
        }
        for (stored, calm) in self.calm.iter().zip(calm) {
            stored.store(calm, Relaxed);
        }
        self.show_units(state);
    }
}

impl Pulse for Monitor {
    fn pulse(&self, now_ns: u64) {
        let (health, stale) = self.look(|state| {
            let stale = state.line.is_stale(now_ns, self.good_ns());
            (state.device.health(), stale)
        });
        let outcome = |good| if good { Outcome::Ok } else { Outcome::Error };
        if health != Health::Unknown {
            self.connected.record(outcome(health.is_connected()), 0);
        }
        if let Some(stale) = stale {
            self.fresh.record(outcome(!stale), 0);
        }
    }
}

/// A check that stands at 0 from now on.
fn declare(registry: &Registry, device: &str, check: &str) -> Arc<Operation> {
    let operation = registry.set(Domain::Check).declare(&[device, check]);
    operation.series(Outcome::Ok);
    operation.series(Outcome::Error);
    operation.clone()
}

fn is(held: bool) -> f64 {
    f64::from(u8::from(held))
}

/// Whole milliseconds: two clocks were read for it, one after the other.
fn unix_seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    ((since.as_secs_f64() * 1e3).round()) / 1e3
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}
