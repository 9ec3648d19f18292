//! What is seen to before the grammar: bounds, literals, and what stands between the parser's reading and Prometheus'.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::CharIndices;
use std::time::Duration;

use super::{ParseError, shown};
use crate::expr::print::{Quoted, Range};

const MAX_BYTES: usize = 64 << 10;
/// The canonical form puts two parentheses around a part at most.
const MAX_DEPTH: usize = 2 * super::MAX_DEPTH;
const MAX_OPERATORS: usize = 200;

/// The text with its comments gone, its strings and ranges in canonical form, and nothing in it that is read in two ways.
pub(super) fn scan(text: &str) -> Result<String, ParseError> {
    if text.len() > MAX_BYTES {
        let long = format!(
            "has {} bytes: split what is longer than {MAX_BYTES} into recording rules",
            text.len()
        );
        return Err(ParseError::new("the expression", long));
    }
    Scanner::new(text).run()
}

struct Scanner<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
    out: String,
    depth: usize,
    operators: usize,
    in_braces: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            chars: text.char_indices().peekable(),
            out: String::with_capacity(text.len()),
            depth: 0,
            operators: 0,
            in_braces: false,
        }
    }

    fn run(mut self) -> Result<String, ParseError> {
        while let Some((at, char)) = self.chars.next() {
            match char {
                '#' => {
                    self.skip(|char| char != '\n' && char != '\r');
                }
                '"' | '\'' | '`' => self.string(at, char)?,
                '[' => self.range(at)?,
                '@' if !self.in_braces => return Err(ParseError::new("@", AT)),
                '0'..='9' | '.' if !self.in_braces => self.number(at)?,
                'a'..='z' | 'A'..='Z' | '_' | ':' => self.word(at)?,
                _ => self.sign(char)?,
            }
        }
        Ok(self.out)
    }

    /// Passes over the characters that `wanted` wants; where the first other one is.
    fn skip(&mut self, wanted: impl Fn(char) -> bool) -> usize {
        while self.chars.next_if(|next| wanted(next.1)).is_some() {}
        self.chars.peek().map_or(self.text.len(), |next| next.0)
    }

    fn sign(&mut self, char: char) -> Result<(), ParseError> {
        match char {
            '(' | '{' => self.depth += 1,
            ')' | '}' => self.depth = self.depth.saturating_sub(1),
            '+' | '-' | '*' | '/' | '%' | '^' | '=' | '!' | '<' | '>' if !self.in_braces => {
                self.operators += 1;
            }
            _ => {}
        }
        match char {
            '{' => self.in_braces = true,
            '}' => self.in_braces = false,
            _ => {}
        }
        self.out.push(char);
        self.bounded()
    }

    fn bounded(&self) -> Result<(), ParseError> {
        let many = match (self.depth > MAX_DEPTH, self.operators > MAX_OPERATORS) {
            (true, _) => format!("is nested more than {MAX_DEPTH} deep"),
            (_, true) => format!("has more than {MAX_OPERATORS} operators"),
            _ => return Ok(()),
        };
        let message = many + ": split it into recording rules";
        Err(ParseError::new(shown(self.text), message))
    }

    fn word(&mut self, from: usize) -> Result<(), ParseError> {
        let to = self.skip(|char| char.is_ascii_alphanumeric() || char == '_' || char == ':');
        let word = &self.text[from..to];
        let next = self.text[to..].trim_start().chars().next();
        match (&*word.to_ascii_lowercase(), self.in_braces) {
            // The name of a label, which the parser takes in quotes only.
            ("or", true) if next.is_some_and(|char| char == '=' || char == '!') => {
                let _ = write!(self.out, "{}", Quoted(word));
                return Ok(());
            }
            ("or", true) => return Err(ParseError::new("or", OR)),
            ("and" | "or" | "unless" | "atan2", false) => self.operators += 1,
            ("offset", false) if next.is_some_and(|char| "+-.0123456789".contains(char)) => {
                return Err(ParseError::new(word, OFFSET));
            }
            ("smoothed" | "anchored", false) if self.out.trim_end().ends_with([']', '}']) => {
                return Err(ParseError::new(word, SMOOTHED));
            }
            _ => {}
        }
        self.out.push_str(word);
        self.bounded()
    }

    /// Numbers that Go and Rust read alike; others are refused.
    fn number(&mut self, from: usize) -> Result<(), ParseError> {
        let mut to = self.skip(|char| char.is_ascii_alphanumeric() || char == '_' || char == '.');
        let hex =
            self.text[from..to].starts_with(['0']) && self.text[from..to].contains(['x', 'X']);
        if self.text[from..to].ends_with(['e', 'E']) && !hex {
            let signed = self.chars.next_if(|next| next.1 == '+' || next.1 == '-');
            if signed.is_some() {
                to = self.skip(|char| char.is_ascii_alphanumeric() || char == '_' || char == '.');
            }
        }
        let text = &self.text[from..to];
        if parse_duration(text).is_ok() {
            return Err(ParseError::new(
                text,
                "is a duration where a number is needed: write it in seconds",
            ));
        }
        let digits = text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok().map(f64::from),
            None if digits && text.starts_with('0') => None,
            None => text.parse::<f64>().ok().filter(|value| value.is_finite()),
        };
        let value = value.ok_or_else(|| ParseError::new(text, NUMBER))?;
        // A number's text is its shortest decimal form, without an exponent.
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    fn range(&mut self, from: usize) -> Result<(), ParseError> {
        let to = self.skip(|char| char != ']');
        if self.chars.next().is_none() {
            return Err(ParseError::new(shown(&self.text[from..]), "lacks its ]"));
        }
        let (whole, inner) = (&self.text[from..=to], self.text[from + 1..to].trim());
        if inner.contains(':') {
            return Err(ParseError::new(shown(whole), SUBQUERY));
        }
        let range = parse_duration(inner).ok().filter(|range| !range.is_zero());
        let range = range.ok_or_else(|| ParseError::new(shown(whole), RANGE))?;
        let _ = write!(self.out, "[{}]", Range(range));
        Ok(())
    }

    fn string(&mut self, from: usize, quote: char) -> Result<(), ParseError> {
        let mut value = String::new();
        loop {
            let next = self.chars.next().map(|next| next.1);
            match next {
                Some(char) if char == quote => break,
                Some('\\') if quote != '`' => value.push(self.escaped(quote)?),
                Some('\n') if quote != '`' => {
                    return Err(ParseError::new(shown(&self.text[from..]), UNCLOSED));
                }
                Some(char) => value.push(char),
                None => return Err(ParseError::new(shown(&self.text[from..]), UNCLOSED)),
            }
        }
        let _ = write!(self.out, "{}", Quoted(&value));
        Ok(())
    }

    /// What stands behind a backslash, as Go reads it; bytes by number are refused, for they need not be characters.
    fn escaped(&mut self, quote: char) -> Result<char, ParseError> {
        let code = self.chars.next().map_or(' ', |next| next.1);
        Ok(match code {
            '\\' => '\\',
            char if char == quote => quote,
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'v' => '\x0b',
            'u' => self.code_point(code, 4)?,
            'U' => self.code_point(code, 8)?,
            other => return Err(ParseError::new(format!("\\{other}"), ESCAPE)),
        })
    }

    fn code_point(&mut self, code: char, digits: usize) -> Result<char, ParseError> {
        let hex: String = (0..digits)
            .filter_map(|_| Some(self.chars.next()?.1))
            .collect();
        let all = hex.len() == digits && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(&hex, 16).ok().filter(|_| all);
        number
            .and_then(char::from_u32)
            .ok_or_else(|| ParseError::new(format!("\\{code}{hex}"), ESCAPE))
    }
}

/// A duration as Prometheus writes it: `1h30m`, units from years to milliseconds, the longest first, each at most once.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const UNITS: [(&str, u64); 7] = [
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    const LONGEST_MS: u64 = 100 * 365 * 86_400_000;
    let (mut rest, mut total, mut units) = (text, 0_u64, &UNITS[..]);
    if text.is_empty() {
        return Err(DURATION);
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let at = units
            .iter()
            .position(|known| known.0 == unit)
            .ok_or(DURATION)?;
        let part = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(units[at].1));
        total = total.checked_add(part.ok_or(DURATION)?).ok_or(DURATION)?;
        (units, rest) = (&units[at + 1..], tail);
    }
    match total <= LONGEST_MS {
        true => Ok(Duration::from_millis(total)),
        false => Err("is longer than a hundred years"),
    }
}

const DURATION: &str =
    "is no duration: write whole numbers with units, the longest first, such as 1h30m, 5s or 250ms";
const RANGE: &str = "is no range: write a duration with its unit, such as [5m] or [1h30m]";
const SUBQUERY: &str = "subqueries are not evaluated in this process: record the inner expression by a rule, and take the range of what it recorded";
const AT: &str = "fixed moments of evaluation are not supported in this process: leave @ out";
const OFFSET: &str =
    "values of an earlier time are not evaluated in this process: leave the offset out";
const SMOOTHED: &str = "experimental modifiers are not evaluated in this process: leave it out";
const OR: &str = "alternatives between matchers are not PromQL: write =~ with a pattern, or two selectors with or between them";
const NUMBER: &str = "is no number that every version of Prometheus reads: write it in decimals, such as 1500, 0.5 or 1.5e3";
const ESCAPE: &str = "is no escape that can be read: write the character itself, or \\u with four hexadecimal digits";
const UNCLOSED: &str = "lacks its closing quote on the same line";
