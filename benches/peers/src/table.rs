//! Tables in Markdown, ready to be pasted into `docs/performance.md`.

use std::process::Command;

use crate::rounds::{Ratio, Samples, median};

/// The question, and the machine and its load at this moment.
pub fn heading(question: &str) {
    println!("\n### {question}\n\n{}\n", machine());
}

/// Processor, toolchain and load average.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map_or_else(|_| Vec::new(), |output| output.stdout);
    let rustc = String::from_utf8_lossy(&rustc).trim().to_owned();
    let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
    format!(
        "_{}, {cores} cores; Linux {kernel}; {rustc}, release; load average {}_",
        model(&read("/proc/cpuinfo")),
        load.join(" ")
    )
}

fn model(cpuinfo: &str) -> String {
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(": ").nth(1)).unwrap_or("?")
    };
    format!(
        "{} (family {}, model {})",
        field("model name"),
        field("cpu family"),
        field("model\t")
    )
}

/// One line per contender beside the first one, plimsoll.
pub fn compare(all: &[Samples]) {
    compare_to(all, &all[0], "plimsoll");
}

/// One line per contender beside `base`, which the title calls `name`.
pub fn compare_to(all: &[Samples], base: &Samples, name: &str) {
    let putting_off = all.iter().any(|samples| median(&samples.drain_ns) > 0.0);
    let (title, rule) = if putting_off {
        (" put off, ns |", "---:|")
    } else {
        ("", "")
    };
    println!("| contender | median ns | ÷ {name} | 95 % of the ratio |{title}");
    println!("|---|---:|---:|---:|{rule}");
    for samples in all {
        let put_off = if putting_off {
            format!(" {} |", put_off(samples))
        } else {
            String::new()
        };
        println!("{}{put_off}", line(samples, base));
    }
    let disturbed: usize = all.iter().map(|samples| samples.disturbed).sum();
    if disturbed > 0 {
        let of = all.len() * all[0].ns.len();
        println!("\n{disturbed} of {of} samples stayed disturbed.");
    }
}

/// The beginning of a line: the median, the ratio to `base` and its interval.
pub fn line(samples: &Samples, base: &Samples) -> String {
    let ratio = Ratio::of(samples, base);
    format!(
        "| {} | {} | {:.2} | {:.2}–{:.2} |",
        samples.name,
        figure(median(&samples.ns)),
        ratio.median,
        ratio.low,
        ratio.high,
    )
}

/// What was left for later, per operation.
pub fn put_off(samples: &Samples) -> String {
    match median(&samples.drain_ns) {
        0.0 => "–".to_owned(),
        ns => figure(ns),
    }
}

/// A number with as many decimals as it can bear.
pub fn figure(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        v if v >= 10_000.0 => thousands(v),
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// A whole number with commas.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Opens the list of targets.
pub fn targets() {
    println!("\n| target | limit | measured | |\n|---|---:|---:|---|");
}

/// A ratio that shall be at most `limit`: met if the upper end of its interval is within 5 % of that.
pub fn ratio_at_most(what: &str, ratio: Ratio, limit: f64) {
    let met = ratio.high <= limit * 1.05;
    println!(
        "| {what} | ≤ {limit:.2} | {} | {} |",
        interval(ratio),
        verdict(met)
    );
}

/// A ratio near 1, whose interval shall not reach beyond `limit`: the 5 % would be more than what is asked about.
pub fn bound_at_most(what: &str, ratio: Ratio, limit: f64) {
    let met = verdict(ratio.high <= limit);
    let Ratio { median, low, high } = ratio;
    println!("| {what} | ≤ {limit:.3} | {median:.3} ({low:.3}–{high:.3}) | {met} |");
}

/// A ratio that shall be at least `limit`: met if the lower end of its interval is within 5 % of that.
pub fn ratio_at_least(what: &str, ratio: Ratio, limit: f64) {
    let met = ratio.low >= limit / 1.05;
    println!(
        "| {what} | ≥ {limit:.2} | {} | {} |",
        interval(ratio),
        verdict(met)
    );
}

/// A figure that shall be at most `limit`.
pub fn at_most(what: &str, measured: f64, limit: f64) {
    let met = verdict(measured <= limit);
    println!(
        "| {what} | ≤ {} | {} | {met} |",
        figure(limit),
        figure(measured)
    );
}

/// A figure that shall be at least `limit`.
pub fn at_least(what: &str, measured: f64, limit: f64) {
    let met = verdict(measured >= limit);
    println!(
        "| {what} | ≥ {} | {} | {met} |",
        figure(limit),
        figure(measured)
    );
}

fn interval(ratio: Ratio) -> String {
    format!("{:.2} ({:.2}–{:.2})", ratio.median, ratio.low, ratio.high)
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "**missed**" }
}
