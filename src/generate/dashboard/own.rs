//! Dashboards that come by themselves: what was promised, and how it stands.

use super::source;
use super::{Dashboard, DashboardBuilder, Panel, SloView};
use crate::budget::Budget;
use crate::slo::Slo;

/// What a service is called in the uids of its dashboards.
fn slug(service: &str) -> String {
    let plain = |char: char| match char.to_ascii_lowercase() {
        char if char.is_ascii_alphanumeric() => char,
        _ => '-',
    };
    service.chars().map(plain).take(25).collect()
}

/// The uids of those that a service gets: overview, detail, budgets.
pub(crate) fn uids(service: &str) -> [String; 3] {
    ["slo-overview", "slo-detail", "budgets"].map(|page| format!("{}-{page}", slug(service)))
}

/// How budgets stand, in words and colours.
fn states(panel: Panel) -> Panel {
    panel
        .state(0, "kept", "green")
        .state(1, "exceeded", "yellow")
        .state(2, "breached", "red")
}

/// The service against its limits: every budget with its value, thresholds as they are promised.
pub(in crate::generate) fn of_budgets(service: &str, budgets: &[Budget]) -> DashboardBuilder {
    let [.., uid] = uids(service);
    let mut page = Dashboard::builder(uid, format!("{service}: budgets"))
        .description("Every budget beside its limits, as the process judges it.")
        .row("State")
        .panel(
            states(Panel::stat("Breached"))
                .description("How many levels of budgets are breached now.")
                .query("sum(plimsoll_budget_state == bool 2)", "breached")
                .unit("none")
                .width(4),
        )
        .panel(
            states(Panel::state_timeline("States"))
                .description("Kept, exceeded but not for long enough, or breached: what the callbacks were told.")
                .query("max by (budget, level) (plimsoll_budget_state)", "{{budget}} {{level}}")
                .width(20),
        )
        .row("Values and limits");
    for budget in budgets {
        page = page.panel(
            Panel::timeseries(budget.name())
                .budget(budget.name())
                .width(12),
        );
    }
    page
}

/// All SLOs side by side, and one of them in detail.
pub(in crate::generate) fn of_slos(service: &str, slos: &[Slo]) -> [DashboardBuilder; 2] {
    [overview(service, slos), detail(service, slos)]
}

fn overview(service: &str, slos: &[Slo]) -> DashboardBuilder {
    let [uid, detail, _] = uids(service);
    let link = format!("/d/{detail}?var-slo=${{__field.labels.slo}}&${{__url_time_range}}");
    let all = |panel: Panel| panel.link("Detail", link.clone());
    let mut page = Dashboard::builder(uid, format!("{service}: SLOs"))
        .description("How much of each error budget is left, and how fast it is spent.")
        .row("All objectives")
        .panel(all(Panel::table("Objectives")
            .description("The share that is promised to be good.")
            .query("min by (slo) (plimsoll_slo_objective)", "{{slo}}")
            .unit("percentunit")
            .decimals(3)))
        .panel(all(Panel::bar_gauge("Error budgets")
            .description("What is left of each error budget; below 0 the objective is missed. Of several instances the worst.")
            .query("min by (slo) (plimsoll_slo_error_budget_remaining)", "{{slo}}")
            .unit("percentunit")
            .max(1.0)
            .remaining()))
        .panel(all(Panel::bar_gauge("Coverage")
            .description("How much of the period was looked at: less than 1 while the process is younger.")
            .query("min by (slo) (plimsoll_slo_coverage)", "{{slo}}")
            .unit("percentunit")
            .min(0.0)
            .max(1.0)))
        .row("Over time")
        .panel(Panel::timeseries("Error budgets left")
            .description("What is left of each error budget. It falls faster the faster it is burnt.")
            .query("min by (slo) (plimsoll_slo_error_budget_remaining)", "{{slo}}")
            .unit("percentunit")
            .remaining())
        .panel(Panel::timeseries("Burn rates")
            .description("How fast error budgets are spent: 1 spends one exactly in its period.")
            .query("max by (slo, window) (plimsoll_slo_burn_rate)", "{{slo}} {{window}}")
            .unit("none"))
        .row("States")
        .panel(Panel::state_timeline("Objectives kept")
            .description("Whether the error budget of the period lasts still.")
            .query("min by (slo) (plimsoll_slo_error_budget_remaining >= bool 0)", "{{slo}}")
            .state(0, "missed", "red")
            .state(1, "kept", "green"))
        .row("One by one");
    for slo in slos {
        page = page.panel(
            Panel::gauge(slo.name())
                .description(format!(
                    "What is left of the error budget of {}.",
                    slo.name()
                ))
                .slo(slo.name(), SloView::Remaining)
                .max(1.0)
                .width(6),
        );
    }
    page
}

/// One SLO, which the variable `slo` names. Composites have no events of their own to count.
fn detail(service: &str, slos: &[Slo]) -> DashboardBuilder {
    let [_, uid, _] = uids(service);
    let chosen = |view| {
        let query = source::of_slo("$slo", &[], view);
        (query.expr, query.legend)
    };
    let ask = |panel: Panel, view| {
        let (expr, legend) = chosen(view);
        panel.query(expr, legend)
    };
    let page = Dashboard::builder(uid, format!("{service}: one SLO"))
        .description("One SLO: objective, error budget, burn rates, events.")
        .variable("slo", "SLO", "plimsoll_slo_objective".to_owned())
        .row("$slo")
        .panel(Panel::stat("Objective")
            .description("The share that is promised to be good.")
            .query("min(plimsoll_slo_objective{slo=\"$slo\"})", "objective")
            .unit("percentunit")
            .decimals(3))
        .panel(ask(Panel::stat("Good"), SloView::Sli)
            .description("The share of the period that was good, by exact counts. Of several parts or instances the worst.")
            .unit("percentunit")
            .decimals(4))
        .panel(ask(Panel::gauge("Error budget left"), SloView::Remaining)
            .description("1 untouched, 0 spent, below 0 missed.")
            .unit("percentunit")
            .max(1.0)
            .remaining())
        .panel(Panel::stat("Coverage")
            .description("How much of the period was looked at.")
            .query("min(plimsoll_slo_coverage{slo=\"$slo\"})", "coverage")
            .unit("percentunit"))
        .row("Over time")
        .panel(ask(Panel::timeseries("Error budget left over time"), SloView::Remaining)
            .description("A steep fall is an incident, a slow one a habit.")
            .unit("percentunit")
            .remaining())
        .panel(ask(Panel::timeseries("Burn rates"), SloView::BurnRate)
            .description("By window. Above 1 the error budget does not last for the period; alerts fire while a long and a short window burn at once.")
            .unit("none"));
    if slos.iter().all(Slo::is_composite) {
        return page;
    }
    let counted = |family: &str| {
        format!("sum(rate({family}{{budget=\"$slo\",level=\"target\"}}[$__rate_interval]))")
    };
    let (bad, valid) = (
        counted("plimsoll_sli_bad_total"),
        counted("plimsoll_sli_valid_total"),
    );
    page.row("Events")
        .panel(Panel::timeseries("Events")
            .description("Valid and bad events per second; empty for an SLO that is made of others.")
            .query(&*valid, "valid")
            .query(&*bad, "bad")
            .unit("eps"))
        .panel(Panel::timeseries("Error ratio")
            .description("Bad events of valid ones, beside the error budget: above it the budget shrinks.")
            .query(format!("{bad} / {valid}"), "error ratio")
            .query("1 - min(plimsoll_slo_objective{slo=\"$slo\"})", "error budget")
            .unit("percentunit"))
}
