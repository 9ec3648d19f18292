//! SLOs as OpenSLO v1.

use super::super::export::{Export, Queries, left_out, lost, note};
use super::super::problem::Note;
use super::super::write::{Names, Yaml, slug};
use super::VERSION;
use super::window::{whole_minutes, written};
use crate::expr::Offset;
use crate::generate::Declaration;
use crate::slo::{BurnAlert, Calendar, Period, Severity, Slo, window_name};

/// A Monday, and the first day of a month, of a quarter and of a year.
const BEGINNING: &str = "2024-01-01 00:00:00";

pub(in super::super) fn write(declaration: &Declaration) -> Export {
    let mut writer = Writer::default();
    let service = slug(declaration.service());
    writer.document(
        "Service",
        metadata(&service, declaration.service()),
        Yaml::Map(Vec::new()),
    );
    writer.targets(&declaration.slos);
    for slo in &declaration.slos {
        writer.slo(&service, slo);
    }
    writer.notes.extend(left_out(declaration));
    Export {
        text: writer.text,
        notes: writer.notes,
    }
}

#[derive(Default)]
struct Writer {
    text: String,
    notes: Vec<Note>,
    names: Names,
    policies: Names,
}

impl Writer {
    fn document(&mut self, kind: &str, metadata: Yaml, spec: Yaml) {
        if !self.text.is_empty() {
            self.text += "---\n";
        }
        let document = Yaml::Map(vec![
            ("apiVersion", Yaml::text(VERSION)),
            ("kind", Yaml::text(kind)),
            ("metadata", metadata),
            ("spec", spec),
        ]);
        self.text += &document.to_string();
    }

    /// Who is told: placeholders, one for each severity.
    fn targets(&mut self, slos: &[Slo]) {
        for severity in [Severity::Page, Severity::Ticket] {
            let wanted =
                |burn: BurnAlert| burn.severity == severity && written(burn.long).is_some();
            if slos.iter().any(|slo| slo.burns().into_iter().any(wanted)) {
                let name = severity.as_str();
                let spec = Yaml::Map(vec![("target", Yaml::text(name))]);
                self.document("AlertNotificationTarget", metadata(name, name), spec);
                self.notes.push(Note {
                    file: String::new(),
                    line: 0,
                    document: format!("AlertNotificationTarget {name:?}"),
                    path: "spec.target".to_owned(),
                    message: "is a placeholder: say who is told".to_owned(),
                });
            }
        }
    }

    fn slo(&mut self, service: &str, slo: &Slo) {
        let name = self.names.take(slug(slo.name()));
        let policies: Vec<_> = slo
            .burns()
            .into_iter()
            .filter_map(|burn| self.policy(&name, slo, burn))
            .map(|policy| Yaml::Map(vec![("alertPolicyRef", Yaml::text(policy))]))
            .collect();
        self.notes.extend(short_windows(slo));
        let objective = slo.objective.unwrap_or_default();
        let mut spec = vec![
            ("service", Yaml::text(service)),
            ("budgetingMethod", Yaml::text("Occurrences")),
            ("timeWindow", Yaml::List(vec![self.window(slo)])),
            ("indicator", indicator(&name, slo)),
            (
                "objectives",
                Yaml::List(vec![Yaml::Map(vec![("target", Yaml::plain(objective))])]),
            ),
        ];
        if !policies.is_empty() {
            spec.push(("alertPolicies", Yaml::List(policies)));
        }
        self.document("SLO", metadata(&name, slo.name()), Yaml::Map(spec));
        self.notes.extend(lost(slo));
    }

    fn window(&mut self, slo: &Slo) -> Yaml {
        let (calendar, offset) = match slo.period {
            Period::Rolling(length) => {
                let duration = written(length).unwrap_or_default();
                return Yaml::Map(vec![
                    ("duration", Yaml::text(duration)),
                    ("isRolling", Yaml::plain(true)),
                ]);
            }
            Period::Calendar(calendar, offset) => (calendar, offset),
        };
        let duration = match calendar {
            Calendar::Day => "1d",
            Calendar::Week => "1w",
            Calendar::Month => "1M",
            Calendar::Quarter => "1Q",
        };
        let zone = zone(offset);
        if zone.starts_with(['+', '-']) {
            let message = format!(
                "{zone} has no name in the time zone database: other readers may refuse it"
            );
            self.notes.push(note(slo, "period", message));
        }
        let calendar = Yaml::Map(vec![
            ("startTime", Yaml::text(BEGINNING)),
            ("timeZone", Yaml::text(zone)),
        ]);
        Yaml::Map(vec![
            ("duration", Yaml::text(duration)),
            ("isRolling", Yaml::plain(false)),
            ("calendar", calendar),
        ])
    }

    /// The name of the policy for a burn alert, if it can be said.
    fn policy(&mut self, slo_name: &str, slo: &Slo, burn: BurnAlert) -> Option<String> {
        let (severity, long) = (burn.severity.as_str(), window_name(burn.long));
        let Some(lookback) = written(burn.long) else {
            let message =
                format!("the {severity} over {long} is left out: OpenSLO takes whole minutes");
            self.notes.push(note(slo, "burn_alert", message));
            return None;
        };
        let name = self.policies.take(format!("{slo_name}-{severity}-{long}"));
        let condition = Yaml::Map(vec![
            ("kind", Yaml::text("burnrate")),
            ("op", Yaml::text("gt")),
            ("threshold", Yaml::plain(burn.factor(slo.period))),
            ("lookbackWindow", Yaml::text(lookback)),
            ("alertAfter", Yaml::text(self.alert_after(slo, burn))),
        ]);
        let inline = Yaml::Map(vec![
            ("kind", Yaml::text("AlertCondition")),
            ("metadata", metadata(&name, &name)),
            (
                "spec",
                Yaml::Map(vec![
                    ("severity", Yaml::text(severity)),
                    ("condition", condition),
                ]),
            ),
        ]);
        let target = Yaml::Map(vec![("targetRef", Yaml::text(severity))]);
        let spec = Yaml::Map(vec![
            ("alertWhenBreaching", Yaml::plain(true)),
            ("alertWhenResolved", Yaml::plain(true)),
            ("alertWhenNoData", Yaml::plain(false)),
            ("conditions", Yaml::List(vec![inline])),
            ("notificationTargets", Yaml::List(vec![target])),
        ]);
        self.document("AlertPolicy", metadata(&name, &name), spec);
        Some(name)
    }

    fn alert_after(&mut self, slo: &Slo, burn: BurnAlert) -> String {
        let after = burn.short() / 2;
        match (slo.half_window, written(after)) {
            (true, Some(after)) => after,
            (true, None) => {
                let minutes = window_name(whole_minutes(after));
                let message = format!(
                    "{} is no whole number of minutes: OpenSLO's alert waits {minutes}",
                    window_name(after)
                );
                self.notes.push(note(slo, "sustained_half_window", message));
                written(whole_minutes(after)).unwrap_or_default()
            }
            (false, _) => "0m".to_owned(),
        }
    }
}

/// The second windows of alerts are lost.
fn short_windows(slo: &Slo) -> Option<Note> {
    let burns = slo.burns().into_iter();
    let said = burns.filter(|burn| written(burn.long).is_some());
    let windows: Vec<_> = said.map(|burn| window_name(burn.short())).collect();
    let message = match &windows[..] {
        [] => return None,
        [only] => format!("also asks for a short window of {only}, which OpenSLO does not know"),
        all => format!(
            "also ask for short windows ({}), which OpenSLO does not know",
            all.join(", ")
        ),
    };
    Some(note(slo, "burn_alert", message))
}

/// A name, and what people are shown where that is another one.
fn metadata(name: &str, shown: &str) -> Yaml {
    let mut entries = vec![("name", Yaml::text(name))];
    if shown != name {
        entries.push(("displayName", Yaml::text(shown)));
    }
    Yaml::Map(entries)
}

fn indicator(name: &str, slo: &Slo) -> Yaml {
    let metric = |query: String| {
        let spec = Yaml::Map(vec![("query", Yaml::text(query))]);
        let source = Yaml::Map(vec![("type", Yaml::text("Prometheus")), ("spec", spec)]);
        Yaml::Map(vec![("metricSource", source)])
    };
    let counter = ("counter", Yaml::plain(true));
    let ratio = match Queries::new(slo) {
        Queries::Events { bad, valid } => {
            vec![counter, ("bad", metric(bad)), ("total", metric(valid))]
        }
        Queries::ErrorRatio(query) => vec![
            counter,
            ("rawType", Yaml::text("failure")),
            ("raw", metric(query)),
        ],
    };
    let spec = Yaml::Map(vec![("ratioMetric", Yaml::Map(ratio))]);
    Yaml::Map(vec![("metadata", metadata(name, name)), ("spec", spec)])
}

/// The name of a fixed offset, whose sign is that of the west; one of minutes has none.
fn zone(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "Etc/UTC".to_owned(),
        (hours @ -12..=14, 0) => format!("Etc/GMT{:+}", -hours),
        _ => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
    }
}
