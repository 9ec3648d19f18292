//! Other implementations at the other end: pymodbus, libmodbus, mbpoll, and a serial line by socat. `tests/run` installs
//! and builds them.

mod functions;
mod mbpoll;
mod place;
mod process;
mod recovery;
mod sequential;
mod site;
mod values;
