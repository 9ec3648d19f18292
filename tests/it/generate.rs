//! What is made of a declaration.

mod dashboards;
