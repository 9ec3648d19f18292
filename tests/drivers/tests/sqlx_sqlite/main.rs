//! sqlx through the wrapper, on SQLite: what compiles without it compiles with it, does the same, and is counted.

mod caching;
mod calls;
#[path = "../counted/mod.rs"]
mod counted;
mod ends;
mod generic;
mod load;
mod names;
mod pools;
mod requests;
mod site;
mod transactions;
