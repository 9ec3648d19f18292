//! What the comparisons share: the same values, the same way of taking turns, the same tables.

pub mod counting;
pub mod layers;
pub mod pools;
pub mod queries;
pub mod recorders;
pub mod repeats;
pub mod requests;
pub mod rounds;
pub mod selects;
pub mod servers;
pub mod table;
pub mod values;

/// The quantile that is asked for.
pub const P99: f64 = 0.99;

/// The bounds of every histogram that has bounds, in seconds.
pub const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
