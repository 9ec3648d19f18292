//! What does it hold: after 50 million records that nobody scraped, in a series, in 10,000 series of 2 threads and in
//! 1,000 of 16, and with budgets that watch and a page that was made?
//!
//! Every figure comes from a process of its own, this program again: `memory <question> <contender> <threads>`.

use std::process::Command;
use std::sync::{Arc, Barrier};

use metrics::{Key, Label, Metadata, Recorder};
use parking_lot::Mutex;
use plimsoll::{Layout, Plimsoll};
use plimsoll_peers::counting::{Counting, allocated};
use plimsoll_peers::queries::Queries;
use plimsoll_peers::recorders::{exporter_recorder, hdr};
use plimsoll_peers::{BOUNDS, table, values};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const RECORDS: usize = 50_000_000;
const FEW_SERIES: usize = 1_000;
const MANY_SERIES: usize = 10_000;
/// Records of each thread in each series.
const EACH: usize = 200;

type Record = Box<dyn Fn(u64) + Send + Sync>;

/// Makes one more series, and tidies up as a scrape would.
struct Maker {
    series: Box<dyn FnMut(usize) -> Record>,
    settle: Box<dyn Fn()>,
}

impl Maker {
    fn new(series: impl FnMut(usize) -> Record + 'static) -> Self {
        let (series, settle) = (Box::new(series), Box::new(|| {}));
        Self { series, settle }
    }

    fn make(&mut self, count: usize) -> Vec<Record> {
        (0..count).map(|number| (self.series)(number)).collect()
    }
}

type Contender = (&'static str, fn() -> Maker);

const CONTENDERS: [Contender; 6] = [
    ("plimsoll, 11 exact bounds", ours),
    ("metriken 0.11.5 `ShardedCounterHistogram(7, 42)`", metriken),
    ("histogram 1.6.4 `AtomicHistogram(7, 42)`", atomic),
    (
        "hdrhistogram 7.6.0 (2 digits) in a `parking_lot::Mutex`",
        mutex,
    ),
    ("prometheus 0.14.0, 11 buckets", prometheus),
    ("metrics-exporter-prometheus 0.18.3, 11 buckets", exporter),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [question, _, threads] if question == "watched" => {
            println!("{}", watched(number(threads)));
        }
        [question, contender, threads] => {
            let maker = CONTENDERS[number(contender)].1();
            println!("{}", answer(question, maker, number(threads)));
        }
        _ => tables(),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a whole number")
}

fn tables() {
    table::heading("memory: growth of the resident set after 50,000,000 records, nobody scraping");
    let unscraped = megabytes("unscraped", 1, 1);
    table::heading("memory: bytes of one series (mean of 1,000)");
    let [cold, further] = of_one_series();
    table::heading("memory: growth of the resident set, 10,000 series written by 2 threads");
    megabytes("many", 2, 0);
    table::heading("memory: growth of the resident set, 1,000 series written by 16 threads");
    let hot = megabytes("few", 16, 0);
    let watched = ask("watched", 0, 2) / 1e6;

    table::targets();
    table::at_most("bytes of a series never written to", cold, 1_024.0);
    table::at_most(
        "bytes of a series for each further thread",
        further,
        4_200.0,
    );
    table::at_most("1,000 hot series, 16 threads, MB grown", hot, 70.0);
    table::at_most(
        "10,000 series, 2 threads, budgets, a page: whole process, MB",
        watched,
        250.0,
    );
    table::at_most("50,000,000 records, no scrape, MB grown", unscraped, 1.0);
}

/// Everybody's answer in MB; returns plimsoll's.
fn megabytes(question: &str, threads: usize, decimals: usize) -> f64 {
    println!("| contender | MB |\n|---|---:|");
    let mut all = CONTENDERS.iter().enumerate().map(|(contender, (name, _))| {
        let grown = ask(question, contender, threads) / 1e6;
        println!("| {name} | {grown:.decimals$} |");
        grown
    });
    let ours = all.next().expect("plimsoll is the first");
    all.for_each(drop);
    ours
}

/// Returns plimsoll's bytes before the first record, and for each further thread.
fn of_one_series() -> [f64; 2] {
    println!("| contender | never written to | written by 1 thread | each further thread |");
    println!("|---|---:|---:|---:|");
    let mut all = CONTENDERS.iter().enumerate().map(|(contender, (name, _))| {
        let [cold, one, two] = [0, 1, 2].map(|threads| ask("bytes", contender, threads));
        let further = two - one;
        let texts = [cold, one, further].map(table::thousands);
        println!("| {name} | {} |", texts.join(" | "));
        [cold, further]
    });
    let ours = all.next().expect("plimsoll is the first");
    all.for_each(drop);
    ours
}

/// Puts a question to a process of its own.
fn ask(question: &str, contender: usize, threads: usize) -> f64 {
    let own = std::env::current_exe().expect("a path");
    let arguments = [
        question.to_owned(),
        contender.to_string(),
        threads.to_string(),
    ];
    let output = Command::new(own)
        .args(arguments)
        .output()
        .expect("it starts");
    assert!(
        output.status.success(),
        "{question} of {contender}: {output:?}"
    );
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().expect("one number")
}

fn answer(question: &str, mut maker: Maker, threads: usize) -> f64 {
    let nanos = values::log_normal(1 << 16);
    match question {
        "unscraped" => {
            let series = maker.make(1);
            grown(|| {
                nanos
                    .iter()
                    .cycle()
                    .take(RECORDS)
                    .for_each(|&ns| series[0](ns))
            })
        }
        "bytes" => bytes(maker, threads, &nanos) / FEW_SERIES as f64,
        "few" => held(maker, FEW_SERIES, threads, &nanos),
        "many" => held(maker, MANY_SERIES, threads, &nanos),
        _ => panic!("no such question: {question}"),
    }
}

/// The growth of the resident set while the threads that wrote are alive.
fn held(mut maker: Maker, count: usize, threads: usize, nanos: &[u64]) -> f64 {
    let before = resident();
    let series = maker.make(count);
    written(&series, threads, nanos, || {
        (maker.settle)();
        resident() - before
    })
}

/// The whole resident set with budgets that watched every series grow, and with a page that is held.
fn watched(threads: usize) -> f64 {
    let nanos = values::log_normal(1 << 16);
    let queries = Arc::new(Queries::new(MANY_SERIES));
    let series = (0..MANY_SERIES).map(|at| -> Record {
        let queries = queries.clone();
        Box::new(move |ns| queries.record(at, ns))
    });
    let series: Vec<Record> = series.collect();
    let tick = || {
        queries.pass();
        queries.plimsoll().tick();
    };
    tick();
    let (held, operations) = written(&series, threads, &nanos, || {
        tick();
        let page = queries.plimsoll().render();
        let held = resident();
        drop(page);
        (held, queries.plimsoll().stats().operations)
    });
    let counted: u64 = operations.iter().map(|operation| operation.count).sum();
    assert_eq!(counted, (MANY_SERIES * threads * EACH) as u64);
    held
}

fn bytes(mut maker: Maker, threads: usize, nanos: &[u64]) -> f64 {
    // The first series brings what all of them share.
    let first = maker.make(1);
    written(&first, threads, nanos, || (maker.settle)());
    let (series, made) = allocated(|| maker.make(FEW_SERIES));
    let ((), written) = allocated(|| written(&series, threads, nanos, || (maker.settle)()));
    (made.bytes + written.bytes) as f64
}

/// Lets `threads` threads write to every series, and measures while they are still alive.
fn written<T>(series: &[Record], threads: usize, nanos: &[u64], measure: impl FnOnce() -> T) -> T {
    let all = Barrier::new(threads + 1);
    let write = || {
        let values = nanos.chunks_exact(EACH).cycle();
        for (record, values) in series.iter().zip(values) {
            values.iter().for_each(|&ns| record(ns));
        }
        all.wait();
        all.wait();
    };
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(write)));
        all.wait();
        let measured = measure();
        all.wait();
        measured
    })
}

fn grown(work: impl FnOnce()) -> f64 {
    let before = resident();
    work();
    resident() - before
}

/// The resident set of this process in bytes.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages.split(' ').nth(1).and_then(|text| text.parse().ok());
    // SAFETY: it only asks for a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages.map_or(f64::NAN, |pages: f64| pages * size as f64)
}

fn ours() -> Maker {
    let builder = Plimsoll::builder().manual_tick().max_series(MANY_SERIES);
    // Threads that have to share for want of memory would flatter it.
    let builder = builder.shard_memory(1 << 30);
    let plimsoll = builder.build().expect("no mistakes");
    Maker::new(move |number| {
        let series = plimsoll.histogram("seconds", Layout::durations(), &BOUNDS);
        let series = series.label("route", number.to_string()).register();
        let series = series.expect("a valid histogram");
        Box::new(move |ns| series.record(ns))
    })
}

fn metriken() -> Maker {
    Maker::new(|_| {
        let series = metriken::ShardedCounterHistogram::new(7, 42);
        Box::new(move |ns| series.increment(ns).expect("in range"))
    })
}

fn atomic() -> Maker {
    Maker::new(|_| {
        let series = histogram::AtomicHistogram::new(7, 42).expect("valid powers");
        Box::new(move |ns| series.increment(ns).expect("in range"))
    })
}

fn mutex() -> Maker {
    Maker::new(|_| {
        let series = Mutex::new(hdr());
        Box::new(move |ns| series.lock().saturating_record(ns))
    })
}

fn prometheus() -> Maker {
    let options = prometheus::HistogramOpts::new("seconds", "Durations.").buckets(BOUNDS.to_vec());
    let family = prometheus::HistogramVec::new(options, &["route"]).expect("valid options");
    Maker::new(move |number| {
        let series = family.with_label_values(&[&number.to_string()]);
        Box::new(move |ns| series.observe(ns as f64 / 1e9))
    })
}

fn exporter() -> Maker {
    let recorder = exporter_recorder();
    let page = recorder.handle();
    let metadata = Metadata::new(module_path!(), metrics::Level::INFO, None);
    let mut maker = Maker::new(move |number| {
        let key = Key::from_parts("seconds", vec![Label::new("route", number.to_string())]);
        let series = recorder.register_histogram(&key, &metadata);
        Box::new(move |ns| series.record(ns as f64 / 1e9))
    });
    maker.settle = Box::new(move || page.run_upkeep());
    maker
}
