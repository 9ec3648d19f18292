//! `promtool` of two versions.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll::expr::Dialect;

/// Each version's promtool, and whose arithmetic it has.
pub(crate) fn versions() -> [(PathBuf, Dialect); 2] {
    let prometheus3 =
        std::env::var_os("PLIMSOLL_PROMETHEUS3").expect("PLIMSOLL_PROMETHEUS3: tests/run sets it");
    [
        (PathBuf::from("promtool"), Dialect::V2_42),
        (
            Path::new(&prometheus3).with_file_name("promtool"),
            Dialect::V3,
        ),
    ]
}

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("plimsoll-promtool-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    /// What promtool says about it, and whether it is content.
    pub(crate) fn run(&self, promtool: &Path, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(promtool);
        let output = command
            .current_dir(&self.0)
            .args(arguments)
            .output()
            .expect("promtool is there");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Which of these expressions Prometheus refuses, and what it says.
pub(crate) fn refused(promtool: &Path, exprs: &[&str]) -> (Vec<usize>, String) {
    let folder = Folder::new();
    let rule = |expr: &&str| {
        let quoted = serde_json::to_string(expr).unwrap();
        format!("  - {{record: r, expr: {quoted}}}\n")
    };
    let rules: String = exprs.iter().map(rule).collect();
    folder.write(
        "rules.yml",
        &format!("groups:\n- name: g\n  rules:\n{rules}"),
    );
    let (_, said) = folder.run(promtool, &["check", "rules", "rules.yml"]);
    let numbers = (1..=exprs.len()).filter(|number| said.contains(&format!(", rule {number}, ")));
    (numbers.map(|number| number - 1).collect(), said)
}
