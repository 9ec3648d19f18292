//! Dashboards: what comes of the declarations in `examples/declarations` and of one that has no dashboard.

mod bad_input;
mod lint;
mod schema;
mod thresholds;

use std::path::PathBuf;

use plimsoll::generate::{Dashboard, Declaration};
use serde_json::Value;

/// The declarations that come with the crate.
pub(super) const SHIPPED: [&str; 5] = ["api", "board", "gateway", "router", "services"];

pub(super) fn shipped(name: &str) -> Declaration {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Declaration::read(root.join(format!("examples/declarations/{name}.toml"))).unwrap()
}

/// A bit of everything that can be promised, and no dashboard.
const RICH: &str = r#"
service = "Shop & Co"

[[budget]]
name = "slow"
on = "http"
quantile = 0.95
at_most = "200ms"
critical = "500ms"
per = "route"

[[budget]]
name = "learned"
on = "http"
quantile = 0.99
over = "5m"
dynamic = { method = "hour_of_week" }

[[budget]]
name = "fresh"
on = "operation"
labels = { operation = "import" }
sli = "freshness"
at_most = "1h"

[[budget]]
name = "enough"
on = "db"
sli = "throughput"
at_least = 10
absent_after = "10m"

[[slo]]
name = "api"
on = "http"
objective = 0.999
per = "route"

[[slo]]
name = "payments"
on = "db"
objective = 0.99

[[slo]]
name = "shop"
all_of = ["api", "payments"]
objective = 0.95
reachable_burn_alerts = true
"#;

/// Every dashboard of every declaration here, by the name of that.
pub(super) fn all() -> Vec<(String, Dashboard)> {
    let rich = Declaration::parse(RICH).unwrap();
    let mut all: Vec<(String, Declaration)> = vec![("rich".to_owned(), rich)];
    all.extend(SHIPPED.map(|name| (name.to_owned(), shipped(name))));
    let of = |(name, declaration): (String, Declaration)| {
        let dashboards = declaration.dashboards().into_iter();
        dashboards
            .map(move |dashboard| (name.clone(), dashboard))
            .collect::<Vec<_>>()
    };
    all.into_iter().flat_map(of).collect()
}

pub(super) fn json(dashboard: &Dashboard) -> Value {
    serde_json::from_str(&dashboard.to_json()).unwrap()
}

/// The panels of a dashboard; `rows` says whether lines across count.
pub(super) fn panels(dashboard: &Value, rows: bool) -> Vec<&Value> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels
        .filter(|panel| rows || panel["type"] != "row")
        .collect()
}

/// The title of a dashboard and of one of its panels.
pub(super) fn at(dashboard: &Value, panel: &Value) -> String {
    format!("{} / {}", dashboard["title"], panel["title"])
}

#[test]
fn what_the_tables_ask_for_is_there() {
    let uids: Vec<String> = all()
        .into_iter()
        .map(|(_, of)| of.uid().to_owned())
        .collect();
    let asked = [
        "azora-performance",
        "bifrost-capacity",
        "bifrost-operations",
        "bifrost-sla",
        "dce-performance-overview",
        "novacron-board",
        "omninode-services",
        "shop-co-budgets",
        "shop-co-slo-detail",
        "shop-co-slo-overview",
    ];
    for uid in asked {
        assert!(uids.iter().any(|known| known == uid), "{uid} of {uids:?}");
    }
    let mut unique = uids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), uids.len(), "{uids:?}");
    let api = json(&shipped("api").dashboards()[0]);
    assert_eq!(panels(&api, false).len(), 7);
    let board = shipped("board");
    let board = json(&board.dashboards()[0]);
    assert_eq!(
        (panels(&board, false).len(), &board["refresh"]),
        (9, &Value::from("5s"))
    );
    let services = json(&shipped("services").dashboards()[0]);
    let rows = panels(&services, true).len() - panels(&services, false).len();
    assert_eq!(rows, 4);
}

/// `BLESS=1` writes them anew.
#[test]
fn dashboards_are_the_same_to_the_byte() {
    let bless = std::env::var_os("BLESS").is_some();
    for (_, dashboard) in all() {
        let (first, again) = (dashboard.to_json(), dashboard.to_json());
        assert_eq!(first, again);
        let path = format!(
            "{}/tests/snapshots/dashboards/{}.json",
            env!("CARGO_MANIFEST_DIR"),
            dashboard.uid()
        );
        if bless {
            std::fs::write(&path, &first).unwrap();
        }
        let kept = std::fs::read_to_string(&path).expect("a snapshot; make it with BLESS=1");
        assert!(kept == first, "{path} differs: look at it with BLESS=1");
    }
}
