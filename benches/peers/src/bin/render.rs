//! What does a scrape of 10,000 label sets cost, each with a counter and a histogram of 11 bounds?
//!
//! Two threads have written to every set, so that a sharded histogram has two shards to add up.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Barrier, Mutex};

use metrics::{Key, Label, Metadata, Recorder};
use plimsoll::export::Format;
use plimsoll::{Layout, Plimsoll};
use plimsoll_peers::counting::{Counting, allocated};
use plimsoll_peers::recorders::exporter_recorder;
use plimsoll_peers::rounds::{Job, Ratio, Samples, interleave};
use plimsoll_peers::{BOUNDS, table, values};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SETS: usize = 10_000;
/// Records of each of two threads in each set.
const EACH: usize = 20;
const LABELS: [&str; 3] = ["method", "route", "status"];
const COUNTER: &str = "http_requests_total";
const BUFFER: &str = "plimsoll, `render_into` a buffer that is kept";
const STREAMED: &str = "plimsoll, `render_to` a sink";
const HISTOGRAM: &str = "http_request_duration_seconds";

type Print = Box<dyn Fn() -> usize + Sync>;

/// A contender: records into the handle of a label set, which it keeps, and renders its page.
struct Contender {
    name: &'static str,
    record: Box<dyn Fn(usize, u64) + Sync>,
    render: Box<dyn Fn() -> String + Sync>,
    /// Other ways to the same page: their names, and what makes one and tells its bytes.
    others: Vec<(&'static str, Print)>,
    /// Records so far; read when those who record have ended, hence `Relaxed`.
    records: AtomicU64,
}

impl Contender {
    fn new(
        name: &'static str,
        record: impl Fn(usize, u64) + Sync + 'static,
        render: impl Fn() -> String + Sync + 'static,
    ) -> Self {
        Self {
            name,
            record: Box::new(record),
            render: Box::new(render),
            others: Vec::new(),
            records: AtomicU64::new(0),
        }
    }

    fn other(mut self, name: &'static str, print: impl Fn() -> usize + Sync + 'static) -> Self {
        self.others.push((name, Box::new(print)));
        self
    }

    fn record(&self, set: usize, ns: u64) {
        self.records.fetch_add(1, Relaxed);
        (self.record)(set, ns);
    }

    /// One more record in every set.
    fn touch(&self) {
        (0..SETS).for_each(|set| self.record(set, 2_000_000));
    }

    /// Two threads, alive at once, write to every set.
    fn fill(&self, nanos: &[u64]) {
        let both = Barrier::new(2);
        let write = || {
            for (set, nanos) in nanos.chunks(EACH).enumerate() {
                nanos.iter().for_each(|&ns| self.record(set, ns));
            }
            both.wait();
        };
        std::thread::scope(|scope| {
            scope.spawn(write);
            scope.spawn(write);
        });
    }

    /// The page shows every record that ended before it was asked for, whoever wrote it.
    fn check(&self) {
        let page = (self.render)();
        let total = |sample: &str| -> u64 {
            let lines = page.lines().filter(|line| line.starts_with(sample));
            lines.map(value).sum()
        };
        let all = self.records.load(Relaxed);
        assert_eq!(total("http_requests_total{"), all, "{}", self.name);
        let counts = total("http_request_duration_seconds_count{");
        assert_eq!(counts, all, "{}", self.name);
        let buckets = page.matches("http_request_duration_seconds_bucket{");
        assert_eq!(buckets.count(), SETS * (BOUNDS.len() + 1), "{}", self.name);
    }
}

fn main() {
    let contenders = [ours(), prometheus(), exporter()];
    let nanos = values::log_normal(SETS * EACH);
    for contender in &contenders {
        contender.fill(&nanos);
        contender.check();
        contender.touch();
        contender.check();
    }
    table::heading("render: 10,000 label sets of 11 bounds, all changed since the last page");
    let busy = measure(&contenders, Contender::touch);
    let steady = allocations(&contenders);
    table::heading("render: 10,000 label sets of 11 bounds, nothing changed since the last page");
    let idle = measure(&contenders, |_| ());
    contenders.iter().for_each(Contender::check);

    table::targets();
    let ratio = |samples: &[Samples], peer: usize| Ratio::of(&samples[0], &samples[peer]);
    table::ratio_at_most("render, all changed, ÷ prometheus", ratio(&busy, 1), 0.35);
    table::ratio_at_most("render, all changed, ÷ exporter", ratio(&busy, 2), 0.2);
    table::ratio_at_most(
        "render, nothing changed, ÷ prometheus",
        ratio(&idle, 1),
        0.35,
    );
    table::ratio_at_most("render, nothing changed, ÷ exporter", ratio(&idle, 2), 0.2);
    let page = |name| {
        let found = steady.iter().find(|page| page.name == name);
        found.expect("counted above")
    };
    let calls = page(BUFFER).calls as f64;
    table::at_most(
        "allocations of a page into a buffer that is kept",
        calls,
        0.0,
    );
    let streamed = page(STREAMED);
    let chunks = streamed.bytes as f64 / 65_536.0;
    let each = streamed.calls as f64 / chunks;
    table::at_most("allocations of a streamed page, for each 64 KiB", each, 2.0);
}

fn measure(contenders: &[Contender], between: impl Fn(&Contender) + Copy + Sync) -> Vec<Samples> {
    let strings = contenders.iter().map(|contender| {
        let job = Job::call(contender.name, &contender.render);
        job.prepare(move || between(contender)).single()
    });
    let others = contenders.iter().flat_map(|contender| {
        contender.others.iter().map(move |(name, print)| {
            let job = Job::call(name, print);
            job.prepare(move || between(contender)).single()
        })
    });
    let jobs: Vec<Job<'_>> = strings.chain(others).collect();
    let samples = interleave(&jobs, 1);
    table::compare(&samples);
    samples
}

fn value(line: &str) -> u64 {
    let value = line.rsplit(' ').next().and_then(|text| text.parse().ok());
    value.expect("a line ends in its value")
}

/// What one page asked of the allocator.
struct Steady {
    name: &'static str,
    calls: u64,
    bytes: usize,
}

/// Of pages in steady state: the one before each of them folds what ended threads left behind.
fn allocations(contenders: &[Contender]) -> Vec<Steady> {
    println!("\n| contender | allocations of one page | bytes of the page |\n|---|---:|---:|");
    let mut all = Vec::new();
    let mut count = |contender: &Contender, name, print: &dyn Fn() -> usize| {
        contender.touch();
        print();
        contender.touch();
        let (bytes, asked) = allocated(print);
        let calls = asked.calls;
        let figures = [calls as f64, bytes as f64].map(table::thousands);
        println!("| {name} | {} | {} |", figures[0], figures[1]);
        all.push(Steady { name, calls, bytes });
    };
    for contender in contenders {
        count(contender, contender.name, &|| (contender.render)().len());
        for (name, print) in &contender.others {
            count(contender, name, print);
        }
    }
    all
}

fn labels(set: usize) -> [String; 3] {
    let method = ["GET", "POST", "PUT", "DELETE"][set % 4];
    let status = ["200", "201", "404", "500", "503"][set / 4 % 5];
    let route = format!("/api/v1/items/{}", set / 20);
    [method.to_owned(), route, status.to_owned()]
}

fn ours() -> Contender {
    let builder = Plimsoll::builder().manual_tick().max_series(SETS);
    let plimsoll = builder.build().expect("no mistakes");
    let series = |set| {
        let mut counter = plimsoll.counter(COUNTER).help("Requests.");
        let histogram = plimsoll.histogram(HISTOGRAM, Layout::durations(), &BOUNDS);
        let mut histogram = histogram.help("Durations.");
        for (key, value) in LABELS.into_iter().zip(labels(set)) {
            counter = counter.label(key, value.clone());
            histogram = histogram.label(key, value);
        }
        let counter = counter.register().expect("a valid counter");
        (counter, histogram.register().expect("a valid histogram"))
    };
    let series: Vec<_> = (0..SETS).map(series).collect();
    let record = move |set: usize, ns| {
        series[set].0.increment();
        series[set].1.record(ns);
    };
    let [string, buffer, streamed] = std::array::from_fn(|_| plimsoll.clone());
    let kept = Mutex::new(Vec::new());
    Contender::new("plimsoll", record, move || string.render())
        .other(BUFFER, move || {
            let mut page = kept.lock().expect("no panic");
            page.clear();
            buffer.render_into(Format::Text, &mut page);
            page.len()
        })
        .other(STREAMED, move || {
            let mut bytes = Bytes(0);
            let written = streamed.render_to(Format::Text, &mut bytes);
            written.expect("it takes everything");
            bytes.0
        })
}

/// Counts what is written.
struct Bytes(usize);

impl Write for Bytes {
    fn write(&mut self, chunk: &[u8]) -> std::io::Result<usize> {
        self.0 += chunk.len();
        Ok(chunk.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn prometheus() -> Contender {
    let counters = IntCounterVec::new(Opts::new(COUNTER, "Requests."), &LABELS);
    let counters = counters.expect("a valid counter");
    let options = HistogramOpts::new(HISTOGRAM, "Durations.").buckets(BOUNDS.to_vec());
    let histograms = HistogramVec::new(options, &LABELS).expect("a valid histogram");
    let registry = Registry::new();
    registry.register(Box::new(counters.clone())).expect("new");
    registry
        .register(Box::new(histograms.clone()))
        .expect("new");
    let series = (0..SETS).map(labels).map(|labels| {
        let counter = counters.with_label_values(&labels);
        (counter, histograms.with_label_values(&labels))
    });
    let series: Vec<_> = series.collect();
    let record = move |set: usize, ns| {
        series[set].0.inc();
        series[set].1.observe(ns as f64 / 1e9);
    };
    let encode = move || TextEncoder::new().encode_to_string(&registry.gather());
    let render = move || encode().expect("valid families");
    Contender::new("prometheus 0.14.0 `TextEncoder`", record, render)
}

fn exporter() -> Contender {
    let recorder = exporter_recorder();
    let metadata = Metadata::new(module_path!(), metrics::Level::INFO, None);
    let series = (0..SETS).map(labels).map(|labels| {
        let pairs = LABELS.into_iter().zip(labels);
        let labels: Vec<Label> = pairs.map(|(key, value)| Label::new(key, value)).collect();
        let counter = Key::from_parts(COUNTER, labels.clone());
        let counter = recorder.register_counter(&counter, &metadata);
        let histogram = Key::from_parts(HISTOGRAM, labels);
        (counter, recorder.register_histogram(&histogram, &metadata))
    });
    let series: Vec<_> = series.collect();
    let page = recorder.handle();
    let record = move |set: usize, ns| {
        series[set].0.increment(1);
        series[set].1.record(ns as f64 / 1e9);
    };
    Contender::new("metrics-exporter-prometheus 0.18.3", record, move || {
        page.render()
    })
}
