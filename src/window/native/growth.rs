//! How much a histogram grew.

use super::NativeHistogram;

/// What came between the first and the last of at least two histograms, restarts in between included.
pub(in crate::window) fn growth(points: &[&NativeHistogram]) -> NativeHistogram {
    let last = points[points.len() - 1];
    // Before a restart nothing of the first one is needed: it may have had another shape.
    let empty = NativeHistogram {
        schema: points[1].schema,
        ..NativeHistogram::default()
    };
    let mut previous = match points[1].is_reset_of(points[0]) {
        true => &empty,
        false => points[0],
    };
    let schemas = points[1..].iter().map(|point| point.schema);
    let coarsest = schemas.fold(previous.schema, i8::min);
    let mut grown = last.clone();
    grown.reduce(coarsest);
    grown.subtract(previous);
    for point in &points[1..] {
        if point.is_reset_of(previous) {
            grown.add(previous);
        }
        previous = point;
    }
    grown.compact();
    grown
}
