//! `plimsoll runbook` and `plimsoll metrics` give what the declaration gives.

use std::process::{Command, Output};

use super::super::dashboards::shipped;

const API: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/examples/declarations/api.toml"
);

fn plimsoll(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(arguments).output().unwrap()
}

#[test]
fn pages_are_written_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("ops/runbook");
    let into = into.to_str().unwrap();
    for _ in 0..2 {
        let done = plimsoll(&["runbook", API, "--output", into]);
        assert_eq!(done.status.code(), Some(0), "{done:?}");
        for (path, page) in shipped("api").runbook() {
            let written = std::fs::read_to_string(format!("{into}/{path}")).unwrap();
            assert_eq!(written, page);
        }
    }
    // A file in the place of the folder.
    let taken = format!("{into}/README.md");
    let refused = plimsoll(&["runbook", API, "--output", &taken]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains(&taken), "{said}");
}

#[test]
fn the_catalogue_is_printed() {
    let done = plimsoll(&["metrics", API]);
    assert_eq!(done.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(done.stdout).unwrap(),
        shipped("api").catalogue()
    );
}
