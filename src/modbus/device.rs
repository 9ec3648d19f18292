//! A device to share among handlers.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_modbus::client::{Client, Context};
use tokio_modbus::prelude::{ObjectId, ReadCode, ReadDeviceIdentificationResponse};
use tokio_modbus::{Request, Response, Result, Slave};

use super::context::Attached;
use super::ledger::Ledger;
use super::links::Links;

/// How far a value may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Quality {
    /// Nothing speaks against it.
    #[default]
    Good,
    /// It is the first one of its connection after a timeout, a dropped request, an error or a loss: right as far as the
    /// transport can tell, and yet the one to look at twice.
    Suspect,
}

/// A device, for as many handlers as there are: they share its connections and take turns, first come first served.
///
/// Cheap to clone. What a clone remembers of its own is [`last_quality`](Self::last_quality).
pub struct Device {
    pub(super) links: Arc<Links>,
    pub(super) unit: Slave,
    /// Whether the latest good reply was suspect. Relaxed: an independent value.
    suspect: Arc<AtomicBool>,
}

impl Device {
    pub(super) fn ledger(&self) -> &Ledger {
        self.links.ledger()
    }

    pub(super) fn new(links: Arc<Links>, unit: Slave) -> Self {
        Self {
            links,
            unit,
            suspect: Arc::default(),
        }
    }

    /// Another unit behind the same connections; a unit and its device take turns like any two handlers.
    #[must_use]
    pub fn unit(&self, unit: Slave) -> Self {
        Self::new(self.links.clone(), unit)
    }

    /// A context for code that has one: it shares the connections, and tells its [quality](Self::last_quality) to this
    /// handle. Its `disconnect` closes the connections that are free; the next call connects anew.
    #[must_use]
    pub fn context(&self, unit: Slave) -> Context {
        let client: Box<dyn Client> = Box::new(Attached(Self {
            links: self.links.clone(),
            unit,
            suspect: self.suspect.clone(),
        }));
        client.into()
    }

    /// What is to be thought of the latest good reply that came through this very handle, or a context made from it. Clones
    /// and units have one of their own: give each task its clone, and the answer is about its own reply.
    pub fn last_quality(&self) -> Quality {
        match self.suspect.load(Ordering::Relaxed) {
            false => Quality::Good,
            true => Quality::Suspect,
        }
    }

    /// Closes the connections that are free; those in use stay. The next call connects anew.
    ///
    /// # Errors
    ///
    /// What the transport says when it ends.
    pub async fn disconnect(&self) -> io::Result<()> {
        self.links.disconnect().await
    }

    /// Sends any request, custom function codes included; of those only the function code of the reply is checked.
    ///
    /// # Errors
    ///
    /// The outer one is always [`Transport`](tokio_modbus::Error::Transport): [`Failure::of`](super::Failure::of) says
    /// which, and its text names device, address and cause. The inner one is an exception of the device. So it is with
    /// all methods here.
    pub async fn call(&self, request: Request<'_>) -> Result<Response> {
        let (result, quality) = self.links.ask(self.unit.0, request).await;
        if let Ok(Ok(_)) = result {
            let suspect = quality == Quality::Suspect;
            self.suspect.store(suspect, Ordering::Relaxed);
        }
        result
    }

    async fn registers(&self, request: Request<'_>) -> Result<Vec<u16>> {
        let response = self.call(request).await?;
        Ok(response.map(|response| match response {
            Response::ReadHoldingRegisters(words)
            | Response::ReadInputRegisters(words)
            | Response::ReadWriteMultipleRegisters(words) => words,
            other => unreachable!("a reply of another kind was let through: {other:?}"),
        }))
    }

    async fn bits(&self, request: Request<'_>, count: u16) -> Result<Vec<bool>> {
        let response = self.call(request).await?;
        Ok(response.map(|response| match response {
            Response::ReadCoils(mut bits) | Response::ReadDiscreteInputs(mut bits) => {
                bits.truncate(count.into());
                bits
            }
            other => unreachable!("a reply of another kind was let through: {other:?}"),
        }))
    }

    async fn confirmed(&self, request: Request<'_>) -> Result<()> {
        Ok(self.call(request).await?.map(drop))
    }

    /// Reads `count` coils (01).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn read_coils(&self, address: u16, count: u16) -> Result<Vec<bool>> {
        self.bits(Request::ReadCoils(address, count), count).await
    }

    /// Reads `count` discrete inputs (02).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn read_discrete_inputs(&self, address: u16, count: u16) -> Result<Vec<bool>> {
        let request = Request::ReadDiscreteInputs(address, count);
        self.bits(request, count).await
    }

    /// Reads `count` holding registers (03).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn read_holding_registers(&self, address: u16, count: u16) -> Result<Vec<u16>> {
        let request = Request::ReadHoldingRegisters(address, count);
        self.registers(request).await
    }

    /// Reads `count` input registers (04).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn read_input_registers(&self, address: u16, count: u16) -> Result<Vec<u16>> {
        let request = Request::ReadInputRegisters(address, count);
        self.registers(request).await
    }

    /// Writes registers and then reads `count` of them (17h).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn read_write_multiple_registers(
        &self,
        read_address: u16,
        count: u16,
        write_address: u16,
        words: &[u16],
    ) -> Result<Vec<u16>> {
        let words = words.into();
        let request =
            Request::ReadWriteMultipleRegisters(read_address, count, write_address, words);
        self.registers(request).await
    }

    /// Reads the identification of the device (2Bh / 0Eh).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn read_device_identification(
        &self,
        code: ReadCode,
        object: ObjectId,
    ) -> Result<ReadDeviceIdentificationResponse> {
        let request = Request::ReadDeviceIdentification(code, object);
        Ok(self.call(request).await?.map(|response| match response {
            Response::ReadDeviceIdentification(identification) => identification,
            other => unreachable!("a reply of another kind was let through: {other:?}"),
        }))
    }

    /// Writes a coil (05).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn write_single_coil(&self, address: u16, coil: bool) -> Result<()> {
        let request = Request::WriteSingleCoil(address, coil);
        self.confirmed(request).await
    }

    /// Writes a holding register (06).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn write_single_register(&self, address: u16, word: u16) -> Result<()> {
        let request = Request::WriteSingleRegister(address, word);
        self.confirmed(request).await
    }

    /// Writes coils (0Fh).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn write_multiple_coils(&self, address: u16, coils: &[bool]) -> Result<()> {
        let request = Request::WriteMultipleCoils(address, coils.into());
        self.confirmed(request).await
    }

    /// Writes holding registers (10h).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn write_multiple_registers(&self, address: u16, words: &[u16]) -> Result<()> {
        let request = Request::WriteMultipleRegisters(address, words.into());
        self.confirmed(request).await
    }

    /// Sets and clears single bits of a holding register (16h).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn masked_write_register(&self, address: u16, and: u16, or: u16) -> Result<()> {
        let request = Request::MaskWriteRegister(address, and, or);
        self.confirmed(request).await
    }
}

impl Clone for Device {
    fn clone(&self) -> Self {
        self.unit(self.unit)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("name", &self.ledger().device)
            .field("unit", &self.unit)
            .finish_non_exhaustive()
    }
}
