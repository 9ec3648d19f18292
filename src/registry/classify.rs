//! Who says how something ended.

use super::Outcome;

/// Says how a call ended. Closures `Fn(&Result<Res, Err>) -> Outcome` do.
pub trait Classify<Res, Err> {
    /// The outcome of a call that returned `result`.
    fn classify(&self, result: &Result<Res, Err>) -> Outcome;
}

/// The default: [`Outcome::of`].
#[derive(Debug, Clone, Copy, Default)]
pub struct ByResult;

impl<Res, Err> Classify<Res, Err> for ByResult {
    fn classify(&self, result: &Result<Res, Err>) -> Outcome {
        Outcome::of(result)
    }
}

impl<F, Res, Err> Classify<Res, Err> for F
where
    F: Fn(&Result<Res, Err>) -> Outcome,
{
    fn classify(&self, result: &Result<Res, Err>) -> Outcome {
        self(result)
    }
}
