//! Expressions from PromQL.
//!
//! The grammar is `promql-parser`'s. Before it reads a text, [`scan`] bounds it, refuses what that parser would read otherwise than
//! Prometheus does, and rewrites its literals in one form; [`tree`] then builds the [`Expr`], or names what is outside the set.

mod scan;
mod tree;

pub(crate) use scan::parse_duration;

use std::fmt;

use super::Expr;

/// A text that is no expression of this process: it is not PromQL, or uses what is not evaluated here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// What is refused, as it stands in the text: `topk`, `[5m:1m]`, `@`.
    pub construct: String,
    /// Why, and what to write instead.
    pub message: String,
}

impl ParseError {
    fn new(construct: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            construct: construct.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.construct, self.message)
    }
}

impl std::error::Error for ParseError {}

/// What is deeper is refused: everything that walks an expression takes its depth in stack.
const MAX_DEPTH: usize = 200;

impl Expr {
    /// The expression that a text in PromQL stands for.
    ///
    /// Parentheses, comments and the order in which things may be written are not kept: `parse(text)?.to_string()` is the
    /// canonical form, and of that `parse` makes the same expression again.
    ///
    /// Texts of up to 64 KiB, nested at most 200 deep, with at most 200 operators.
    ///
    /// # Errors
    ///
    /// [`ParseError`] for what Prometheus would refuse, and for what is not evaluated in this process: subqueries, `offset`,
    /// `@`, strings, aggregations and functions outside [`Aggregation`](super::Aggregation), [`Over`](super::Over) and
    /// [`Function`](super::Function), selectors without a plain name.
    ///
    /// ```
    /// use plimsoll::Expr;
    ///
    /// let expr = Expr::parse("sum(rate(errors_total[5m])) by (route) / 2 > 0.5")?;
    /// assert_eq!(
    ///     expr.to_string(),
    ///     "(sum by (route) (rate(errors_total[5m])) / 2) > 0.5",
    /// );
    /// # Ok::<(), plimsoll::expr::ParseError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        tree::expr(&syntax(text)?)
    }
}

/// The tree of a text that Prometheus may understand even where [`Expr`] does not.
pub(crate) fn syntax(text: &str) -> Result<promql_parser::parser::Expr, ParseError> {
    let scanned = scan::scan(text)?;
    let ast = promql_parser::parser::parse(&scanned)
        .map_err(|error| ParseError::new(shown(text), format!("is not PromQL: {error}")))?;
    if tree::depth(&ast) > MAX_DEPTH {
        let message =
            format!("is nested more than {MAX_DEPTH} deep: split it into recording rules");
        return Err(ParseError::new(shown(text), message));
    }
    Ok(ast)
}

/// A text, or its beginning.
fn shown(text: &str) -> String {
    let mut chars = text.trim().chars();
    let mut start: String = chars.by_ref().take(60).collect();
    if chars.next().is_some() {
        start.push_str("..");
    }
    start
}

#[cfg(test)]
mod tests;
