//! Contenders take turns in one process, so that whatever else the machine does befalls them alike.
//!
//! One thread is timed by its own CPU time, which stands still while others run. Two threads are timed by the wall,
//! because waiting for a lock must count, and a sample during which the kernel took a core away is taken again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Rounds per comparison.
pub const ROUNDS: usize = 101;
/// How often a disturbed sample of two threads is taken again before it counts as it is.
const TRIES: usize = 12;
/// A sample lasts at least this long, unless the job says otherwise or the sample holds [`MOST_OPS`].
const SAMPLE_NS: f64 = 250_000.0;
const MOST_OPS: usize = 1 << 17;

/// One contender.
pub struct Job<'a> {
    name: &'a str,
    run: Box<dyn Fn(usize, usize) + Sync + 'a>,
    sample_ns: f64,
    prepare: Option<Box<dyn Fn() + Sync + 'a>>,
    drain: Option<Box<dyn Fn() + Sync + 'a>>,
    single: bool,
}

impl<'a> Job<'a> {
    /// `run(first, ops)` does `ops` operations, beginning at the `first` of its input.
    pub fn new(name: &'a str, run: impl Fn(usize, usize) + Sync + 'a) -> Self {
        Self {
            name,
            run: Box::new(run),
            sample_ns: SAMPLE_NS,
            prepare: None,
            drain: None,
            single: false,
        }
    }

    /// A contender whose operation is one call.
    pub fn call<T>(name: &'a str, work: impl Fn() -> T + Sync + 'a) -> Self {
        Self::new(name, move |_, ops| {
            for _ in 0..ops {
                std::hint::black_box(work());
            }
        })
    }

    /// How long a sample lasts at least: differences of jobs that walk over much memory need longer ones.
    pub fn sample_ns(self, sample_ns: f64) -> Self {
        Self { sample_ns, ..self }
    }

    /// What happens before every sample, unmeasured.
    pub fn prepare(mut self, prepare: impl Fn() + Sync + 'a) -> Self {
        self.prepare = Some(Box::new(prepare));
        self
    }

    /// Work that the contender puts off; timed after every sample, by the operation.
    pub fn drain(mut self, drain: impl Fn() + Sync + 'a) -> Self {
        self.drain = Some(Box::new(drain));
        self
    }

    /// A sample is one operation: it uses up what was prepared.
    pub fn single(mut self) -> Self {
        self.single = true;
        self
    }

    fn drained(&self) -> f64 {
        let Some(drain) = &self.drain else { return 0.0 };
        let start = cpu_ns();
        drain();
        cpu_ns() - start
    }

    /// How many operations fill a sample.
    fn ops(&self) -> usize {
        if self.single {
            return 1;
        }
        let mut ops = 1;
        loop {
            let start = cpu_ns();
            (self.run)(0, ops);
            let spent = cpu_ns() - start;
            self.drained();
            if spent >= self.sample_ns || ops == MOST_OPS {
                return ops;
            }
            ops *= 2;
        }
    }
}

/// What one contender took, a figure per round.
#[derive(Debug, Clone)]
pub struct Samples {
    /// The contender.
    pub name: String,
    /// Nanoseconds per operation and thread.
    pub ns: Vec<f64>,
    /// Nanoseconds per operation that were put off.
    pub drain_ns: Vec<f64>,
    /// Samples that stayed disturbed however often they were taken.
    pub disturbed: usize,
}

/// What the contender of that name took.
///
/// # Panics
///
/// If there is none.
pub fn find<'a>(all: &'a [Samples], name: &str) -> &'a Samples {
    let found = all.iter().find(|samples| samples.name == name);
    found.expect("every name is a contender's")
}

impl Samples {
    /// None yet.
    pub fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ns: Vec::new(),
            drain_ns: Vec::new(),
            disturbed: 0,
        }
    }

    /// What this took beyond `base`, round by round.
    pub fn less(&self, base: &Self) -> Self {
        let pairs = self.ns.iter().zip(&base.ns);
        Self {
            ns: pairs.map(|(this, base)| this - base).collect(),
            ..self.clone()
        }
    }

    /// The median and its 95 % interval, in nanoseconds.
    pub fn interval(&self) -> Ratio {
        Ratio::among(self.ns.clone())
    }
}

/// What two threads are timed by.
#[derive(Clone, Copy, PartialEq)]
enum Time {
    Cpu,
    Wall,
}

/// Runs every job once per round, on as many pinned threads as asked for (1 or 2).
pub fn interleave(jobs: &[Job<'_>], threads: usize) -> Vec<Samples> {
    let time = if threads == 1 { Time::Cpu } else { Time::Wall };
    interleave_by(time, jobs, threads)
}

/// The same, timed by each thread's own CPU time: for work that is long and rarely waits.
pub fn interleave_by_cpu(jobs: &[Job<'_>], threads: usize) -> Vec<Samples> {
    interleave_by(Time::Cpu, jobs, threads)
}

/// Asks every contender once per round for a figure of its own making, on one pinned thread.
pub fn interleave_figures(names: &[&str], figure: impl Fn(usize) -> f64 + Sync) -> Vec<Samples> {
    let mut all: Vec<Samples> = names.iter().map(|name| Samples::of(name)).collect();
    let rounds = || {
        pin(0);
        for round in 0..=ROUNDS {
            for at in 0..all.len() {
                let at = (at + round) % all.len();
                let ns = figure(at);
                // Round 0 warms up.
                if round > 0 {
                    all[at].ns.push(ns);
                    all[at].drain_ns.push(0.0);
                }
            }
        }
    };
    std::thread::scope(|scope| scope.spawn(rounds).join().expect("no panic"));
    all
}

fn interleave_by(time: Time, jobs: &[Job<'_>], threads: usize) -> Vec<Samples> {
    let sizes: Vec<usize> = jobs.iter().map(Job::ops).collect();
    let shared = Shared::new(threads);
    let run = |thread| {
        Worker {
            thread,
            time,
            shared: &shared,
        }
        .rounds(jobs, &sizes)
    };
    let (mut own, other) = std::thread::scope(|scope| {
        let other = (threads == 2).then(|| scope.spawn(|| run(1)));
        // A thread of its own: the caller's affinity stays as it was.
        let own = scope.spawn(|| run(0)).join().expect("no panic");
        (own, other.map(|other| other.join().expect("no panic")))
    });
    if let Some(other) = other {
        own.iter_mut()
            .zip(other)
            .for_each(|(own, other)| average(own, &other));
    }
    own
}

fn average(own: &mut Samples, other: &Samples) {
    for (own, other) in own.ns.iter_mut().zip(&other.ns) {
        *own = (*own + other) / 2.0;
    }
}

/// What the threads of a comparison see of each other.
struct Shared {
    threads: u64,
    /// Arrivals at [`Shared::meet`]. Each arrival releases what the thread did and acquires what the others did.
    arrived: AtomicU64,
    /// Preemptions seen by any thread; ordered by the meetings around it, hence `Relaxed`.
    preempted: AtomicU64,
}

impl Shared {
    fn new(threads: usize) -> Self {
        Self {
            threads: threads as u64,
            arrived: AtomicU64::new(0),
            preempted: AtomicU64::new(0),
        }
    }

    /// Waits, spinning, until every thread is here: a sleeping thread would start late.
    fn meet(&self) {
        let mine = self.arrived.fetch_add(1, Ordering::AcqRel);
        let all = (mine / self.threads + 1) * self.threads;
        while self.arrived.load(Ordering::Acquire) < all {
            std::hint::spin_loop();
        }
    }
}

struct Worker<'a> {
    thread: usize,
    time: Time,
    shared: &'a Shared,
}

impl Worker<'_> {
    fn rounds(&self, jobs: &[Job<'_>], sizes: &[usize]) -> Vec<Samples> {
        pin(self.thread);
        let mut all: Vec<Samples> = jobs.iter().map(|job| Samples::of(job.name)).collect();
        for round in 0..=ROUNDS {
            for at in 0..jobs.len() {
                // Nobody always follows the same disturbance at the same distance from the round's start.
                let at = (at + round) % jobs.len();
                let (job, ops, samples) = (&jobs[at], sizes[at], &mut all[at]);
                let (ns, drain_ns, quiet) = self.sample(job, round, ops);
                // Round 0 warms up.
                if round > 0 {
                    samples.ns.push(ns / ops as f64);
                    let done = (ops + warm_up(ops)) * self.shared.threads as usize;
                    samples.drain_ns.push(drain_ns / done as f64);
                    samples.disturbed += usize::from(!quiet);
                }
            }
        }
        all
    }

    fn sample(&self, job: &Job<'_>, round: usize, ops: usize) -> (f64, f64, bool) {
        for attempt in 1.. {
            let (ns, quiet) = self.once(job, round, ops);
            let drain_ns = if self.thread == 0 { job.drained() } else { 0.0 };
            if quiet || attempt == TRIES {
                return (ns, drain_ns, quiet);
            }
        }
        unreachable!("the last attempt returns")
    }

    fn once(&self, job: &Job<'_>, round: usize, ops: usize) -> (f64, bool) {
        let first = (round + self.thread * 7) * ops;
        if let Some(prepare) = &job.prepare {
            prepare();
        }
        // Brings back the cache lines that the others took.
        (job.run)(first, warm_up(ops));
        self.shared.meet();
        let before = self.shared.preempted.load(Ordering::Relaxed);
        let preempted = preemptions();
        self.shared.meet();
        let (wall, cpu) = (Instant::now(), cpu_ns());
        (job.run)(first, ops);
        let (cpu, wall) = (cpu_ns() - cpu, wall.elapsed().as_nanos() as f64);
        let lost = preemptions() - preempted;
        self.shared.preempted.fetch_add(lost, Ordering::Relaxed);
        self.shared.meet();
        let quiet = self.shared.preempted.load(Ordering::Relaxed) == before;
        let spent = match self.time {
            Time::Cpu => cpu,
            Time::Wall => wall,
        };
        (spent, quiet || self.shared.threads == 1)
    }
}

fn warm_up(ops: usize) -> usize {
    ops / 8
}

/// The median.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// A median ratio of per-round times and its 95 % interval.
#[derive(Debug, Clone, Copy)]
pub struct Ratio {
    /// The median.
    pub median: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Ratio {
    /// How many times as long as `base` this took, round by round.
    pub fn of(this: &Samples, base: &Samples) -> Self {
        let ratios = this.ns.iter().zip(&base.ns).map(|(this, base)| this / base);
        Self::among(ratios.collect())
    }

    fn among(mut figures: Vec<f64>) -> Self {
        figures.sort_unstable_by(f64::total_cmp);
        let rank = lower_rank(figures.len());
        Self {
            median: figures[figures.len() / 2],
            low: figures[rank],
            high: figures[figures.len() - 1 - rank],
        }
    }
}

/// The 0-based rank whose order statistic bounds the median from below with 97.5 % (binomial with p = 1/2).
fn lower_rank(rounds: usize) -> usize {
    let mut probability = 0.5_f64.powi(rounds as i32);
    let mut below = 0.0;
    for rank in 0..rounds {
        below += probability;
        if below > 0.025 {
            return rank.saturating_sub(1);
        }
        probability *= (rounds - rank) as f64 / (rank + 1) as f64;
    }
    0
}

fn pin(core: usize) {
    // SAFETY: the set is plain data, zero is its empty value, and the kernel only reads it.
    let refused = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set)
    };
    assert_eq!(refused, 0, "cannot pin a thread to core {core}");
}

/// The CPU time of this thread in nanoseconds.
fn cpu_ns() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the kernel fills the structure.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// How often the kernel took the core away from this thread.
fn preemptions() -> u64 {
    // SAFETY: plain data that the kernel fills.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage
    };
    usage.ru_nivcsw as u64
}

#[cfg(test)]
mod tests {
    use super::lower_rank;

    #[test]
    fn order_statistics_bound_the_median() {
        // The textbook's ranks, counted from 1: 14 of 41 and 23 of 61.
        assert_eq!(lower_rank(41), 13);
        assert_eq!(lower_rank(61), 22);
    }
}
