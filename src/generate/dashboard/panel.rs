//! What a panel shows, as it is declared.

/// How a panel is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PanelKind {
    /// Lines over time, limits as lines across.
    Timeseries,
    /// The latest value as a number.
    Stat,
    /// The latest value on a dial.
    Gauge,
    /// The latest value of each series as a bar.
    BarGauge,
    /// The latest value of each series as a row.
    Table,
    /// Which state each series was in, over time.
    StateTimeline,
    /// Markdown.
    Text,
}

impl PanelKind {
    /// Every one, by its word in a configuration.
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("timeseries", Self::Timeseries),
        ("stat", Self::Stat),
        ("gauge", Self::Gauge),
        ("bargauge", Self::BarGauge),
        ("table", Self::Table),
        ("statetimeline", Self::StateTimeline),
        ("text", Self::Text),
    ];

    /// What Grafana calls it.
    pub(super) fn plugin(self) -> &'static str {
        match self {
            Self::StateTimeline => "state-timeline",
            kind => Self::ALL
                .iter()
                .find(|known| known.1 == kind)
                .map_or("text", |known| known.0),
        }
    }

    /// Whether it shows the latest value only.
    pub(super) fn is_instant(self) -> bool {
        matches!(self, Self::BarGauge | Self::Table)
    }
}

/// What is shown of an SLO.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SloView {
    /// How much of the error budget is left, from minus infinity to 1.
    #[default]
    Remaining,
    /// How fast it is spent, for each window of its burn alerts.
    BurnRate,
    /// The share of the period that was good, beside the objective.
    Sli,
}

impl SloView {
    /// Every one, by its word in a configuration.
    pub(crate) const ALL: [(&'static str, Self); 3] = [
        ("remaining", Self::Remaining),
        ("burn_rate", Self::BurnRate),
        ("sli", Self::Sli),
    ];
}

/// A value that stands for something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) value: i64,
    pub(crate) text: String,
    pub(crate) color: String,
}

/// A histogram whose quantiles are shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Quantiles {
    pub(crate) family: String,
    pub(crate) quantiles: Vec<f64>,
    pub(crate) by: Vec<String>,
    pub(crate) labels: Vec<(String, String)>,
}

/// A panel: how it is drawn, what it asks, and whose limits it shows.
///
/// Without queries of its own it shows the values of its budgets, or its SLO.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    pub(crate) kind: PanelKind,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) unit: Option<String>,
    pub(crate) queries: Vec<(String, String)>,
    pub(crate) quantiles: Option<Quantiles>,
    pub(crate) budgets: Vec<String>,
    pub(crate) slo: Option<(String, SloView)>,
    pub(crate) states: Vec<State>,
    pub(crate) range: (Option<f64>, Option<f64>),
    pub(crate) decimals: Option<u32>,
    pub(crate) size: (Option<u32>, Option<u32>),
    pub(crate) content: String,
    pub(crate) link: Option<(String, String)>,
    /// Whether what is shown is what is left of error budgets, of no SLO in particular.
    pub(crate) of_error_budgets: bool,
}

impl Panel {
    pub(crate) fn new(kind: PanelKind, title: impl Into<String>) -> Self {
        Self {
            kind,
            title: title.into(),
            description: String::new(),
            unit: None,
            queries: Vec::new(),
            quantiles: None,
            budgets: Vec::new(),
            slo: None,
            states: Vec::new(),
            range: (None, None),
            decimals: None,
            size: (None, None),
            content: String::new(),
            link: None,
            of_error_budgets: false,
        }
    }

    /// Lines over time.
    pub fn timeseries(title: impl Into<String>) -> Self {
        Self::new(PanelKind::Timeseries, title)
    }

    /// The latest value as a number.
    pub fn stat(title: impl Into<String>) -> Self {
        Self::new(PanelKind::Stat, title)
    }

    /// The latest value on a dial.
    pub fn gauge(title: impl Into<String>) -> Self {
        Self::new(PanelKind::Gauge, title)
    }

    /// The latest value of each series as a bar.
    pub fn bar_gauge(title: impl Into<String>) -> Self {
        Self::new(PanelKind::BarGauge, title)
    }

    /// The latest value of each series as a row.
    pub fn table(title: impl Into<String>) -> Self {
        Self::new(PanelKind::Table, title)
    }

    /// Which state each series was in.
    pub fn state_timeline(title: impl Into<String>) -> Self {
        Self::new(PanelKind::StateTimeline, title)
    }

    /// Words in Markdown.
    pub fn text(title: impl Into<String>, markdown: impl Into<String>) -> Self {
        let mut panel = Self::new(PanelKind::Text, title);
        panel.content = markdown.into();
        panel
    }

    /// What it shows and how to read it. Needed where the queries are written out.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Grafana's word for the unit of what is shown: `s`, `ms`, `percentunit`, `reqps`, ... Budgets have one of their own;
    /// their limits are converted.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Asks this in PromQL. Selectors that name no `job` and no `instance` are narrowed to the dashboard's;
    /// `$__rate_interval`, `$__interval` and `$__range` may stand for ranges. `legend` may name labels: `{{route}}`.
    pub fn query(mut self, expr: impl Into<String>, legend: impl Into<String>) -> Self {
        self.queries.push((expr.into(), legend.into()));
        self
    }

    /// Quantiles of a histogram by its exported name, without `_bucket`, each in `0.0..=1.0`.
    pub fn quantiles(
        mut self,
        family: impl Into<String>,
        quantiles: impl IntoIterator<Item = f64>,
    ) -> Self {
        let known = self.quantiles.get_or_insert_default();
        known.family = family.into();
        known.quantiles = quantiles.into_iter().collect();
        self
    }

    /// The [`quantiles`](Self::quantiles) for each value of this label.
    pub fn by(mut self, label: impl Into<String>) -> Self {
        let known = self.quantiles.get_or_insert_default();
        known.by.push(label.into());
        self
    }

    /// Takes the limits of this budget as thresholds, and its value where nothing else is asked. May be given several times.
    pub fn budget(mut self, name: impl Into<String>) -> Self {
        self.budgets.push(name.into());
        self
    }

    /// Shows this of an SLO.
    pub fn slo(mut self, name: impl Into<String>, view: SloView) -> Self {
        self.slo = Some((name.into(), view));
        self
    }

    /// What a value stands for, and its colour: `0`, `DOWN`, `red`.
    pub fn state(mut self, value: i64, text: impl Into<String>, color: impl Into<String>) -> Self {
        self.states.push(State {
            value,
            text: text.into(),
            color: color.into(),
        });
        self
    }

    /// The end of the axis at the bottom, in the panel's unit.
    pub fn min(mut self, value: f64) -> Self {
        self.range.0 = Some(value);
        self
    }

    /// The end of the axis at the top, in the panel's unit.
    pub fn max(mut self, value: f64) -> Self {
        self.range.1 = Some(value);
        self
    }

    /// How many decimals are shown.
    pub fn decimals(mut self, decimals: u32) -> Self {
        self.decimals = Some(decimals);
        self
    }

    /// How many of the 24 columns it takes; the panels of a row share them evenly otherwise.
    pub fn width(mut self, columns: u32) -> Self {
        self.size.0 = Some(columns);
        self
    }

    /// How high it is, in steps of 30 pixels; 8 by default.
    pub fn height(mut self, steps: u32) -> Self {
        self.size.1 = Some(steps);
        self
    }

    /// The thresholds of what is left of an error budget.
    pub(super) fn remaining(mut self) -> Self {
        self.of_error_budgets = true;
        self
    }

    /// A link to another place, for each series.
    pub(super) fn link(mut self, title: &str, url: String) -> Self {
        self.link = Some((title.to_owned(), url));
        self
    }

    /// How it is called where something is wrong with it.
    pub(super) fn at(&self, dashboard: &str) -> String {
        format!("dashboard {dashboard:?}: panel {:?}: ", self.title)
    }
}
