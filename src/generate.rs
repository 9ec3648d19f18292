//! Why it exists: what was promised says everything that an operations team writes by hand into other files.
//!
//! A [`Declaration`] is what a [`Builder`](crate::Builder) or a TOML file declares, checked and not started. From it come
//! the same texts every time, to the byte. Nothing here writes a file or opens a port.

mod advice;
mod alertmanager;
mod catalogue;
mod dashboard;
mod declaration;
mod markdown;
mod operations;
mod prometheus;
mod rules;
mod runbook;
pub mod spec;

pub(crate) use advice::is_silent;
pub use dashboard::{
    Dashboard, DashboardBuilder, Panel, PanelKind, PanelQuery, SloView, Variables,
};
pub use declaration::Declaration;
pub(crate) use declaration::Extras;
pub use operations::Operations;
pub use rules::{RuleDialect, RuleOptions, RuleScope};

pub use crate::naming::Namesake;
