//! Why it exists: what was promised says everything that an operations team writes by hand into other files.
//!
//! A [`Declaration`] is what a [`Builder`](crate::Builder) or a TOML file declares, checked and not started. From it come
//! the same texts every time, to the byte. Nothing here writes a file or opens a port.

mod declaration;
pub mod spec;

pub use declaration::Declaration;
pub(crate) use declaration::Extras;
