//! What an SLI of OpenSLO reads.

use super::super::cursor::At;
use super::super::fields::Fields;
use super::super::imported::{Importer, Indicator};
use super::NAME_ONLY;
use super::documents::{Documents, named};
use crate::expr::Reading;

impl<'a> Documents<'a> {
    /// An indicator that stands in its place, or is referred to.
    pub(super) fn indicator(&self, importer: &Importer<'_>, at: &At<'a>) -> Option<Indicator> {
        if at.is_text() {
            let spec = self.find("SLI", at)?.spec.as_ref()?;
            return self.sli(importer, spec);
        }
        let fields = at.fields();
        if let Some(metadata) = fields.get("metadata") {
            named(&metadata, NAME_ONLY);
        }
        fields.ignore(&["kind", "apiVersion"]);
        let spec = fields.need("spec", "write ratioMetric or thresholdMetric in it");
        fields.finish();
        self.sli(importer, &spec?)
    }

    fn sli(&self, importer: &Importer<'_>, spec: &At<'a>) -> Option<Indicator> {
        let fields = spec.fields();
        fields.leave(&["description"], NAME_ONLY);
        let (ratio, threshold) = (fields.get("ratioMetric"), fields.get("thresholdMetric"));
        fields.finish();
        match (ratio, threshold) {
            (Some(ratio), None) => self.ratio(importer, &ratio),
            (None, Some(threshold)) => {
                let query = self.query(&threshold)?;
                importer.query(&query).map(Indicator::Threshold)
            }
            _ => {
                spec.refuse("takes one of ratioMetric and thresholdMetric");
                None
            }
        }
    }

    fn ratio(&self, importer: &Importer<'_>, at: &At<'a>) -> Option<Indicator> {
        let fields = at.fields();
        let [good, bad, total, raw] = ["good", "bad", "total", "raw"].map(|key| fields.get(key));
        let counter = fields.get("counter");
        let gauge = counter.filter(|at| at.boolean() == Some(false));
        let success = raw_type(&fields);
        fields.finish();
        let (part, is_good, total) = match (good, bad, total, raw) {
            (Some(part), None, Some(total), None) => (part, true, total),
            (None, Some(part), Some(total), None) => (part, false, total),
            (None, None, None, Some(raw)) => {
                let query = self.query(&raw)?;
                return importer.ratio(&query, success?);
            }
            _ => {
                at.refuse("takes good and total, or bad and total, or raw and rawType");
                return None;
            }
        };
        let (part, total) = (self.query(&part), self.query(&total));
        let (part, total) = (part?, total?);
        let indicator = importer.events((&part, is_good), &total)?;
        if let Some(at) = gauge {
            let mut as_it_is = false;
            for query in [part, total] {
                let see = &mut |_: &_, reading| as_it_is |= reading == Reading::Latest;
                importer.query(&query)?.visit(see);
            }
            if as_it_is {
                at.refuse("is false, and the queries read gauges: an SLO counts, so give counters");
                return None;
            }
        }
        Some(indicator)
    }

    /// The query of a metric.
    fn query(&self, metric: &At<'a>) -> Option<At<'a>> {
        let outer = metric.fields();
        let source = outer.need(
            "metricSource",
            "write { type: Prometheus, spec: { query: .. } }",
        );
        outer.finish();
        let fields = source?.fields();
        let (kind, source) = (fields.get("type"), fields.get("metricSourceRef"));
        let spec = fields.need("spec", "write { query: .. }");
        fields.finish();
        self.is_prometheus(kind, source)?;
        let fields = spec?.fields();
        let query = fields.get("query").or_else(|| fields.get("promql"));
        fields.ignore(&["query", "promql", "queryType"]);
        if query.is_none() {
            fields.refuse("query", "is missing: write it in PromQL");
        }
        fields.finish();
        query
    }

    /// As far as its type is said, here or by the data source.
    fn is_prometheus(&self, kind: Option<At<'a>>, source: Option<At<'a>>) -> Option<()> {
        let of_source = source.as_ref().and_then(|at| {
            let found = self.named("DataSource", at.text()?)?;
            found.at.peek(&["spec", "type"])
        });
        let said = match &kind {
            Some(at) => at.text()?,
            None => of_source.unwrap_or("prometheus"),
        };
        if said.eq_ignore_ascii_case("prometheus") {
            return Some(());
        }
        if let Some(at) = kind.or(source) {
            at.refuse(format!(
                "is of type {said:?}: only queries to Prometheus can be judged in the process"
            ));
        }
        None
    }
}

/// Whether a ready ratio is one of what was good.
fn raw_type(fields: &Fields<'_>) -> Option<bool> {
    let at = match fields.get("rawType") {
        Some(at) => at,
        None if fields.at.holds("raw") => {
            fields.refuse("rawType", "is missing: write success or failure");
            return None;
        }
        None => return None,
    };
    match at.text()? {
        "success" => Some(true),
        "failure" => Some(false),
        _ => {
            at.refuse("is no type of a ratio: write success or failure");
            None
        }
    }
}
