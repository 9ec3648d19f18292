//! What is asked: each expression of each panel, each rule.

use std::time::Duration;

use plimsoll::Slo;
use plimsoll::generate::{Dashboard, Declaration, PanelQuery, RuleOptions, RuleScope, Variables};
use plimsoll::rule::{Rule, RuleFile, RuleGroup, RuleKind};

/// An expression, and where it stands.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) kind: Kind,
    /// The uid of a dashboard, or the name of a group of rules.
    pub(super) place: String,
    /// The panel, or the rule.
    pub(super) name: String,
    pub(super) expr: String,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// With the labels that its legend names.
    Panel(Vec<String>),
    Recording,
    /// With the selectors of its condition, which returns nothing while all is well.
    Alert(Vec<String>),
}

/// Everything that is generated from a declaration, with the rules of a scope.
pub(super) fn of(
    declaration: &Declaration,
    rate_interval: Duration,
    scope: RuleScope,
) -> Vec<Question> {
    let dashboards = declaration.dashboards();
    let of_dashboard = |dashboard| of_dashboard(declaration, dashboard, rate_interval);
    let panels = dashboards.iter().flat_map(of_dashboard);
    let rules = declaration
        .rules(RuleOptions::new().scope(scope))
        .into_groups();
    panels.chain(rules.iter().flat_map(of_group)).collect()
}

/// A regular expression that is this text only.
fn exactly(text: &str) -> String {
    let special = |char: char| r"\.+*?()|[]{}^$".contains(char);
    let one = |char| match special(char) {
        true => format!("\\{char}"),
        false => char.to_string(),
    };
    text.chars().map(one).collect()
}

fn of_dashboard(
    declaration: &Declaration,
    dashboard: &Dashboard,
    rate_interval: Duration,
) -> Vec<Question> {
    let variables = Variables::new()
        .job(exactly(declaration.job()))
        .rate_interval(rate_interval);
    let (of_one, of_all): (Vec<_>, Vec<_>) = dashboard
        .queries(&variables)
        .into_iter()
        .partition(|query| query.expr.contains("$slo"));
    let mut questions: Vec<_> = of_all
        .into_iter()
        .map(|query| of_panel(dashboard, query, None))
        .collect();
    if !of_one.is_empty() {
        for slo in declaration.slos() {
            let filled = variables.clone().set("slo", slo.name());
            let queries = dashboard.queries(&filled).into_iter();
            let its = queries.filter(|query| {
                let at =
                    |one: &PanelQuery| (&one.panel, &one.ref_id) == (&query.panel, &query.ref_id);
                of_one.iter().any(at) && counts(slo, query)
            });
            questions.extend(its.map(|query| of_panel(dashboard, query, Some(slo.name()))));
        }
    }
    questions
}

/// SLOs that are made of others count no events of their own.
fn counts(slo: &Slo, query: &PanelQuery) -> bool {
    !(slo.is_composite() && query.expr.contains("plimsoll_sli_"))
}

fn of_panel(dashboard: &Dashboard, query: PanelQuery, slo: Option<&str>) -> Question {
    let slo = slo.map(|slo| format!(" of {slo}")).unwrap_or_default();
    Question {
        kind: Kind::Panel(query.legend_labels()),
        place: dashboard.uid().to_owned(),
        name: format!("{}{slo}: {}", query.panel, query.ref_id),
        expr: query.expr,
    }
}

fn of_group(group: &RuleGroup) -> Vec<Question> {
    let question = |rule: &Rule| {
        let (kind, name) = match &rule.kind {
            RuleKind::Alert(alert) => (Kind::Alert(selectors(rule)), alert.name.clone()),
            RuleKind::Record(name) => (Kind::Recording, name.clone()),
            _ => return None,
        };
        let told_apart = ["level", "escalation", "long"];
        let labels = told_apart.map(|key| rule.labels.get(key));
        let labels: Vec<&str> = labels
            .into_iter()
            .filter(|value| !value.is_empty())
            .collect();
        Some(Question {
            kind,
            place: group.name.clone(),
            name: [vec![&*name], labels].concat().join(" "),
            expr: rule.expr.to_string(),
        })
    };
    group.rules.iter().filter_map(question).collect()
}

/// The selectors that a rule reads.
fn selectors(rule: &Rule) -> Vec<String> {
    let mut selectors = Vec::new();
    RuleFile::new([RuleGroup::new("", [rule.clone()])]).retain_known(|selector| {
        selectors.push(selector.to_string());
        true
    });
    selectors.sort();
    selectors.dedup();
    selectors
}
