//! Where two engines of regular expressions would not agree.

/// What in a pattern this process would read otherwise than Prometheus, or what only one of both reads.
pub(super) fn foreign(pattern: &str) -> Option<String> {
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(char) = rest.chars().next() {
        let tail = &rest[char.len_utf8()..];
        let wrong = match char {
            '\\' => escape(tail),
            '[' if in_class => starts(rest, &["["]).filter(|_| !rest.starts_with("[:")),
            '&' | '-' | '~' if in_class => starts(rest, &["&&", "--", "~~"]),
            '(' => flags(tail, pattern.is_ascii()),
            '{' => starts(rest, &["{,"]),
            _ => None,
        };
        if wrong.is_some() {
            return wrong;
        }
        // A bracket in front is one of the class, and so is what a backslash stands before.
        let skipped = match char {
            '\\' => tail.chars().next().map_or(0, char::len_utf8),
            '[' if !in_class => {
                in_class = true;
                let negated = usize::from(tail.starts_with('^'));
                negated + usize::from(tail[negated..].starts_with(']'))
            }
            '[' => tail.find(":]").map_or(0, |end| end + 2),
            ']' => {
                in_class = false;
                0
            }
            _ => 0,
        };
        rest = &tail[skipped..];
    }
    None
}

fn starts(rest: &str, wrong: &[&str]) -> Option<String> {
    let found = wrong.iter().find(|wrong| rest.starts_with(**wrong));
    found.map(|wrong| (*wrong).to_owned())
}

fn escape(tail: &str) -> Option<String> {
    let code = tail.chars().next()?;
    let word = code.is_ascii_alphanumeric() || matches!(code, '<' | '>');
    let known = "dDsSwWbBAzntrfvax".contains(code) && !tail.starts_with("b{");
    (word && !known).then(|| format!("\\{code}"))
}

/// Upper and lower case beyond ASCII are not known here.
fn flags(tail: &str, ascii: bool) -> Option<String> {
    let flags = tail.strip_prefix('?')?;
    if flags.starts_with("P<") {
        return None;
    }
    let end = flags.find([':', ')']).unwrap_or(flags.len());
    let known = |flag: char| matches!(flag, 'm' | 's' | 'U' | '-') || (flag == 'i' && ascii);
    (!flags[..end].chars().all(known)).then(|| format!("(?{}", &flags[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_in_two_ways_is_found() {
        let wrong = [
            ("\\pL", "\\p"),
            ("\\<a", "\\<"),
            ("a\\b{start}", "\\b"),
            ("\\u0041", "\\u"),
            ("[a&&b]", "&&"),
            ("[a--b]", "--"),
            ("[a~~b]", "~~"),
            ("[[a]b]", "["),
            ("a{,5}", "{,"),
            ("(?x)a", "(?x"),
            ("(?i)é", "(?i"),
            ("(?R:a)", "(?R"),
            ("(?<n>a)", "(?<n>a"),
        ];
        for (pattern, part) in wrong {
            assert_eq!(foreign(pattern).as_deref(), Some(part), "{pattern}");
        }
        let fine = [
            "",
            "a|b",
            "5..",
            ".*",
            "\\d+\\.\\w",
            "[^a-z&-]",
            "[]a]",
            "[^]-]",
            "[[:alpha:]_]",
            "(?i)get",
            "(?s:.)(?P<n>a)",
            "a{2,}b{1,3}",
            "\\\\[a]",
            "\\[a&&b",
            "é+",
            "--&&~~",
            "[\\]&a]",
            "\\x41",
        ];
        for pattern in fine {
            assert_eq!(foreign(pattern), None, "{pattern}");
        }
    }
}
