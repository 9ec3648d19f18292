//! What each event makes of a device, under a clock that stands still in between.

use std::time::{Duration, UNIX_EPOCH};

use super::line::Settings;
use super::*;
use crate::clock::ManualClock;
use crate::instance::Plimsoll;

use std::sync::Arc;

const SECOND: Duration = Duration::from_secs(1);

struct Bench {
    plimsoll: Plimsoll,
    clock: ManualClock,
    monitor: Arc<Monitor>,
}

impl Bench {
    fn new() -> Self {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let plimsoll = builder.build().expect("defaults");
        let settings = Settings {
            stale_after: Some(10 * SECOND),
            down_after: 3,
        };
        let monitor = Monitor::new(&plimsoll, "press-3", settings).expect("new names");
        Self {
            plimsoll,
            clock,
            monitor,
        }
    }

    fn replied(&self, unit: u8) {
        self.monitor.replied(unit, self.now_ns());
    }

    fn now_ns(&self) -> u64 {
        self.plimsoll.registry().clock().now_ns()
    }

    /// Moves on by so many seconds, with a tick in each.
    fn pass(&self, seconds: u32) {
        for _ in 0..seconds {
            self.clock.advance(SECOND);
            self.plimsoll.tick();
        }
    }

    /// The state and its cause in words, of the device and of two units.
    fn states(&self) -> [String; 3] {
        let monitor = &self.monitor;
        let health = [
            monitor.health(),
            monitor.unit_health(1),
            monitor.unit_health(2),
        ];
        health.map(|health| match health.cause() {
            Some(cause) => format!("{}: {cause}", health.as_str()),
            None => health.as_str().to_owned(),
        })
    }

    fn has(&self, line: &str) -> bool {
        self.plimsoll.render().lines().any(|shown| shown == line)
    }
}

#[test]
fn nothing_is_known_at_first() {
    let bench = Bench::new();
    bench.pass(100);
    assert_eq!(bench.states(), ["unknown"; 3]);
    assert_eq!(bench.monitor.health().since(), None);
    assert_eq!(bench.monitor.age(), None);
    for line in [
        "device_connected{device=\"press-3\"} 0.0",
        "device_state{device=\"press-3\",state=\"unknown\"} 1.0",
        "device_state{device=\"press-3\",state=\"down\"} 0.0",
        "last_success_timestamp_seconds{device=\"press-3\"} 0.0",
        "device_checks_total{device=\"press-3\",check=\"connected\"} 0",
        "device_checks_failed_total{device=\"press-3\",check=\"fresh\"} 0",
    ] {
        assert!(bench.has(line), "{line}\n{}", bench.plimsoll.render());
    }
}

#[test]
fn a_device_goes_down_with_its_connection_and_comes_back_with_an_answer() {
    let bench = Bench::new();
    bench.pass(1);
    bench.monitor.connect_failed(Failure::ConnectRefused, 0);
    assert_eq!(
        bench.states(),
        ["down: connect_refused", "unknown", "unknown"]
    );
    bench.pass(2);
    bench.monitor.connect_failed(Failure::ConnectTimeout, 0);
    let health = bench.monitor.health();
    let since = UNIX_EPOCH + SECOND;
    assert_eq!(
        health,
        Health::Down {
            cause: Failure::ConnectTimeout.into(),
            since
        }
    );
    assert_eq!(
        health.to_string(),
        "down since 1970-01-01T00:00:01.000Z: connect_timeout"
    );
    bench.replied(1);
    assert_eq!(bench.states(), ["connected", "connected", "unknown"]);
    assert_eq!(
        bench.monitor.health().since(),
        Some(UNIX_EPOCH + 3 * SECOND)
    );
    bench.monitor.lost(Failure::Closed, 0);
    assert_eq!(bench.states(), ["down: closed", "down: closed", "unknown"]);
    // Connected again, and no answer.
    bench.monitor.failed(1, Failure::RequestTimeout);
    let silent = "down: request_timeout";
    assert_eq!(bench.states(), [silent, silent, "unknown"]);
    bench.replied(1);
    assert_eq!(bench.states(), ["connected", "connected", "unknown"]);
}

#[test]
fn another_connection_speaks_for_the_device() {
    let bench = Bench::new();
    bench.replied(1);
    bench.monitor.lost(Failure::Io, 1);
    assert_eq!(bench.states(), ["degraded: io", "connected", "unknown"]);
    bench.replied(1);
    assert_eq!(bench.states(), ["connected", "connected", "unknown"]);
}

#[test]
fn silence_degrades_and_then_takes_down() {
    let bench = Bench::new();
    bench.replied(1);
    for expected in ["degraded", "degraded", "down", "down"] {
        bench.monitor.failed(1, Failure::RequestTimeout);
        let expected = format!("{expected}: request_timeout");
        assert_eq!(bench.states(), [&*expected, &*expected, "unknown"]);
    }
    bench.replied(1);
    assert_eq!(bench.states(), ["connected", "connected", "unknown"]);
    bench.monitor.failed(1, Failure::FrameError);
    assert_eq!(
        bench.states()[0],
        "degraded: frame_error",
        "counted from the last reply"
    );
}

#[test]
fn an_exception_is_a_sign_of_life() {
    let bench = Bench::new();
    for _ in 0..5 {
        bench.monitor.failed(1, Failure::RequestTimeout);
    }
    bench.monitor.exception(1, Failure::DeviceFailure);
    assert_eq!(bench.states(), ["connected", "connected", "unknown"]);
    assert_eq!(bench.monitor.age(), None, "and no good reply");
    bench.pass(11);
    bench.monitor.exception(1, Failure::IllegalDataAddress);
    assert_eq!(bench.states(), ["degraded: stale", "connected", "unknown"]);
}

#[test]
fn a_gateway_speaks_for_itself_and_against_its_unit() {
    for exception in [Failure::GatewayPath, Failure::GatewayTarget] {
        let (bench, cause) = (Bench::new(), exception.as_str());
        bench.monitor.exception(2, exception);
        let (degraded, down) = (format!("degraded: {cause}"), format!("down: {cause}"));
        assert_eq!(bench.states(), [&*degraded, "unknown", &*down]);
        bench.replied(1);
        assert_eq!(bench.states(), ["degraded: unit 2", "connected", &*down]);
        bench.replied(2);
        assert_eq!(bench.states(), ["connected"; 3]);
    }
}

#[test]
fn a_dead_unit_is_not_a_dead_line() {
    let bench = Bench::new();
    bench.replied(1);
    let mut watch = bench.monitor.watch();
    for _ in 0..10 {
        bench.monitor.failed(2, Failure::RequestTimeout);
        bench.replied(1);
    }
    let down = "down: request_timeout";
    assert_eq!(bench.states(), ["degraded: unit 2", "connected", down]);
    assert!(watch.has_changed().expect("there"));
    watch.mark_unchanged();
    bench.monitor.failed(2, Failure::RequestTimeout);
    bench.replied(1);
    assert!(!watch.has_changed().expect("there"), "nothing new");
    for _ in 0..3 {
        bench.monitor.failed(1, Failure::RequestTimeout);
    }
    assert_eq!(bench.states(), [down; 3]);
}

#[test]
fn units_have_gauges_where_there_are_several() {
    let bench = Bench::new();
    let line = |unit, value| {
        format!("device_unit_connected{{device=\"press-3\",unit=\"{unit}\"}} {value}.0")
    };
    bench.replied(1);
    assert!(!bench.plimsoll.render().contains("device_unit_connected"));
    bench.monitor.exception(247, Failure::GatewayTarget);
    assert!(bench.has(&line(1, 1)) && bench.has(&line(247, 0)));
    bench.monitor.lost(Failure::Closed, 0);
    assert!(bench.has(&line(1, 0)));
}

#[test]
fn old_data_degrades_at_the_tick_that_finds_it() {
    let bench = Bench::new();
    bench.pass(5);
    bench.replied(1);
    let mut watch = bench.monitor.watch();
    bench.pass(10);
    assert!(
        !watch.has_changed().expect("there"),
        "exactly as old as it may be"
    );
    assert_eq!(bench.monitor.age(), Some(10 * SECOND));
    bench.pass(1);
    assert!(
        watch.has_changed().expect("there"),
        "nobody else has looked"
    );
    let since = UNIX_EPOCH + 16 * SECOND;
    assert_eq!(
        *watch.borrow_and_update(),
        Health::Degraded {
            cause: Cause::Stale,
            since
        }
    );
    assert!(bench.has("device_connected{device=\"press-3\"} 1.0"));
    assert!(bench.has("device_state{device=\"press-3\",state=\"degraded\"} 1.0"));
    assert!(bench.has("last_success_timestamp_seconds{device=\"press-3\"} 5.0"));
    // Six looks at old data in seventeen, of which the first five came before anything was tried.
    assert!(bench.has("device_checks_total{device=\"press-3\",check=\"fresh\"} 11"));
    assert!(bench.has("device_checks_failed_total{device=\"press-3\",check=\"fresh\"} 1"));
    bench.replied(1);
    assert!(watch.borrow().is_connected());
    assert_eq!(bench.states()[0], "connected");
}

#[test]
fn asking_needs_no_tick() {
    let bench = Bench::new();
    bench.replied(1);
    bench.clock.advance(11 * SECOND);
    assert_eq!(bench.states()[0], "degraded: stale");
}

#[test]
fn the_time_in_which_a_device_was_there_is_counted_in_ticks() {
    let bench = Bench::new();
    bench.pass(7);
    bench.replied(1);
    bench.pass(4);
    bench.monitor.failed(1, Failure::RequestTimeout);
    bench.pass(1);
    bench.monitor.lost(Failure::Closed, 0);
    bench.pass(3);
    let line =
        |family, count| format!("{family}{{device=\"press-3\",check=\"connected\"}} {count}");
    assert!(
        bench.has(&line("device_checks_total", 8)),
        "{}",
        bench.plimsoll.render()
    );
    assert!(bench.has(&line("device_checks_failed_total", 3)));
}

#[tokio::test]
async fn a_change_can_be_waited_for() {
    let bench = Bench::new();
    let (mut device, mut unit) = (bench.monitor.watch(), bench.monitor.watch_unit(1));
    let waiting = tokio::spawn(async move {
        let device = device.wait_for(|health| health.is_connected()).await;
        let device = *device.expect("somebody is there");
        let unit = unit.wait_for(|health| health.is_connected()).await;
        (device, *unit.expect("somebody is there"))
    });
    tokio::task::yield_now().await;
    bench.replied(1);
    let since = UNIX_EPOCH;
    let both = waiting.await.expect("no panic");
    assert_eq!(
        both,
        (Health::Connected { since }, Health::Connected { since })
    );
}

#[tokio::test]
async fn a_device_that_is_gone_leaves_nothing_behind() {
    let bench = Bench::new();
    let mut watch = bench.monitor.watch();
    drop(bench.monitor);
    assert!(watch.changed().await.is_err());
    bench.clock.advance(SECOND);
    bench.plimsoll.tick();
    let page = bench.plimsoll.render();
    assert!(!page.contains("device_connected{") && !page.contains("device_state{"));
}

#[test]
fn a_thousand_devices_have_their_own_gauges() {
    let bench = Bench::new();
    let settings = Settings::default();
    let more = (0..1_100).map(|nth| Monitor::new(&bench.plimsoll, &format!("d{nth}"), settings));
    let more: Vec<_> = more.collect();
    assert!(more.iter().all(Result::is_ok));
    let page = bench.plimsoll.render();
    let lines = |family: &str| page.lines().filter(|line| line.starts_with(family)).count();
    assert_eq!(lines("device_connected{"), 1_101);
    assert_eq!(lines("device_state{"), 4 * 1_101);
    assert!(!page.contains("device_connected{device=\"other\"}"));
}

#[test]
fn devices_beyond_the_cap_have_no_health_of_their_own() {
    let bench = Bench::new();
    let other = Monitor::new(&bench.plimsoll, crate::registry::OTHER, Settings::default());
    other.expect("no names").replied(1, 0);
    assert!(
        !bench
            .plimsoll
            .render()
            .contains("device_connected{device=\"other\"}")
    );
}

#[test]
fn a_taken_name_is_an_error() {
    for name in [
        "device_connected",
        "device_state",
        "device_unit_connected",
        "last_success_timestamp_seconds",
    ] {
        let plimsoll = Plimsoll::builder().build().expect("defaults");
        let taken = plimsoll.gauge(name).label("mine", "x").register();
        assert!(taken.is_ok());
        let refused = Monitor::new(&plimsoll, "press-3", Settings::default());
        assert!(refused.is_err(), "{name}");
    }
}
