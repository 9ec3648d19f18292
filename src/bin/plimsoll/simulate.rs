//! `plimsoll simulate`.

mod args;
mod hours;
mod svg;
mod table;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use plimsoll::simulate::{Course, Phase, Simulation};

use crate::Verdict;
use crate::failure::Failure;
use crate::output::{Output, replace};
use crate::source::Source;
use args::Setting;
use hours::Hours;

/// How long it takes, unless said.
const USUAL: Duration = Duration::from_secs(2 * 3_600);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: plimsoll simulate shop.toml --history 6h --shape '10m good, 5m errors=20%, 30m good' --svg shop.svg\n         \
                  plimsoll simulate shop.toml --from 2026-03-06T16:00:00Z --until 2026-03-06T22:00:00Z --errors 0.5%"
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Operations per second, of each kind that budgets and SLOs speak of
    #[arg(long, allow_hyphen_values = true, default_value_t = 100.0, value_parser = args::traffic)]
    traffic: f64,
    /// The share of operations that fail: 0.1% or 0.001
    #[arg(long, allow_hyphen_values = true, default_value = "0%", value_parser = args::share)]
    errors: f64,
    /// The share of operations that take longer than every limit
    #[arg(long, allow_hyphen_values = true, default_value = "0%", value_parser = args::share)]
    slow: f64,
    /// How long it takes; 2h, unless --until or --shape says
    #[arg(long, allow_hyphen_values = true, value_parser = args::duration, conflicts_with_all = ["shape", "until"])]
    duration: Option<Duration>,
    /// When it begins, in UTC: 2026-03-06T16:00:00Z or 2026-03-06; a Monday noon, unless said
    #[arg(long, allow_hyphen_values = true, value_name = "MOMENT", value_parser = args::moment)]
    from: Option<SystemTime>,
    /// When it ends: --shape is cut off there, or goes on as the options say
    #[arg(long, allow_hyphen_values = true, value_name = "MOMENT", value_parser = args::moment, requires = "from")]
    until: Option<SystemTime>,
    /// What happens, phase by phase: '10m good, 5m errors=20% slow=5% traffic=20, 30m'
    #[arg(long, allow_hyphen_values = true, value_name = "PHASES")]
    shape: Option<Course>,
    /// Good operations before the beginning, so that long windows are not empty
    #[arg(long, allow_hyphen_values = true, default_value = "0s", value_parser = args::history)]
    history: Duration,
    /// How often is judged; as often as the service does, unless said
    #[arg(long, allow_hyphen_values = true, value_parser = args::duration)]
    step: Option<Duration>,
    /// Draws which operations fail, instead of spreading them evenly
    #[arg(long, allow_hyphen_values = true, value_parser = args::seed)]
    seed: Option<u64>,
    /// A gauge takes a value at some moment: 'queue_depth=500@10m', 'level{tank="a"}=3'
    #[arg(long, allow_hyphen_values = true, value_name = "GAUGE=VALUE[@WHEN]", value_parser = args::setting)]
    set: Vec<Setting>,
    /// Draws it into this file, too
    #[arg(long, value_name = "PATH")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

impl Args {
    /// What happens, from the beginning to the end.
    fn course(&self) -> Result<Course, Failure> {
        let shape = self.shape.clone();
        let (Some(from), Some(until)) = (self.from, self.until) else {
            let alike = || Phase::new(self.duration.unwrap_or(USUAL)).into();
            return Ok(shape.unwrap_or_else(alike));
        };
        let length = args::between(from, until).map_err(Failure::new)?;
        Ok(match shape {
            Some(shape) => shape.until(length),
            None => Phase::new(length).into(),
        })
    }
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let declaration = args.source.read()?;
    let service = declaration.service().to_owned();
    let course = args.course()?;
    let mut simulation = Simulation::new(declaration)
        .course(course.clone())
        .traffic(args.traffic)
        .errors(args.errors)
        .slow(args.slow)
        .history(args.history);
    if let Some(from) = args.from {
        simulation = simulation.begins(from);
    }
    if let Some(step) = args.step {
        simulation = simulation.step(step);
    }
    if let Some(seed) = args.seed {
        simulation = simulation.seed(seed);
    }
    for Setting { gauge, value, at } in &args.set {
        simulation = simulation.set(gauge.clone(), *value, *at);
    }
    let result = simulation.run().map_err(|error| {
        // They are mistakes of the options: the declaration itself was read well.
        let problems = error.problems().iter();
        Failure::all(problems.map(|problem| format!("--{problem}")))
    })?;
    let hours = Hours {
        from: args.from,
        length: course.length(),
    };
    let text = table::of(&service, hours, &result);
    if let Some(path) = &args.svg {
        replace(path, &svg::of(&service, hours, &result))?;
    }
    args.output.write(&text)
}
