//! How a demonstration service is run: on a port, under a load that it puts on itself, with a report at the end.

#[path = "table.rs"]
mod table;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use plimsoll::{AlertState, Builder, Plimsoll};
use reqwest::{Client, RequestBuilder};
use tokio::sync::Semaphore;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

const HELP: &str = "\
Without options it listens on a free port of 127.0.0.1, puts 250 requests per second on itself for 15 seconds, prints
what was measured and which budgets were breached, and ends.

    --serve           serve until interrupted, under 25 requests per second of its own
    --addr HOST:PORT  where to listen [127.0.0.1:0]
    --promises FILE   what is promised, as TOML, instead of what the code says
";
const LENGTH: Duration = Duration::from_secs(15);
/// A service that no longer answers must not fill the memory with requests.
const MOST_UNDER_WAY: usize = 100;

/// What is promised, by the file that is named for it or else by the code; breaches and recoveries are told.
pub(crate) fn declared(code: impl FnOnce(Builder) -> Builder) -> Result<Builder, Failure> {
    let mut words = std::env::args().skip_while(|word| word != "--promises");
    let builder = Plimsoll::builder().on_event("edges", |edge| eprintln!("{edge}"));
    if words.next().is_none() {
        return Ok(code(builder));
    }
    let file = words.next().ok_or("--promises needs a value: see --help")?;
    Ok(builder.toml_file(file))
}

/// Runs `app`; `request` makes the load's requests: of the client, the service's address and a number that goes up.
pub(crate) async fn run(
    plimsoll: &Plimsoll,
    app: Router,
    request: fn(&Client, &str, u64) -> RequestBuilder,
) -> Result<(), Failure> {
    let (mut serve, mut addr) = (false, "127.0.0.1:0".to_owned());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--serve" => serve = true,
            "--addr" => addr = words.next().ok_or("--addr needs a value: see --help")?,
            // Read by `declared`.
            "--promises" => drop(words.next()),
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(());
            }
            _ => return Err(format!("unknown option {word}: see --help").into()),
        }
    }
    let listener = tokio::net::TcpListener::bind(&addr).await;
    let listener = listener.map_err(|error| format!("--addr {addr}: cannot listen: {error}"))?;
    let base = format!("http://{}", listener.local_addr()?);
    let service = plimsoll.service();
    eprintln!("{service} listens on {base} (metrics on {base}/metrics)");
    tokio::spawn(axum::serve(listener, app).into_future());
    if serve {
        tokio::spawn(load(base, Duration::from_millis(40), request));
        return Ok(tokio::signal::ctrl_c().await?);
    }
    let loaded = load(base, Duration::from_millis(4), request);
    // The load has no end of its own.
    let _over = tokio::time::timeout(LENGTH, loaded).await;
    plimsoll.flush(Duration::from_secs(5));
    report(plimsoll);
    Ok(())
}

/// Sends a request every so often, whether or not the earlier ones were answered.
async fn load(base: String, every: Duration, request: fn(&Client, &str, u64) -> RequestBuilder) {
    let client = Client::new();
    let under_way = Arc::new(Semaphore::new(MOST_UNDER_WAY));
    let mut pace = tokio::time::interval(every);
    for number in 0.. {
        pace.tick().await;
        if let Ok(permit) = under_way.clone().try_acquire_owned() {
            let answer = request(&client, &base, number).send();
            tokio::spawn(async move { (answer.await.is_ok(), permit) });
        }
    }
    pending().await
}

fn report(plimsoll: &Plimsoll) {
    table::print(plimsoll);
    let stats = plimsoll.stats();
    let rate = stats.total as f64 / LENGTH.as_secs_f64();
    println!(
        "\n{rate:.0} requests/s, error ratio {:.4}",
        stats.error_ratio
    );
    for reading in plimsoll.budgets() {
        let value = reading.value.unwrap_or(f64::NAN);
        let (name, level, limit) = (reading.budget, reading.level, reading.limit);
        match reading.state {
            AlertState::Firing => println!("BREACHED {name} {level}: {value:.4} (limit {limit})"),
            AlertState::Pending => println!("pending  {name} {level}: {value:.4} (limit {limit})"),
            _ => {}
        }
    }
}
