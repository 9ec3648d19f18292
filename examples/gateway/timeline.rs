//! What happened when, and whether it all has its cause.

use std::collections::BTreeMap;
use std::time::Instant;

use parking_lot::Mutex;
use plimsoll::{Event, EventKind};

/// Faults and edges, as they come.
#[derive(Debug)]
pub struct Timeline {
    start: Instant,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Budgets that a fault so far can have breached.
    expected: Vec<&'static str>,
    /// (breaches, recoveries) per budget.
    edges: BTreeMap<String, (u64, u64)>,
    without_cause: Vec<String>,
}

impl Timeline {
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            seen: Mutex::default(),
        }
    }

    pub fn edge(&self, event: &Event) {
        eprintln!("{event} t={:.1}s", self.start.elapsed().as_secs_f64());
        let mut seen = self.seen.lock();
        if !seen.expected.contains(&&*event.budget) {
            seen.without_cause.push(event.to_string());
        }
        let (breaches, recoveries) = seen.edges.entry(event.budget.to_string()).or_default();
        match event.kind {
            EventKind::Breach => *breaches += 1,
            _ => *recoveries += 1,
        }
    }

    pub fn fault(&self, what: &str, begins: bool, breaches: &'static [&'static str]) {
        let edge = if begins { "begins" } else { "ends" };
        eprintln!(
            "FAULT {edge}: {what} t={:.1}s",
            self.start.elapsed().as_secs_f64()
        );
        if begins {
            self.seen.lock().expected.extend(breaches);
        }
    }

    /// Whether every fault had its edges, each once, and every edge its fault.
    pub fn verdict(&self) -> Result<(), String> {
        let seen = self.seen.lock();
        if let Some(event) = seen.without_cause.first() {
            return Err(format!("an edge without a fault: {event}"));
        }
        for &budget in &seen.expected {
            match seen.edges.get(budget) {
                Some((1, 1)) => {}
                Some((breaches, recoveries)) => {
                    return Err(format!(
                        "{budget}: {breaches} breaches and {recoveries} recoveries instead of one each"
                    ));
                }
                None => return Err(format!("{budget}: not breached by its fault")),
            }
        }
        Ok(())
    }
}
