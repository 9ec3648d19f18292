//! What a tick changes: every budget with its rules, which grow in number as operations appear.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Sampled;
use super::bands::{BandReading, Bands};
use super::book::Book;
use super::coverage::{Coverage, Uncovered};
use super::exports::{Families, Wanted};
use super::files::Files;
use super::judged::{self, Judged, Judging};
use super::matcher::Matcher;
use super::memory::{Gone, Memory};
use super::moment::Moment;
use super::promise::{Promise, Reach};
use super::reader::Reader;
use super::sli::{Place, SliCount};
use super::slos::{Now, Slos};
use super::state::BudgetReading;
use super::store::Store;
use crate::alert::{AlertEvent, Event};
use crate::budget::{Budget, Labels, Select};
use crate::expr::Expr;
use crate::registry::{Domain, Operation, Registry};
use crate::rule::{Alert, RuleGroup};
use crate::slo::{Slo, SloReading, Standing};
use crate::window::HistogramWindow;

/// What a tick changes. Whoever reads the SLI counters moves those on as well.
#[derive(Debug)]
pub(crate) struct Judge {
    promises: Vec<Promise>,
    pub(super) book: Book,
    pub(super) slos: Slos,
    /// What the process before had, and this one has not.
    pub(super) gone: Gone,
    coverage: Coverage,
    /// Operations that came into being because a budget or a watch names them.
    named: Vec<Arc<Operation>>,
    /// When to look next for budgets that match nothing.
    due_ns: u64,
    ticks: u64,
    /// What a duration may lack and be over.
    slack_ns: u64,
}

impl Judge {
    pub(super) fn new(
        begun: Moment,
        wall: SystemTime,
        sampled: Sampled,
        slack_ns: u64,
        memory: Memory,
    ) -> Self {
        let store = Store::new(sampled.sampling, sampled.target, memory.series);
        let files = Files::new(slack_ns, memory.groups);
        let bands = Bands::new(memory.bands);
        Self {
            promises: Vec::new(),
            book: Book::new(begun, store, bands, memory.rules, files),
            slack_ns,
            slos: Slos::new(
                Now {
                    moment: begun,
                    wall,
                },
                memory.slos,
            ),
            gone: memory.gone,
            coverage: Coverage::default(),
            named: Vec::new(),
            due_ns: 0,
            ticks: 0,
        }
    }

    /// Judges a further budget from now on; returns its index.
    pub(super) fn add_budget(
        &mut self,
        registry: &Registry,
        budget: Budget,
        reach: Reach,
    ) -> usize {
        if !budget.counted_only {
            let memory = &mut self.book.store.memory;
            memory.meet(&budget.name, || budget.counts());
        }
        let mut promise = Promise::new(budget, reach, registry, self.book.latest.at_ns);
        self.book.open(registry, &mut promise);
        self.promises.push(promise);
        let index = self.promises.len() - 1;
        self.meet_known(registry, index, |_| true);
        let mut read = self.slos.adopt(&self.book.slis);
        // Parts to come will read it.
        read.extend(self.promises[index].budget.when.clone());
        self.book.sample_new(&read);
        if let Some(matcher) = self.promises[index].matcher() {
            self.named.extend(matcher.declare(registry));
        }
        self.due_ns = 0;
        index
    }

    /// Keeps an SLO from now on.
    pub(super) fn add_slo(&mut self, registry: &Registry, slo: Slo) {
        let carrier = slo.carrier();
        let memory = &mut self.book.store.memory;
        memory.meet(&slo.name, || slo.counts());
        let promise = self.promises.len();
        self.slos.come_to(Now {
            moment: self.book.latest,
            wall: registry.clock().system_time(),
        });
        self.slos.add(slo, promise, &mut self.book.slis);
        self.add_budget(registry, carrier, Reach::Selected);
    }

    /// The SLO that was added last counts what comes from now on; `sampled` if everything has a sample of now.
    pub(super) fn begin_slo(&mut self, sampled: bool) {
        self.slos.begin_latest(self.book.reader(), sampled);
    }

    /// Binds a budget to a route, from now on.
    #[cfg(feature = "http")]
    pub(super) fn bind(&mut self, registry: &Registry, promise: usize, route: &str) {
        if self.promises[promise].bind(route) {
            self.meet_known(registry, promise, |operation| {
                &*operation.labels()[1] == route
            });
            self.book.sample_new(&[]);
        }
    }

    /// Keeps a window over selected operations, from now on.
    pub(super) fn add_window(
        &mut self,
        registry: &Registry,
        select: &Select,
        over: Duration,
    ) -> Place {
        let matcher = Matcher::new(select, registry);
        let slis = &mut self.book.slis;
        let selection = slis.select(registry, matcher.clone());
        self.named.extend(matcher.declare(registry));
        slis.keep_window(registry, selection, over, self.book.latest.at_ns)
    }

    /// Lets a budget meet the operations that are known, as far as it speaks of them and they are `new` to it.
    fn meet_known(
        &mut self,
        registry: &Registry,
        promise: usize,
        new: impl Fn(&Operation) -> bool,
    ) {
        let promise = &mut self.promises[promise];
        let Some(domain) = promise.matcher().map(Matcher::domain) else {
            return;
        };
        let mut operations = self.book.slis.operations(registry, domain);
        operations.retain(|operation| new(operation) && promise.speaks_of(domain, operation));
        for operation in &operations {
            promise.meet(operation, is_in(&self.named, operation));
        }
        self.book.join(registry, promise, &operations);
        self.coverage.cover(domain, promise);
    }

    /// Learns of the operations that are new: the parts of budgets begin with them.
    fn learn(&mut self, registry: &Registry) {
        let new = self.book.slis.discover(registry);
        if new.is_empty() {
            return;
        }
        for (set, operation) in new {
            let domain = self.book.slis.domain(set);
            let mut given = Vec::new();
            for promise in &mut self.promises {
                if promise.speaks_of(domain, &operation) {
                    promise.meet(&operation, is_in(&self.named, &operation));
                    if !promise.is_kept_as_one() {
                        given.extend(self.book.part(registry, promise, &operation));
                    }
                }
            }
            self.book.slis.admit(set, operation, given);
        }
        let read = self.slos.adopt(&self.book.slis);
        self.book.sample_new(&read);
    }

    /// Brings every count up to date: all records that ended before are in.
    pub(super) fn advance(&mut self, registry: &Registry) {
        self.learn(registry);
        let wall = registry.clock().system_time();
        self.slos.exclude(&mut self.book.slis, wall);
        self.book.slis.advance(registry);
    }

    /// The same, and from now on this is the latest moment.
    pub(super) fn advance_to(&mut self, registry: &Registry, now: Moment) {
        self.advance(registry);
        self.book.latest = now.max(self.book.latest);
    }

    /// Judges further groups of rules from now on.
    pub(super) fn add_rules(&mut self, groups: Vec<RuleGroup>) {
        self.book.add_rules(groups);
    }

    /// The alerts of groups of rules that are pending or firing.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.book.files.alerts()
    }

    /// The rules of groups whose latest evaluation had no value, and why.
    pub(super) fn failed(&self) -> Vec<(String, String)> {
        self.book.files.failed().collect()
    }

    /// Takes samples of a page, as of now.
    pub(super) fn take_page(
        &mut self,
        registry: &Registry,
        moment: Moment,
        families: &mut Families<'_>,
        bound: &dyn Fn(f64) -> String,
    ) {
        self.advance_to(registry, moment);
        let book = &mut self.book;
        book.store.take_page(families, book.latest, bound);
    }

    /// The names of samples of the page that rules read.
    pub(super) fn wanted(&self) -> &Arc<Wanted> {
        self.book.store.wanted()
    }

    /// Samples, judges, and returns what is to be announced.
    pub(super) fn tick(
        &mut self,
        registry: &Registry,
        moment: Moment,
        now: SystemTime,
    ) -> (Vec<Event>, Vec<Arc<AlertEvent>>) {
        self.ticks += 1;
        self.advance_to(registry, moment);
        let Book {
            slis,
            rules,
            bands,
            store,
            files,
            latest,
            ..
        } = &mut self.book;
        slis.tick(*latest);
        store.come_to(*latest);
        store.take_counts(slis, *latest);
        let alerts = files.step(store, latest.at_ms);
        let moment = *latest;
        let reader = Reader {
            store,
            rules: files.all(),
        };
        self.slos.count(slis, reader, Now { moment, wall: now });
        bands.measure(store, files.all(), slis, moment);
        let mut tick = Judging {
            registry,
            store,
            rules: files.all(),
            slis,
            now_ns: moment.at_ns,
            slack_ns: self.slack_ns,
            now,
        };
        rules.iter_mut().for_each(|judged| judged.step(&mut tick));
        let parts = rules.chunk_by_mut(Judged::is_beside);
        let mut events: Vec<Event> = parts
            .flat_map(|levels| judged::announce(levels, now))
            .collect();
        bands.learn(moment);
        self.slos.judge(&mut tick, &self.promises, &mut events);
        self.promises.iter().for_each(Promise::settle);
        (events, alerts)
    }

    /// The budgets that have matched nothing for so long that this is to be reported.
    pub(super) fn search(&mut self) -> Vec<String> {
        let (now_ns, slis) = (self.book.latest.at_ns, &self.book.slis);
        let mut found = Vec::new();
        if now_ns < self.due_ns {
            return found;
        }
        self.due_ns = u64::MAX;
        for promise in &mut self.promises {
            let (first, due_ns) = promise.look(now_ns, |selection| slis.valid(selection) > 0);
            self.due_ns = self.due_ns.min(due_ns);
            if first {
                found.push(promise.budget.name.clone());
            }
        }
        found
    }

    /// Looks for operations that no budget speaks of.
    pub(super) fn survey(&mut self, registry: &Registry) {
        self.coverage.renew(registry, &self.promises);
    }

    /// The SLI counters.
    pub(crate) fn sli_counts(&self) -> impl Iterator<Item = &SliCount> {
        self.book.slis.counts()
    }

    /// Where every rule stood at the latest tick.
    pub(crate) fn readings(&self) -> impl Iterator<Item = &BudgetReading> {
        self.book.rules.iter().map(Judged::reading)
    }

    /// Where every band stood at the latest tick.
    pub(crate) fn band_readings(&self) -> impl Iterator<Item = &BandReading> {
        self.book.bands.readings()
    }

    /// What an expression is at the latest tick, as far as rules read the same.
    pub(crate) fn evaluate(&self, expr: &Expr) -> Option<f64> {
        let value = self.book.reader().eval(expr).ok()?;
        value.as_float()
    }

    /// A budget as it was declared, and the operations that it speaks of.
    pub(crate) fn declared(
        &self,
        registry: &Registry,
        name: &str,
    ) -> Option<(&Budget, Vec<Arc<Operation>>)> {
        let mut promises = self.promises.iter();
        let promise = promises.find(|promise| promise.budget.name == name)?;
        let domain = promise.matcher().map(Matcher::domain);
        let operations = domain.map(|domain| {
            let mut operations = registry.set(domain).operations();
            operations.retain(|operation| promise.speaks_of(domain, operation));
            operations
        });
        Some((&promise.budget, operations.unwrap_or_default()))
    }

    /// When the latest tick was, or the latest change of the budgets.
    pub(crate) fn latest_ns(&self) -> u64 {
        self.book.latest.at_ns
    }

    /// How many edges there can be of which each is the last of its rule or alert.
    pub(super) fn rules(&self) -> usize {
        let budgets = self.book.rules.len() + self.slos.rules();
        budgets.max(self.book.files.alerted())
    }

    /// Everything there is to say of every SLO at the latest tick.
    pub(super) fn slo_readings(&self) -> Vec<SloReading> {
        self.slos.readings(self.book.reader())
    }

    /// Shows where every SLO, or part of one, stands.
    pub(crate) fn each_slo(&self, show: impl FnMut(&Slo, &Labels, Standing)) {
        self.slos.each(show);
    }

    /// Shows every burn rate that has a value, by window.
    pub(crate) fn each_burn_rate(&self, show: impl FnMut(&Slo, &Labels, &str, f64)) {
        self.slos.each_burn_rate(self.book.reader(), show);
    }

    /// The SLI counters of SLOs.
    pub(crate) fn slo_counts(&self) -> impl Iterator<Item = &SliCount> {
        let slis = &self.book.slis;
        self.slos.counter_places().map(|at| slis.count(at))
    }

    /// How many ticks there have been.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Every budget that selects operations, and whether it has matched none for too long.
    pub(crate) fn unmatched(&self) -> impl Iterator<Item = (&str, bool)> {
        let promises = self.promises.iter();
        promises.filter_map(|promise| Some((&*promise.budget.name, promise.is_unmatched()?)))
    }

    /// How many operations of a domain no budget speaks of, as of the latest survey.
    pub(crate) fn uncovered_count(&self, domain: Domain) -> u64 {
        self.coverage.count(domain)
    }

    pub(super) fn uncovered(&self) -> Vec<Uncovered> {
        self.coverage.list()
    }

    pub(super) fn promises(&self) -> &[Promise] {
        &self.promises
    }

    pub(super) fn window(&self, place: Place) -> &HistogramWindow {
        self.book.slis.window(place)
    }
}

fn is_in(named: &[Arc<Operation>], operation: &Arc<Operation>) -> bool {
    named.iter().any(|known| Arc::ptr_eq(known, operation))
}
