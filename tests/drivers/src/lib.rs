//! What the tests have in common.

/// The sum of the samples of a page in the text format with this name and these labels, whatever others they have; 0 if there
/// are none.
pub fn value(page: &str, name: &str, labels: &[(&str, &str)]) -> f64 {
    let wanted: Vec<String> = (labels.iter())
        .map(|(key, value)| format!("{key}=\"{value}\""))
        .collect();
    let values = page.lines().filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let labels = series.strip_prefix(name)?.strip_prefix('{')?;
        let found = wanted.iter().all(|label| labels.contains(label));
        found.then(|| value.parse::<f64>().expect("a number"))
    });
    values.sum()
}
