//! The p99 of a fleet whose instances differ.

use std::time::Duration;

use plimsoll::{Outcome, Plimsoll};

use super::super::native::{Random, nearest_rank, now};
use super::{Fleet, Sample};

/// Durations that each instance records.
const EACH: usize = 100_000;
const SERIES: &str = "operation_duration_seconds{operation=\"search\"}";

/// In nanoseconds: of a slow instance, a fast one, and one that is slow every tenth time.
fn durations() -> [Vec<u64>; 3] {
    let mut random = Random(11);
    [1.0, 0.0, 0.1].map(|slow| {
        let next = |_| match random.uniform() < slow {
            true => random.log_normal(120e6, 0.5),
            false => random.log_normal(2e6, 0.4),
        };
        (0..EACH).map(next).collect()
    })
}

fn record(instance: &Plimsoll, durations: &[u64], divided: u64) {
    let search = instance.operation("search");
    for &duration in durations {
        search.record(Outcome::Ok, Duration::from_nanos(duration / divided));
    }
}

impl Fleet {
    /// Once all instances were scraped after this moment.
    async fn scraped_after(&self, moment: f64) {
        let query = format!("min(timestamp({SERIES}))");
        self.once(&query, |found| matches!(found, [(_, at)] if *at > moment))
            .await;
    }

    async fn counted(&self, count: usize) {
        let query = format!("sum(histogram_count({SERIES}))");
        let all = |found: &[Sample]| matches!(found, [(_, of)] if *of == count as f64);
        self.once(&query, all).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prometheus 3: tests/run"]
async fn the_p99_of_a_fleet_is_that_of_all_its_durations() {
    let fleet = Fleet::start().await;
    let durations = durations();
    let both = || fleet.instances.iter().zip(&durations);
    // What was before the range must not count.
    both().for_each(|(instance, own)| record(instance, own, 3));
    fleet.counted(3 * EACH).await;
    let start = now();
    fleet.scraped_after(start).await;
    both().for_each(|(instance, own)| record(instance, own, 1));
    fleet.counted(6 * EACH).await;
    // Long enough for a scrape more or less of an instance not to weigh.
    let range = (now() - start).ceil().max(15.0);
    fleet.scraped_after(start + range).await;

    let mut all = durations.concat();
    all.sort_unstable();
    let exact = nearest_rank(&all, 0.99);
    let query = format!("histogram_quantile(0.99, sum(rate({SERIES}[{range}s])))");
    let asked = fleet.prometheus.query_at(start + range, &query);
    let [(_, asked)] = asked[..] else {
        panic!("{query}: {asked:?}")
    };
    let error = (asked / exact - 1.0).abs();
    println!(
        "p99 of {} durations of three instances: {asked:.6} s for {exact:.6} s, off by {:.3} %",
        all.len(),
        error * 100.0
    );
    assert!(error <= 0.0055, "{asked} for {exact}");
    // Nobody's own is near it: it cannot have come of one instance.
    for own in &durations {
        let mut own = own.clone();
        own.sort_unstable();
        assert!((nearest_rank(&own, 0.99) / exact - 1.0).abs() > 0.05);
    }
}
