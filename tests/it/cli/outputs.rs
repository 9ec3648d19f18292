//! Where it writes to: files, what looks like one, and what somebody else reads.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use super::{SHOP, Shop, files, text};

#[test]
fn a_link_is_followed_and_a_file_keeps_who_may_read_it() {
    let shop = Shop::new();
    shop.write("rules.yml", "old");
    let target = shop.path("rules.yml");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("rules.yml", shop.path("link.yml")).unwrap();
    shop.printed(&["rules", "shop.toml", "-o", "link.yml"]);
    let printed = shop.printed(&["rules", "shop.toml"]);
    assert_eq!(fs::read_to_string(&target).unwrap(), printed);
    assert!(
        fs::symlink_metadata(shop.path("link.yml"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(
        fs::metadata(&target).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert_eq!(shop.files(), ["link.yml", "rules.yml", "shop.toml"]);
}

#[test]
fn what_is_no_file_is_written_to_and_stays_what_it_is() {
    let shop = Shop::new();
    symlink("/dev/stdout", shop.path("out")).unwrap();
    let printed = shop.printed(&["rules", "shop.toml"]);
    assert_eq!(shop.printed(&["rules", "shop.toml", "-o", "out"]), printed);
    assert!(fs::symlink_metadata(shop.path("out")).unwrap().is_symlink());
    assert_eq!(shop.files(), ["out", "shop.toml"]);
}

#[test]
fn whoever_stops_reading_is_no_failure_and_a_full_disk_is() {
    let shop = Shop::new();
    let warned =
        "[[budget]]\nname = \"depth\"\non = \"http\"\nsli = \"error_ratio\"\nat_most = 0.1\n";
    shop.write("shop.toml", &format!("{SHOP}{warned}"));
    for command in ["check", "rules"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args([command, "shop.toml"])
            .current_dir(shop.path("."))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), &*said), (Some(0), ""));
    }
    #[cfg(target_os = "linux")]
    for command in ["check", "rules"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args([command, "shop.toml"])
            .current_dir(shop.path("."))
            .stdout(full)
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with("standard output: "), "{said}");
    }
}

#[test]
fn a_folder_is_written_as_a_whole_or_not_at_all() {
    let shop = Shop::new();
    fs::create_dir(shop.path("book")).unwrap();
    shop.write("book/availability", "somebody's");
    let refused = |args: &[&str], words: &str| {
        let output = shop.run(args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    };
    refused(
        &["runbook", "shop.toml", "-o", "book"],
        "availability: is a file, and a folder is wanted",
    );
    assert_eq!(files(&shop.path("book")), ["availability"]);
    refused(
        &["dashboards", "shop.toml", "-o", "shop.toml"],
        "shop.toml: is a file, and a folder is wanted",
    );
    refused(
        &["rules", "shop.toml", "-o", "book"],
        "book: is a folder, and a file is wanted",
    );
    refused(
        &["rules", "shop.toml", "-o", "none/rules.yml"],
        "its folder is not there: make it first",
    );
    shop.printed(&["runbook", "shop.toml", "-o", "new/book"]);
    assert!(files(&shop.path("new/book")).contains(&"README.md".to_owned()));
}
