//! Device calls are a part of the request that waits for them.

use tokio_modbus::client::{Client, Context, Reader};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Request, Response, Slave};

use super::*;

/// A device that takes 20 ms and has 7 in every register.
#[derive(Debug)]
struct Slow(ManualClock);

#[async_trait::async_trait]
impl Client for Slow {
    async fn call(&mut self, _: Request<'_>) -> tokio_modbus::Result<Response> {
        self.0.advance(ms(20));
        Ok(Ok(Response::ReadHoldingRegisters(vec![7])))
    }

    async fn disconnect(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl SlaveContext for Slow {
    fn set_slave(&mut self, _: Slave) {}
}

#[test]
fn a_device_call_is_a_part_of_its_request() {
    let (plimsoll, clock) = new();
    let client: Box<dyn Client> = Box::new(Slow(clock.clone()));
    let device = plimsoll.modbus("press-3");
    let handler = move || async move {
        let mut context = device.wrap(Context::from(client)).unwrap();
        let _poll = stage("poll");
        clock.advance(ms(5));
        context.read_holding_registers(0, 1).await.unwrap().unwrap();
    };
    let layer = MeasureLayer::new(&plimsoll).anatomy();
    let handler = std::sync::Mutex::new(Some(handler));
    let service = layer.layer(service_fn(move |_: http::Request<()>| {
        let work = handler.lock().unwrap().take().unwrap()();
        async move {
            work.await;
            Ok::<_, ()>(http::Response::new(Full::new(bytes::Bytes::new())))
        }
    }));
    at_once(service.oneshot(http::Request::new(()))).unwrap();
    assert_eq!(part(&plimsoll, "unmatched", "device"), Some((20.0, 0.8)));
    assert_eq!(part(&plimsoll, "unmatched", "poll"), Some((5.0, 0.2)));
}
