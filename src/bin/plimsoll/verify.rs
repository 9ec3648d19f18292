//! `plimsoll verify`: does everything that is generated return something where it is used?

mod answer;
mod question;
mod shown;

use std::time::{Duration, Instant};

use crate::Verdict;
use crate::failure::Failure;
use crate::prometheus::{Prometheus, Server, duration};
use crate::scope::Scope;
use crate::source::Source;
use answer::{Answer, Families};
use question::Question;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: plimsoll verify shop.toml --prometheus http://127.0.0.1:9090 --wait 30s"
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    scope: Scope,
    /// Asks again for as long as something returns nothing
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait: Option<Duration>,
    /// What `$__rate_interval` is in panels: four scrape intervals or more
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    rate_interval: Duration,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// A question with what came of it.
type Asked = (Question, Answer);

pub(crate) fn run(args: &Args) -> Result<Verdict, Failure> {
    let declaration = args.source.read()?;
    let questions = question::of(&declaration, args.rate_interval, args.scope.of_rules());
    let prometheus = args.server.connect()?;
    let asked = until(questions, args.wait.unwrap_or_default(), &prometheus)?;
    match args.json {
        true => shown::json(&asked)?,
        false => shown::table(&asked)?,
    }
    Ok(match asked.iter().all(|asked| asked.1.is_green()) {
        true => Verdict::Well,
        false => Verdict::Found,
    })
}

/// The answers as they are at last: what is green stays so.
fn until(
    questions: Vec<Question>,
    wait: Duration,
    prometheus: &Prometheus,
) -> Result<Vec<Asked>, Failure> {
    let deadline = Instant::now() + wait;
    let mut asked: Vec<Asked> = questions
        .into_iter()
        .map(|question| (question, Answer::Empty(String::new())))
        .collect();
    loop {
        let mut families = Families::new(prometheus);
        for (question, answer) in asked.iter_mut().filter(|asked| !asked.1.is_green()) {
            *answer = question.ask(&mut families)?;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || asked.iter().all(|asked| asked.1.is_green()) {
            return Ok(asked);
        }
        std::thread::sleep(left.min(Duration::from_secs(1)));
    }
}
