//! Drivers for which plimsoll has a listener or no part at all, each as `docs/databases.md` shows it, on SQLite in memory.

mod diesel;
mod page;
mod pools;
mod rusqlite;
mod sea_orm;
mod shop;
