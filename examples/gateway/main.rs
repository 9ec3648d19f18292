//! The main job, as a user would write it: an HTTP gateway to Modbus devices, with budgets.
//!
//! `service.rs` is the service and `gateway.toml` what it promises; `database.rs` and `devices.rs` are the world it
//! finds; `load.rs` and `faults.rs` put it under load and break it. `--help` says how to run it.

#![allow(
    unreachable_pub,
    missing_debug_implementations,
    reason = "a binary of its own"
)]

mod args;
mod database;
mod devices;
mod faults;
mod load;
mod service;
#[path = "../common/table.rs"]
mod table;
mod timeline;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use args::Args;
use devices::Simulated;
use faults::Faults;
use plimsoll::process::AllocatorStats;
use plimsoll::{Budget, Expr, Plimsoll, Select, Selector};
use service::Gateway;
use timeline::Timeline;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long a breach may take to be recovered from after its fault: the window and two ticks, and some air.
const SETTLE: Duration = Duration::from_secs(9);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let Some(args) = Args::parse(std::env::args().skip(1))? else {
        print!("{}", args::HELP);
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let faults = Arc::new(Faults::new(args.fail_every));
    let simulated = Simulated::start(&["press-1", "press-2", "press-3"], &faults).await?;
    let devices: Vec<(String, SocketAddr)> = simulated.addresses().chain(args.devices).collect();

    let timeline = Arc::new(Timeline::new());
    let announced = timeline.clone();
    let plimsoll = match &args.promises {
        Some(file) => Plimsoll::builder().toml_file(file),
        None => Plimsoll::builder().toml(include_str!("gateway.toml")),
    };
    let plimsoll = plimsoll
        .expect_family("bifrost_load_running")
        .budget(throughput())
        .on_event("timeline", move |event| announced.edge(event))
        .build()?;
    plimsoll.observe_process();
    plimsoll.observe_allocator(AllocatorStats::glibc);
    plimsoll.observe_runtime(&tokio::runtime::Handle::current());
    metrics::set_global_recorder(plimsoll.metrics_recorder())
        .map_err(|_| "another recorder is installed")?;
    metrics::describe_counter!(
        "bifrost_poll_cycles_total",
        "Polling cycles of all devices."
    );
    metrics::counter!("bifrost_poll_cycles_total").absolute(0);

    let peak = "1 while more is expected than usual, as whoever knows has set it.";
    plimsoll.gauge("peak").help(peak).register()?.set(0.0);

    let sqlite = database::create(folder.path(), &devices).await?;
    let gateway = Arc::new(Gateway::new(
        plimsoll.clone(),
        sqlite,
        &devices,
        faults.clone(),
    )?);
    let listener = tokio::net::TcpListener::bind(&args.addr)
        .await
        .map_err(|error| {
            format!(
                "--addr {}: cannot listen: {error}; choose another port, or 0 for a free one",
                args.addr
            )
        })?;
    let addr = listener.local_addr()?;
    eprintln!("gateway listens on http://{addr} (metrics on http://{addr}/metrics)");
    gateway.poll()?;
    let server = axum::serve(listener, service::router(gateway));
    tokio::spawn(server.into_future());

    if args.serve {
        tokio::signal::ctrl_c().await?;
        return Ok(());
    }
    let running = plimsoll
        .gauge("load_running")
        .help("1 while the demonstration's load runs.")
        .register()?;
    running.set(1.0);
    let injected = tokio::spawn(faults::inject(faults, timeline.clone()));
    let sent = load::run(addr, faults::LAST_FAULT + SETTLE).await?;
    running.set(0.0);
    injected.await?;
    plimsoll.flush(Duration::from_secs(5));
    eprintln!("load over: {sent}");
    table::print(&plimsoll);
    timeline.verdict().map_err(Failure::from)
}

/// A floor that applies after warm-up and while load runs, which a file cannot say.
fn throughput() -> Budget {
    let loaded = Expr::select(Selector::new("bifrost_load_running"))
        .sum()
        .greater(0.0);
    Budget::throughput("throughput", Select::http())
        .at_least(100.0)
        .over(Duration::from_secs(5))
        .warm_up(Duration::from_secs(7))
        .when(loaded)
}
