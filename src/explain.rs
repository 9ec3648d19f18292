//! Why it exists: whoever is woken by a promise should be able to read what it says, and how soon it would have said so.
//!
//! An [`Explanation`] says one budget or SLO in words and as the PromQL that is judged, when it fires and when it clears: found by letting the
//! engine judge made-up operations ([`simulate`](crate::simulate)), not by a second formula.
//!
//! ```
//! use plimsoll::explain::Explanation;
//! use plimsoll::generate::Declaration;
//!
//! let declaration = Declaration::parse(r#"
//!     [[budget]]
//!     name = "errors"
//!     on = "http"
//!     sli = "error_ratio"
//!     at_most = 0.01
//! "#)?;
//! let text = Explanation::new(&declaration, "errors")?.to_string();
//! assert!(text.contains("at most 1 % of HTTP requests fail"));
//! let unknown = Explanation::new(&declaration, "erors").unwrap_err();
//! assert_eq!(unknown.to_string(), r#"no budget or SLO is named "erors": did you mean "errors"?"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod made_up;
mod past;
mod play;
mod situations;
mod table;
mod trial;
mod unknown;
mod words;

pub use unknown::ExplainError;

use std::fmt;

use crate::budget::Labels;
use crate::generate::Declaration;
use crate::slo::window_name;
use table::Table;

/// Lines of paragraphs are no longer, in bytes, unless a word is.
const WIDTH: usize = 120;

/// A budget or an SLO, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    name: String,
    kind: &'static str,
    /// What is promised, a sentence each.
    said: Vec<String>,
    /// What each alert is, and its condition.
    alerts: Vec<(String, String)>,
    /// When they fire; a sentence where that cannot be found out.
    table: Result<Table, String>,
    /// What it does not see.
    unseen: Vec<String>,
}

impl Explanation {
    /// Explains what is named so. Cost: up to a million judgements, which is some seconds, on a thread for each situation.
    ///
    /// # Errors
    ///
    /// [`ExplainError`] with all names, the most alike first, if there is none of that name.
    pub fn new(declaration: &Declaration, name: &str) -> Result<Self, ExplainError> {
        if let Some(budget) = declaration
            .budgets
            .iter()
            .find(|budget| budget.name == name)
        {
            let alone = Declaration {
                budgets: vec![budget.clone()],
                slos: Vec::new(),
                rules: Vec::new(),
                ..declaration.clone()
            };
            let rules = budget.rule_group().rules.into_iter();
            let alerts = budget.levels().zip(rules);
            return Ok(Self {
                name: name.to_owned(),
                kind: "budget",
                said: words::of_budget(budget),
                alerts: alerts
                    .map(|(level, rule)| (words::of_level(budget, level), rule.expr.to_string()))
                    .collect(),
                table: made_up::not_recorded(&alone, declaration)
                    .and_then(|()| situations::of_budget(&alone, budget)),
                unseen: words::unseen_of_budget(budget),
            });
        }
        let Some(slo) = declaration.slos.iter().find(|slo| slo.name == name) else {
            return Err(ExplainError::unknown(declaration, name));
        };
        let mut alone = declaration.clone();
        alone.budgets.clear();
        alone.rules.clear();
        let needed = slo.with_parts(&declaration.slos);
        alone.slos.retain(|slo| needed.contains(&slo));
        let alerts = slo.alertings(&Labels::from([])).into_iter();
        Ok(Self {
            name: name.to_owned(),
            kind: "SLO",
            said: words::of_slo(slo),
            alerts: alerts
                .map(|alert| (words::of_alert(slo, &alert), alert.condition.to_string()))
                .collect(),
            table: made_up::not_recorded(&alone, declaration)
                .and_then(|()| situations::of_slo(&alone, slo)),
            unseen: words::unseen_of_slo(slo),
        })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})\n", self.name, self.kind)?;
        self.said
            .iter()
            .try_for_each(|said| writeln!(f, "  {said}"))?;
        f.write_str("\nAlerts\n")?;
        for (what, condition) in &self.alerts {
            writeln!(f, "\n  {what}\n    {condition}")?;
        }
        f.write_str("\nWhen it fires, and how fast\n\n")?;
        match &self.table {
            Ok(table) => write!(f, "{table}")?,
            Err(why) => writeln!(f, "{}", wrapped(why))?,
        }
        if self.unseen.is_empty() {
            return Ok(());
        }
        f.write_str("\nWhat it does not see\n\n")?;
        self.unseen
            .iter()
            .try_for_each(|unseen| writeln!(f, "  - {unseen}"))
    }
}

/// A paragraph.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::from(" ")];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if lines[last].len() + word.len() >= WIDTH && lines[last].len() > 1 {
            lines.push(String::from(" "));
        }
        let last = lines.len() - 1;
        lines[last] = format!("{} {word}", lines[last]);
    }
    lines.join("\n")
}

/// `1h30m`
fn length(duration: std::time::Duration) -> String {
    window_name(duration)
}

/// `0.1 %`, without the noise of a calculation.
fn percent(share: f64) -> String {
    format!("{} %", (share * 1e11).round() / 1e9)
}

/// Three figures of a number, which is as much as a sentence bears.
fn roughly(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests;
