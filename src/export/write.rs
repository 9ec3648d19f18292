//! How numbers, names and labels are written: what the text formats have in common.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The name and labels of one line, and the space before its value.
pub(super) fn line(out: &mut Vec<u8>, name: &str, suffix: &str, labels: &[u8]) {
    push(out, &[name, suffix]);
    if !labels.is_empty() {
        out.push(b'{');
        out.extend_from_slice(labels);
        out.push(b'}');
    }
    out.push(b' ');
}

/// In seconds, to the millisecond.
pub(super) fn timestamp(out: &mut Vec<u8>, since_epoch: Duration) {
    let millis = since_epoch.subsec_millis();
    let _ = write!(out, "{}.{millis:03}", since_epoch.as_secs());
}

/// 0 before 1970.
pub(super) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

pub(super) fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

pub(super) fn integer(out: &mut Vec<u8>, value: u64) {
    digits(out, value);
    out.push(b'\n');
}

pub(super) fn digits(out: &mut Vec<u8>, value: u64) {
    let _ = write!(out, "{value}");
}

/// The shortest digits that read back as the same number, in the form that Prometheus gives to `le` itself.
///
/// Whole numbers read `10.0`: a server that does not rewrite `le` then stores what one that does would.
pub(super) fn float(out: &mut Vec<u8>, value: f64) {
    let special = match value {
        _ if value.is_nan() => "NaN",
        f64::INFINITY => "+Inf",
        f64::NEG_INFINITY => "-Inf",
        _ => "",
    };
    if !special.is_empty() {
        push(out, &[special]);
    } else if value == 0.0 || (1e-4..1e6).contains(&value.abs()) {
        let _ = write!(out, "{value:?}");
    } else {
        scientific(out, value);
    }
}

/// With a sign and at least two digits in the exponent, as `1e+06`.
fn scientific(out: &mut Vec<u8>, value: f64) {
    let start = out.len();
    let _ = write!(out, "{value:e}");
    let Some(e) = out[start..].iter().position(|&byte| byte == b'e') else {
        return;
    };
    let digits = start + e + 1;
    let exponent = std::str::from_utf8(&out[digits..]).map(str::parse);
    let exponent: i32 = exponent.map_or(0, Result::unwrap_or_default);
    out.truncate(digits);
    let _ = write!(out, "{exponent:+03}");
}

/// Escapes what would end the line, and with `quotes` the quote as well.
pub(super) fn escape(out: &mut Vec<u8>, text: &str, quotes: bool) {
    let special = |c: char| matches!(c, '\\' | '\n') || quotes && c == '"';
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        let escaped = match rest.as_bytes()[at] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        };
        push(out, &[&rest[..at], escaped]);
        rest = &rest[at + 1..];
    }
    push(out, &[rest]);
}
