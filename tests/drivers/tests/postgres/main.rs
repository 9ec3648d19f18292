//! sqlx through the wrapper, on a PostgreSQL that the tests start themselves: what is counted is what the server did.

mod bad_input;
mod base;
#[path = "../counted/mod.rs"]
mod counted;
mod errors;
mod load;
mod lost;
mod own;
mod pools;
mod secrets;
mod server;
mod streams;
mod transactions;
