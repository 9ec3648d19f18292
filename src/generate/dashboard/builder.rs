//! A dashboard as it is declared.

use std::time::Duration;

use super::layout::{self, COLUMNS, Shelves};
use super::variables::Variable;
use super::{Dashboard, Panel, Part, Promises, check};
use crate::config::{BuildError, Problem};
use crate::expr::TARGET_LABELS;
use crate::generate::Declaration;
use crate::slo::window_name;

/// A dashboard that is being put together; [`build`](Self::build) checks it.
#[derive(Debug, Clone, PartialEq)]
pub struct DashboardBuilder {
    pub(crate) uid: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) refresh: Duration,
    pub(crate) range: Duration,
    pub(super) variables: Vec<Variable>,
    /// Panels below a title, which may be empty.
    pub(crate) rows: Vec<(String, Vec<Panel>)>,
}

/// What every dashboard of ours is found by.
const TAG: &str = "plimsoll";

impl DashboardBuilder {
    pub(super) fn new(uid: String, title: String) -> Self {
        Self {
            uid,
            title,
            description: String::new(),
            tags: Vec::new(),
            refresh: Duration::from_secs(30),
            range: Duration::from_secs(3600),
            variables: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// What the dashboard is for.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// A tag beside `plimsoll`, which every dashboard has.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// How often it asks anew; 30 s by default, zero for never.
    pub fn refresh(mut self, every: Duration) -> Self {
        self.refresh = every;
        self
    }

    /// How far it looks back; an hour by default.
    pub fn range(mut self, back: Duration) -> Self {
        self.range = back;
        self
    }

    /// A row with a title, for the panels that follow.
    pub fn row(mut self, title: impl Into<String>) -> Self {
        self.rows.push((title.into(), Vec::new()));
        self
    }

    /// A panel, from left to right and from the top.
    pub fn panel(mut self, panel: Panel) -> Self {
        match self.rows.last_mut() {
            Some((_, panels)) => panels.push(panel),
            None => self.rows.push((String::new(), vec![panel])),
        }
        self
    }

    /// A variable whose values Prometheus knows.
    pub(super) fn variable(
        mut self,
        name: &'static str,
        label: &'static str,
        query: String,
    ) -> Self {
        self.variables.push(Variable { name, label, query });
        self
    }

    /// The dashboard, with the limits that `declaration` promises.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake: no uid, an unknown budget, SLO, unit or colour, PromQL that does not parse.
    pub fn build(self, declaration: &Declaration) -> Result<Dashboard, BuildError> {
        let mut problems = Vec::new();
        let dashboard = self.resolve(&Promises::of(declaration), &mut problems);
        BuildError::check(problems)?;
        Ok(dashboard)
    }

    /// The same, with what is wrong beside it.
    pub(in crate::generate) fn resolve(
        self,
        promises: &Promises<'_>,
        problems: &mut Vec<Problem>,
    ) -> Dashboard {
        check::head(&self, problems);
        let mut shelves = Shelves::default();
        let mut parts: Vec<Part> = Vec::new();
        for (title, panels) in self.rows {
            shelves.next_shelf();
            let id = |parts: &Vec<Part>| parts.len() as u32 + 1;
            if !title.is_empty() {
                parts.push(Part::Row(id(&parts), title, shelves.line()));
            }
            let in_row = panels.len();
            for panel in panels {
                let (w, h) = layout::size(&panel, in_row);
                let place = shelves.place(w.clamp(1, COLUMNS), h.max(1));
                let shown = check::panel(panel, &self.uid, id(&parts), place, promises, problems);
                parts.push(Part::Panel(Box::new(shown)));
            }
        }
        let mut tags = vec![TAG.to_owned()];
        tags.extend(self.tags.into_iter().filter(|tag| tag != TAG));
        Dashboard {
            uid: self.uid,
            title: self.title,
            description: self.description,
            tags,
            refresh: window_name(self.refresh),
            from: format!("now-{}", window_name(self.range)),
            variables: self.variables.into_iter().map(narrowed).collect(),
            parts,
        }
    }
}

/// `label_values(family, label)` of the dashboard's targets only.
fn narrowed(mut variable: Variable) -> Variable {
    let [job, instance] = TARGET_LABELS.map(|label| format!("{label}=~\"${label}\""));
    let family = variable.query;
    variable.query = format!(
        "label_values({family}{{{job},{instance}}}, {})",
        variable.name
    );
    variable
}
