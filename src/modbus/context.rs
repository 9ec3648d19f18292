//! What stands behind the context of a device.

use std::io;

use tokio_modbus::client::Client;
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Request, Response, Result, Slave};

use super::device::Device;

/// A device in the place of a client of tokio-modbus' own.
pub(super) struct Attached(pub(super) Device);

#[async_trait::async_trait]
impl Client for Attached {
    async fn call(&mut self, request: Request<'_>) -> Result<Response> {
        self.0.call(request).await
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        self.0.disconnect().await
    }
}

impl SlaveContext for Attached {
    fn set_slave(&mut self, slave: Slave) {
        self.0.unit = slave;
    }
}
