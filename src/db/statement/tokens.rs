//! SQL as tokens, in whichever dialect: words, signs, and values of which nothing is kept.

/// A piece of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword or a name, quotes included.
    Word(&'a str),
    /// A literal or a placeholder.
    Value,
    /// Anything else, one character at a time.
    Sign(char),
}

/// What double quotes stand around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum DoubleQuotes {
    /// Names, as in the standard.
    #[default]
    Names,
    /// Literals, as in MySQL.
    Literals,
}

/// Reads tokens off the front of a text; comments and white space are none.
#[derive(Debug)]
pub(super) struct Tokens<'a>(pub(super) &'a str, pub(super) DoubleQuotes);

impl<'a> Tokens<'a> {
    /// Takes so many bytes, at most up to the end of the text, which may be in the middle of a literal.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !is(c)).unwrap_or(self.0.len());
        self.take(end)
    }

    /// Takes everything through `end`, which may be missing.
    fn take_through(&mut self, end: &str) -> &'a str {
        let at = self.0.find(end).map(|at| at + end.len());
        self.take(at.unwrap_or(self.0.len()))
    }

    /// Drops white space and comments. `#` begins one in MySQL only, but in PostgreSQL only operators do.
    fn skip(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            let is_line = self.0.starts_with("--")
                || self.0.starts_with('#')
                    && !self.0.starts_with("#>")
                    && !self.0.starts_with("#-");
            if is_line {
                self.take_through("\n");
            } else if self.0.starts_with("/*") {
                self.skip_block();
            } else {
                return;
            }
        }
    }

    /// Drops a block comment; they nest, as in PostgreSQL.
    fn skip_block(&mut self) {
        let mut depth = 0;
        loop {
            let next = [self.0.find("/*"), self.0.find("*/")];
            match next {
                [Some(open), Some(close)] if open < close => {
                    self.take(open + 2);
                    depth += 1;
                }
                [_, Some(close)] => {
                    self.take(close + 2);
                    depth -= 1;
                }
                [_, None] => {
                    self.take(self.0.len());
                    return;
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Takes a quoted piece whose opening quote is next; a doubled quote stands for itself.
    fn take_quoted(&mut self, quote: char, backslash: Backslash) -> &'a str {
        let mut chars = self.0.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match (c, backslash) {
                ('\\', Backslash::Escapes) => _ = chars.next(),
                // An end or not, as the dialect has it: so nothing from here on is known not to be a value.
                ('\\', Backslash::Unclear) if chars.peek().is_some_and(|next| next.1 == quote) => {
                    break;
                }
                _ if c == quote && chars.next_if(|next| next.1 == quote).is_none() => {
                    return self.take(at + c.len_utf8());
                }
                _ => {}
            }
        }
        self.take(self.0.len())
    }

    /// Takes a dollar-quoted literal or a numbered placeholder.
    fn take_dollar(&mut self) -> Token<'a> {
        let tag = self.0[1..].find(|c| !is_name(c)).map(|at| at + 1);
        if let Some(end) = tag.filter(|&end| self.0[end..].starts_with('$')) {
            let tag = self.take(end + 1);
            self.take_through(tag);
        } else {
            self.take(1);
            self.take_while(is_name);
        }
        Token::Value
    }

    fn take_word(&mut self) -> Token<'a> {
        let word = self.take_while(|c| is_name(c) || c == '$');
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        if self.0.starts_with('\'') && ["e", "b", "x", "n"].into_iter().any(is) {
            let backslash = if is("e") {
                Backslash::Escapes
            } else {
                Backslash::Unclear
            };
            self.take_quoted('\'', backslash);
            return Token::Value;
        }
        if ["true", "false", "null"].into_iter().any(is) {
            return Token::Value;
        }
        Token::Word(word)
    }
}

/// What a backslash in a literal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backslash {
    /// Nothing.
    Plain,
    /// It escapes what follows.
    Escapes,
    /// Either, as the dialect has it.
    Unclear,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip();
        let mut chars = self.0.chars();
        let (first, second) = (chars.next()?, chars.next().unwrap_or(' '));
        match first {
            '\'' => _ = self.take_quoted('\'', Backslash::Unclear),
            '"' if self.1 == DoubleQuotes::Literals => {
                self.take_quoted('"', Backslash::Unclear);
            }
            '"' => return Some(quoted(self.take_quoted('"', Backslash::Unclear))),
            '`' => return Some(quoted(self.take_quoted('`', Backslash::Plain))),
            '[' if is_name(second) && !second.is_ascii_digit() => {
                return Some(quoted(self.take_through("]")));
            }
            '$' => return Some(self.take_dollar()),
            ':' | '@' if is_name(second) => {
                self.take(1);
                self.take_while(is_name);
            }
            '?' => {
                self.take(1);
                self.take_while(|c| c.is_ascii_digit());
            }
            '0'..='9' => _ = self.take_while(|c| is_name(c) || c == '.'),
            _ if is_name(first) => return Some(self.take_word()),
            // A cast, which is no placeholder.
            ':' if second == ':' => {
                self.take(2);
                return Some(Token::Sign(':'));
            }
            _ => {
                self.take(first.len_utf8());
                return Some(Token::Sign(first));
            }
        }
        Some(Token::Value)
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A quoted name, or what looks like a literal, as all does that has no end.
fn quoted(text: &str) -> Token<'_> {
    let inner = unquoted(text);
    let is_closed = text.len() > 1 && text.ends_with(['"', '`', ']']);
    let is_plain = |c| is_name(c) || matches!(c, '.' | '-' | '$');
    if is_closed && !inner.is_empty() && inner.chars().all(is_plain) {
        Token::Word(text)
    } else {
        Token::Value
    }
}

/// A name without its quotes.
pub(super) fn unquoted(name: &str) -> &str {
    name.trim_matches(['"', '`', '[', ']'])
}
