//! A bounded queue per subscriber, and the worker that empties it.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{AlertEvent, Event, STUCK_AFTER, Warning};
use crate::clock::SharedClock;
use crate::histogram::nanos;
use crate::registry::{QueryFinding, RunningQuery, SlowOperation};

/// What a subscriber with a worker does with an event.
pub(crate) type Callback<T = Event> = Box<dyn Fn(&T) + Send + Sync>;

/// What is delivered.
pub(crate) trait Message: Clone + fmt::Debug + Send + 'static {
    /// Whether nobody needs this one who gets a `newer` one.
    fn is_stale_beside(&self, newer: &Self) -> bool;
}

impl Message for Event {
    fn is_stale_beside(&self, newer: &Self) -> bool {
        self.budget == newer.budget && self.level == newer.level && self.labels == newer.labels
    }
}

impl Message for Arc<AlertEvent> {
    fn is_stale_beside(&self, newer: &Self) -> bool {
        self.labels == newer.labels
    }
}

/// Each is said once, so none is stale; they are so few that none is dropped.
impl Message for Warning {
    fn is_stale_beside(&self, _: &Self) -> bool {
        false
    }
}

impl Message for Arc<SlowOperation> {
    fn is_stale_beside(&self, _: &Self) -> bool {
        true
    }
}

impl Message for Arc<RunningQuery> {
    fn is_stale_beside(&self, _: &Self) -> bool {
        true
    }
}

impl Message for Arc<QueryFinding> {
    fn is_stale_beside(&self, _: &Self) -> bool {
        true
    }
}

/// All subscribers of an instance.
#[derive(Debug)]
pub(crate) struct Hub {
    clock: SharedClock,
    capacity: usize,
    rules: Arc<AtomicUsize>,
    edges: Queues<Event>,
    alerts: Queues<Arc<AlertEvent>>,
    slow: Queues<Arc<SlowOperation>>,
    warnings: Queues<Warning>,
    running: Queues<Arc<RunningQuery>>,
    findings: Queues<Arc<QueryFinding>>,
}

/// The queues of those that wait for the same.
#[derive(Debug)]
struct Queues<T: Message>(Mutex<Vec<Arc<Queue<T>>>>);

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
            edges: Queues(Mutex::default()),
            alerts: Queues(Mutex::default()),
            slow: Queues(Mutex::default()),
            warnings: Queues(Mutex::default()),
            running: Queues(Mutex::default()),
            findings: Queues(Mutex::default()),
        }
    }

    /// From now on so many rules can send.
    pub(crate) fn make_room(&self, rules: usize) {
        self.rules.store(rules, Ordering::Relaxed);
    }

    /// Adds a subscriber; without a callback it takes its events itself. A name that is taken gets a number.
    pub(crate) fn add(&self, name: &str, callback: Option<Callback>) -> Arc<Queue> {
        self.edges.add(self.queue(name, callback))
    }

    /// Adds a subscriber to alerts of groups of rules.
    pub(crate) fn add_alerted(&self, name: &str, callback: Callback<Arc<AlertEvent>>) {
        self.alerts.add(self.queue(name, Some(callback)));
    }

    /// Has alerts of groups of rules written by whatever writes everything else.
    pub(crate) fn write_alerts(&self) {
        #[cfg(feature = "tracing")]
        if !self
            .alerts
            .lock()
            .iter()
            .any(|queue| &*queue.name == "rules")
        {
            self.add_alerted("rules", super::tracing_alerts());
        }
    }

    /// Adds a subscriber to the slow log.
    pub(crate) fn add_slow(&self, name: &str, callback: Callback<Arc<SlowOperation>>) {
        self.slow.add(self.queue(name, Some(callback)));
    }

    /// Adds a subscriber to warnings.
    pub(crate) fn add_warned(&self, name: &str, callback: Callback<Warning>) {
        self.warnings.add(self.queue(name, Some(callback)));
    }

    /// Adds a subscriber to queries that take too long.
    pub(crate) fn add_watchdog(&self, name: &str, callback: Callback<Arc<RunningQuery>>) {
        self.running.add(self.queue(name, Some(callback)));
    }

    /// Adds a subscriber to requests that query too much.
    pub(crate) fn add_found(&self, name: &str, callback: Callback<Arc<QueryFinding>>) {
        self.findings.add(self.queue(name, Some(callback)));
    }

    fn queue<T: Message>(&self, name: &str, callback: Option<Callback<T>>) -> Arc<Queue<T>> {
        let mut taken = Vec::new();
        self.each_stats(|stats| taken.push(stats.name));
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.to_owned())
            .chain(numbered)
            .filter(|name| !taken.iter().any(|taken| **taken == **name));
        Arc::new(Queue {
            name: names.next().unwrap_or_default().into(),
            capacity: self.capacity,
            rules: self.rules.clone(),
            clock: self.clock.clone(),
            callback,
            state: Mutex::default(),
            changed: Condvar::new(),
            counts: Counts::default(),
        })
    }

    /// Hands an event to every subscriber. Cost: a short lock each; never waits for a callback.
    pub(crate) fn publish(&self, event: &Event) {
        self.edges.publish(event);
    }

    /// The same for an alert of a group of rules.
    pub(crate) fn publish_alert(&self, alert: &Arc<AlertEvent>) {
        self.alerts.publish(alert);
    }

    /// The same for a line of the slow log.
    pub(crate) fn publish_slow(&self, slow: &Arc<SlowOperation>) {
        self.slow.publish(slow);
    }

    /// The same for a warning.
    pub(crate) fn publish_warning(&self, warning: &Warning) {
        self.warnings.publish(warning);
    }

    /// The same for a query that takes too long.
    pub(crate) fn publish_running(&self, query: &Arc<RunningQuery>) {
        self.running.publish(query);
    }

    /// The same for a request that queries too much.
    pub(crate) fn publish_finding(&self, finding: &Arc<QueryFinding>) {
        self.findings.publish(finding);
    }

    /// Counts callbacks that have been running for too long.
    pub(crate) fn look_for_stuck(&self) {
        let now_ns = self.clock.now_ns();
        self.edges.look_for_stuck(now_ns);
        self.alerts.look_for_stuck(now_ns);
        self.slow.look_for_stuck(now_ns);
        self.warnings.look_for_stuck(now_ns);
        self.running.look_for_stuck(now_ns);
        self.findings.look_for_stuck(now_ns);
    }

    /// Shows what became of each subscriber's events.
    pub(crate) fn each_stats(&self, mut show: impl FnMut(SubscriberStats)) {
        self.edges.each_stats(&mut show);
        self.alerts.each_stats(&mut show);
        self.slow.each_stats(&mut show);
        self.warnings.each_stats(&mut show);
        self.running.each_stats(&mut show);
        self.findings.each_stats(&mut show);
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
        self.edges.flush(deadline)
            && self.alerts.flush(deadline)
            && self.slow.flush(deadline)
            && self.warnings.flush(deadline)
            && self.running.flush(deadline)
            && self.findings.flush(deadline)
    }
}

impl<T: Message> Queues<T> {
    fn add(&self, queue: Arc<Queue<T>>) -> Arc<Queue<T>> {
        self.0.lock().push(queue.clone());
        queue
    }

    fn publish(&self, message: &T) {
        for queue in self.open() {
            queue.push(message.clone());
        }
    }

    fn look_for_stuck(&self, now_ns: u64) {
        self.lock()
            .iter()
            .for_each(|queue| queue.mark_if_stuck(now_ns));
    }

    fn each_stats(&self, show: &mut impl FnMut(SubscriberStats)) {
        self.lock().iter().for_each(|queue| show(queue.stats()));
    }

    fn flush(&self, deadline: Instant) -> bool {
        self.open()
            .iter()
            .all(|queue| queue.callback.is_none() || queue.wait_idle(deadline))
    }

    /// A copy, so that no lock is held while queues are worked on.
    fn open(&self) -> Vec<Arc<Queue<T>>> {
        self.lock().clone()
    }

    /// Unsubscribed ones go.
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Queue<T>>>> {
        let mut queues = self.0.lock();
        queues.retain(|queue| !queue.state.lock().closed);
        queues
    }
}

impl<T: Message> Drop for Queues<T> {
    fn drop(&mut self) {
        self.0.get_mut().iter().for_each(|queue| queue.close());
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

#[derive(Debug)]
struct State<T> {
    events: VecDeque<T>,
    /// When the callback that is running began, and whether it was already counted as stuck.
    running: Option<(u64, bool)>,
    worker: bool,
    closed: bool,
    waker: Option<Waker>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self {
            events: VecDeque::new(),
            running: None,
            worker: false,
            closed: false,
            waker: None,
        }
    }
}

/// The events that one subscriber has not seen yet.
pub(crate) struct Queue<T: Message = Event> {
    name: Arc<str>,
    capacity: usize,
    /// How many rules can send. Relaxed: raised before the first event of a new one is published.
    rules: Arc<AtomicUsize>,
    clock: SharedClock,
    callback: Option<Callback<T>>,
    state: Mutex<State<T>>,
    changed: Condvar,
    counts: Counts,
}

impl<T: Message> Queue<T> {
    fn push(self: &Arc<Self>, event: T) {
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

    fn next(&self) -> Option<T> {
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
    pub(super) fn take(&self) -> Option<T> {
        let event = self.state.lock().events.pop_front();
        self.count_taken(event)
    }

    pub(super) fn wait(&self, timeout: Duration) -> Option<T> {
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

    pub(super) fn poll_take(&self, context: &mut Context<'_>) -> Poll<Option<T>> {
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

    fn count_taken(&self, event: Option<T>) -> Option<T> {
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

    fn mark_if_stuck(&self, now_ns: u64) {
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

impl<T: Message> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queue").field(&self.stats()).finish()
    }
}

/// Drops the oldest event that a newer one of the same rule makes stale. There always is one: a queue holds more
/// events than there are rules.
fn drop_stale<T: Message>(events: &mut VecDeque<T>) {
    let is_stale = |&at: &usize| {
        let mut newer = events.range(at + 1..);
        newer.any(|newer| events[at].is_stale_beside(newer))
    };
    let stale = (0..events.len()).find(is_stale);
    events.remove(stale.unwrap_or(0));
}
