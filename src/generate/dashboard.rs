//! Why it exists: a dashboard that is drawn by hand shows last year's limits.
//!
//! A [`Dashboard`] is Grafana's classic JSON, to be imported or provisioned as it is. Thresholds are those of the budgets;
//! every selector is narrowed to the variables `job` and `instance`; rates reach over `$__rate_interval`. It is written in
//! TOML (`[[dashboard]]`) or here; those of [`Declaration::dashboards`](super::Declaration::dashboards) that
//! speak of error budgets come by themselves.
//!
//! ```
//! use plimsoll::generate::{Dashboard, Declaration, Panel, Variables};
//!
//! let shop = Declaration::parse(
//!     r#"
//!     [[budget]]
//!     name = "slow"
//!     on = "http"
//!     quantile = 0.95
//!     warning = "200ms"
//!     "#,
//! )?;
//! let dashboard = Dashboard::builder("shop", "Shop")
//!     .row("Requests")
//!     .panel(
//!         Panel::timeseries("Duration")
//!             .unit("ms")
//!             .description("How long requests take.")
//!             .quantiles("http_server_request_duration_seconds", [0.5, 0.95])
//!             .budget("slow"),
//!     )
//!     .build(&shop)?;
//! assert!(dashboard.to_json().contains("\"value\": 200.0"), "the limit, in milliseconds");
//! let p95 = &dashboard.queries(&Variables::new())[1].expr;
//! assert!(p95.starts_with("1000 * (histogram_quantile(0.95, sum by (le) (rate("), "{p95}");
//! # Ok::<(), plimsoll::BuildError>(())
//! ```

mod builder;
mod check;
mod json;
mod layout;
mod own;
mod panel;
mod promql;
mod source;
mod threshold;
mod unit;
mod variables;

pub use builder::DashboardBuilder;
pub use panel::{Panel, PanelKind, SloView};
pub use variables::{PanelQuery, Variables};

pub(super) use check::Promises;
pub(crate) use own::uids;
pub(super) use own::{of_budgets, of_slos};

use layout::Place;
use panel::State;
use threshold::Step;
use variables::Variable;

/// A dashboard without mistakes.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    uid: String,
    title: String,
    description: String,
    tags: Vec<String>,
    /// `5s`; empty for never.
    refresh: String,
    /// How far it looks back: `now-1h`.
    from: String,
    /// Beside the data source, the job and the instance.
    variables: Vec<Variable>,
    parts: Vec<Part>,
}

/// What stands on a dashboard, from top to bottom.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Row(u32, String, Place),
    Panel(Box<Shown>),
}

/// A panel with everything filled in.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    id: u32,
    kind: PanelKind,
    title: String,
    description: String,
    unit: String,
    queries: Vec<Query>,
    steps: Vec<Step>,
    states: Vec<State>,
    /// Ends of the axis.
    range: (Option<f64>, Option<f64>),
    decimals: Option<u32>,
    content: String,
    link: Option<(String, String)>,
    place: Place,
}

/// An expression with dashboard variables, and what its series are called.
#[derive(Debug, Clone, PartialEq)]
struct Query {
    expr: String,
    legend: String,
}

impl Dashboard {
    /// Begins a dashboard. `uid` is what links name it by: at most 40 letters, digits, `-` and `_`.
    pub fn builder(uid: impl Into<String>, title: impl Into<String>) -> DashboardBuilder {
        DashboardBuilder::new(uid.into(), title.into())
    }

    /// What links name it by.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Grafana's classic JSON with a line feed at its end; the same bytes every time.
    pub fn to_json(&self) -> String {
        json::render(self)
    }

    /// Every expression that it asks Prometheus, with its variables filled in.
    ///
    /// ```
    /// use plimsoll::generate::{Declaration, Variables};
    ///
    /// let shop = Declaration::parse("[[slo]]\nname = \"api\"\non = \"http\"\nobjective = 0.999")?;
    /// let overview = &shop.dashboards()[1];
    /// let queries = overview.queries(&Variables::new().job("shop"));
    /// assert!(queries.iter().all(|query| query.expr.contains("job=~\"shop\"")));
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn queries(&self, variables: &Variables) -> Vec<PanelQuery> {
        let of_panel = |panel: &Shown| {
            let queries = panel.queries.iter().enumerate();
            let filled = queries.map(|(at, query)| PanelQuery {
                panel: panel.title.clone(),
                ref_id: json::ref_id(at),
                expr: variables.fill(&query.expr),
                legend: query.legend.clone(),
            });
            filled.collect::<Vec<_>>()
        };
        self.panels().flat_map(of_panel).collect()
    }

    fn panels(&self) -> impl Iterator<Item = &Shown> {
        self.parts.iter().filter_map(|part| match part {
            Part::Panel(panel) => Some(&**panel),
            Part::Row(..) => None,
        })
    }
}

#[cfg(test)]
mod tests;
