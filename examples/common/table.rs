//! What was counted, for people.

use plimsoll::Plimsoll;

/// One line per operation: how many there were, how many failed, and three quantiles.
pub(crate) fn print(plimsoll: &Plimsoll) {
    println!(
        "{:<62} {:>8} {:>7} {:>11} {:>11} {:>11}",
        "operation", "count", "errors", "p50", "p95", "p99"
    );
    for operation in plimsoll.stats().operations {
        // A query's own name is its operation and model, which stand before it.
        let labels = operation.labels.iter().filter(|label| label.0 != "query");
        let labels: Vec<&str> = labels.map(|(_, value)| value.as_str()).collect();
        let name = format!("{} {}", operation.kind, labels.join(" "));
        let ms = |seconds: Option<f64>| {
            seconds.map_or("-".to_owned(), |seconds| format!("{:.3} ms", seconds * 1e3))
        };
        let [p50, p95, p99] = [operation.p50, operation.p95, operation.p99].map(ms);
        println!(
            "{name:<62} {:>8} {:>7} {p50:>11} {p95:>11} {p99:>11}",
            operation.count, operation.errors
        );
    }
}
