//! A measured context behaves as the one inside.

use tokio_modbus::client::Context;
use tokio_modbus::prelude::*;
use tokio_modbus::{Error, ProtocolError};

use super::peer::{Act, Peer};
use super::{bounded, connects, new, reads, transport};

async fn plain(peer: &Peer) -> Context {
    tcp::connect_slave(peer.addr, Slave(1)).await.unwrap()
}

#[tokio::test]
async fn exceptions_and_protocol_errors_pass_unchanged() {
    let peer = Peer::start(|address| match address {
        10 => Act::Exception(6),
        11 => Act::WrongTransaction,
        _ => Act::Answer,
    })
    .await;
    let (plimsoll, device) = new();
    let mut context = device.wrap(plain(&peer).await).unwrap();
    bounded(async {
        let busy = context.read_holding_registers(10, 1).await.unwrap();
        assert_eq!(busy, Err(ExceptionCode::ServerDeviceBusy));
        let wrong = context.read_holding_registers(11, 1).await;
        let Err(Error::Protocol(ProtocolError::HeaderMismatch { result, .. })) = wrong else {
            panic!("{wrong:?}");
        };
        assert_eq!(
            result,
            Ok(Response::ReadHoldingRegisters(vec![Peer::value(11)]))
        );
        let right = context.read_holding_registers(12, 1).await;
        assert_eq!(right.unwrap().unwrap(), [Peer::value(12)]);
    })
    .await;
    assert_eq!(reads(&plimsoll), [3, 2, 0, 0]);
    assert_eq!(connects(&plimsoll), [0, 0, 0, 0]);
}

#[tokio::test]
async fn transport_errors_pass_unchanged_and_nothing_reconnects() {
    let peer = Peer::start(|_| Act::Close).await;
    let (plimsoll, device) = new();
    let mut context = device.wrap(plain(&peer).await).unwrap();
    bounded(async {
        for _ in 0..2 {
            let error = transport(context.read_holding_registers(0, 1).await);
            assert!(!error.to_string().contains("press-3"), "{error}");
        }
    })
    .await;
    assert_eq!(peer.connections(), 1);
    assert_eq!(reads(&plimsoll), [2, 2, 0, 0]);
}

#[tokio::test]
async fn the_slave_reaches_the_context_inside() {
    let peer = Peer::start(|_| Act::Answer).await;
    let (_plimsoll, device) = new();
    let mut context = device.wrap(plain(&peer).await).unwrap();
    context.set_slave(Slave(9));
    bounded(context.read_holding_registers(0, 1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(peer.requests(), [(9, 3, 0)]);
}

#[tokio::test]
async fn a_dropped_request_is_cancelled() {
    let peer = Peer::start(|_| Act::Silence).await;
    let (plimsoll, device) = new();
    let mut context = device.wrap(plain(&peer).await).unwrap();
    let read = context.read_holding_registers(0, 1);
    let ended = tokio::time::timeout(std::time::Duration::from_millis(20), read).await;
    assert!(ended.is_err());
    assert_eq!(reads(&plimsoll), [1, 0, 1, 0]);
}
