//! Dashboards that come by themselves: what was promised, and how it stands.

use super::source;
use super::{Dashboard, DashboardBuilder, Panel, SloView};
use crate::budget::Budget;
use crate::slo::Slo;

/// What a service is called in the uids of its dashboards.
fn slug(service: &str) -> String {
    let words = service.split(|char: char| !char.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let slug = words.join("-").to_ascii_lowercase();
    slug.chars().take(25).collect()
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
            states(Panel::stat("All budgets"))
                .description("The gravest state of any budget.")
                .query("max(plimsoll_budget_state)", "state")
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
    let page = Dashboard::builder(uid, format!("{service}: SLOs"))
        .description("How much of each error budget is left, and how fast it is spent.");
    let page = over_time(side_by_side(page, &detail));
    slos.iter().fold(page.row("One by one"), |page, slo| {
        let name = slo.name();
        let left = Panel::gauge(name)
            .description(format!("What is left of the error budget of {name}."))
            .slo(name, SloView::Remaining);
        page.panel(left.max(1.0).width(6))
    })
}

/// All SLOs as they stand, each with a way to its details.
fn side_by_side(page: DashboardBuilder, detail: &str) -> DashboardBuilder {
    let to = |slo: &str| format!("/d/{detail}?var-slo=${{{slo}}}&${{__url_time_range}}");
    // A table has the name in a column, bars have it in their labels.
    let (row, bar) = (to("__data.fields.slo"), to("__field.labels.slo"));
    let objectives = Panel::table("Objectives")
        .description("The share that is promised to be good.")
        .query("min by (slo) (plimsoll_slo_objective)", "{{slo}}")
        .unit("percentunit")
        .decimals(3);
    let left = Panel::bar_gauge("Error budgets")
        .description(
            "What is left of each error budget; below 0 the objective is missed. \
             Of several instances the worst.",
        )
        .query(LEFT, "{{slo}}")
        .unit("percentunit")
        .max(1.0)
        .remaining();
    let coverage = Panel::bar_gauge("Coverage")
        .description("How much of the period was looked at: less while the process is younger.")
        .query("min by (slo) (plimsoll_slo_coverage)", "{{slo}}")
        .unit("percentunit")
        .min(0.0)
        .max(1.0);
    page.row("All objectives")
        .panel(objectives.link("Detail", row))
        .panel(left.link("Detail", bar.clone()))
        .panel(coverage.link("Detail", bar))
}

const LEFT: &str = "min by (slo) (plimsoll_slo_error_budget_remaining)";

fn over_time(page: DashboardBuilder) -> DashboardBuilder {
    let left = Panel::timeseries("Error budgets left")
        .description(
            "What is left of each error budget: the steeper it falls, the faster it burns.",
        )
        .query(LEFT, "{{slo}}")
        .unit("percentunit")
        .remaining();
    let burning = Panel::timeseries("Burn rates")
        .description("How fast error budgets are spent: 1 spends one exactly in its period.")
        .query(
            "max by (slo, window) (plimsoll_slo_burn_rate)",
            "{{slo}} {{window}}",
        )
        .unit("none");
    let kept = Panel::state_timeline("Objectives kept")
        .description("Whether the error budget of the period lasts still.")
        .query(
            "min by (slo) (plimsoll_slo_error_budget_remaining >= bool 0)",
            "{{slo}}",
        )
        .state(0, "missed", "red")
        .state(1, "kept", "green");
    let page = page.row("Over time").panel(left).panel(burning);
    page.row("States").panel(kept)
}

/// What the chosen SLO is, asked by one of its views.
fn chosen(panel: Panel, view: SloView) -> Panel {
    let query = source::of_slo("$slo", &[], view);
    panel.query(query.expr, query.legend)
}

/// One SLO, which the variable `slo` names. Composites have no events of their own to count.
fn detail(service: &str, slos: &[Slo]) -> DashboardBuilder {
    let [_, uid, _] = uids(service);
    let page = Dashboard::builder(uid, format!("{service}: one SLO"))
        .description("One SLO: objective, error budget, burn rates, events.")
        .variable("slo", "SLO", "plimsoll_slo_objective".to_owned());
    let page = its_burning(its_standing(page));
    match slos.iter().all(Slo::is_composite) {
        true => page,
        false => its_events(page),
    }
}

fn its_standing(page: DashboardBuilder) -> DashboardBuilder {
    let objective = Panel::stat("Objective")
        .description("The share that is promised to be good.")
        .query("min(plimsoll_slo_objective{slo=\"$slo\"})", "objective")
        .unit("percentunit")
        .decimals(3);
    let good = chosen(Panel::stat("Good"), SloView::Sli)
        .description(
            "The share of the period that was good, by exact counts. \
             Of several parts or instances the worst.",
        )
        .unit("percentunit")
        .decimals(4);
    let left = chosen(Panel::gauge("Error budget left"), SloView::Remaining)
        .description("1 untouched, 0 spent, below 0 missed.")
        .unit("percentunit")
        .max(1.0)
        .remaining();
    let coverage = Panel::stat("Coverage")
        .description("How much of the period was looked at.")
        .query("min(plimsoll_slo_coverage{slo=\"$slo\"})", "coverage")
        .unit("percentunit");
    let panels = [objective, good, left, coverage];
    panels
        .into_iter()
        .fold(page.row("$slo"), DashboardBuilder::panel)
}

fn its_burning(page: DashboardBuilder) -> DashboardBuilder {
    let left = Panel::timeseries("Error budget left over time");
    let left = chosen(left, SloView::Remaining)
        .description("A steep fall is an incident, a slow one a habit.")
        .unit("percentunit")
        .remaining();
    let burning = chosen(Panel::timeseries("Burn rates"), SloView::BurnRate)
        .description(
            "By window. Above 1 the error budget does not last for the period; \
             alerts fire while a long and a short window burn at once.",
        )
        .unit("none");
    page.row("Over time").panel(left).panel(burning)
}

fn its_events(page: DashboardBuilder) -> DashboardBuilder {
    let counted = |family: &str| {
        format!("sum(rate({family}{{budget=\"$slo\",level=\"target\"}}[$__rate_interval]))")
    };
    let bad = counted("plimsoll_sli_bad_total");
    let valid = counted("plimsoll_sli_valid_total");
    let events = Panel::timeseries("Events")
        .description("Valid and bad ones per second; none of an SLO that is made of others.")
        .query(&*valid, "valid")
        .query(&*bad, "bad")
        .unit("eps");
    let ratio = Panel::timeseries("Error ratio")
        .description("Bad events of valid ones: above the error budget that budget shrinks.")
        .query(format!("{bad} / {valid}"), "error ratio")
        .query(
            "1 - min(plimsoll_slo_objective{slo=\"$slo\"})",
            "error budget",
        )
        .unit("percentunit");
    page.row("Events").panel(events).panel(ratio)
}
