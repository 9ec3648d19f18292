//! A bounded queue per subscriber, and the worker that empties it.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::{Event, STUCK_AFTER};
use crate::clock::SharedClock;
use crate::histogram::nanos;

/// What a subscriber with a worker does with an event.
pub(crate) type Callback = Box<dyn Fn(&Event) + Send + Sync>;

/// What is done about budgets that match nothing, by their names.
type OnUnmatched = Arc<dyn Fn(&[String]) + Send + Sync>;

/// All subscribers of an instance.
pub(crate) struct Hub {
    clock: SharedClock,
    capacity: usize,
    rules: Arc<AtomicUsize>,
    queues: Mutex<Vec<Arc<Queue>>>,
    /// Tells of budgets that match nothing.
    on_unmatched: Option<OnUnmatched>,
}

/// What became of a subscriber's events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SubscriberStats {
    pub(crate) name: Arc<str>,
    pub(crate) delivered: u64,
    pub(crate) dropped: u64,
    pub(crate) panics: u64,
    pub(crate) stuck: u64,
    pub(crate) waiting: u64,
}

impl Hub {
    /// `rules` is how many rules can send: a queue must be able to hold the last edge of each.
    pub(crate) fn new(clock: SharedClock, capacity: usize, rules: usize) -> Self {
        Self {
            clock,
            capacity,
            rules: Arc::new(AtomicUsize::new(rules)),
            queues: Mutex::new(Vec::new()),
            on_unmatched: None,
        }
    }

    /// From now on so many rules can send.
    pub(crate) fn make_room(&self, rules: usize) {
        self.rules.store(rules, Ordering::Relaxed);
    }

    /// Calls `tell` for budgets that match nothing, on a thread of its own.
    #[cfg_attr(
        not(feature = "tracing"),
        allow(dead_code, reason = "only a log is told")
    )]
    pub(crate) fn on_unmatched(&mut self, tell: impl Fn(&[String]) + Send + Sync + 'static) {
        self.on_unmatched = Some(Arc::new(tell));
    }

    /// Tells of budgets that match nothing. They are few and each comes once: no queue, and a thread that ends.
    pub(crate) fn tell_unmatched(&self, budgets: Vec<String>) {
        if let Some(tell) = self.on_unmatched.clone().filter(|_| !budgets.is_empty()) {
            let thread = thread::Builder::new().name("plimsoll-alert".into());
            // Without a thread the gauge still tells.
            let _ = thread.spawn(move || tell(&budgets));
        }
    }

    /// Adds a subscriber; without a callback it takes its events itself. A name that is taken gets a number.
    pub(crate) fn add(&self, name: &str, callback: Option<Callback>) -> Arc<Queue> {
        let mut taken = Vec::new();
        self.each_stats(|stats| taken.push(stats.name));
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.to_owned())
            .chain(numbered)
            .filter(|name| !taken.iter().any(|taken| **taken == **name));
        let name = names.next().unwrap_or_default().into();
        let queue = Arc::new(Queue {
            name,
            capacity: self.capacity,
            rules: self.rules.clone(),
            clock: self.clock.clone(),
            callback,
            state: Mutex::default(),
            changed: Condvar::new(),
            counts: Counts::default(),
        });
        self.queues.lock().push(queue.clone());
        queue
    }

    /// Hands an event to every subscriber. Cost: a short lock each; never waits for a callback.
    pub(crate) fn publish(&self, event: &Event) {
        for queue in self.open_queues() {
            queue.push(event.clone());
        }
    }

    /// Counts callbacks that have been running for too long.
    pub(crate) fn look_for_stuck(&self) {
        self.open_queues()
            .iter()
            .for_each(|queue| queue.mark_if_stuck());
    }

    /// Shows what became of each subscriber's events.
    pub(crate) fn each_stats(&self, mut show: impl FnMut(SubscriberStats)) {
        for queue in self.queues.lock().iter() {
            if !queue.state.lock().closed {
                show(queue.stats());
            }
        }
    }

    #[cfg(test)]
    pub(super) fn stats(&self) -> Vec<SubscriberStats> {
        let mut all = Vec::new();
        self.each_stats(|stats| all.push(stats));
        all
    }

    /// Waits until every event was delivered; `false` if that takes longer than `timeout`.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        self.open_queues()
            .iter()
            .all(|queue| queue.callback.is_none() || queue.wait_idle(deadline))
    }

    /// A copy, so that no lock is held while queues are worked on; unsubscribed ones go.
    fn open_queues(&self) -> Vec<Arc<Queue>> {
        let mut queues = self.queues.lock();
        queues.retain(|queue| !queue.state.lock().closed);
        queues.clone()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.queues.get_mut().iter().for_each(|queue| queue.close());
    }
}

/// Relaxed throughout: independent statistics.
#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    dropped: AtomicU64,
    panics: AtomicU64,
    stuck: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    /// When the callback that is running began, and whether it was already counted as stuck.
    running: Option<(u64, bool)>,
    worker: bool,
    closed: bool,
    waker: Option<Waker>,
}

/// The events that one subscriber has not seen yet.
pub(crate) struct Queue {
    name: Arc<str>,
    capacity: usize,
    /// How many rules can send. Relaxed: raised before the first event of a new one is published.
    rules: Arc<AtomicUsize>,
    clock: SharedClock,
    callback: Option<Callback>,
    state: Mutex<State>,
    changed: Condvar,
    counts: Counts,
}

impl Queue {
    fn push(self: &Arc<Self>, event: Event) {
        let mut state = self.state.lock();
        state.events.push_back(event);
        let last_edges = self.rules.load(Ordering::Relaxed) + 1;
        if state.events.len() > self.capacity.max(last_edges) {
            drop_stale(&mut state.events);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
        if self.callback.is_some() && !state.worker {
            let queue = self.clone();
            let spawned = thread::Builder::new()
                .name("plimsoll-alert".into())
                .spawn(move || queue.work());
            // Without a thread the events wait; the next one tries again.
            state.worker = spawned.is_ok();
        }
        self.changed.notify_all();
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// What the worker thread does until the instance is gone and nothing is left.
    fn work(&self) {
        while let Some(event) = self.next() {
            if let Some(callback) = &self.callback {
                match catch_unwind(AssertUnwindSafe(|| callback(&event))) {
                    Ok(()) => self.counts.delivered.fetch_add(1, Ordering::Relaxed),
                    Err(_) => self.counts.panics.fetch_add(1, Ordering::Relaxed),
                };
            }
            self.state.lock().running = None;
            self.changed.notify_all();
        }
    }

    fn next(&self) -> Option<Event> {
        let mut state = self.state.lock();
        loop {
            if let Some(event) = state.events.pop_front() {
                state.running = Some((self.clock.now_ns(), false));
                return Some(event);
            }
            if state.closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }

    /// Takes an event, for a subscriber without a worker.
    pub(super) fn take(&self) -> Option<Event> {
        let event = self.state.lock().events.pop_front();
        self.count_taken(event)
    }

    pub(super) fn wait(&self, timeout: Duration) -> Option<Event> {
        let deadline = Instant::now() + timeout;
        let mut state = self.state.lock();
        while state.events.is_empty() && !state.closed {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        let event = state.events.pop_front();
        self.count_taken(event)
    }

    pub(super) fn poll_take(&self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut state = self.state.lock();
        match state.events.pop_front() {
            Some(event) => Poll::Ready(self.count_taken(Some(event))),
            None if state.closed => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn count_taken(&self, event: Option<Event>) -> Option<Event> {
        if event.is_some() {
            self.counts.delivered.fetch_add(1, Ordering::Relaxed);
        }
        event
    }

    fn wait_idle(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while !state.events.is_empty() || state.running.is_some() {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                return false;
            }
        }
        true
    }

    fn mark_if_stuck(&self) {
        let now_ns = self.clock.now_ns();
        let too_long = |began_ns: u64| now_ns.saturating_sub(began_ns) >= nanos(STUCK_AFTER);
        if let Some((began_ns, counted @ false)) = &mut self.state.lock().running
            && too_long(*began_ns)
        {
            *counted = true;
            self.counts.stuck.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn stats(&self) -> SubscriberStats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SubscriberStats {
            name: self.name.clone(),
            delivered: count(&self.counts.delivered),
            dropped: count(&self.counts.dropped),
            panics: count(&self.counts.panics),
            stuck: count(&self.counts.stuck),
            waiting: self.state.lock().events.len() as u64,
        }
    }

    /// No more events; a worker ends after those that are waiting.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        self.changed.notify_all();
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("queues", &self.queues)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queue").field(&self.stats()).finish()
    }
}

/// Drops the oldest event that a newer one of the same rule makes stale. There always is one: a queue holds more
/// events than there are rules.
fn drop_stale(events: &mut VecDeque<Event>) {
    let same =
        |a: &Event, b: &Event| a.budget == b.budget && a.level == b.level && a.labels == b.labels;
    let stale =
        (0..events.len()).find(|&i| events.range(i + 1..).any(|newer| same(&events[i], newer)));
    events.remove(stale.unwrap_or(0));
}
