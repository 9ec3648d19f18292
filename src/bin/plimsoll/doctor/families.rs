//! Families that are looked for and not there.

use std::collections::BTreeSet;

use plimsoll::Expr;
use plimsoll::generate::{Declaration, RuleOptions, Variables};
use plimsoll::rule::{Rule, RuleFile, RuleGroup};

use super::{Finding, spelling};

/// What Prometheus makes itself.
const OWN: [&str; 3] = ["up", "ALERTS", "ALERTS_FOR_STATE"];

/// What the rules and the panels of a declaration read of the process.
pub(super) fn read_by_generated(declaration: &Declaration) -> BTreeSet<String> {
    let mut groups = declaration.rules(RuleOptions::new()).into_groups();
    groups.push(RuleGroup::new("panels", of_panels(declaration)));
    let mut names = BTreeSet::new();
    // What rules record themselves is not asked for.
    RuleFile::new(groups).retain_known(|selector| {
        names.insert(selector.name().to_owned());
        true
    });
    names.retain(|name| !name.is_empty() && !OWN.contains(&name.as_str()));
    names
}

/// The expressions of panels, as rules that record them.
fn of_panels(declaration: &Declaration) -> Vec<Rule> {
    let dashboards = declaration.dashboards();
    let queries = dashboards
        .iter()
        .flat_map(|dashboard| dashboard.queries(&Variables::new()));
    let exprs = queries.filter_map(|query| Expr::parse(&query.expr).ok());
    exprs.map(|expr| Rule::record("", expr)).collect()
}

pub(super) fn missing(wanted: &BTreeSet<String>, there: &BTreeSet<String>) -> Vec<Finding> {
    let lacking = wanted.iter().filter(|name| !is_there(name, there));
    lacking.map(|name| why(name, there)).collect()
}

/// A histogram is asked for by its own name as well.
fn is_there(name: &str, there: &BTreeSet<String>) -> bool {
    there.contains(name) || there.contains(&format!("{name}_bucket"))
}

fn why(name: &str, there: &BTreeSet<String>) -> Finding {
    let what = format!("{name} is not there");
    if there.is_empty() {
        return Finding::new(
            what,
            "the page shows no family at all: see whether it is the right one",
        );
    }
    let whole = ["_bucket", "_count", "_sum"]
        .iter()
        .find_map(|end| name.strip_suffix(end));
    if let Some(whole) = whole.filter(|whole| there.contains(*whole)) {
        return Finding::new(
            format!("{what}, but {whole} is: it is kept as a native histogram only"),
            "set `always_scrape_classic_histograms: true` for its job (`plimsoll prometheus` prints it), or ask with histogram_quantile(q, rate(NAME[5m]))",
        );
    }
    if let Some(other) = spelling::elsewhere(name, there) {
        return Finding::new(
            format!("{what}, but {other} is: the same by another naming profile or prefix"),
            "choose the profile by `profile` in [naming], or ask for the other name",
        );
    }
    if let Some(near) = spelling::near(name, there) {
        return Finding::new(what, format!("there is {near}: is it that?"));
    }
    Finding::new(
        what,
        "its route, operation or instrument was not used or declared since the process started; if it was, \
         its name may be taken by another (plimsoll_families_dropped_total)",
    )
}
