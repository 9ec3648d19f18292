//! A door for every driver, each as `docs/databases.md` shows it. The real ones are on SQLite, in memory.

mod any;
mod diesel;
mod page;
mod pools;
mod rusqlite;
mod sea_orm;
mod shop;
mod sqlx;
