//! Where a device stands, by what its requests and connections come to.

use std::future::ready;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use plimsoll::Plimsoll;
use plimsoll::modbus::{Cause, Device, Failure, Health};
use tokio_modbus::Slave;
use tokio_modbus::prelude::{Reader as _, SlaveContext as _, tcp};

use super::peer::{Act, Peer};
use super::pipe::pipe;
use super::{bounded, new, number, transport};

const CLOSE: u16 = 100;
const SILENT: u16 = 101;
const LATE: u16 = 102;
const NO_PATH: u16 = 110;
const NO_UNIT: u16 = 111;

fn act(address: u16) -> Act {
    match address {
        CLOSE => Act::Close,
        SILENT => Act::Silence,
        LATE => Act::Delay(Duration::from_millis(100)),
        NO_PATH => Act::Exception(0x0A),
        NO_UNIT => Act::Exception(0x0B),
        _ => Act::Answer,
    }
}

async fn read(device: &Device, address: u16) -> Option<Failure> {
    match bounded(device.read_holding_registers(address, 1)).await {
        Ok(Ok(words)) => {
            assert_eq!(words, [Peer::value(address)]);
            None
        }
        Ok(Err(code)) => Some(Failure::of_exception(code)),
        Err(error) => Some(Failure::of(&error)),
    }
}

/// The state and its cause.
fn state(health: Health) -> (&'static str, Option<Cause>) {
    (health.as_str(), health.cause())
}

const CONNECTED: (&str, Option<Cause>) = ("connected", None);
const UNKNOWN: (&str, Option<Cause>) = ("unknown", None);

fn degraded(failure: Failure) -> (&'static str, Option<Cause>) {
    ("degraded", Some(failure.into()))
}

fn down(failure: Failure) -> (&'static str, Option<Cause>) {
    ("down", Some(failure.into()))
}

fn connected(plimsoll: &Plimsoll) -> f64 {
    number(plimsoll, r#"device_connected{device="press-3"} "#)
}

#[test]
fn a_device_that_nobody_asked_is_unknown_and_not_connected() {
    let (plimsoll, device) = new();
    let device = device.tcp("127.0.0.1:9").unwrap();
    assert_eq!(state(device.health()), UNKNOWN);
    assert_eq!(connected(&plimsoll), 0.0);
    let unknown = r#"device_state{device="press-3",state="unknown"} "#;
    assert_eq!(number(&plimsoll, unknown), 1.0);
    drop(device);
    assert!(!plimsoll.render().contains("device_connected{"));
}

#[tokio::test(start_paused = true)]
async fn who_waits_hears_of_a_device_that_goes_and_comes_back() {
    let (plimsoll, device) = new();
    let gone = Arc::new(AtomicBool::new(false));
    let (is_gone, open) = (gone.clone(), Peer::in_memory(act));
    let device = device.tcp_with(move || match is_gone.load(Relaxed) {
        true => ready(Err(io::ErrorKind::ConnectionRefused.into())),
        false => open(),
    });
    let device = device.unwrap();
    let mut watch = device.watch_health();
    assert_eq!(read(&device, 1).await, None);
    assert_eq!(state(*watch.borrow_and_update()), CONNECTED);

    gone.store(true, Relaxed);
    assert_eq!(read(&device, CLOSE).await, Some(Failure::Closed));
    assert_eq!(state(*watch.borrow_and_update()), down(Failure::Closed));
    assert_eq!(connected(&plimsoll), 0.0);
    let refused = Failure::ConnectRefused;
    assert_eq!(read(&device, 1).await, Some(refused));
    assert_eq!(state(*watch.borrow_and_update()), down(refused));
    assert_eq!(read(&device, 1).await, Some(Failure::BackingOff));
    assert!(!watch.has_changed().unwrap(), "nothing was tried");

    gone.store(false, Relaxed);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(read(&device, 1).await, None);
    assert_eq!(state(*watch.borrow_and_update()), CONNECTED);
    assert_eq!(connected(&plimsoll), 1.0);
    drop(device);
    assert!(watch.changed().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_connection_alone_is_no_answer() {
    let (plimsoll, device) = new();
    let device = device.tcp_with(Peer::in_memory(act)).unwrap();
    let watch = device.watch_health();
    let asking = read(&device, LATE);
    let looking = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let active = r#"connections_active{protocol="modbus",device="press-3"} "#;
        assert_eq!(number(&plimsoll, active), 1.0);
        assert_eq!(state(*watch.borrow()), UNKNOWN);
    };
    assert_eq!(tokio::join!(asking, looking).0, None);
    assert_eq!(state(*watch.borrow()), CONNECTED);
}

#[tokio::test(start_paused = true)]
async fn one_of_several_connections_does_not_speak_for_the_device() {
    let (plimsoll, device) = new();
    let device = device.connections(2).tcp_with(Peer::in_memory(act));
    let device = device.unwrap();
    let both = tokio::join!(read(&device, LATE), read(&device, LATE));
    assert_eq!(both, (None, None));
    assert_eq!(read(&device, CLOSE).await, Some(Failure::Closed));
    assert_eq!(state(device.health()), degraded(Failure::Closed));
    assert_eq!(connected(&plimsoll), 1.0);
    assert_eq!(read(&device, 1).await, None);
    assert_eq!(state(device.health()), CONNECTED);

    let both = tokio::join!(read(&device, LATE), read(&device, LATE));
    assert_eq!(both, (None, None));
    let both = tokio::join!(read(&device, CLOSE), read(&device, CLOSE));
    assert_eq!(both, (Some(Failure::Closed), Some(Failure::Closed)));
    assert_eq!(state(device.health()), down(Failure::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_gateway_is_there_and_its_unit_is_not() {
    for (address, failure) in [
        (NO_PATH, Failure::GatewayPath),
        (NO_UNIT, Failure::GatewayTarget),
    ] {
        let (plimsoll, device) = new();
        let device = device.tcp_with(Peer::in_memory(act)).unwrap();
        let unit = device.unit(Slave(2));
        let mut watch = device.watch_unit(Slave(2));
        assert_eq!(read(&unit, address).await, Some(failure));
        assert_eq!(state(*watch.borrow_and_update()), down(failure));
        assert_eq!(state(device.health()), degraded(failure));
        assert_eq!(connected(&plimsoll), 1.0);
        assert_eq!(device.last_success_age(), None);

        assert_eq!(read(&device, 1).await, None);
        assert_eq!(state(device.unit_health(Slave(1))), CONNECTED);
        let cause = Some(Cause::Unit(2));
        assert_eq!(state(device.health()), ("degraded", cause));
        let gauge = r#"device_unit_connected{device="press-3",unit="2"} "#;
        assert_eq!(number(&plimsoll, gauge), 0.0);

        assert_eq!(read(&unit, 1).await, None);
        assert_eq!(state(*watch.borrow_and_update()), CONNECTED);
        assert_eq!(state(device.health()), CONNECTED);
        assert_eq!(number(&plimsoll, gauge), 1.0);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_takes_down_after_as_many_requests_as_were_told() {
    let (_plimsoll, device) = new();
    let device = device.down_after(2).tcp_with(Peer::in_memory(act));
    let device = device.unwrap();
    assert_eq!(read(&device, 1).await, None);
    let timeout = Failure::RequestTimeout;
    assert_eq!(read(&device, SILENT).await, Some(timeout));
    assert_eq!(state(device.health()), degraded(timeout));
    assert_eq!(read(&device, SILENT).await, Some(timeout));
    assert_eq!(state(device.health()), down(timeout));
    let dropped = tokio::time::timeout(Duration::from_millis(1), read(&device, SILENT));
    assert!(dropped.await.is_err());
    assert_eq!(state(device.health()), down(timeout));
    assert_eq!(read(&device, 1).await, None);
    let dropped = tokio::time::timeout(Duration::from_millis(1), read(&device, SILENT));
    assert!(dropped.await.is_err());
    assert_eq!(
        state(device.health()),
        CONNECTED,
        "nobody waited for the end"
    );
}

#[tokio::test(start_paused = true)]
async fn unit_0_of_modbus_tcp_is_a_unit_as_any_other() {
    let (_plimsoll, device) = new();
    let device = device.unit(Slave(0)).tcp_with(Peer::in_memory(act));
    let device = device.unwrap();
    assert_eq!(read(&device, 1).await, None);
    assert_eq!(state(device.unit_health(Slave(0))), CONNECTED);
    assert!(device.last_success_age().is_some());
    for _ in 0..3 {
        assert!(read(&device, SILENT).await.is_some());
    }
    assert_eq!(state(device.health()), down(Failure::RequestTimeout));
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_says_nothing() {
    for serial in [true, false] {
        let (_plimsoll, device) = new();
        let (open, _far) = pipe();
        let device = match serial {
            true => device.rtu(open),
            false => device.unit_zero_is_broadcast().tcp_with(open),
        };
        let device = device.unwrap();
        let written = device.unit(Slave(0)).write_single_register(1, 2).await;
        written.unwrap().unwrap();
        assert_eq!(state(device.unit_health(Slave(0))), UNKNOWN);
        assert_eq!(state(device.health()), UNKNOWN);
        assert_eq!(device.last_success_age(), None);
    }
}

#[tokio::test]
async fn a_wrapped_context_has_a_health_too() {
    let peer = Peer::start(act).await;
    let (plimsoll, device) = new();
    let meter = device.down_after(1).meter().unwrap();
    let context = tcp::connect_slave(peer.addr, Slave(1)).await.unwrap();
    let mut context = meter.wrap(context);
    assert_eq!(state(meter.health()), UNKNOWN);
    let good = bounded(context.read_holding_registers(1, 1)).await;
    assert!(good.unwrap().is_ok());
    assert_eq!(state(meter.health()), CONNECTED);
    assert_eq!(state(meter.unit_health(Slave(255))), CONNECTED);
    context.set_slave(Slave(2));
    let refused = bounded(context.read_holding_registers(NO_UNIT, 1)).await;
    assert!(refused.unwrap().is_err());
    let unit = meter.unit_health(Slave(2));
    assert_eq!(state(unit), down(Failure::GatewayTarget));
    transport(bounded(context.read_holding_registers(CLOSE, 1)).await);
    assert_eq!(state(meter.health()), down(Failure::Io));
    assert_eq!(connected(&plimsoll), 0.0);
}

#[tokio::test(start_paused = true)]
async fn who_accepts_and_closes_stays_down() {
    let (_plimsoll, device) = new();
    let device = device.tcp_with(Peer::in_memory(act)).unwrap();
    let mut watch = device.watch_health();
    assert_eq!(read(&device, 1).await, None);
    assert_eq!(read(&device, CLOSE).await, Some(Failure::Closed));
    assert_eq!(state(*watch.borrow_and_update()), down(Failure::Closed));
    for _ in 0..5 {
        assert_eq!(read(&device, CLOSE).await, Some(Failure::Closed));
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    assert!(!watch.has_changed().unwrap());
    assert_eq!(read(&device, SILENT).await, Some(Failure::RequestTimeout));
    let silent = down(Failure::RequestTimeout);
    assert_eq!(state(*watch.borrow_and_update()), silent);
    assert_eq!(read(&device, 1).await, None);
    assert_eq!(state(*watch.borrow_and_update()), CONNECTED);
}

#[tokio::test(start_paused = true)]
async fn devices_above_the_cap_know_where_they_stand() {
    let plimsoll = Plimsoll::builder().build().unwrap();
    let build = |nth: u32| {
        let device = plimsoll.modbus(format!("press-{nth}"));
        device.tcp_with(Peer::in_memory(act)).unwrap()
    };
    let devices: Vec<_> = (1..=1_002).map(build).collect();
    assert_eq!(read(&devices[1_000], 1).await, None);
    assert_eq!(state(devices[1_000].health()), CONNECTED);
    assert_eq!(state(devices[1_001].health()), UNKNOWN);
    // The other one's connection is none of its own.
    assert_eq!(read(&devices[1_001], CLOSE).await, Some(Failure::Closed));
    assert_eq!(state(devices[1_001].health()), down(Failure::Closed));
    let page = plimsoll.render();
    let shown = |family: &str| page.lines().filter(|line| line.starts_with(family)).count();
    assert_eq!(shown("device_connected{"), 1_000);
    assert_eq!(shown("device_state{"), 4_000);
    // One gauge cannot say it of several.
    for family in ["device_connected", "device_state"] {
        assert!(!page.contains(&format!("{family}{{device=\"other\"")));
    }
}

#[test]
fn a_period_in_which_the_requests_of_a_round_may_not_end_is_warned_of() {
    let warned = |period_ms| {
        let plimsoll = Plimsoll::builder().manual_tick().build().unwrap();
        let device = plimsoll.modbus("press-3");
        let device = device.request_timeout(Duration::from_millis(200));
        let device = device.busy_retries(2, Duration::from_millis(50));
        let device = device.tcp("127.0.0.1:9").unwrap();
        let cycle = device.cycle("fast", Duration::from_millis(period_ms));
        let _cycle = cycle.unwrap();
        plimsoll.tick();
        let warnings = plimsoll.warnings();
        warnings.iter().map(ToString::to_string).collect::<String>()
    };
    assert_eq!(warned(700), "");
    let text =
        "cycle_tight \"press-3/fast\" has a period of 699ms, and its requests may take 700ms";
    assert!(warned(699).starts_with(text), "{}", warned(699));
}
