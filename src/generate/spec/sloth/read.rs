//! Specs of sloth as SLOs.

use super::super::cursor::{At, Raw};
use super::super::fields::Fields;
use super::super::imported::{Importer, Indicator, alerted};
use super::super::shares::objective;
use super::{PERIOD, VERSION};
use crate::expr::parse_duration;
use crate::slo::{BurnAlert, Period, Severity, Slo};

const RESOURCE: (&str, &str) = ("sloth.slok.dev/v1", "PrometheusServiceLevel");

const NOT_KEPT: &str = "is not kept: alerts and counters have labels and annotations of their own";

/// How the fields are written.
#[derive(Clone, Copy)]
struct Style {
    error_query: &'static str,
    total_query: &'static str,
    error_ratio_query: &'static str,
    /// `page` and `ticket`.
    alerts: [&'static str; 2],
    plugins: &'static str,
}

const PLAIN: Style = Style {
    error_query: "error_query",
    total_query: "total_query",
    error_ratio_query: "error_ratio_query",
    alerts: ["page_alert", "ticket_alert"],
    plugins: "slo_plugins",
};

const OF_RESOURCE: Style = Style {
    error_query: "errorQuery",
    total_query: "totalQuery",
    error_ratio_query: "errorRatioQuery",
    alerts: ["pageAlert", "ticketAlert"],
    plugins: "sloPlugins",
};

pub(in super::super) fn read(importer: &mut Importer<'_>, raws: &[&Raw]) {
    for raw in raws {
        let root = At::root(raw, importer.report);
        let label = match (root.peek(&["service"]), root.peek(&["metadata", "name"])) {
            (Some(service), _) => Some(format!("service {service:?}")),
            (None, Some(name)) => Some(format!("{} {name:?}", RESOURCE.1)),
            _ => None,
        };
        document(importer, &root.called(label));
    }
}

fn document(importer: &mut Importer<'_>, at: &At<'_>) {
    let fields = at.fields();
    let Some(resource) = fields.get("apiVersion") else {
        let version = fields.need("version", "write prometheus/v1");
        if version.is_some_and(|at| is(&at, VERSION)) {
            specs(importer, fields, PLAIN);
        }
        return;
    };
    let kind = fields.need("kind", "write PrometheusServiceLevel");
    let sound = [
        Some(is(&resource, RESOURCE.0)),
        kind.map(|at| is(&at, RESOURCE.1)),
    ];
    fields.ignore(&["metadata", "status"]);
    let spec = fields.need("spec", "say which service it is about");
    if sound == [Some(true); 2] {
        fields.finish();
        if let Some(spec) = spec {
            specs(importer, spec.fields(), OF_RESOURCE);
        }
    }
}

fn is(at: &At<'_>, wanted: &str) -> bool {
    let text = at.text();
    if let Some(text) = text.filter(|text| *text != wanted) {
        at.refuse(format!(
            "{text:?} is not what is read here, which is {wanted}: translate it first"
        ));
    }
    text == Some(wanted)
}

/// The SLOs of one service.
fn specs(importer: &mut Importer<'_>, fields: Fields<'_>, style: Style) {
    let service = fields.need("service", "name the service");
    if let Some(service) = service.and_then(|at| at.text()) {
        importer.service(service);
    }
    fields.leave(&["labels"], NOT_KEPT);
    refuse_plugins(&fields, style.plugins);
    let slos = fields.need("slos", "list the SLOs of the service");
    fields.finish();
    for at in slos.map_or(Vec::new(), |at| at.list()) {
        if let Some(slo) = one(importer, &at, style) {
            importer.keep(slo, &at);
        }
    }
}

fn refuse_plugins(fields: &Fields<'_>, key: &'static str) {
    if let Some(at) = fields.get(key) {
        at.refuse("rewrites what sloth generates, which is not known here: write out what it does");
    }
}

fn one(importer: &Importer<'_>, at: &At<'_>, style: Style) -> Option<Slo> {
    let fields = at.fields();
    let name = fields.need("name", "every SLO has one");
    let name = name.and_then(|at| at.text());
    let target = fields.need("objective", "write 99.9, in percent");
    let target = target.and_then(|at| objective(&at, true));
    fields.leave(
        &["description"],
        "is not kept: here an SLO is known by its name",
    );
    fields.leave(&["labels"], NOT_KEPT);
    refuse_plugins(&fields, "plugins");
    let period = period(&fields);
    let sli = fields.need("sli", "write events: with both queries");
    let sli = sli.and_then(|at| indicator(importer, &at, style));
    let enabled = fields.get("alerting").map(|at| enabled(&at, style));
    fields.finish();
    let mut slo = match sli? {
        Indicator::Events(events) => events.slo(name?),
        Indicator::Known(slo) => *slo,
        _ => return None,
    };
    (slo.objective, slo.period) = (Some(target?), period?);
    let enabled = enabled.unwrap_or([true; 2]);
    let mut alerts = BurnAlert::usual(slo.period);
    alerts.retain(|alert| enabled[usize::from(alert.severity == Severity::Ticket)]);
    alerted(&mut slo, alerts);
    Some(slo)
}

fn period(fields: &Fields<'_>) -> Option<Period> {
    let Some(at) = fields.get("period") else {
        return Some(Period::Rolling(PERIOD));
    };
    let period = parse_duration(at.text()?).ok();
    let days = period.filter(|period| period.as_secs().is_multiple_of(86_400) && !period.is_zero());
    if days.is_none() {
        at.refuse("is not a number of days: write 28d");
    }
    days.map(Period::Rolling)
}

fn indicator(importer: &Importer<'_>, at: &At<'_>, style: Style) -> Option<Indicator> {
    let fields = at.fields();
    let (events, raw, plugin) = (
        fields.get("events"),
        fields.get("raw"),
        fields.get("plugin"),
    );
    fields.finish();
    match (events, raw, plugin) {
        (Some(events), None, None) => {
            let fields = events.fields();
            let mend = "write sum(rate(..[{{.window}}]))";
            let error = fields.need(style.error_query, mend);
            let total = fields.need(style.total_query, mend);
            fields.finish();
            importer.events((&error?, false), &total?)
        }
        (None, Some(raw), None) => {
            let fields = raw.fields();
            let query = fields.need(style.error_ratio_query, "write bad / total");
            fields.finish();
            let query = query?;
            let found = importer.ratio(&query, false)?;
            if let Indicator::Ratio { ratio, .. } = &found {
                query.refuse(format!(
                    "`{ratio}` is a ratio of which no events are known: write events: with both queries"
                ));
                return None;
            }
            Some(found)
        }
        (None, None, Some(plugin)) => {
            plugin.refuse("is a program of sloth's: write out its queries as events:");
            None
        }
        _ => {
            at.refuse("takes one of events and raw");
            None
        }
    }
}

/// Whether there are pages, and tickets.
fn enabled(at: &At<'_>, style: Style) -> [bool; 2] {
    let fields = at.fields();
    fields.leave(&["labels", "annotations"], NOT_KEPT);
    fields.leave(&["name"], "is not kept: alerts are named after their SLO");
    let enabled = style.alerts.map(|key| {
        let Some(at) = fields.get(key) else {
            return true;
        };
        let fields = at.fields();
        fields.leave(&["labels", "annotations"], NOT_KEPT);
        let disabled = fields.get("disable").and_then(|at| at.boolean());
        fields.finish();
        disabled != Some(true)
    });
    fields.finish();
    enabled
}
