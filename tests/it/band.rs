//! How well the default method detects, on two of the bench's twelve traces.

#[allow(dead_code, reason = "the bench takes more of it")]
#[path = "../../benches/bands/simulation.rs"]
mod simulation;

use plimsoll::band::{Band, Dynamic};
use simulation::{Detector, Trace};

struct Critical(Band);

impl Detector for Critical {
    fn limit(&mut self, at_ms: i64) -> Option<f64> {
        self.0.limits(at_ms).map(|limits| limits.critical)
    }

    fn observe(&mut self, at_ms: i64, value: f64, breached: bool) {
        self.0.observe(at_ms, value, breached);
    }
}

#[test]
fn nine_of_ten_incidents_are_found_almost_without_false_alerts() {
    for seed in [1, 2] {
        let band = Band::new(Dynamic::default()).unwrap();
        let found = Trace::new(seed, 42, 28).judge(&mut Critical(band));
        assert!(
            found.share >= 0.9 && found.false_per_day <= 0.05,
            "seed {seed}: {found:?}"
        );
    }
}
