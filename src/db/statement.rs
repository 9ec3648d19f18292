//! What a statement is, without what is in it: two that differ only in their values are one and the same.
//!
//! The text is read as tokens and never parsed, so there is nothing that it does not understand: what is no SQL comes
//! out as a row of words. Values, comments and whatever else may hold a secret are gone before anything is kept.

mod tables;
mod tokens;

pub use tokens::DoubleQuotes;
use tokens::{Token, Tokens};

/// What is looked at of a statement, in bytes: of two that differ only behind that, one is the other.
pub(crate) const LOOKED_AT: usize = 4096;

/// The verb of what is no statement that we know.
pub(crate) const OTHER: &str = "_OTHER";

/// Verbs that are told apart.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "ABORT",
    "ALTER", "ANALYZE", "ATTACH", "CALL", "CHECKPOINT", "CLOSE", "CLUSTER", "COMMENT", "COPY", "CREATE", "DEALLOCATE",
    "DECLARE", "DETACH", "DISCARD", "DO", "DROP", "END", "EXECUTE", "EXPLAIN", "FETCH", "GRANT", "LISTEN", "LOCK", "MERGE",
    "MOVE", "NOTIFY", "PRAGMA", "PREPARE", "REFRESH", "REINDEX", "REPLACE", "RESET", "REVOKE", "SET", "SHOW", "START",
    "TRUNCATE", "UNLISTEN", "USE", "VACUUM", "VALUES",
];

/// Those that `WITH` may be for.
const AFTER_WITH: &[&str] = &[
    "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES",
];

/// A statement without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// `SELECT id FROM orders WHERE id IN (?)`.
    pub(crate) text: String,
    /// `SELECT`, or [`OTHER`].
    pub(crate) verb: &'static str,
    /// `orders`: the first one that is named, empty where there is none.
    pub(crate) table: String,
    /// `SELECT orders customers`: the verb and the first tables.
    pub(crate) summary: String,
}

impl Statement {
    /// Reads the first [`LOOKED_AT`] bytes. Cost: some microseconds, a few allocations.
    pub(crate) fn of(sql: &str, quotes: DoubleQuotes) -> Self {
        let tokens = tokens_of(head(sql), quotes);
        let verb = verb(&tokens);
        let tables = tables::named(&tokens);
        let mut summary = verb.to_owned();
        for table in &tables {
            summary.push(' ');
            summary.push_str(table);
        }
        Self {
            text: text(&tokens),
            verb,
            table: tables.into_iter().next().unwrap_or_default(),
            summary,
        }
    }

    /// What stands for all that are not told apart.
    pub(crate) fn other() -> Self {
        Self {
            text: String::new(),
            verb: OTHER,
            table: crate::registry::OTHER.to_owned(),
            summary: crate::registry::OTHER.to_owned(),
        }
    }
}

/// The part of a statement that is looked at.
pub(crate) fn head(sql: &str) -> &str {
    let mut end = sql.len().min(LOOKED_AT);
    while !sql.is_char_boundary(end) {
        end -= 1;
    }
    &sql[..end]
}

/// The tokens, lists of values and repeated rows reduced to their first.
fn tokens_of(sql: &str, quotes: DoubleQuotes) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::with_capacity(sql.len() / 4);
    for token in Tokens(sql, quotes) {
        match (tokens.as_slice(), token) {
            ([.., Token::Value, Token::Sign(',')], Token::Value) => _ = tokens.pop(),
            ([.., Token::Value], Token::Value) => {}
            (_, Token::Sign(')')) => {
                tokens.push(token);
                drop_repeated_row(&mut tokens);
            }
            _ => tokens.push(token),
        }
    }
    while let Some(Token::Sign(';' | ',')) = tokens.last() {
        tokens.pop();
    }
    tokens
}

/// Of two equal rows in parentheses, one after the other with a comma between them, drops the second.
fn drop_repeated_row(tokens: &mut Vec<Token<'_>>) {
    let Some(second) = opening(tokens) else {
        return;
    };
    if second == 0 || tokens[second - 1] != Token::Sign(',') {
        return;
    }
    let before = &tokens[..second - 1];
    let Some(first) = opening(before) else {
        return;
    };
    if before[first..] == tokens[second..] {
        tokens.truncate(second - 1);
    }
}

/// Where the parenthesis was opened that the last token closes.
fn opening(tokens: &[Token<'_>]) -> Option<usize> {
    if tokens.last() != Some(&Token::Sign(')')) {
        return None;
    }
    let mut depth = 0_usize;
    tokens.iter().rposition(|token| {
        match token {
            Token::Sign(')') => depth += 1,
            Token::Sign('(') => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

/// The first verb; after `WITH` and its queries the one that they are for.
fn verb(tokens: &[Token<'_>]) -> &'static str {
    let known = |token: &Token<'_>| match token {
        Token::Word(word) => VERBS.iter().find(|verb| word.eq_ignore_ascii_case(verb)),
        _ => None,
    };
    let first = tokens.iter().find(|token| **token != Token::Sign('('));
    let first = first.and_then(known).copied().unwrap_or(OTHER);
    if first != "WITH" {
        return first;
    }
    let mut depth = 0_i32;
    let main = tokens.iter().skip(1).find_map(|token| {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            _ => {}
        }
        known(token).filter(|verb| depth == 0 && AFTER_WITH.contains(verb))
    });
    main.copied().unwrap_or(first)
}

/// The tokens as text, spaced as one would write them.
fn text(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    let mut before = None;
    let mut tight = true;
    for token in tokens {
        let sign = match token {
            Token::Sign(sign) => Some(*sign),
            _ => None,
        };
        let belongs = matches!(sign, Some(',' | ')' | '.' | ';' | ':' | ']'));
        if !tight && !belongs && !is_operator(before, sign) {
            text.push(' ');
        }
        match token {
            Token::Word(word) => text.push_str(word),
            Token::Value => text.push('?'),
            Token::Sign(':') => text.push_str("::"),
            Token::Sign(sign) => text.push(*sign),
        }
        tight = matches!(sign, Some('(' | '.' | ':' | '['));
        before = sign;
    }
    text
}

/// Whether two signs are one operator, or the better part of one: `<=`, `||`, `->>`.
fn is_operator(first: Option<char>, second: Option<char>) -> bool {
    let (Some(first), Some(second)) = (first, second) else {
        return false;
    };
    match second {
        '=' => matches!(first, '<' | '>' | '!'),
        '>' => matches!(first, '<' | '-' | '=' | '>' | '@' | '#'),
        '<' | '|' | '&' | '~' => first == second || (first, second) == ('!', '~'),
        '@' => first == '<',
        '*' => first == '~',
        _ => false,
    }
}

#[cfg(test)]
mod tests;
