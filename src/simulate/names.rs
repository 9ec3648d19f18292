//! Names that are not there, and those that may have been meant.

use crate::naming::distance;

/// `did you mean "a"? Others that are declared: "b", "c"`, the most alike first, without regard to upper and lower case.
pub(crate) fn suggested(
    name: &str,
    known: &[String],
    show: impl Fn(&str) -> String,
    are: &str,
) -> String {
    let edits = |known: &str| distance(&name.to_lowercase(), &known.to_lowercase());
    let near = (name.chars().count() / 3).max(2);
    let known = known.iter();
    let mut known: Vec<(usize, &String)> = known.map(|known| (edits(known), known)).collect();
    known.sort();
    known.dedup();
    let is_alike = |known: &(usize, &String)| known.0 <= near || known.1.contains(name);
    let (alike, others): (Vec<_>, Vec<_>) = known.into_iter().partition(is_alike);
    let listed = |names: Vec<(usize, &String)>, between: &str| {
        let names: Vec<_> = names.into_iter().map(|name| show(name.1)).collect();
        names.join(between)
    };
    match (listed(alike, " or "), listed(others, ", ")) {
        (alike, others) if alike.is_empty() && others.is_empty() => format!("none is {are}"),
        (alike, others) if alike.is_empty() => format!("{are} are {others}"),
        (alike, others) if others.is_empty() => format!("did you mean {alike}?"),
        (alike, others) => format!("did you mean {alike}? Others that are {are}: {others}"),
    }
}

#[cfg(test)]
mod tests {
    use super::suggested;

    #[test]
    fn what_is_there_is_said_the_most_alike_first() {
        let of = |name: &str, known: &[&str]| {
            let known: Vec<_> = known.iter().map(|&known| known.to_owned()).collect();
            suggested(name, &known, str::to_owned, "set")
        };
        assert_eq!(of("depht", &[]), "none is set");
        assert_eq!(of("depht", &["latency", "queue"]), "set are queue, latency");
        assert_eq!(of("depht", &["depth"]), "did you mean depth?");
        assert_eq!(
            of("depht", &["latency", "depth", "DEPTH"]),
            "did you mean DEPTH or depth? Others that are set: latency"
        );
    }
}
