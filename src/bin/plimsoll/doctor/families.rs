//! Families that are looked for and not there.

use std::collections::BTreeSet;

use plimsoll::Expr;
use plimsoll::generate::{Declaration, Namesake, Variables};
use plimsoll::rule::{Rule, RuleFile, RuleGroup};

use super::{Finding, OWN, Patient, named, spelling};

/// What rules and the panels of a declaration read of the process.
pub(super) fn read_by_generated(
    declaration: &Declaration,
    mut groups: Vec<RuleGroup>,
) -> BTreeSet<String> {
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

/// What shows nowhere has one finding for all that is mended alike.
pub(super) fn missing(patient: &Patient<'_>, there: &BTreeSet<String>) -> Vec<Finding> {
    let lacking = patient.wanted.iter().map(String::as_str);
    let lacking = lacking.filter(|name| !is_there(name, there));
    let (mut findings, mut own, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for name in lacking {
        match traced(patient, name, there) {
            Some(finding) => findings.push(finding),
            None if name.starts_with("plimsoll_") => own.push(name),
            None => others.push(name),
        }
    }
    findings.extend(together(
        &own,
        "the process runs without what is declared here, or with an older declaration: give it this one, and start it anew",
    ));
    findings.extend(together(
        &others,
        "the route, operation or instrument was not used or declared since the process started; if it was, \
         the name may be taken by another (plimsoll_families_dropped_total)",
    ));
    findings
}

fn together(names: &[&str], mend: &str) -> Option<Finding> {
    let are = match names.len() {
        0 => return None,
        1 => "is",
        _ => "are",
    };
    let what = format!("{} {are} not there", names.join(", "));
    Some(Finding::new(what, mend))
}

/// A histogram is asked for by its own name as well.
pub(super) fn is_there(name: &str, there: &BTreeSet<String>) -> bool {
    there.contains(name) || there.contains(&format!("{name}_bucket"))
}

/// What became of a family, where that can be told.
fn traced(patient: &Patient<'_>, name: &str, there: &BTreeSet<String>) -> Option<Finding> {
    let what = format!("{name} is not there");
    let whole = ["_bucket", "_count", "_sum"]
        .iter()
        .find_map(|end| name.strip_suffix(end));
    if let Some(whole) = whole.filter(|whole| there.contains(*whole)) {
        return Some(Finding::new(
            format!("{what}, but {whole} is: it is kept as a native histogram only"),
            "set `always_scrape_classic_histograms: true` for its job (`plimsoll prometheus` prints it), or ask with histogram_quantile(q, rate(NAME[5m]))",
        ));
    }
    let shown = there.iter().map(String::as_str);
    if let Some(namesake) = patient.declaration.namesake(name, shown) {
        return Some(elsewhere(&what, &namesake));
    }
    if let Some(near) = spelling::near(name, there) {
        return Some(Finding::new(what, format!("there is {near}: is it that?")));
    }
    (!patient.knows(name)).then(|| named::unknown(patient, name))
}

/// It is there under another name.
fn elsewhere(what: &str, namesake: &Namesake) -> Finding {
    let Namesake {
        asked, shown, name, ..
    } = namesake;
    let in_unit = match namesake.scale {
        1.0 => String::new(),
        scale => format!(", whose values are {scale} times as large"),
    };
    if asked == shown {
        let mend = "correct `prefix` or `rename` in [naming], if rules and panels ask for it";
        return Finding::new(
            format!("{what}: the service calls it {name}"),
            format!("use {name}{in_unit}; {mend}"),
        );
    }
    Finding::new(
        format!(
            "{what}: the service exports by the profile {shown}, and this is a name of {asked}"
        ),
        format!(
            "use {name}{in_unit}; if rules and panels ask for it, write profile = \"{shown}\" in [naming] and generate them anew"
        ),
    )
}
