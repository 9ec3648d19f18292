//! The hot path allocates nothing. A binary of its own, because the allocator is the process's.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, poll_fn, ready};
use std::hint::black_box;
use std::pin::pin;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use plimsoll::export::Format;
use plimsoll::http::{MeasureLayer, Route};
use plimsoll::{Buckets, Histogram, ManualClock, Plimsoll, service};
use tower::{Layer, Service, service_fn};

/// Counts the allocations of each thread, so that tests can run side by side.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: `System` does the work; the counter is a plain thread-local cell that neither allocates nor is dropped.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// An instance whose clock stands still: a thread's first record into an octave makes a page, and a slow machine must
/// not decide when that is.
fn still() -> Plimsoll {
    let builder = Plimsoll::builder().clock(ManualClock::new());
    builder.build().unwrap()
}

/// How many allocations a hundred runs make, after ten to warm up.
fn allocations(mut run: impl FnMut()) -> u64 {
    (0..10).for_each(|_| run());
    let before = ALLOCATIONS.get();
    (0..100).for_each(|_| run());
    ALLOCATIONS.get() - before
}

fn at_once<F: Future>(future: F) -> F::Output {
    pin!(future).now_or_never().unwrap()
}

/// The allocations of requests whose response is read to the end by `service`.
fn of_requests<S, B>(mut service: S) -> u64
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes, Error = Infallible>,
{
    let request = || {
        let mut request = Request::new(());
        request
            .extensions_mut()
            .insert(Route::from_static("/devices/{id}"));
        request
    };
    let mut requests: Vec<_> = (0..110).map(|_| request()).collect();
    allocations(|| {
        let request = requests.pop().unwrap();
        let response = at_once(service.call(request)).unwrap();
        let mut body = pin!(response.into_body());
        while let Some(frame) = at_once(poll_fn(|cx| body.as_mut().poll_frame(cx))) {
            black_box(frame).unwrap();
        }
    })
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(7)))), 100);
}

#[test]
fn a_request_allocates_nothing_of_ours() {
    let plimsoll = still();
    let layer = MeasureLayer::new(&plimsoll).exclude(["/health"]);
    let bare = service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Full::new(
            Bytes::from_static(b"ok"),
        ))))
    });
    assert_eq!(of_requests(layer.layer(bare)), of_requests(bare));
    assert_eq!(plimsoll.stats().operations[0].count, 110);
}

#[cfg(feature = "db")]
#[test]
fn an_anatomy_is_one_allocation_and_a_trace_none_beside_it() {
    let plimsoll = still();
    let db = plimsoll.db("orders");
    let service = service_fn(|_: Request<()>| {
        let db = &db;
        async move {
            let _outer = plimsoll::stage("outer");
            for _ in 0..3 {
                let _inner = plimsoll::stage("inner");
                db.time("by_id", ready(Ok::<_, ()>(()))).await.unwrap();
            }
            let body = Full::new(Bytes::from_static(b"ok"));
            Ok::<_, Infallible>(Response::new(body))
        }
    });
    let of = |layer: &MeasureLayer| of_requests(layer.layer(service));
    let layer = MeasureLayer::new(&plimsoll);
    assert_eq!(of(&layer), of_requests(service));
    assert_eq!(of(&layer.clone().anatomy()), of(&layer) + 100);
    assert_eq!(of(&layer.clone().trace_ids()), of(&layer), "no trace");
    let traced = |layer: MeasureLayer| layer.trace_id(|_| plimsoll::TraceId::new([7; 16]));
    assert_eq!(of(&traced(layer.clone())), of(&layer) + 100);
    assert_eq!(of(&traced(layer.clone().anatomy())), of(&layer) + 100);
}

#[cfg(feature = "db")]
#[test]
fn counting_statements_allocates_nothing_until_there_is_a_finding() {
    let plimsoll = still();
    let shop = plimsoll.database("shop").open();
    let texts: Vec<_> = (0..40).map(|nth| format!("SELECT a{nth}")).collect();
    let service = |again: usize| {
        let (shop, texts) = (&shop, &texts);
        service_fn(move |_: Request<()>| {
            let others = texts.iter().map(String::as_str);
            for sql in others.chain(std::iter::repeat_n("SELECT b", again)) {
                shop.begin_sql(sql, None).finish(&Ok::<_, ()>(()));
            }
            let body = Full::new(Bytes::from_static(b"ok"));
            ready(Ok::<_, Infallible>(Response::new(body)))
        })
    };
    let layer = MeasureLayer::new(&plimsoll);
    let of = |layer: &MeasureLayer, again| of_requests(layer.layer(service(again)));
    let without = of(&layer, 9);
    assert_eq!(of(&layer.clone().anatomy(), 9), without + 100);
    assert_eq!(of(&layer.clone().n_plus_one(), 9), without + 100);
    // Its name, and the place for that; the finding itself once, and none of those alike.
    let found = of(&layer.clone().n_plus_one(), 10) - without - 100;
    assert!((200..300).contains(&found), "{found}");
}

#[test]
fn a_request_allocates_nothing_more_with_labels_on() {
    use plimsoll::http::Label;

    let tier = Label::request("tier", |head| head.headers().get("x-tier")?.to_str().ok());
    let size = Label::response("size", |head| head.headers().get("x-size")?.to_str().ok());
    let plimsoll = Plimsoll::builder()
        .clock(ManualClock::new())
        .http_label(Label::scheme())
        .http_label(Label::version())
        .http_label(tier.at_most(3))
        .http_label(size.values(["small", "large"]))
        .build()
        .unwrap();
    let layer = MeasureLayer::new(&plimsoll)
        .exclude(["/health"])
        .rename_route("/devices/{id}", "/api/devices/{id}");
    let bare = service_fn(|mut request: Request<()>| {
        let mut response = Response::new(Full::new(Bytes::from_static(b"ok")));
        *response.headers_mut() = std::mem::take(request.headers_mut());
        let small = http::HeaderValue::from_static("small");
        response.headers_mut().insert("x-size", small);
        ready(Ok::<_, Infallible>(response))
    });
    let requests = || (0..110).map(|_| labelled_request()).collect::<Vec<_>>();
    let (mut ours, mut theirs) = (requests(), requests());
    let (mut layered, mut bare) = (layer.layer(bare), bare);
    let with = allocations(|| drop(at_once(layered.call(ours.pop().unwrap()))));
    let without = allocations(|| drop(at_once(bare.call(theirs.pop().unwrap()))));
    assert_eq!(with, without);
    let operations = plimsoll.stats().operations;
    let values: Vec<&str> = operations[0].labels.iter().map(|label| &*label.1).collect();
    assert_eq!(values, ["GET", "/api/devices/{id}", "https", "1.1", "gold"]);
    assert_eq!((operations.len(), operations[0].count), (1, 110));
}

/// A request with what labels are read from.
fn labelled_request() -> Request<()> {
    let mut request = Request::new(());
    let route = Route::from_static("/devices/{id}");
    request.extensions_mut().insert(route);
    let headers = request.headers_mut();
    headers.insert("x-tier", http::HeaderValue::from_static("gold"));
    headers.insert("x-forwarded-proto", http::HeaderValue::from_static("https"));
    request
}

#[test]
fn layers_that_act_allocate_nothing_of_ours_without_a_breach() {
    use plimsoll::act::{BreakerLayer, ShedLayer};
    use plimsoll::{Budget, Select};

    let builder = Plimsoll::builder().clock(ManualClock::new()).manual_tick();
    let errors = Budget::error_ratio("errors", Select::http()).at_most(0.1);
    let plimsoll = builder.budget(errors).build().unwrap();
    let shed = ShedLayer::builder(&plimsoll, "errors").except(|_| panic!("not asked"));
    let shed = shed.build().unwrap();
    let breaker = BreakerLayer::http(&plimsoll, "errors").build().unwrap();
    let bare = service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Full::new(
            Bytes::from_static(b"ok"),
        ))))
    });
    let none = of_requests(bare);
    assert_eq!(of_requests(shed.layer(bare)), none);
    assert_eq!(of_requests(breaker.layer(bare)), none);
    let measured = MeasureLayer::new(&plimsoll).layer(shed.layer(breaker.layer(bare)));
    assert_eq!(of_requests(measured), none);
    let applied = || drop(black_box(shed.layer(breaker.layer(()))).clone());
    assert_eq!(allocations(applied), 0);
}

#[test]
fn a_budget_on_a_route_allocates_nothing_after_the_first_request() {
    use plimsoll::http::{BudgetLayer, RouteBudget};
    use plimsoll::{Budget, Select};

    let plimsoll = Plimsoll::builder().manual_tick().build().unwrap();
    let budget = |name| Budget::error_ratio(name, Select::http()).at_most(0.1);
    let layer = BudgetLayer::new(&plimsoll, budget("layer")).unwrap();
    let brought = RouteBudget::new(&plimsoll, budget("extension")).unwrap();
    let bare = service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Full::new(
            Bytes::from_static(b"ok"),
        ))))
    });
    let with_extension = |budget: Option<RouteBudget>| {
        let mut service = layer.layer(BudgetLayer::of_requests().layer(bare));
        service_fn(move |mut request: Request<()>| {
            budget
                .clone()
                .map(|budget| request.extensions_mut().insert(budget));
            service.call(request)
        })
    };
    let inserted = |service| of_requests(with_extension(service)) - of_requests(bare);
    assert_eq!(inserted(None), 0);
    assert_eq!(inserted(Some(brought)), 100, "the box of the extension");
    assert_eq!(allocations(|| drop(black_box(layer.layer(())).clone())), 0);
}

#[test]
fn a_layer_is_applied_without_allocating() {
    let plimsoll = still();
    let layer = MeasureLayer::new(&plimsoll);
    assert_eq!(allocations(|| drop(black_box(layer.layer(())).clone())), 0);
}

#[test]
fn a_service_call_allocates_nothing_whichever_way_it_ends() {
    let plimsoll = still();
    let layer = service::MeasureLayer::new(&plimsoll, "work");
    let mut service = layer.layer(service_fn(|fails: bool| {
        ready(if fails { Err("failed") } else { Ok(()) })
    }));
    let calls = allocations(|| {
        at_once(poll_fn(|cx| service.poll_ready(cx))).unwrap();
        at_once(service.call(false)).unwrap();
        at_once(service.call(true)).unwrap_err();
        drop(service.call(false));
    });
    assert_eq!(calls, 0);
    let work = &plimsoll.stats().operations[0];
    assert_eq!((work.count, work.errors, work.cancelled), (330, 110, 110));
}

#[test]
fn a_histogram_records_without_allocating() {
    let buckets = Buckets::new(plimsoll::Layout::durations(), &[0.1]).unwrap();
    let histogram = Histogram::new(buckets);
    // The first record into an octave makes its page.
    (0..40).for_each(|octave| histogram.record(1 << octave));
    let mut value = 1;
    let records = allocations(|| {
        value = (value * 31) % 10_000_000_019;
        histogram.record(value);
    });
    assert_eq!((records, histogram.count()), (0, 150));
}

#[test]
fn the_services_own_figures_allocate_nothing() {
    let plimsoll = still();
    let counter = plimsoll.counter("jobs_total").register().unwrap();
    let gauge = plimsoll.gauge("depth").register().unwrap();
    let recorded = allocations(|| {
        counter.increment();
        gauge.add(1.0);
        let operation = plimsoll.operation("work");
        at_once(operation.time(ready(Ok::<_, ()>(())))).unwrap();
        operation.time_sync(|| Err::<(), _>("failed")).unwrap_err();
        drop(operation.start());
    });
    assert_eq!((recorded, counter.value(), gauge.value()), (0, 110, 110.0));
    assert_eq!(plimsoll.stats().operations[0].count, 330);
}

#[cfg(feature = "db")]
#[test]
fn a_query_allocates_nothing_whichever_way_it_ends() {
    use plimsoll::Outcome;
    use std::time::Duration;

    let plimsoll = still();
    let db = plimsoll.db("orders");
    let queries = allocations(|| {
        at_once(db.time("by_id", ready(Ok::<_, ()>(())))).unwrap();
        at_once(db.time("by_id", ready(Err::<(), _>("failed")))).unwrap_err();
        let mut dropped = Box::pin(db.time("by_id", std::future::pending::<Result<(), ()>>()));
        assert!(dropped.as_mut().now_or_never().is_none());
        plimsoll.track_db_query("by_id", "orders", Duration::from_millis(1), Outcome::Ok);
    });
    assert_eq!(queries, 100, "the boxes of this test");
    let by_id = &plimsoll.stats().operations[0];
    assert_eq!(
        (by_id.count, by_id.errors, by_id.cancelled),
        (440, 110, 110)
    );
}

#[cfg(feature = "db")]
#[test]
fn a_query_of_a_known_statement_allocates_nothing() {
    use plimsoll::Outcome;
    use plimsoll::db::ErrorClass;

    let watchdog = |builder: plimsoll::Builder| {
        builder.query_watchdog(std::time::Duration::from_secs(5), |_| {})
    };
    let plain = Plimsoll::builder();
    for builder in [plain, watchdog(Plimsoll::builder())] {
        let plimsoll = builder.clock(ManualClock::new()).build().unwrap();
        let shop = plimsoll.database("shop").max_statements(1).open();
        shop.declare_queries(["declared"]);
        let queries = allocations(|| {
            for name in [None, Some("declared"), Some("beyond the cap")] {
                let sql = "SELECT * FROM orders WHERE id = 7";
                let mut guard = shop.begin_sql(sql, name);
                guard.rows(3);
                guard.finish_as(Outcome::Ok);
                shop.begin_sql(sql, name).fail(ErrorClass::Constraint);
                drop(shop.begin_sql(sql, name));
            }
            let mut guard = plimsoll.db("orders").guard("by_id");
            guard.rows(1);
            guard.partial();
        });
        // `Plimsoll::db` copies the model.
        assert_eq!(queries, 100);
    }
}

#[cfg(feature = "db")]
#[test]
fn a_tick_allocates_only_the_steps_that_its_windows_keep() {
    use plimsoll::{Budget, Outcome, Select, Watch};
    use std::time::Duration;

    let minute = Duration::from_secs(60);
    let errors = |select| Budget::error_ratio("errors", select).at_most(0.1);
    let slow = Budget::quantile("slow", Select::db(), 0.95).at_most(minute);
    let clock = ManualClock::new();
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .budget(slow.over(minute))
        .budget(errors(Select::db().label("model", "orders")))
        .watch(Watch::new("all", Select::db()).over(60 * minute))
        .build()
        .unwrap();
    let names: Vec<_> = (0..100).map(|nth| format!("query-{nth}")).collect();
    let record = || {
        for name in &names {
            plimsoll.track_db_query(name, "orders", Duration::from_millis(1), Outcome::Ok);
        }
    };
    let tick = || {
        clock.advance(Duration::from_secs(1));
        plimsoll.tick();
    };
    record();
    // Until as many samples leave the windows as enter them.
    (0..4_000).for_each(|_| tick());
    let idle = allocations(tick);
    assert_eq!(idle, 0);
    let busy = || {
        record();
        tick();
    };
    (0..4_000).for_each(|_| busy());
    let kept = allocations(busy) - idle;
    assert_eq!(kept, 100 + 2, "a step of a second each, two of a minute");
}

/// So often a counter of SLOs is thinned once.
#[cfg(feature = "db")]
const TICKS: u64 = 600;

/// What thinning allocates: each of the two counters of ten SLOs is given the room that it needs until it is thinned again.
#[cfg(feature = "db")]
const THINNED: u64 = 2 * 10;

/// The allocations of [`TICKS`] of a second with ten SLOs, their usual burn alerts, and two budgets, each of whose queries is
/// run between two of them; the dense part of all windows is full.
#[cfg(feature = "db")]
fn of_ticks(builder: plimsoll::Builder) -> u64 {
    use plimsoll::{Budget, Outcome, Select, Slo};
    use std::time::Duration;

    let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
    let of_query = |nth| Select::db().label("operation", format!("query-{nth}"));
    let slo = |nth| Slo::availability(format!("slo-{nth}"), of_query(nth)).objective(0.999);
    let slow = Budget::quantile("slow", Select::db(), 0.95).at_most(minute);
    let errors = Budget::error_ratio("errors", Select::db()).at_most(0.1);
    let clock = ManualClock::new();
    let builder = builder.clock(clock.clone()).manual_tick();
    let builder = builder.budget(slow.over(minute)).budget(errors);
    let builder = (0..10).fold(builder, |builder, nth| builder.slo(slo(nth)));
    let plimsoll = builder.build().unwrap();
    let names: Vec<_> = (0..10).map(|nth| format!("query-{nth}")).collect();
    let tick = || {
        for name in &names {
            plimsoll.track_db_query(name, "orders", Duration::from_millis(1), Outcome::Ok);
        }
        clock.advance(second);
        plimsoll.tick();
    };
    (0..2_000).for_each(|_| tick());
    let before = ALLOCATIONS.get();
    (0..TICKS).for_each(|_| tick());
    ALLOCATIONS.get() - before
}

#[cfg(feature = "db")]
#[test]
fn a_tick_judges_slos_without_allocating() {
    let step_of_the_quantile = TICKS;
    assert_eq!(
        of_ticks(Plimsoll::builder()),
        step_of_the_quantile + THINNED
    );
}

/// Rules of a file may yield any number of series with any labels, so each makes vectors: five here.
#[cfg(all(feature = "db", feature = "promql"))]
#[test]
fn a_tick_allocates_five_times_for_each_simple_rule_of_a_file() {
    let rules = plimsoll::rule::RuleFile::parse(
        "
groups:
  - name: queries
    rules:
      - record: query:errors:ratio_rate5m
        expr: sum(rate(plimsoll_sli_bad_total[5m])) / sum(rate(plimsoll_sli_valid_total[5m]))
      - alert: QueriesFail
        expr: query:errors:ratio_rate5m > 0.01
        for: 2m
",
    );
    let with_rules = of_ticks(Plimsoll::builder().rules(rules.unwrap()));
    let step_of_the_quantile = TICKS;
    assert_eq!(with_rules, step_of_the_quantile + 2 * 5 * TICKS + THINNED);
}

fn filled(series: usize, bounds: usize) -> Plimsoll {
    let limit = std::time::Duration::from_millis(3);
    let slow = plimsoll::Budget::quantile("slow", plimsoll::Select::operation("work"), 0.95);
    let builder = Plimsoll::builder().clock(ManualClock::new()).manual_tick();
    let plimsoll = builder.budget(slow.at_most(limit)).build().unwrap();
    let bounds: Vec<f64> = (1..=bounds).map(|i| i as f64 / 1000.0).collect();
    for i in 0..series {
        let histogram = plimsoll.histogram("work_seconds", plimsoll::Layout::durations(), &bounds);
        let histogram = histogram.label("item", i.to_string()).register().unwrap();
        histogram.record(3_000_000);
        let counter = plimsoll.counter("work_total").label("item", i.to_string());
        counter.register().unwrap().increment();
    }
    plimsoll
        .operation("work")
        .time_sync(|| Ok::<_, ()>(()))
        .unwrap();
    plimsoll
}

const TEXTS: [Format; 2] = [Format::Text, Format::OpenMetrics { created: true }];

#[test]
fn a_page_into_a_buffer_allocates_nothing() {
    for format in TEXTS {
        let plimsoll = filled(200, 11);
        let operation = plimsoll.operation("work");
        let mut page = Vec::with_capacity(1 << 20);
        let pages = allocations(|| {
            operation.record(plimsoll::Outcome::Ok, std::time::Duration::from_micros(3));
            page.clear();
            plimsoll.render_into(format, &mut page);
        });
        assert_eq!(pages, 0, "{format:?}");
        assert!(
            page.ends_with(b"} 1\n") || page.ends_with(b"# EOF\n"),
            "{format:?}"
        );
    }
}

#[test]
fn a_page_that_is_written_in_pieces_has_one_buffer() {
    for format in TEXTS {
        let plimsoll = filled(200, 101);
        let pages = allocations(|| plimsoll.render_to(format, &mut std::io::sink()).unwrap());
        assert_eq!(pages, 100, "{format:?}");
    }
}

#[cfg(feature = "axum")]
#[test]
fn a_page_that_is_served_allocates_at_most_twice_for_each_piece() {
    let plimsoll = filled(200, 101);
    let mut router: axum::Router =
        axum::Router::new().route("/", plimsoll::export::handler(&plimsoll));
    let mut serve = |pieces: &mut u64| {
        let request = Request::new(axum::body::Body::empty());
        let mut body = at_once(Service::<Request<axum::body::Body>>::call(
            &mut router,
            request,
        ))
        .unwrap()
        .into_body();
        let before = ALLOCATIONS.get();
        while let Some(piece) = at_once(poll_fn(|context| {
            std::pin::Pin::new(&mut body).poll_frame(context)
        })) {
            assert!(piece.unwrap().is_data());
            *pieces += 1;
        }
        ALLOCATIONS.get() - before
    };
    serve(&mut 0);
    let mut pieces = 0;
    let made = serve(&mut pieces);
    assert!(
        pieces > 10 && made <= 2 * pieces,
        "{made} allocations for {pieces} pieces"
    );
}

#[cfg(feature = "modbus")]
mod modbus {
    use super::{allocations, at_once};
    use tokio_modbus::client::{Client, Context, Reader as _};
    use tokio_modbus::slave::SlaveContext;
    use tokio_modbus::{Request, Response, Result, Slave};

    /// A device that answers at once.
    struct Stub;

    #[async_trait::async_trait]
    impl Client for Stub {
        async fn call(&mut self, _: Request<'_>) -> Result<Response> {
            Ok(Ok(Response::ReadHoldingRegisters(vec![7])))
        }

        async fn disconnect(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl SlaveContext for Stub {
        fn set_slave(&mut self, _: Slave) {}
    }

    fn stub() -> Context {
        let client: Box<dyn Client> = Box::new(Stub);
        client.into()
    }

    fn of_reads(mut context: Context) -> u64 {
        allocations(|| {
            let read = at_once(context.read_holding_registers(0, 1));
            assert_eq!(read.unwrap().unwrap(), [7]);
        })
    }

    #[test]
    fn a_measured_context_allocates_one_boxed_future_more() {
        let plimsoll = super::Plimsoll::builder().build().unwrap();
        let device = plimsoll.modbus("press-3");
        let stale_after = std::time::Duration::from_secs(10);
        let device = device.stale_after(stale_after);
        let measured = of_reads(device.wrap(stub()).unwrap());
        assert_eq!(measured, of_reads(stub()) + 100);
    }

    #[test]
    fn rounds_and_checked_values_allocate_nothing() {
        let plimsoll = super::Plimsoll::builder().build().unwrap();
        let meter = plimsoll.modbus("press-3").meter().unwrap();
        let rules = plimsoll::modbus::Rules::u16().range(0.0..=100.0);
        let mut point = meter.point(rules).unwrap();
        let checks = allocations(|| {
            point.check(&[7]).unwrap();
            point.check(&[101]).unwrap_err();
        });
        assert_eq!(checks, 0);
    }
}
