//! Events of devices, target `plimsoll::modbus`.

/// The first value after trouble.
pub(super) fn suspect(device: &str, unit: u8) {
    tracing::warn!(target: "plimsoll::modbus", device, unit, "the first value after trouble is suspect");
}
