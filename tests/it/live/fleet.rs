//! Three instances behind one Prometheus 3, which is configured by what was generated and judges by the generated rules.

mod burning;
mod quantile;

use std::time::{Duration, Instant};

use plimsoll::Plimsoll;
use plimsoll::export::{Listener, listen};
use plimsoll::expr::Dialect;
use plimsoll::generate::{Declaration, RuleOptions};

use super::prometheus::{Prometheus, Sample};

/// At most 9 % of a window may fail: of an error budget of 1 %, an eightieth of a day's burns within two minutes.
const PROMISES: &str = r#"
service = "fleet"

[[budget]]
name = "FleetErrors"
on = "operation"
sli = "error_ratio"
critical = 0.09
over = "10s"
for = "2s"

[[slo]]
name = "fleet-availability"
on = "operation"
objective = 0.99
rolling = 1
[[slo.burn_alert]]
severity = "page"
share = 0.0125
long = "2m"
"#;

struct Fleet {
    instances: Vec<Plimsoll>,
    addresses: Vec<String>,
    prometheus: Prometheus,
    _listeners: Vec<Listener>,
    _rules: tempfile::TempDir,
}

impl Fleet {
    async fn start() -> Self {
        let (mut instances, mut listeners) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let plimsoll = Plimsoll::builder().toml(PROMISES).build().unwrap();
            listeners.push(listen(&plimsoll, "127.0.0.1:0").await.unwrap());
            instances.push(plimsoll);
        }
        let addresses = listeners.iter().map(Listener::local_addr);
        let addresses: Vec<String> = addresses.map(|address| address.to_string()).collect();
        let folder = tempfile::tempdir().unwrap();
        let prometheus = prometheus(&addresses, &folder.path().join("rules.yml"));
        let fleet = Self {
            instances,
            addresses,
            prometheus,
            _listeners: listeners,
            _rules: folder,
        };
        let all = |samples: &[Sample]| matches!(samples, [(_, up)] if *up == 3.0);
        fleet.once("sum(up)", all).await;
        fleet
    }

    /// What `query` returns, once it is `enough`.
    async fn once(&self, query: &str, enough: impl Fn(&[Sample]) -> bool) -> Vec<Sample> {
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            let samples = self.prometheus.query(query);
            if enough(&samples) {
                return samples;
            }
            assert!(Instant::now() < deadline, "{query}: {samples:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Reads the configuration and the rules that are generated from the promises and where the instances are.
fn prometheus(addresses: &[String], rules: &std::path::Path) -> Prometheus {
    let toml = format!(
        "{PROMISES}\n[generate]\nscrape_interval = \"1s\"\nevaluation_interval = \"1s\"\nalertmanagers = []\n\
         targets = {addresses:?}\nrule_files = [{rules:?}]\n"
    );
    let declaration = Declaration::parse(&toml).unwrap();
    std::fs::write(rules, declaration.rules(RuleOptions::new()).to_string()).unwrap();
    let binary = std::env::var("PLIMSOLL_PROMETHEUS3").expect("set by tests/run");
    let native = "--enable-feature=native-histograms";
    Prometheus::start(&binary, &[native], &declaration.prometheus(Dialect::V3))
}
