//! What dashboards leave to choose.

use std::time::Duration;

use super::promql;
use crate::slo::window_name;

/// A variable of one dashboard: its name, what people call it, and the query of its values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) query: String,
}

/// What the variables of a dashboard are filled in with, to run its queries without Grafana.
///
/// All jobs and instances, `$__rate_interval` and `$__interval` of a minute and `$__range` of an hour unless said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Variables {
    values: Vec<(String, String)>,
}

impl Default for Variables {
    fn default() -> Self {
        Self::new()
    }
}

impl Variables {
    /// The defaults.
    pub fn new() -> Self {
        let values = [
            ("__rate_interval", "1m"),
            ("__interval", "1m"),
            ("__range", "1h"),
            ("job", ".+"),
            ("instance", ".+"),
        ];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            values: values.map(owned).into(),
        }
    }

    /// The jobs, as a regular expression.
    pub fn job(self, pattern: impl Into<String>) -> Self {
        self.set("job", pattern)
    }

    /// The instances, as a regular expression.
    pub fn instance(self, pattern: impl Into<String>) -> Self {
        self.set("instance", pattern)
    }

    /// What rates reach over; Grafana takes four times the scrape interval at least.
    pub fn rate_interval(self, range: Duration) -> Self {
        self.set("__rate_interval", window_name(range))
    }

    /// What the whole dashboard reaches over.
    pub fn range(self, range: Duration) -> Self {
        self.set("__range", window_name(range))
    }

    /// Another variable by its name: the `slo` of the page that shows one.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.values.retain(|known| known.0 != name);
        self.values.push((name, value));
        self
    }

    /// The text with every known variable filled in.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut rest = text;
        let mut filled = String::with_capacity(text.len());
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest[1..].find(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
            let (name, behind) = rest[1..].split_at(end.unwrap_or(rest.len() - 1));
            match self.values.iter().find(|known| known.0 == name) {
                // Whatever is not a duration stands in a string.
                Some((_, value)) => {
                    filled.push_str(&value.replace('\\', r"\\").replace('"', r#"\""#));
                }
                None => filled.push_str(&rest[..=name.len()]),
            }
            rest = behind;
        }
        filled + rest
    }
}

/// One expression of a panel, ready for Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PanelQuery {
    /// The title of the panel.
    pub panel: String,
    /// Which of its queries: `A`, `B`, ...
    pub ref_id: String,
    /// PromQL without variables.
    pub expr: String,
    /// What its series are called.
    pub legend: String,
}

impl PanelQuery {
    /// The labels that the legend names, which each series has to have.
    pub fn legend_labels(&self) -> Vec<String> {
        promql::legend_labels(&self.legend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_whole_words() {
        let variables = Variables::new()
            .job("shop")
            .rate_interval(Duration::from_secs(90));
        assert_eq!(
            variables.fill(r#"rate(a{job=~"$job",x="$jobs"}[$__rate_interval]) > 1 # $"#),
            r#"rate(a{job=~"shop",x="$jobs"}[1m30s]) > 1 # $"#
        );
        assert_eq!(
            variables.clone().set("slo", "api").fill("$slo$slo"),
            "apiapi"
        );
        assert_eq!(
            variables
                .set("slo", r#"a "b" \"#)
                .fill(r#"x{budget="$slo"}"#),
            r#"x{budget="a \"b\" \\"}"#
        );
    }
}
