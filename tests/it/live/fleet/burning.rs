//! One instance of three does badly: its own alerts fire; those of the fleet only if it is bad enough for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use plimsoll::{Outcome, Plimsoll};

use super::{Fleet, Sample};

const ALERTS: [&str; 2] = ["FleetErrors", "fleet-availability"];

/// The same number of operations on each instance, until it is dropped; of a hundred of the first one's so many fail.
struct Traffic {
    failing: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
}

impl Traffic {
    fn on(instances: &[Plimsoll]) -> Self {
        let traffic = Self {
            failing: Arc::new(AtomicU32::new(0)),
            over: Arc::new(AtomicBool::new(false)),
        };
        let (failing, over) = (traffic.failing.clone(), traffic.over.clone());
        let operations: Vec<_> = instances.iter().map(|one| one.operation("work")).collect();
        std::thread::spawn(move || {
            while !over.load(Relaxed) {
                let of_first = failing.load(Relaxed);
                for (at, operation) in operations.iter().enumerate() {
                    let failing = if at == 0 { of_first } else { 0 };
                    for nth in 0..100 {
                        let outcome = match nth < failing {
                            true => Outcome::Error,
                            false => Outcome::Ok,
                        };
                        operation.record(outcome, Duration::from_millis(1));
                    }
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        traffic
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
    }
}

fn firing(scope: &str) -> String {
    let names = ALERTS.join("|");
    format!("ALERTS{{alertstate=\"firing\",alertname=~\"{names}\",scope=\"{scope}\"}}")
}

/// The names of alerts, and the instances that they are of.
fn told(samples: &[Sample], label: &str) -> Vec<String> {
    let values = samples.iter().map(|(labels, _)| labels[label].as_str());
    let mut values: Vec<String> = values.map(|value| value.unwrap().to_owned()).collect();
    values.sort_unstable();
    values
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prometheus 3: tests/run"]
async fn the_fleet_burns_only_when_one_instance_burns_enough_for_all() {
    let fleet = Fleet::start().await;
    let traffic = Traffic::on(&fleet.instances);
    let both = |samples: &[Sample]| samples.len() == ALERTS.len();

    // An instance of which there are too few scrapes for a rate is not among all.
    let scraped =
        "count(count by (instance) (count_over_time(plimsoll_sli_valid_total[10s]) >= 5))";
    let all = |samples: &[Sample]| matches!(samples, [(_, instances)] if *instances == 3.0);
    fleet.once(scraped, all).await;

    // 15 % of one is 5 % of all.
    traffic.failing.store(15, Relaxed);
    let of_first = fleet.once(&firing("instance"), both).await;
    assert_eq!(told(&of_first, "alertname"), ALERTS);
    assert_eq!(
        told(&of_first, "instance"),
        vec![fleet.addresses[0].clone(); 2]
    );
    // Longer than a short window.
    let long = format!("count_over_time({}[1m]) >= 12", firing("instance"));
    fleet.once(&long, both).await;
    let names = ALERTS.join("|");
    let ever = format!("count_over_time(ALERTS{{alertname=~\"{names}\",scope=\"fleet\"}}[5m])");
    let ever = fleet.prometheus.query(&ever);
    assert!(ever.is_empty(), "{ever:?}");

    // 90 % of one is 30 % of all.
    traffic.failing.store(90, Relaxed);
    let of_all = fleet.once(&firing("fleet"), both).await;
    assert_eq!(told(&of_all, "alertname"), ALERTS);
    for (labels, _) in &of_all {
        assert_eq!(labels.get("instance"), None, "{labels}");
        assert!(["critical", "page"].contains(&labels["severity"].as_str().unwrap()));
    }
    let of_first = fleet.prometheus.query(&firing("instance"));
    assert_eq!(
        told(&of_first, "instance"),
        vec![fleet.addresses[0].clone(); 2]
    );

    traffic.failing.store(0, Relaxed);
    let resolved = |samples: &[Sample]| samples.is_empty();
    fleet.once(&firing("fleet"), resolved).await;
    fleet.once(&firing("instance"), resolved).await;
}
