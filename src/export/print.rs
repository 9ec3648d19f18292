//! What a format has to know.

use super::lines::Lines;
use super::shown::Shown;

/// One format.
pub(super) trait Print {
    /// Whether the family is on the page at all.
    fn shows(&self, _: &Shown) -> bool {
        true
    }
    /// What stands before the samples of a family.
    fn begin(&mut self, out: &mut Vec<u8>, shown: &Shown);
    /// Sample `at` of the family that was begun.
    fn sample(&mut self, out: &mut Vec<u8>, lines: &mut Lines, shown: &Shown, at: usize);
    /// What stands behind its samples.
    fn end(&mut self, _out: &mut Vec<u8>) {}
    /// What stands at the end of the page.
    fn close(&mut self, _out: &mut Vec<u8>) {}
}
