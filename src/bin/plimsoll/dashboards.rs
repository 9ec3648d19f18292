//! `plimsoll dashboards`.

use std::path::PathBuf;

use crate::Verdict;
use crate::failure::Failure;
use crate::output::{say, write_folder};
use crate::source::Source;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: plimsoll dashboards shop.toml --output grafana/dashboards")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// The folder, which is made where there is none; a file for each dashboard, named after its uid
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let dashboards = args.source.read()?.dashboards();
    let files = dashboards
        .iter()
        .map(|dashboard| (format!("{}.json", dashboard.uid()), dashboard.to_json()));
    write_folder(&args.output, files.collect())?;
    for dashboard in &dashboards {
        let path = args.output.join(format!("{}.json", dashboard.uid()));
        say(format!("{}: {}", path.display(), dashboard.title()))?;
    }
    Ok(Verdict::Well)
}
