//! Which label values a budget speaks of.

/// What the value of a label must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pattern {
    /// This text.
    Exact(String),
    /// This text, in which each `*` stands for any run of characters, an empty one too.
    Wild(String),
}

impl Pattern {
    /// Of a value as it was declared. The star of a route's `{*rest}` is no pattern.
    pub(crate) fn new(value: &str) -> Self {
        if value.replace("{*", "").contains('*') {
            Self::Wild(value.to_owned())
        } else {
            Self::Exact(value.to_owned())
        }
    }

    /// The one value that fits, if there are no others.
    pub(crate) fn exact(&self) -> Option<&str> {
        match self {
            Self::Exact(value) => Some(value),
            Self::Wild(_) => None,
        }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(value) => value == text,
            Self::Wild(pattern) => fits(pattern, text),
        }
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    // The leftmost place leaves most to what comes after.
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_star_of_a_template_is_no_pattern() {
        let exact = |value| Pattern::new(value).exact().is_some();
        assert!(exact("/files/{*path}") && exact("/a"));
        assert!(!exact("/files/*") && !exact("/*/{*path}"));
        assert!(Pattern::new("/*/{*path}").matches("/files/{*path}"));
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        let matches = |pattern: &str, text: &str| Pattern::new(pattern).matches(text);
        for (pattern, text) in [
            ("/api/*", "/api/devices/{id}"),
            ("/api/*", "/api/"),
            ("*", ""),
            ("*/health", "/a/health"),
            ("/a*b*b", "/a-b-b-b"),
            ("/files/{*path}", "/files/{*path}"),
            ("/a", "/a"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("/api/*", "/api"),
            ("/api/*", "/v1/api/a"),
            ("ab*ba", "aba"),
            ("/a*b*b", "/a-b"),
            ("/a", "/a/b"),
            ("/files/{*path}", "/files/a"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
