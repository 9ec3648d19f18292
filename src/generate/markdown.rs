//! What people named, where it must not mean anything to Markdown or Mermaid.

/// On one line, with everything escaped that Markdown reads.
pub(super) fn text(plain: &str) -> String {
    let mut escaped = String::with_capacity(plain.len());
    for char in plain.chars() {
        match char {
            '\n' | '\r' | '\t' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | '~'
            | '!' | '$' => {
                escaped.push('\\');
                escaped.push(char);
            }
            _ => escaped.push(char),
        }
    }
    escaped
}

/// A block of code.
pub(super) fn block(language: &str, code: &str) -> String {
    // A fence ends at one as long as itself.
    let mut fence = "```".to_owned();
    while code.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{code}\n{fence}\n")
}

/// As the label of a node in Mermaid, quotes included.
pub(super) fn node(plain: &str) -> String {
    let mut label = String::from("\"");
    for char in plain.chars() {
        match char {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | ',' | '?' | ':' | '-' | '÷' | '\'' => {
                label.push(char);
            }
            other => label += &format!("#{};", u32::from(other)),
        }
    }
    label + "\""
}

/// As one word of a shell.
pub(super) fn shell(plain: &str) -> String {
    format!("'{}'", plain.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_users_is_markup() {
        assert_eq!(
            text("a|b\n*c* <d> [e](f) `g` {{h}}"),
            r"a\|b \*c\* \<d\> \[e\](f) \`g\` \{\{h\}\}"
        );
        assert_eq!(node("a \"b\""), "\"a #34;b#34;\"");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert!(block("", "```").starts_with("````\n"));
    }
}
