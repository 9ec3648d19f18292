//! Figures and comparisons as people read them.

use std::collections::BTreeMap;
use std::fmt;

use super::{Change, Comparison, Estimate, Measure, OperationChange, Verdict};

/// Kind and labels, as Prometheus would write them.
pub(super) fn name(
    f: &mut fmt::Formatter<'_>,
    kind: &str,
    labels: &BTreeMap<String, String>,
) -> fmt::Result {
    f.write_str(kind)?;
    for (at, (key, value)) in labels.iter().enumerate() {
        let open = if at == 0 { "{" } else { ", " };
        write!(f, "{open}{key}={value:?}")?;
    }
    f.write_str(if labels.is_empty() { "" } else { "}" })
}

/// A duration with four digits, in the unit that fits.
pub(super) fn seconds(value: f64) -> String {
    let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")];
    let fits = |unit: &&(f64, &str)| value >= unit.0;
    let (unit, symbol) = units.iter().find(fits).unwrap_or(&(1e-9, "ns"));
    format!("{} {symbol}", digits(value / unit))
}

/// A ratio with three digits, in percent.
pub(super) fn percent(ratio: f64) -> String {
    format!("{} %", digits(ratio * 100.0))
}

/// A number with four digits, without those that say nothing.
pub(super) fn digits(value: f64) -> String {
    let whole = value.abs().max(1e-9).log10().floor() as i32 + 1;
    let places = (4 - whole).clamp(0, 9) as usize;
    let text = format!("{value:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A count with its thousands apart.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Measure {
    fn show(self, value: f64) -> String {
        match self {
            Self::Quantile(_) | Self::Mean => seconds(value),
            Self::ErrorRatio => percent(value),
            Self::Throughput => format!("{}/s", digits(value)),
        }
    }

    fn estimated(self, estimate: Option<Estimate>) -> String {
        let Some(Estimate { value, interval }) = estimate else {
            return "-".to_owned();
        };
        match interval {
            None => format!("{} (?)", self.show(value)),
            Some((low, high)) => {
                let (low, high) = (self.show(low), self.show(high));
                format!("{} ({low} to {high})", self.show(value))
            }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for OperationChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        name(f, &self.kind, &self.labels)?;
        let (before, after) = (count(self.before), count(self.after));
        writeln!(
            f,
            ": {} ({before} operations before, {after} after)",
            self.verdict
        )?;
        let rows: Vec<[String; 5]> = self.changes.iter().map(row).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths = [0, 1, 2, 3].map(|column| width(column).unwrap_or(0));
        for [measure, before, after, change, verdict] in &rows {
            let [a, b, c, d] = widths;
            writeln!(
                f,
                "  {measure:<a$}  {before:<b$}  {after:<c$}  {change:>d$}  {verdict}"
            )?;
        }
        Ok(())
    }
}

fn row(change: &Change) -> [String; 5] {
    let values = change.before.zip(change.after);
    let ratio = values.filter(|(before, _)| before.value > 0.0);
    let relative = ratio.map(|(before, after)| (after.value / before.value - 1.0) * 100.0);
    [
        change.measure.to_string(),
        change.measure.estimated(change.before),
        change.measure.estimated(change.after),
        relative.map_or(String::new(), |percent| format!("{percent:+.1} %")),
        change.verdict.to_string(),
    ]
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operations
            .iter()
            .try_for_each(|operation| operation.fmt(f))?;
        let verdicts = [
            Verdict::Regressed,
            Verdict::Improved,
            Verdict::Unchanged,
            Verdict::TooFewData,
            Verdict::New,
            Verdict::Gone,
        ];
        let counted = verdicts.map(|verdict| (self.count(verdict), verdict));
        let told = counted.iter().filter(|(count, _)| *count > 0);
        let told: Vec<_> = told
            .map(|(count, verdict)| format!("{count} {verdict}"))
            .collect();
        let told = match told.is_empty() {
            true => "no operations".to_owned(),
            false => told.join(", "),
        };
        write!(
            f,
            "{told}; {} confidence over {} comparisons together, tolerance {}",
            percent(self.confidence),
            self.comparisons,
            percent(self.tolerance)
        )?;
        if !self.same_machine {
            f.write_str("; recorded on different machines")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_four_digits_and_a_unit() {
        for (value, text) in [
            (0.0, "0 ns"),
            (3e-9, "3 ns"),
            (1.2345e-6, "1.235 µs"),
            (0.005, "5 ms"),
            (0.012_345_6, "12.35 ms"),
            (1.0, "1 s"),
            (3600.0, "3600 s"),
        ] {
            assert_eq!(seconds(value), text);
        }
        assert_eq!(
            (percent(0.0005), percent(1.0)),
            ("0.05 %".into(), "100 %".into())
        );
        assert_eq!(
            (count(7), count(1_234_567)),
            ("7".into(), "1,234,567".into())
        );
    }
}
