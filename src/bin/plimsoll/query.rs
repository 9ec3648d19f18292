//! `plimsoll query`: budgets and SLOs as a running Prometheus sees them.

mod budgets;
mod judged;
mod slos;

use serde_json::json;

use crate::Verdict;
use crate::failure::Failure;
use crate::prometheus::Server;
use crate::source::Source;
use budgets::BudgetRow;
use judged::Judged;
use slos::SloRow;

#[derive(Debug, clap::Args)]
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
            println!(
                "{:#}",
                json!({ "budgets": budgets, "slos": slos, "other_alerts": others })
            );
        }
        false => print(&budgets, &slos, &others),
    }
    let breached = judged.any_breach() || slos.iter().any(SloRow::is_missed);
    Ok(match breached {
        true => Verdict::Found,
        false => Verdict::Well,
    })
}

fn print(budgets: &[BudgetRow], slos: &[SloRow], others: &[&str]) {
    let rows = budgets.iter().map(BudgetRow::cells);
    table(["budget", "level", "of", "value", "limit", "state"], rows);
    if !slos.is_empty() {
        println!();
        let rows = slos.iter().map(SloRow::cells);
        table(
            ["slo", "of", "objective", "left", "burn rates", "state"],
            rows,
        );
    }
    if !others.is_empty() {
        println!("\nfiring as well: {}", others.join(", "));
    }
}

/// Columns as wide as what stands in them.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows);
    let widths: [usize; N] = std::array::from_fn(|at| {
        let wide = lines.iter().map(|line| line[at].chars().count());
        wide.max().unwrap_or(0)
    });
    for line in lines {
        let cells = line.iter().zip(widths);
        let cells: Vec<_> = cells.map(|(cell, wide)| format!("{cell:<wide$}")).collect();
        println!("{}", cells.join("  ").trim_end());
    }
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
