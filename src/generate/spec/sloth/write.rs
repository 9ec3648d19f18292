//! SLOs as a spec of sloth.

use super::super::export::{Export, Queries, left_out, lost, note};
use super::super::problem::Note;
use super::super::shares::digits;
use super::super::write::{Names, Yaml, slug};
use super::{PERIOD, VERSION};
use crate::generate::Declaration;
use crate::slo::{BurnAlert, Period, Severity, Slo};

pub(in super::super) fn write(declaration: &Declaration) -> Export {
    let mut notes = Vec::new();
    let mut names = Names::default();
    let slos = declaration
        .slos
        .iter()
        .map(|slo| written(slo, &mut names, &mut notes))
        .collect();
    notes.extend(left_out(declaration));
    let spec = Yaml::Map(vec![
        ("version", Yaml::text(VERSION)),
        ("service", Yaml::text(declaration.service())),
        ("slos", Yaml::List(slos)),
    ]);
    Export {
        text: spec.to_string(),
        notes,
    }
}

fn written(slo: &Slo, names: &mut Names, notes: &mut Vec<Note>) -> Yaml {
    let sli = match Queries::new(slo) {
        Queries::Events { bad, valid } => {
            let events = vec![
                ("error_query", Yaml::text(bad)),
                ("total_query", Yaml::text(valid)),
            ];
            ("events", Yaml::Map(events))
        }
        Queries::ErrorRatio(query) => (
            "raw",
            Yaml::Map(vec![("error_ratio_query", Yaml::text(query))]),
        ),
    };
    let percent = digits(slo.objective.unwrap_or_default() * 100.0);
    let name = names.take(slug(slo.name()));
    notes.extend(lost(slo));
    Yaml::Map(vec![
        ("name", Yaml::text(name)),
        ("objective", Yaml::plain(percent)),
        ("sli", Yaml::Map(vec![sli])),
        ("alerting", alerting(slo, notes)),
    ])
}

fn alerting(slo: &Slo, notes: &mut Vec<Note>) -> Yaml {
    let usual = BurnAlert::usual(slo.period);
    let burns = slo.burns();
    let of = |burns: &[BurnAlert], severity| -> Vec<BurnAlert> {
        let burns = burns.iter().copied();
        burns.filter(|burn| burn.severity == severity).collect()
    };
    if slo.period != Period::Rolling(PERIOD) {
        let period = slo.period;
        notes.push(note(
            slo,
            "period",
            format!("is {period}, which sloth has no field for: give it as --default-slo-period; calendars it does not know"),
        ));
    }
    if slo.half_window {
        notes.push(note(
            slo,
            "sustained_half_window",
            "sloth's alerts are at once",
        ));
    }
    let mut entries = vec![("name", Yaml::text(slo.name()))];
    for (key, severity) in [
        ("page_alert", Severity::Page),
        ("ticket_alert", Severity::Ticket),
    ] {
        let own = of(&burns, severity);
        if own.is_empty() {
            entries.push((key, Yaml::Map(vec![("disable", Yaml::plain(true))])));
        } else if own != of(&usual, severity) {
            notes.push(note(
                slo,
                "burn_alert",
                format!(
                    "the {}s are not those of sloth, which has none but its own",
                    severity.as_str()
                ),
            ));
        }
    }
    Yaml::Map(entries)
}
