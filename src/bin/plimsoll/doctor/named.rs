//! One family that is asked for by its name.

use std::collections::BTreeSet;

use super::{Finding, Patient, families, spelling};
use crate::prometheus::{Error, Prometheus, quoted};

/// As families are named.
pub(super) fn name(text: &str) -> Result<String, String> {
    let sound = |char: char| char.is_ascii_alphanumeric() || "_:".contains(char);
    let begins = !text.starts_with(|char: char| char.is_ascii_digit());
    match !text.is_empty() && begins && text.chars().all(sound) {
        true => Ok(text.to_owned()),
        false => Err(
            "is no name of a family: write it without labels, such as http_server_request_duration_seconds"
                .to_owned(),
        ),
    }
}

/// What is no part of the declaration, and not there either.
pub(super) fn unknown(patient: &Patient<'_>, name: &str) -> Finding {
    let known = &patient.known;
    let what = format!("{name} is not there, and no part of the declaration");
    let by_this = known.iter().map(String::as_str);
    if let Some(namesake) = patient.declaration.namesake(name, by_this) {
        let of = match namesake.asked == namesake.shown {
            true => "there it has another prefix or is renamed".to_owned(),
            false => format!(
                "it is a name of the profile {}, and the declaration is of {}",
                namesake.asked, namesake.shown
            ),
        };
        return Finding::new(
            format!("{what}: {of}"),
            format!("ask for {}", namesake.name),
        );
    }
    let mend = match spelling::near(name, known) {
        Some(near) => format!("did you mean {near}?"),
        None => "see whether it is spelt so; one of the service's own is there once its instrument is registered, \
                 and part of the declaration by `expect_families`"
            .to_owned(),
    };
    Finding::new(what, mend)
}

/// What is no part of the declaration, and there under other jobs.
pub(super) fn of_others(
    patient: &Patient<'_>,
    there: &BTreeSet<String>,
    prometheus: &Prometheus,
) -> Result<Option<Finding>, Error> {
    let Some(name) = patient.unknown() else {
        return Ok(None);
    };
    if families::is_there(name, there) {
        return Ok(None);
    }
    let jobs = prometheus.query(&format!("count by (job) ({{__name__={}}})", quoted(name)))?;
    let jobs: Vec<_> = jobs.iter().map(|sample| sample.label("job")).collect();
    let job = patient.declaration.job();
    Ok((!jobs.is_empty()).then(|| {
        Finding::new(
            format!(
                "{name} is not there for the job {job:?}, but for {}",
                jobs.join(", ")
            ),
            "ask with the declaration of that service, or say what the job is called: `job` in [generate]",
        )
    }))
}
