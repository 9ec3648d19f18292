//! Registers that say where they are; the same for all peers, see `tests/peers/modbus_line.c`.

use tokio_modbus::{Request, Response};

/// The first of 100 addresses that keep what is written to them.
pub(super) const KEPT: u16 = 3_000;
/// Exception 1 is at the next address, and so on.
pub(super) const EXCEPTION: u16 = 3_100;
/// Right and in time; each address on, 10 ms later.
pub(super) const LATE: u16 = 3_400;
pub(super) const SILENCE: u16 = 3_900;
pub(super) const CLOSE: u16 = 3_901;

/// A table, by the function that reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Coils = 1,
    Discrete,
    Holding,
    Input,
}

impl Table {
    pub(super) const ALL: [Self; 4] = [Self::Coils, Self::Discrete, Self::Holding, Self::Input];

    /// The most that one request reads of it.
    pub(super) fn most(self) -> u16 {
        match self {
            Self::Coils | Self::Discrete => 2_000,
            Self::Holding | Self::Input => 125,
        }
    }

    fn salt(self) -> u16 {
        [0x1111, 0x2222, 0, 0x4444][self as usize - 1]
    }
}

/// A range of a table of a unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) unit: u8,
    pub(super) table: Table,
    pub(super) address: u16,
    pub(super) count: u16,
}

impl Place {
    pub(super) fn request(self) -> Request<'static> {
        match self.table {
            Table::Coils => Request::ReadCoils(self.address, self.count),
            Table::Discrete => Request::ReadDiscreteInputs(self.address, self.count),
            Table::Holding => Request::ReadHoldingRegisters(self.address, self.count),
            Table::Input => Request::ReadInputRegisters(self.address, self.count),
        }
    }

    /// The words there, if it is a table of words.
    pub(super) fn words(self) -> Vec<u16> {
        let each = self.address..self.address + self.count;
        let (unit, salt) = (u16::from(self.unit) * 7, self.table.salt());
        each.map(|at| at.wrapping_mul(31).wrapping_add(unit).wrapping_add(salt))
            .collect()
    }

    /// The bits there, if it is a table of bits.
    pub(super) fn bits(self) -> Vec<bool> {
        let odd = |word: u16| word.count_ones() % 2 == 1;
        self.words().into_iter().map(odd).collect()
    }

    /// The data of a reply, as they are on the wire.
    pub(super) fn data(self) -> Vec<u8> {
        match self.table {
            Table::Holding | Table::Input => self
                .words()
                .into_iter()
                .flat_map(u16::to_be_bytes)
                .collect(),
            Table::Coils | Table::Discrete => {
                let packed = |byte: &[bool]| {
                    let bits = byte.iter().enumerate();
                    bits.fold(0, |packed, (at, &bit)| packed | u8::from(bit) << at)
                };
                self.bits().chunks(8).map(packed).collect()
            }
        }
    }

    /// Whether a reply tells what is here. Bits that fill up the last byte are nobody's.
    pub(super) fn is_told_by(self, response: &Response) -> bool {
        match (self.table, response) {
            (Table::Coils, Response::ReadCoils(bits))
            | (Table::Discrete, Response::ReadDiscreteInputs(bits)) => {
                bits.get(..self.count.into()) == Some(&self.bits())
            }
            (Table::Holding, Response::ReadHoldingRegisters(words))
            | (Table::Input, Response::ReadInputRegisters(words)) => *words == self.words(),
            _ => false,
        }
    }
}
