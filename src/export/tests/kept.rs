//! A page whose picture was kept is the page that is made from nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::Budget;
use crate::alert::Subscription;
use crate::export::picture::Picture;

/// Something that changes what a page shows.
#[derive(Debug, Clone)]
enum Step {
    Record(Domain, u8, Outcome, u64),
    Count(u8),
    Measure(u8, u64),
    /// An observed gauge has a value, or none.
    Observe(bool),
    Subscribe(bool),
    Facade(u8),
    Tick,
}

fn step() -> impl Strategy<Value = Step> {
    let domain = (0..Domain::ALL.len()).prop_map(|at| Domain::ALL[at]);
    let outcome = prop_oneof![
        Just(Outcome::Ok),
        Just(Outcome::Error),
        Just(Outcome::Cancelled),
        Just(Outcome::Shed)
    ];
    let ns = prop_oneof![Just(0), 1_u64..8_000_000_000_000];
    prop_oneof![
        4 => (domain, 0_u8..4, outcome, ns.clone())
            .prop_map(|(domain, which, outcome, ns)| Step::Record(domain, which, outcome, ns)),
        1 => (0_u8..4).prop_map(Step::Count),
        1 => (0_u8..4, ns).prop_map(|(which, ns)| Step::Measure(which, ns)),
        1 => any::<bool>().prop_map(Step::Observe),
        1 => any::<bool>().prop_map(Step::Subscribe),
        1 => (0_u8..4).prop_map(Step::Facade),
        1 => Just(Step::Tick),
    ]
}

struct Stage {
    plimsoll: Plimsoll,
    clock: ManualClock,
    observed: Arc<AtomicBool>,
    subscription: Option<Subscription>,
}

impl Stage {
    fn new() -> Self {
        let clock = ManualClock::new();
        let select = crate::Select::operation("work-1");
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let limit = Duration::from_millis(100);
        let slow = Budget::quantile("slow", select.clone(), 0.95).at_most(limit);
        let errors = Budget::error_ratio("errors", select).at_most(0.01);
        let plimsoll = builder.max_series(3).budget(slow).budget(errors).build();
        let plimsoll = plimsoll.expect("sound");
        let observed = Arc::new(AtomicBool::new(true));
        let asked = observed.clone();
        let gauge = plimsoll.gauge("depth");
        let read = move || asked.load(Ordering::Relaxed).then_some(2.5);
        gauge.observe(read).expect("a gauge");
        Self {
            plimsoll,
            clock,
            observed,
            subscription: None,
        }
    }

    fn take(&mut self, step: &Step) {
        let plimsoll = &self.plimsoll;
        match *step {
            Step::Record(domain, which, outcome, ns) => {
                let value = format!("work-{which}");
                let labels = vec![value.as_str(); domain.keys().len()];
                let detail = if domain == Domain::Http { 200 } else { 0 };
                record(plimsoll, domain, &labels, &[(outcome, detail, ns)]);
            }
            Step::Count(which) => {
                let counter = plimsoll
                    .counter("jobs_total")
                    .label("kind", which.to_string());
                counter.register().expect("a counter").increment();
            }
            Step::Measure(which, ns) => {
                let layout = crate::Layout::durations();
                let histogram = plimsoll.histogram("job_seconds", layout, &[0.1, 1.0]);
                let histogram = histogram.label("kind", which.to_string());
                histogram.register().expect("a histogram").record(ns);
            }
            Step::Observe(some) => self.observed.store(some, Ordering::Relaxed),
            Step::Subscribe(on) => self.subscription = on.then(|| plimsoll.subscribe()),
            Step::Facade(which) => facade(plimsoll, which),
            Step::Tick => {
                self.clock.advance(Duration::from_secs(1));
                plimsoll.tick();
                // What is under way would be on one page and not on the other.
                assert!(plimsoll.flush(Duration::from_secs(10)));
            }
        }
    }
}

#[cfg(feature = "metrics")]
fn facade(plimsoll: &Plimsoll, which: u8) {
    metrics::with_local_recorder(&plimsoll.metrics_recorder(), || {
        metrics::counter!("orders_total", "shop" => which.to_string()).increment(1);
        metrics::histogram!("packing_seconds", "shop" => which.to_string()).record(0.02);
        // Names that are taken.
        metrics::gauge!("jobs_total").set(1.0);
        metrics::gauge!("plimsoll_ticks_total").set(1.0);
    });
}

#[cfg(not(feature = "metrics"))]
fn facade(_: &Plimsoll, _: u8) {}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_kept_picture_shows_what_a_new_one_shows(steps in vec(step(), 1..40)) {
        let mut stage = Stage::new();
        let formats = [Format::Text, Format::OpenMetrics { created: true }];
        for step in &steps {
            stage.take(step);
            let kept = formats.map(|format| stage.plimsoll.render_as(format));
            let families = stage.plimsoll.families();
            let shelf = &stage.plimsoll.inner().shelf;
            let old = shelf.take::<Picture>().expect("it was put back");
            let fresh = formats.map(|format| stage.plimsoll.render_as(format));
            let again = stage.plimsoll.families();
            let other = families.iter().zip(&again).find(|(kept, fresh)| kept != fresh);
            prop_assert_eq!(other, None);
            prop_assert_eq!(families.len(), again.len());
            shelf.take::<Picture>();
            shelf.put(old);
            for (kept, fresh) in kept.iter().zip(&fresh) {
                let lines = |page: &[u8]| String::from_utf8_lossy(page).lines().map(str::to_owned).collect::<Vec<_>>();
                let (kept, fresh) = (lines(kept), lines(fresh));
                let other = kept.iter().zip(&fresh).find(|(kept, fresh)| kept != fresh);
                prop_assert_eq!(other, None);
                prop_assert_eq!(kept.len(), fresh.len());
            }
        }
    }
}

#[test]
fn two_pages_in_the_making_do_not_disturb_each_other() {
    let plimsoll = filled(Naming::otel());
    let expected = plimsoll.render_as(Format::Text);
    let mut one = Page::new(plimsoll.inner(), Format::Text);
    let two = Page::new(plimsoll.inner(), Format::Text);
    record(
        &plimsoll,
        Domain::Db,
        &["select", "late"],
        &[(Outcome::Ok, 0, MS)],
    );
    let three = Page::new(plimsoll.inner(), Format::Text);
    let mut pages = [Vec::new(), Vec::new(), Vec::new()];
    while one.fill(&mut pages[0]) {}
    two.finish(&mut pages[1]);
    three.finish(&mut pages[2]);
    assert_eq!(pages[0], expected, "as it was when it was asked for");
    assert_eq!(pages[1], expected);
    assert!(pages[2].len() > expected.len());
    drop(one);
    let late = plimsoll.render();
    assert!(late.contains("late"), "kept pictures catch up");
}

#[test]
fn a_page_in_the_making_does_not_keep_the_instance_alive() {
    let plimsoll = filled(Naming::otel());
    let instance = Arc::downgrade(plimsoll.inner());
    let page = Page::new(plimsoll.inner(), Format::Text);
    drop(plimsoll);
    assert!(instance.upgrade().is_none());
    let mut out = Vec::new();
    page.finish(&mut out);
    assert!(!out.is_empty());
}
