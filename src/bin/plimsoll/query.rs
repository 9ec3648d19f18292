//! `plimsoll query`: budgets and SLOs as a running Prometheus sees them.

mod budgets;
mod judged;
mod slos;

use std::collections::BTreeMap;

use serde_json::json;

use crate::Verdict;
use crate::failure::Failure;
use crate::output::say;
use crate::prometheus::Server;
use crate::source::Source;
use budgets::BudgetRow;
use judged::{Judged, State};
use slos::SloRow;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: plimsoll query shop.toml --prometheus http://127.0.0.1:9090")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    server: Server,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let declaration = args.source.read()?;
    let prometheus = args.server.connect()?;
    let judged = Judged::read(&declaration, &prometheus)?;
    let budgets = budgets::read(&declaration, &prometheus, &judged)?;
    let slos = slos::read(&declaration, &prometheus, &judged)?;
    let others = judged.others(&declaration);
    match args.json {
        true => {
            let budgets: Vec<_> = budgets.iter().map(BudgetRow::json).collect();
            let slos: Vec<_> = slos.iter().map(SloRow::json).collect();
            let others = others
                .iter()
                .map(|(alert, state)| json!({ "alert": alert, "state": state.word() }));
            let others: Vec<_> = others.collect();
            let all = json!({ "budgets": budgets, "slos": slos, "other_alerts": others });
            say(format!("{all:#}"))?;
        }
        false => say(page(&budgets, &slos, &others).trim_end())?,
    }
    let breached = judged.any_breach() || slos.iter().any(SloRow::is_missed);
    Ok(match breached {
        true => Verdict::Found,
        false => Verdict::Well,
    })
}

fn page(budgets: &[BudgetRow], slos: &[SloRow], others: &BTreeMap<&str, State>) -> String {
    let rows = budgets.iter().map(BudgetRow::cells);
    let mut page = table(["budget", "level", "of", "value", "limit", "state"], rows);
    if !slos.is_empty() {
        let rows = slos.iter().map(SloRow::cells);
        let head = ["slo", "of", "objective", "left", "burn rates", "state"];
        page += &format!("\n{}", table(head, rows));
    }
    if !others.is_empty() {
        let others = others
            .iter()
            .map(|(alert, state)| format!("{alert} {}", state.word()));
        let others: Vec<_> = others.collect();
        page += &format!("\nother alerts: {}\n", others.join(", "));
    }
    let unknown = budgets.iter().any(BudgetRow::is_unknown) || slos.iter().any(SloRow::is_unknown);
    if unknown {
        page += "\nwhere nothing is shown, `plimsoll doctor` says why\n";
    }
    page
}

/// Columns as wide as what stands in them.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows);
    let widths: [usize; N] = std::array::from_fn(|at| {
        let wide = lines.iter().map(|line| line[at].chars().count());
        wide.max().unwrap_or(0)
    });
    let lines = lines.iter().map(|line| {
        let cells = line.iter().zip(widths);
        let cells: Vec<_> = cells.map(|(cell, wide)| format!("{cell:<wide$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    });
    lines.collect()
}

/// A number for people; nothing stands for none.
fn number(value: Option<f64>) -> String {
    match value {
        Some(value) if value != 0.0 && value.abs() < 0.001 => format!("{value:.3e}"),
        Some(value) => {
            let text = format!("{value:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        None => "-".to_owned(),
    }
}
