//! What the layers that act on a breach promise, under a clock that stands still in between.

use std::convert::Infallible;
use std::future::{Future, Ready, pending, poll_fn, ready};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use plimsoll::act::{
    ActError, Acted, BreakerError, BreakerLayer, ByResult, Fail, Refusal, Shed, ShedLayer,
};
use plimsoll::http::MeasureLayer;
use plimsoll::{
    AlertState, Budget, EventKind, Level, Limit, ManualClock, Naming, Outcome, Plimsoll, Select,
    Subscription,
};
use tower::{Layer, Service, service_fn};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
    events: Subscription,
}

impl Bench {
    fn new(budgets: impl IntoIterator<Item = Budget>) -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let builder = budgets
            .into_iter()
            .fold(builder, |it, each| it.budget(each));
        let plimsoll = builder.build().unwrap();
        let events = plimsoll.subscribe();
        Self {
            plimsoll,
            clock,
            events,
        }
    }

    fn tick(&self) {
        self.clock.advance(SECOND);
        self.plimsoll.tick();
    }

    /// Breaches the budget of `work`.
    fn breach(&self) {
        self.plimsoll.operation("work").record(Outcome::Error, MS);
        self.tick();
    }

    /// Until the breach has left the window.
    fn recover(&self) {
        let breached = || self.plimsoll.budgets()[0].state == AlertState::Firing;
        assert!(breached());
        while breached() {
            self.tick();
        }
    }

    fn edges(&self) -> Vec<EventKind> {
        std::iter::from_fn(|| self.events.try_recv())
            .map(|event| event.kind)
            .collect()
    }

    /// The value of a sample of our own.
    fn sample(&self, line: &str) -> Option<u64> {
        let page = self.plimsoll.render();
        let value = page.lines().find_map(|known| known.strip_prefix(line))?;
        Some(value.trim().parse().unwrap())
    }
}

fn errors() -> Budget {
    Budget::error_ratio("errors", Select::operation("work"))
        .at_most(0.1)
        .over(3 * SECOND)
}

fn at_once<F: Future>(future: F) -> F::Output {
    future.now_or_never().unwrap()
}

type Answer = Ready<Result<Response<String>, Infallible>>;

fn well(_: Request<()>) -> Answer {
    let response = Response::builder().header("x-kind", "a").extension(7_u8);
    ready(Ok(response.body("well".to_owned()).unwrap()))
}

fn send<S>(service: &mut S, path: &str) -> Response<String>
where
    S: Service<Request<()>, Response = Response<String>, Error = Infallible>,
{
    let request = Request::builder().uri(path).body(()).unwrap();
    at_once(service.call(request)).unwrap()
}

/// How many of so many requests are refused.
fn shed_of<S>(service: &mut S, requests: usize) -> usize
where
    S: Service<Request<()>, Response = Response<String>, Error = Infallible>,
{
    let refused = |_: &usize| send(service, "/").status() == StatusCode::SERVICE_UNAVAILABLE;
    (0..requests).filter(refused).count()
}

#[test]
fn handles_are_clones_for_any_thread() {
    fn handle<T: Clone + Send + Sync + std::fmt::Debug>(_: &T) {}
    let bench = Bench::new([errors()]);
    let shed = ShedLayer::builder(&bench.plimsoll, "errors")
        .except(|_| false)
        .respond(|_| Response::new(String::new()))
        .build()
        .unwrap();
    let broken = BreakerLayer::http(&bench.plimsoll, "errors")
        .respond(|_| Response::new(String::new()))
        .classify(|_: &Result<(), ()>| Outcome::Ok)
        .build()
        .unwrap();
    handle(&shed);
    handle(&shed.layer(()));
    handle(&broken);
    handle(&broken.layer(()));
    handle(&bench.plimsoll.budget_state("errors").unwrap());
}

#[test]
fn mistakes_are_named_with_what_mends_them() {
    let bench = Bench::new([errors().warning(0.2), errors_of("others")]);
    let shed = || ShedLayer::builder(&bench.plimsoll, "errors");
    let breaker = || BreakerLayer::builder(&bench.plimsoll, "errors");
    let said = |error: Option<ActError>| error.unwrap().to_string();
    assert_eq!(
        said(ShedLayer::new(&bench.plimsoll, "eros").err()),
        "budget \"eros\" is unknown: take one of errors, others"
    );
    assert_eq!(
        said(BreakerLayer::new(&Bench::new([]).plimsoll, "eros").err()),
        "budget \"eros\" is unknown and so is any other: declare it with Builder::budget"
    );
    assert_eq!(
        said(shed().level(Level::Critical).build().err()),
        "level critical is none of budget \"errors\": it has target, warning"
    );
    for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let error = shed().share(share).build().err();
        assert!(matches!(error, Some(ActError::Share { .. })), "{share}");
    }
    assert_eq!(
        said(shed().share(1.5).build().err()),
        "share 1.5 is not a ratio between 0 and 1"
    );
    assert_eq!(
        said(shed().retry_after(Duration::ZERO).build().err()),
        "retry_after is 0: it takes something greater"
    );
    let zero = |field| Some(ActError::Zero { field });
    assert_eq!(breaker().pause(Duration::ZERO).build().err(), zero("pause"));
    assert_eq!(breaker().trials(0).build().err(), zero("trials"));
    // The ends of what is allowed.
    for share in [0.0, 1.0] {
        let built = shed().share(share).ramp(Duration::MAX).build();
        built.unwrap();
    }
    breaker().pause(Duration::MAX).build().unwrap();
}

fn errors_of(name: &str) -> Budget {
    Budget::error_ratio(name, Select::operation("else")).at_most(0.1)
}

#[test]
fn a_pending_budget_is_not_in_breach() {
    let bench = Bench::new([errors().sustained(2 * SECOND)]);
    let state = bench.plimsoll.budget_state("errors").unwrap();
    bench.breach();
    assert_eq!(state.state(), AlertState::Pending);
    let layer = ShedLayer::new(&bench.plimsoll, "errors").unwrap();
    assert_eq!(shed_of(&mut layer.layer(service_fn(well)), 10), 0);
}

#[test]
fn the_share_is_met_within_one_request_for_any_stretch() {
    for share in [0.0, 0.1, 1.0 / 3.0, 0.5, 0.9, 0.999, 1.0] {
        let bench = Bench::new([errors()]);
        let layer = ShedLayer::builder(&bench.plimsoll, "errors").share(share);
        let layer = layer.build().unwrap();
        // Two services of one layer share out together.
        let mut services = [(); 2].map(|()| layer.layer(service_fn(well)));
        assert_eq!(shed_of(&mut services[0], 50), 0, "no breach");
        bench.breach();
        let refused: Vec<_> = (0..1_000)
            .map(|n| shed_of(&mut services[n % 2], 1))
            .collect();
        for stretch in 1..=100 {
            for window in refused.windows(stretch) {
                let of_window = window.iter().sum::<usize>() as f64;
                let due = share * stretch as f64;
                assert!((of_window - due).abs() <= 1.0, "{share} of {stretch}");
            }
        }
        let all = refused.iter().sum::<usize>() as u64;
        let line = "plimsoll_shed_total{budget=\"errors\"}";
        assert_eq!(bench.sample(line), Some(all));
    }
}

#[test]
fn many_threads_share_out_exactly() {
    let bench = Bench::new([errors()]);
    let layer = ShedLayer::new(&bench.plimsoll, "errors").unwrap();
    bench.breach();
    let refused: usize = std::thread::scope(|scope| {
        let worker = || shed_of(&mut layer.layer(service_fn(well)), 1_000);
        let workers = [(); 4].map(|()| scope.spawn(worker));
        workers.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert_eq!(refused, 3_600);
}

#[test]
fn a_refusal_says_when_to_come_back_and_the_rest_is_unchanged() {
    let bench = Bench::new([errors()]);
    let layer = ShedLayer::builder(&bench.plimsoll, "errors").share(1.0);
    let layer = layer.retry_after(1_500 * MS).build().unwrap();
    let mut service = layer.layer(service_fn(well));
    let (parts, body) = send(&mut service, "/").into_parts();
    assert_eq!((parts.status, body.as_str()), (StatusCode::OK, "well"));
    assert_eq!(parts.headers["x-kind"], "a");
    assert_eq!(parts.extensions.get(), Some(&7_u8));
    bench.breach();
    let (parts, body) = send(&mut service, "/").into_parts();
    assert_eq!((parts.status.as_u16(), body.as_str()), (503, ""));
    assert_eq!(parts.headers["retry-after"], "2", "rounded up");
    assert_eq!(parts.headers.len(), 1);
    assert_eq!(parts.extensions.get(), Some(&Acted::Shed));
}

#[test]
fn the_users_own_response_needs_no_default_body() {
    #[derive(Debug, PartialEq)]
    struct Page(String);

    let bench = Bench::new([errors()]);
    let layer = ShedLayer::builder(&bench.plimsoll, "errors")
        .share(1.0)
        .respond(|refusal| {
            let text = format!("{} {:?}", refusal.budget, refusal.retry_after);
            let mut response = Response::new(Page(text));
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response
        });
    let page = |_: Request<()>| ready(Ok::<_, Infallible>(Response::new(Page(String::new()))));
    let mut service = layer.build().unwrap().layer(service_fn(page));
    bench.breach();
    let response = at_once(service.call(Request::new(()))).unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.extensions().get(), Some(&Acted::Shed));
    assert!(response.headers().is_empty());
    assert_eq!(response.into_body(), Page("errors 1s".to_owned()));
}

#[test]
fn what_is_excepted_is_never_shed_and_takes_nobodys_place() {
    let bench = Bench::new([errors()]);
    let layer = ShedLayer::builder(&bench.plimsoll, "errors")
        .share(0.5)
        .except(|request| request.uri.path() == "/health");
    let mut service = layer.build().unwrap().layer(service_fn(well));
    bench.breach();
    let statuses: Vec<_> = (0..20)
        .map(|n| {
            let path = if n % 2 == 0 { "/health" } else { "/" };
            send(&mut service, path).status().as_u16()
        })
        .collect();
    assert!(statuses.iter().step_by(2).all(|&status| status == 200));
    let others = statuses.iter().skip(1).step_by(2);
    assert_eq!(others.filter(|&&status| status == 503).count(), 5);
}

#[test]
fn after_the_recovery_the_share_falls_tick_by_tick() {
    let bench = Bench::new([errors()]);
    let layer = ShedLayer::builder(&bench.plimsoll, "errors").share(0.8);
    let mut service = layer
        .ramp(4 * SECOND)
        .build()
        .unwrap()
        .layer(service_fn(well));
    bench.breach();
    assert_eq!(shed_of(&mut service, 100), 80);
    bench.recover();
    for expected in [80, 60, 40, 20, 0, 0] {
        let refused = shed_of(&mut service, 100);
        assert!(refused.abs_diff(expected) <= 1, "{refused}, not {expected}");
        bench.tick();
    }
}

#[test]
fn without_a_ramp_everything_passes_at_once() {
    let bench = Bench::new([errors()]);
    let layer = ShedLayer::builder(&bench.plimsoll, "errors").ramp(Duration::ZERO);
    let mut service = layer.build().unwrap().layer(service_fn(well));
    bench.breach();
    assert_eq!(shed_of(&mut service, 10), 9);
    bench.recover();
    assert_eq!(shed_of(&mut service, 100), 0);
}

#[test]
fn a_level_that_is_named_is_the_only_one_that_sheds() {
    let bench =
        Bench::new([errors().critical(Limit::from(0.9).sustained(Duration::from_secs(3600)))]);
    let of_level = |level| {
        let layer = ShedLayer::builder(&bench.plimsoll, "errors").share(1.0);
        layer.level(level).build().unwrap().layer(service_fn(well))
    };
    let mut target = of_level(Level::Target);
    let mut critical = of_level(Level::Critical);
    bench.breach();
    assert_eq!(shed_of(&mut target, 10), 10);
    assert_eq!(shed_of(&mut critical, 10), 0);
}

/// A service that must be made ready by every clone before each call, as tower demands.
#[derive(Debug, Default)]
struct Strict {
    ready: bool,
    reserved: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            reserved: self.reserved.clone(),
        }
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        self.reserved
            .fetch_sub(usize::from(self.ready), Ordering::Relaxed);
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        let new = !std::mem::replace(&mut self.ready, true);
        self.reserved.fetch_add(usize::from(new), Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Answer {
        assert!(
            std::mem::take(&mut self.ready),
            "called before it was ready"
        );
        self.reserved.fetch_sub(1, Ordering::Relaxed);
        well(request)
    }
}

#[test]
fn a_service_that_was_ready_and_not_called_is_called_later_or_given_back() {
    let bench = Bench::new([errors()]);
    let layer = ShedLayer::builder(&bench.plimsoll, "errors").share(0.5);
    let strict = Strict::default();
    let reserved = strict.reserved.clone();
    let mut service: Shed<Strict> = layer.build().unwrap().layer(strict);
    bench.breach();
    let turn = |service: &mut Shed<Strict>| {
        let made = at_once(poll_fn(|cx| service.poll_ready(cx)));
        made.unwrap();
        let status = send(service, "/").status().as_u16();
        (status, reserved.load(Ordering::Relaxed))
    };
    assert_eq!(turn(&mut service), (200, 0));
    assert_eq!(turn(&mut service), (503, 1), "it stays ready");
    assert_eq!(turn(&mut service), (200, 0));
    let mut clone = service.clone();
    assert_eq!(turn(&mut clone), (503, 1));
    drop(clone);
    assert_eq!(turn(&mut service), (200, 0));
}

#[test]
fn a_panic_in_a_closure_is_that_of_one_request() {
    let bench = Bench::new([errors()]);
    let layer = ShedLayer::builder(&bench.plimsoll, "errors")
        .share(1.0)
        .except(|request| match request.uri.path() {
            "/panic" => std::panic::resume_unwind(Box::new("on purpose")),
            _ => false,
        })
        .respond(|_| std::panic::resume_unwind(Box::new("on purpose")) as Response<String>);
    let mut service = layer.build().unwrap().layer(service_fn(well));
    bench.breach();
    for path in ["/panic", "/", "/"] {
        let refused = AssertUnwindSafe(|| send(&mut service, path));
        assert!(std::panic::catch_unwind(refused).is_err());
    }
    (0..9).for_each(|_| bench.tick());
    assert_eq!(send(&mut service, "/").status(), 200);
}

/// A service that takes the longer the more requests it is working on: 50 ms, and from 20 at a time on as much longer.
struct Overloaded {
    bench: Bench,
    service: Box<dyn FnMut() -> Call>,
    gate: Arc<AtomicBool>,
}

type Call = Pin<Box<dyn Future<Output = StatusCode>>>;

impl Overloaded {
    fn new(
        configure: impl FnOnce(plimsoll::act::ShedBuilder) -> plimsoll::act::ShedBuilder,
    ) -> Self {
        let latency = Budget::quantile("latency", Select::http(), 0.95);
        let latency = latency.at_most(200 * MS).over(5 * SECOND).min_events(5);
        let bench = Bench::new([latency]);
        let gate = Arc::new(AtomicBool::new(false));
        let opened = gate.clone();
        let work = service_fn(move |_: Request<()>| {
            let opened = opened.clone();
            poll_fn(move |_| match opened.load(Ordering::Relaxed) {
                true => Poll::Ready(Ok::<_, Infallible>(Response::new(String::new()))),
                false => Poll::Pending,
            })
        });
        let shed = configure(ShedLayer::builder(&bench.plimsoll, "latency"));
        let shed = shed.build().unwrap().layer(work);
        let mut service = MeasureLayer::new(&bench.plimsoll).layer(shed);
        let service = move || -> Call {
            let call = service.call(Request::new(()));
            Box::pin(async move { call.await.unwrap().status() })
        };
        Self {
            bench,
            service: Box::new(service),
            gate,
        }
    }

    /// A second in which so many requests come at once; returns how many were worked on.
    fn second(&mut self, demand: usize) -> usize {
        self.gate.store(false, Ordering::Relaxed);
        let mut calls: Vec<_> = (0..demand).map(|_| (self.service)()).collect();
        calls.retain_mut(|call| match call.now_or_never() {
            Some(status) => {
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
                false
            }
            None => true,
        });
        let took = 50 * MS * calls.len().max(20) as u32 / 20;
        self.bench.clock.advance(took);
        self.gate.store(true, Ordering::Relaxed);
        let worked = calls.len();
        calls
            .into_iter()
            .for_each(|call| assert_eq!(at_once(call), 200));
        self.bench.clock.advance(SECOND - took);
        self.bench.plimsoll.tick();
        worked
    }
}

#[test]
fn an_overload_is_shed_until_it_is_over() {
    let mut work = Overloaded::new(|shed| shed);
    let calm: usize = (0..5).map(|_| work.second(20)).sum();
    assert_eq!((calm, work.bench.edges()), (100, vec![]));
    assert_eq!(work.second(100), 100, "one second of overload");
    assert_eq!(work.bench.edges(), [EventKind::Breach]);
    let shed: Vec<_> = (0..3).map(|_| work.second(100)).collect();
    assert!(
        shed.iter().all(|&worked| worked.abs_diff(10) <= 1),
        "{shed:?}"
    );
    assert_eq!(work.bench.edges(), []);
    // The demand falls: the probes show it, and everything comes back by itself.
    let after: Vec<_> = (0..12).map(|_| work.second(20)).collect();
    assert_eq!(work.bench.edges(), [EventKind::Recovery]);
    assert_eq!(after.last(), Some(&20), "{after:?}");
    assert!(after[1..].is_sorted(), "{after:?}");

    let stats = work.bench.plimsoll.stats();
    let shed = stats.operations[0].shed;
    let line = "plimsoll_shed_total{budget=\"latency\"}";
    assert_eq!(work.bench.sample(line), Some(shed));
    assert!(
        shed > 260 && stats.total == 5 * 20 + 4 * 100 + 12 * 20,
        "{stats:?}"
    );
    assert_eq!((stats.errors, stats.error_ratio), (0, 0.0));
    let line = "plimsoll_sli_valid_total{budget=\"latency\",level=\"target\"}";
    assert_eq!(work.bench.sample(line), Some(stats.total - shed));
    // By status they are in the totals.
    let line = "http_server_request_duration_seconds_count{http_request_method=\"GET\",\
                http_route=\"unmatched\",http_response_status_code=\"503\",error_type=\"shed\"}";
    assert_eq!(work.bench.sample(line), Some(shed));
}

#[test]
fn a_lasting_overload_swings_slowly_with_a_ramp() {
    let swings = |ramp| {
        let mut work = Overloaded::new(|shed| shed.ramp(ramp));
        let worked: usize = (0..120).map(|_| work.second(100)).sum();
        (work.bench.edges().len(), worked)
    };
    let (at_once, _) = swings(Duration::ZERO);
    let (ramped, worked) = swings(10 * SECOND);
    assert!(
        ramped <= at_once * 2 / 3,
        "{ramped} edges, {at_once} without"
    );
    assert!(worked > 120 * 10, "{worked}: more than the probes");
}

#[test]
fn error_counts_and_ratios_leave_refusals_out() {
    for naming in [Naming::millis(), Naming::classic().errors_family()] {
        let errors = Budget::error_ratio("errors", Select::http()).at_most(0.1);
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().naming(naming).clock(clock.clone());
        let plimsoll = builder.manual_tick().budget(errors).build().unwrap();
        let shed = ShedLayer::new(&plimsoll, "errors").unwrap();
        let failing = |_: Request<()>| {
            let response = Response::builder().status(500).body(String::new());
            ready(Ok::<_, Infallible>(response.unwrap()))
        };
        let shed = shed.layer(service_fn(failing));
        let mut service = MeasureLayer::new(&plimsoll).layer(shed);
        let mut send = || at_once(service.call(Request::new(()))).unwrap();
        send();
        clock.advance(SECOND);
        plimsoll.tick();
        (0..10).for_each(|_| drop(send()));
        let page = plimsoll.render();
        let has = |line: &str| page.lines().any(|known| known == line);
        let labels = "method=\"GET\",route=\"unmatched\"";
        if page.contains("http_error_rate") {
            assert!(has("http_error_rate{service=\"service\"} 1.0"), "{page}");
            assert!(has(&format!(
                "http_requests_total{{{labels},status_code=\"503\"}} 9"
            )));
        } else {
            assert!(has(&format!("errors_total{{{labels}}} 2")), "{page}");
            assert!(has(&format!("requests_total{{{labels}}} 11")));
        }
    }
}

#[test]
fn refusals_are_neither_valid_nor_bad_nor_errors() {
    let select = || Select::operation("work");
    let bench = Bench::new([
        errors(),
        Budget::throughput("rate", select()).at_least(0.1),
        Budget::quantile("slow", select(), 0.5).at_most(MS),
    ]);
    let work = bench.plimsoll.operation("work");
    for outcome in [Outcome::Shed, Outcome::Broken] {
        (0..10).for_each(|_| work.record(outcome, SECOND));
    }
    work.record(Outcome::Ok, MS);
    bench.tick();
    assert_eq!(bench.plimsoll.budgets()[0].value, Some(0.0));
    for budget in ["errors", "rate", "slow"] {
        let line = |kind| {
            let name = format!("plimsoll_sli_{kind}_total");
            bench.sample(&format!("{name}{{budget=\"{budget}\",level=\"target\"}}"))
        };
        assert_eq!((line("valid"), line("bad")), (Some(1), Some(0)));
    }
    let line = &bench.plimsoll.stats().operations[0];
    assert_eq!(
        (line.count, line.errors, line.shed, line.broken),
        (21, 0, 10, 10)
    );
    assert!(line.p99.unwrap() < 0.002, "of what was worked on");
    assert_eq!(
        bench.sample("operation_duration_seconds_count{operation=\"work\",outcome=\"shed\"}"),
        Some(10)
    );
}

/// A service that does what it is told, and counts its calls.
#[derive(Debug, Clone, Default)]
struct Told {
    calls: Arc<AtomicUsize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Task {
    Succeed,
    Fail,
    Hang,
    Panic,
}

type Done = Pin<Box<dyn Future<Output = Result<u8, &'static str>>>>;

impl Service<Task> for Told {
    type Response = u8;
    type Error = &'static str;
    type Future = Done;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task) -> Done {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match task {
            Task::Succeed => Box::pin(ready(Ok(7))),
            Task::Fail => Box::pin(ready(Err("failed"))),
            Task::Hang => Box::pin(pending()),
            Task::Panic => Box::pin(async { std::panic::resume_unwind(Box::new("on purpose")) }),
        }
    }
}

type ToldBreaker = plimsoll::act::Breaker<Told, Fail, ByResult>;

/// A breaker that was opened, and is half-open with the next call.
fn tried() -> (Bench, ToldBreaker, Arc<AtomicUsize>) {
    let bench = Bench::new([errors()]);
    let layer = BreakerLayer::new(&bench.plimsoll, "errors").unwrap();
    let told = Told::default();
    let calls = told.calls.clone();
    let mut service = layer.layer(told);
    assert_eq!(bench.sample(STATE), Some(0));
    bench.breach();
    assert!(is_open(&mut service));
    assert_eq!(bench.sample(STATE), Some(2));
    bench.clock.advance(5 * SECOND);
    (bench, service, calls)
}

const STATE: &str = "plimsoll_breaker_state{budget=\"errors\"}";
const BROKEN: &str = "plimsoll_broken_total{budget=\"errors\"}";

fn is_open(service: &mut ToldBreaker) -> bool {
    let result = at_once(service.call(Task::Succeed));
    matches!(result, Err(BreakerError::Open { .. }))
}

fn succeed(service: &mut ToldBreaker) {
    assert_eq!(at_once(service.call(Task::Succeed)), Ok(7));
}

#[test]
fn a_breaker_opens_with_the_breach_and_the_service_is_left_alone() {
    let bench = Bench::new([errors()]);
    let layer = BreakerLayer::new(&bench.plimsoll, "errors").unwrap();
    let told = Told::default();
    let mut service = layer.layer(told.clone());
    assert_eq!(bench.sample(BROKEN), Some(0));
    succeed(&mut service);
    let inner = at_once(service.call(Task::Fail)).unwrap_err();
    assert_eq!(inner, BreakerError::Inner("failed"));
    assert_eq!(inner.to_string(), "failed");
    bench.breach();
    for (later, left) in [(0, 5), (0, 5), (2, 3)] {
        bench.clock.advance(later * SECOND);
        let error = at_once(service.call(Task::Succeed)).unwrap_err();
        let BreakerError::Open { retry_after, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(*retry_after, left * SECOND);
        let text = format!("the breaker of budget \"errors\" is open: try again in {left}s");
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(told.calls.load(Ordering::Relaxed), 2);
    assert_eq!(bench.sample(BROKEN), Some(3));
}

#[test]
fn trials_close_it_once_the_budget_has_recovered() {
    let (bench, mut service, calls) = tried();
    for _ in 0..5 {
        succeed(&mut service);
    }
    assert_eq!(
        bench.sample(STATE),
        Some(1),
        "the budget is still in breach"
    );
    bench.recover();
    succeed(&mut service);
    assert_eq!(bench.sample(STATE), Some(0));
    assert_eq!(calls.load(Ordering::Relaxed), 6);
}

#[test]
fn a_recovery_alone_does_not_close_it() {
    let (bench, mut service, _) = tried();
    bench.recover();
    let mut hanging: Vec<_> = (0..3).map(|_| service.call(Task::Hang)).collect();
    assert!(is_open(&mut service), "three trials at a time");
    hanging.pop();
    succeed(&mut service);
    succeed(&mut service);
    assert_eq!(bench.sample(STATE), Some(1));
    succeed(&mut service);
    assert_eq!(bench.sample(STATE), Some(0));
    // What is still under way takes no place of anybody.
    let many: Vec<_> = (0..10).map(|_| service.call(Task::Hang)).collect();
    drop((many, hanging));
    succeed(&mut service);
}

#[test]
fn a_trial_that_fails_or_panics_opens_it_again() {
    for task in [Task::Fail, Task::Panic] {
        let (bench, mut service, _) = tried();
        bench.recover();
        succeed(&mut service);
        let mut call = service.call(task);
        let poll = AssertUnwindSafe(|| (&mut call).now_or_never());
        let ended = std::panic::catch_unwind(poll);
        assert_eq!(ended.is_err(), task == Task::Panic);
        assert_eq!(bench.sample(STATE), Some(2), "{task:?}");
        assert!(is_open(&mut service));
        drop(call);
        bench.clock.advance(5 * SECOND);
        succeed(&mut service);
        succeed(&mut service);
        assert_eq!(bench.sample(STATE), Some(1), "earlier trials prove nothing");
        succeed(&mut service);
        assert_eq!(bench.sample(STATE), Some(0));
    }
}

#[test]
fn a_dropped_trial_frees_its_place_and_says_nothing() {
    let (bench, mut service, calls) = tried();
    for _ in 0..20 {
        let mut call = service.call(Task::Hang);
        assert!((&mut call).now_or_never().is_none());
    }
    assert_eq!(calls.load(Ordering::Relaxed), 20);
    assert_eq!(bench.sample(STATE), Some(1));
    // Of an earlier round: it keeps its place, and its end is not looked at.
    let old = service.call(Task::Fail);
    let _ = at_once(service.call(Task::Fail));
    bench.clock.advance(5 * SECOND);
    let hanging = [(); 2].map(|()| service.call(Task::Hang));
    assert!(is_open(&mut service));
    assert_eq!(at_once(old), Err(BreakerError::Inner("failed")));
    assert_eq!(bench.sample(STATE), Some(1));
    succeed(&mut service);
    drop(hanging);
}

#[test]
fn trials_are_limited_under_concurrency() {
    for _ in 0..50 {
        let (bench, service, calls) = tried();
        let barrier = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            let worker = || {
                let mut service = service.clone();
                barrier.wait();
                let calls: Vec<_> = (0..10).map(|_| service.call(Task::Hang)).collect();
                barrier.wait();
                drop(calls);
            };
            (0..4).for_each(|_| drop(scope.spawn(worker)));
        });
        assert_eq!(calls.load(Ordering::Relaxed), 3);
        assert_eq!(bench.sample(BROKEN), Some(1 + 37));
    }
}

#[test]
fn a_classifier_judges_the_trials() {
    let bench = Bench::new([errors()]);
    let layer = BreakerLayer::builder(&bench.plimsoll, "errors")
        .trials(1)
        .pause(SECOND)
        .classify(|result: &Result<u8, &str>| match result {
            Ok(7) => Outcome::Error,
            Ok(_) => std::panic::resume_unwind(Box::new("on purpose")),
            Err(_) => Outcome::Ok,
        });
    let layer = layer.build().unwrap();
    let mut service = layer.layer(service_fn(|result: Result<u8, &'static str>| ready(result)));
    bench.breach();
    at_once(service.call(Ok(7))).unwrap_err();
    bench.recover();
    assert_eq!(at_once(service.call(Ok(7))), Ok(7));
    assert_eq!(bench.sample(STATE), Some(2));
    bench.clock.advance(SECOND);
    let judged = AssertUnwindSafe(|| at_once(service.call(Ok(8))));
    assert!(std::panic::catch_unwind(judged).is_err());
    assert_eq!(bench.sample(STATE), Some(2));
    bench.clock.advance(SECOND);
    assert_eq!(
        at_once(service.call(Err("no"))),
        Err(BreakerError::Inner("no"))
    );
    assert_eq!(bench.sample(STATE), Some(0));
}

#[test]
fn an_http_breaker_answers_with_a_response_and_judges_by_status() {
    let bench = Bench::new([errors()]);
    let layer = BreakerLayer::http(&bench.plimsoll, "errors")
        .build()
        .unwrap();
    let own = BreakerLayer::http(&bench.plimsoll, "errors")
        .respond(|refusal: &Refusal| {
            let seconds = refusal.retry_after_seconds();
            Response::new(format!("back in {seconds} s"))
        })
        .build()
        .unwrap();
    let status = |request: Request<u16>| {
        let response = Response::builder().status(*request.body());
        ready(Ok::<_, Infallible>(response.body(String::new()).unwrap()))
    };
    let measure = MeasureLayer::new(&bench.plimsoll);
    let mut service = measure.layer(layer.layer(service_fn(status)));
    let mut send = |status: u16| {
        let response = at_once(service.call(Request::new(status))).unwrap();
        (response.status().as_u16(), response.headers().clone())
    };
    assert_eq!(send(500).0, 500);
    bench.breach();
    let (status_code, headers) = send(200);
    assert_eq!(
        (status_code, &headers["retry-after"]),
        (503, &"5".parse::<http::HeaderValue>().unwrap())
    );
    bench.clock.advance(5 * SECOND);
    assert_eq!(send(404).0, 404);
    assert_eq!(bench.sample(STATE), Some(1));
    assert_eq!(send(502).0, 502);
    assert_eq!(bench.sample(STATE), Some(2));

    let response = at_once(own.layer(service_fn(status)).call(Request::new(200))).unwrap();
    assert_eq!(response.extensions().get(), Some(&Acted::Broken));
    assert_eq!(response.into_body(), "back in 5 s");
    let stats = bench.plimsoll.stats();
    assert_eq!((stats.total, stats.errors), (4, 2));
    assert_eq!(stats.operations[0].broken, 1);
    assert_eq!(stats.error_ratio, 2.0 / 3.0);
}

#[cfg(feature = "service")]
#[test]
fn a_measured_breaker_counts_refusals_apart() {
    let bench = Bench::new([errors()]);
    let breaker = BreakerLayer::new(&bench.plimsoll, "errors").unwrap();
    let measure = plimsoll::service::MeasureLayer::new(&bench.plimsoll, "told");
    let measure = measure.classify(plimsoll::act::outcome::<u8, &'static str>);
    let mut service = measure.layer(breaker.layer(Told::default()));
    at_once(service.call(Task::Fail)).unwrap_err();
    bench.breach();
    at_once(service.call(Task::Fail)).unwrap_err();
    let stats = bench.plimsoll.stats();
    let told = stats.operations.iter().find(|it| it.kind == "service");
    let told = told.unwrap();
    assert_eq!((told.count, told.errors, told.broken), (2, 1, 1));
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn both_layers_fit_on_a_router() {
    use axum::{Router, body::Body, routing::get};
    use tower::ServiceExt;

    let bench = Bench::new([errors()]);
    let shed = ShedLayer::new(&bench.plimsoll, "errors").unwrap();
    let breaker = BreakerLayer::http(&bench.plimsoll, "errors")
        .build()
        .unwrap();
    let app: Router = Router::new()
        .route("/", get(|| async { "well" }))
        .layer(breaker)
        .layer(shed)
        .layer(MeasureLayer::new(&bench.plimsoll));
    bench.breach();
    for _ in 0..10 {
        let response = app
            .clone()
            .oneshot(Request::new(Body::empty()))
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    let stats = bench.plimsoll.stats();
    let line = stats
        .operations
        .iter()
        .find(|it| it.kind == "http")
        .unwrap();
    assert_eq!(
        (line.count, line.errors, line.shed, line.broken),
        (10, 0, 9, 1)
    );
}
