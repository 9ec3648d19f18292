mod cells;
mod native;
mod reading;
mod threads;

use super::*;

fn durations(bounds: &[f64]) -> Histogram {
    Histogram::new(Buckets::new(Layout::durations(), bounds).expect("bounds"))
}

/// Values at and around every edge, every power of two and every slot border.
fn probes(buckets: &Buckets) -> Vec<u64> {
    let mut values = vec![0, 1, 2, 3];
    for cell in 0..buckets.cell_count() {
        let (low, high) = buckets.cell_range(cell);
        values.extend([low.saturating_sub(1), low, (low + high) / 2, high, high + 1]);
    }
    for octave in 0..47 {
        for slot in 0..128_u64 {
            let border = (1_u64 << octave) + (((1_u64 << octave) * slot) >> 7);
            values.extend([border.saturating_sub(1), border, border + 1]);
        }
    }
    values.retain(|&value| value <= buckets.max());
    values
}
