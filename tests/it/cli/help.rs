//! The examples of `--help`, run as they are written.

use std::path::Path;
use std::process::{Command, Output};

use super::specs::SLOTH;
use super::{Shop, text};

/// The names of all commands.
fn commands() -> Vec<String> {
    let help = Shop::new().printed(&["help"]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let lines = commands.lines().map_while(|line| line.strip_prefix("  "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn examples(command: &str) -> Vec<String> {
    let help = Shop::new().printed(&[command, "--help"]);
    assert!(!help.contains('\u{1b}'), "no colours in a file: {help}");
    let (_, examples) = help
        .split_once("\nExample: ")
        .unwrap_or_else(|| panic!("{command} has no example: {help}"));
    let examples: Vec<_> = examples
        .lines()
        .map(|line| line.trim().to_owned())
        .collect();
    let begin = format!("plimsoll {command} ");
    assert!(
        examples.iter().all(|example| example.starts_with(&begin)),
        "{help}"
    );
    examples
}

/// In a folder with `shop.toml` and `slos.yaml`, as whoever reads it types it.
fn typed(shop: &Shop, example: &str) -> Output {
    shop.write("slos.yaml", SLOTH);
    let binary = Path::new(env!("CARGO_BIN_EXE_plimsoll")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    Command::new("sh")
        .args(["-c", example])
        .current_dir(shop.path("."))
        .env("HOME", shop.path("."))
        .env("PATH", format!("{}:{path}", binary.display()))
        .output()
        .unwrap()
}

#[test]
fn every_command_has_examples_that_work() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    for command in commands() {
        for example in examples(&command) {
            let output = typed(
                &Shop::new(),
                &example.replace("http://127.0.0.1:9090", &nobody),
            );
            let said = text(&output.stderr);
            // `shop.toml` has warnings.
            let expected = match () {
                () if example.contains("--prometheus") => 2,
                () if example.contains("--strict") => 1,
                () => 0,
            };
            assert_eq!(output.status.code(), Some(expected), "{example}: {said}");
            let refused = said.contains(&format!("{nobody} cannot be reached"));
            assert_eq!(refused, expected == 2, "{example}: {said}");
        }
    }
}

#[test]
fn examples_that_make_files_work_on_every_declaration_of_the_crate() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/declarations");
    for entry in std::fs::read_dir(folder).unwrap() {
        let declared = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let shop = Shop::new();
        shop.write("shop.toml", &declared);
        for command in [
            "rules",
            "dashboards",
            "alertmanager",
            "prometheus",
            "runbook",
            "metrics",
        ] {
            for example in examples(command) {
                let output = typed(&shop, &example);
                let said = text(&output.stderr);
                assert_eq!(output.status.code(), Some(0), "{example}: {said}");
            }
        }
    }
}
