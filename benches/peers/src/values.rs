//! Durations in nanoseconds, the same ones at every run.

/// A small generator of uniform numbers; its quality is enough for shapes of distributions.
struct Uniform(u64);

impl Uniform {
    fn new() -> Self {
        Self(0x2545_f491_4f6c_dd1d)
    }

    /// In `0.0..1.0`, never 0.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Standard normal (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.next().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.next()).cos()
    }
}

fn generate(count: usize, mut seconds: impl FnMut(&mut Uniform) -> f64) -> Vec<u64> {
    let mut uniform = Uniform::new();
    let nanos = |_| (seconds(&mut uniform) * 1e9) as u64;
    (0..count).map(nanos).collect()
}

/// Around 2 ms, sigma 1.2: most requests are quick, some take a hundred times as long.
pub fn log_normal(count: usize) -> Vec<u64> {
    generate(count, |uniform| 0.002 * (1.2 * uniform.normal()).exp())
}

/// From 0.1 ms to 0.1 s, as many in each octave.
pub fn ten_octaves(count: usize) -> Vec<u64> {
    generate(count, |uniform| 0.0001 * (10.0 * uniform.next()).exp2())
}

/// Seven in ten around 1 ms (a cache hit), the rest around 50 ms (a miss).
pub fn bimodal(count: usize) -> Vec<u64> {
    generate(count, |uniform| {
        let centre = if uniform.next() < 0.7 { 0.001 } else { 0.05 };
        centre * (0.15 * uniform.normal()).exp()
    })
}

/// From 1 ms up, alpha 1.5: the tail that averages hide.
pub fn pareto(count: usize) -> Vec<u64> {
    generate(count, |uniform| 0.001 * uniform.next().powf(-1.0 / 1.5))
}

/// The same durations in seconds, for the peers that take them so.
pub fn seconds(nanos: &[u64]) -> Vec<f64> {
    nanos.iter().map(|&ns| ns as f64 / 1e9).collect()
}
