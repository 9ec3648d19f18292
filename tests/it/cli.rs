//! The command, as it is run.

#[cfg(unix)]
mod help;
mod mistakes;
#[cfg(unix)]
mod outputs;
mod specs;
mod texts;
mod warnings;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A declaration of a shop, small enough to read what comes of it.
const SHOP: &str = r#"service = "shop"

[[budget]]
name = "checkout-errors"
on = "http"
labels = { route = "/checkout" }
sli = "error_ratio"
warning = 0.05
critical = { limit = 0.1, for = "1m" }
min_events = 20

[[slo]]
name = "availability"
on = "http"
objective = 0.999
rolling = 30
"#;

/// A folder with the declaration in `shop.toml`.
struct Shop(tempfile::TempDir);

impl Shop {
    fn new() -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        std::fs::write(shop.path("shop.toml"), SHOP).unwrap();
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the command in the folder.
    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// What it prints if all is well.
    fn printed(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Everything in the folder.
    fn files(&self) -> Vec<String> {
        files(self.0.path())
    }
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
