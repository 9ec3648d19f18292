//! The tables that a statement names.

use super::tokens::{Token, unquoted};

/// Tables that a summary names.
const TABLES: usize = 3;

/// The longest name that is kept, in bytes.
const MAX_NAME: usize = 64;

/// What stands between the word that announces a table and its name.
const BETWEEN: &[&str] = &["ONLY", "TABLE", "IF", "NOT", "EXISTS", "LATERAL"];

/// What a copy comes from instead of a table.
const NO_TABLE: &[&str] = &["STDIN", "PROGRAM"];

/// Functions with a `FROM` of their own.
const WITH_FROM: &[&str] = &["EXTRACT", "SUBSTRING", "TRIM", "OVERLAY"];

/// The names of the first tables, without their schemas and quotes, in the order in which they come.
pub(super) fn named(tokens: &[Token<'_>]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut at = 0;
    while at < tokens.len() && found.len() < TABLES {
        at = match announced(tokens, at) {
            Some(list) => names(tokens, at + 1, list, &mut found),
            None => at + 1,
        };
    }
    found
}

/// Whether the word here announces a table; if so, whether a list of them.
fn announced(tokens: &[Token<'_>], at: usize) -> Option<bool> {
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    let after = |words: &[&str]| before.is_some_and(|token| is(token, words));
    let next = |words: &[&str]| tokens.get(at + 1).is_some_and(|token| is(token, words));
    match &tokens[at] {
        token if is(token, &["FROM"]) => {
            let other = after(&["DISTINCT"]) || next(NO_TABLE) || in_function(&tokens[..at]);
            (!other).then_some(true)
        }
        token if is(token, &["COPY"]) => (at == 0).then_some(false),
        token if is(token, &["JOIN", "INTO", "TRUNCATE"]) => Some(false),
        token if is(token, &["TABLE"]) => (!after(&["TRUNCATE"])).then_some(false),
        token if is(token, &["UPDATE"]) => (!after(&["FOR", "DO", "KEY"])).then_some(false),
        _ => None,
    }
}

/// Whether these end within the parentheses of a function with a `FROM` of its own.
fn in_function(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_i32;
    let open = tokens.iter().rposition(|token| {
        match token {
            Token::Sign(')') => depth += 1,
            Token::Sign('(') => depth -= 1,
            _ => {}
        }
        depth < 0
    });
    let function = open.and_then(|open| open.checked_sub(1));
    function.is_some_and(|function| is(&tokens[function], WITH_FROM))
}

/// Takes a name, or a list of names with their aliases; returns where it ended.
fn names(tokens: &[Token<'_>], mut at: usize, list: bool, found: &mut Vec<String>) -> usize {
    loop {
        while tokens.get(at).is_some_and(|token| is(token, BETWEEN)) {
            at += 1;
        }
        let Some(&Token::Word(mut name)) = tokens.get(at) else {
            return at;
        };
        while let [Token::Sign('.'), Token::Word(part), ..] = &tokens[at + 1..] {
            (name, at) = (part, at + 2);
        }
        at += 1;
        let called = list && tokens.get(at) == Some(&Token::Sign('('));
        if !called && !is_defined(tokens, name) {
            keep(unquoted(name), found);
        }
        if !list || called {
            return at;
        }
        // An alias, with or without `AS`.
        let alias = |at: usize| matches!(tokens.get(at), Some(Token::Word(_)));
        let comma = |at: usize| tokens.get(at) == Some(&Token::Sign(','));
        let next = (at..at + 3).find(|&next| !alias(next)).unwrap_or(at);
        if !comma(next) {
            return at;
        }
        at = next + 1;
    }
}

/// Whether the statement itself defines this name: `WITH name AS (..)`, with or without its columns.
fn is_defined(tokens: &[Token<'_>], name: &str) -> bool {
    let mut at = tokens.iter().enumerate();
    is_with(tokens)
        && at.any(|(at, token)| {
            *token == Token::Word(name)
                && at > 0
                && (is(&tokens[at - 1], &["WITH", "RECURSIVE"])
                    || tokens[at - 1] == Token::Sign(','))
                && tokens
                    .get(at + 1)
                    .is_some_and(|next| is(next, &["AS"]) || *next == Token::Sign('('))
        })
}

fn is_with(tokens: &[Token<'_>]) -> bool {
    tokens.first().is_some_and(|token| is(token, &["WITH"]))
}

fn keep(name: &str, found: &mut Vec<String>) {
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let name = &name[..end];
    if !found.iter().any(|known| known == name) {
        found.push(name.to_owned());
    }
}

fn is(token: &Token<'_>, words: &[&str]) -> bool {
    let Token::Word(word) = token else {
        return false;
    };
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}
