//! How far names are from each other.

/// Levenshtein's distance: how many characters are to be changed, added or taken away.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, right) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn changes_additions_and_omissions_are_counted_by_character() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("depth", "depth", 0),
            ("depht", "depth", 2),
            ("kitten", "sitting", 3),
            ("straße", "strasse", 2),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }
}
