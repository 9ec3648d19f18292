//! The matrix of dashboards and panels, and the list of rules.

use serde_json::json;

use super::Asked;
use super::question::Kind;
use crate::failure::Failure;
use crate::output::say;

/// Panels first; green rules are counted only.
pub(super) fn table(asked: &[Asked]) -> Result<(), Failure> {
    let (panels, rules): (Vec<_>, Vec<_>) = asked
        .iter()
        .partition(|asked| matches!(asked.0.kind, Kind::Panel(_)));
    let wide = |of: fn(&Asked) -> &str| asked.iter().map(|asked| of(asked).len()).max();
    let places = wide(|asked| &asked.0.place).unwrap_or(0);
    let names = wide(|asked| &asked.0.name).unwrap_or(0);
    let line = |asked: &&Asked| {
        let (question, answer) = asked;
        say(format!(
            "{:<places$}  {:<names$}  {:<7}  {}",
            question.place,
            question.name,
            answer.word(),
            answer.note()
        ))
    };
    panels.iter().try_for_each(line)?;
    rules
        .iter()
        .filter(|asked| !asked.1.is_green())
        .try_for_each(line)?;
    say("")?;
    for (what, of) in [("expressions of panels", &panels), ("rules", &rules)] {
        let green = of.iter().filter(|asked| asked.1.is_green()).count();
        say(format!("{green} of {} {what} are green", of.len()))?;
    }
    Ok(())
}

pub(super) fn json(asked: &[Asked]) -> Result<(), Failure> {
    let one = |asked: &Asked| {
        let (question, answer) = asked;
        let kind = match question.kind {
            Kind::Panel(_) => "panel",
            Kind::Recording => "recording",
            Kind::Alert(_) => "alert",
        };
        json!({
            "kind": kind,
            "place": question.place,
            "name": question.name,
            "expr": question.expr,
            "answer": answer.word(),
            "note": answer.note(),
        })
    };
    let all: Vec<_> = asked.iter().map(one).collect();
    say(format!("{:#}", json!(all)))
}
