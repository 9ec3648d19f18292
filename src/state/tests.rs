#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::process::Command;

use tempfile::TempDir;

use super::format::{decode, encode};
use super::write::{replace, write_whole};
use super::*;

const SECTIONS: [(&str, &[u8]); 3] = [
    ("band/checkout", b"what was learned"),
    ("empty", b""),
    ("windows", &[0, 255, 0x89]),
];

fn file(folder: &TempDir) -> StateFile {
    StateFile::new(folder.path().join("plimsoll.state"))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there");
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("it is there")
                .file_name()
                .into_string()
                .expect("it is there")
        })
        .collect();
    names.sort();
    names
}

fn holds(loaded: &Loaded, sections: &[(&str, &[u8])]) -> bool {
    loaded.warnings.is_empty()
        && loaded.sections.len() == sections.len()
        && sections
            .iter()
            .all(|(name, bytes)| loaded.sections[*name] == *bytes)
}

fn damage_of(loaded: &Loaded) -> Damage {
    assert!(loaded.sections.is_empty());
    match loaded.warnings[..] {
        [Warning::SetAside { damage, .. }] => damage,
        ref other => panic!("{other:?}"),
    }
}

/// Runs this test once more, as its child, in another environment.
fn again(test: &str, through: impl FnOnce(&Path) -> Command) {
    let folder = tempfile::tempdir().expect("it is there");
    let program = folder.path().join("tests");
    fs::copy(std::env::current_exe().expect("it is there"), &program).expect("it is there");
    set_mode(folder.path(), 0o755);
    let output = through(&program)
        .args(["--exact", &format!("state::tests::{test}")])
        .env("PLIMSOLL_CHILD", "1")
        .output()
        .expect("it is there");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

fn is_child() -> bool {
    std::env::var_os("PLIMSOLL_CHILD").is_some()
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is there");
}

#[test]
fn no_file_is_a_fresh_start() {
    let folder = tempfile::tempdir().expect("it is there");
    assert!(holds(&file(&folder).load(), &[]));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn what_was_stored_is_loaded_and_only_the_latest() {
    let folder = tempfile::tempdir().expect("it is there");
    file(&folder).store(&SECTIONS).expect("it is there");
    assert!(holds(&file(&folder).load(), &SECTIONS));
    file(&folder).store(&SECTIONS[..1]).expect("it is there");
    assert!(holds(&file(&folder).load(), &SECTIONS[..1]));
    file(&folder).store(&[]).expect("it is there");
    assert!(holds(&file(&folder).load(), &[]));
    assert_eq!(names(folder.path()), ["plimsoll.state"]);
}

#[test]
fn only_the_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("it is there");
    file(&folder).store(&SECTIONS).expect("it is there");
    let mode = fs::metadata(file(&folder).path())
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_cut_at_any_byte_is_torn() {
    let whole = encode(&SECTIONS).expect("it is there");
    for length in 0..whole.len() {
        assert_eq!(
            decode(&whole[..length]),
            Err(Damage::Torn),
            "{length} bytes"
        );
    }
    assert!(decode(&whole).is_ok());
    let longer = [&whole[..], b"\0"].concat();
    assert_eq!(decode(&longer), Err(Damage::Torn));
}

#[test]
fn any_changed_byte_is_noticed() {
    let whole = encode(&SECTIONS).expect("it is there");
    for place in 0..whole.len() {
        for change in 1..=255 {
            let mut damaged = whole.clone();
            damaged[place] ^= change;
            let damage = decode(&damaged).unwrap_err();
            match place {
                0..8 => assert_eq!(damage, Damage::Foreign),
                8..10 => assert!(matches!(damage, Damage::Newer(_) | Damage::Torn)),
                _ => assert_eq!(damage, Damage::Torn, "byte {place} ^ {change}"),
            }
        }
    }
}

#[test]
fn a_torn_file_is_set_aside_and_the_next_store_begins_anew() {
    let folder = tempfile::tempdir().expect("it is there");
    let state = file(&folder);
    let whole = encode(&SECTIONS).expect("it is there");
    fs::write(state.path(), &whole[..30]).expect("it is there");
    let loaded = state.load();
    assert_eq!(damage_of(&loaded), Damage::Torn);
    let [Warning::SetAside { aside, .. }] = &loaded.warnings[..] else {
        unreachable!()
    };
    assert_eq!(fs::read(aside).expect("it is there"), whole[..30]);
    let name = aside
        .file_name()
        .expect("it is there")
        .to_str()
        .expect("it is there");
    let seconds = name
        .strip_prefix("plimsoll.state.set-aside-")
        .expect("it is there");
    assert!(seconds.parse::<u64>().expect("it is there") > 1_700_000_000);
    let said = loaded.warnings[0].to_string();
    assert!(
        said.contains("is cut off or damaged: it is now") && said.contains(name),
        "{said}"
    );

    assert!(holds(&state.load(), &[]));
    state.store(&SECTIONS).expect("it is there");
    assert!(holds(&state.load(), &SECTIONS));
}

#[test]
fn a_foreign_and_a_newer_file_are_told_apart() {
    let folder = tempfile::tempdir().expect("it is there");
    let state = file(&folder);
    fs::write(state.path(), "[service]\nname = \"gateway\"\n").expect("it is there");
    assert_eq!(damage_of(&state.load()), Damage::Foreign);
    let mut newer = encode(&SECTIONS).expect("it is there");
    newer[8] = 2;
    fs::write(state.path(), newer).expect("it is there");
    let loaded = state.load();
    assert_eq!(damage_of(&loaded), Damage::Newer(2));
    let said = loaded.warnings[0].to_string();
    assert!(
        said.contains("has format 2, and this version knows 1 at most"),
        "{said}"
    );
}

#[test]
fn sections_that_claim_more_than_there_is_are_refused() {
    let mut claims = encode(&[("a", b"b")]).expect("it is there");
    claims.truncate(claims.len() - 4);
    let length = claims.len() - 9..claims.len() - 1;
    claims[length].copy_from_slice(&u64::MAX.to_le_bytes());
    claims.extend(crc32fast::hash(&claims).to_le_bytes());
    assert_eq!(decode(&claims), Err(Damage::Torn));
}

#[test]
fn a_huge_file_is_not_read() {
    let folder = tempfile::tempdir().expect("it is there");
    let state = file(&folder);
    let huge = fs::File::create(state.path()).expect("it is there");
    huge.set_len(10 << 30).expect("it is there"); // sparse
    assert_eq!(damage_of(&state.load()), Damage::TooLarge);
}

#[test]
fn the_latest_files_set_aside_are_kept() {
    let folder = tempfile::tempdir().expect("it is there");
    let state = file(&folder);
    let neighbour = folder.path().join("plimsoll.state.set-aside-by-hand");
    fs::write(&neighbour, "not ours").expect("it is there");
    for round in 0..KEPT_ASIDE + 2 {
        fs::write(state.path(), format!("foreign {round}")).expect("it is there");
        assert_eq!(damage_of(&state.load()), Damage::Foreign);
    }
    let aside = |name: &String| name.contains("set-aside-") && !name.contains("by-hand");
    let kept: Vec<_> = names(folder.path()).into_iter().filter(aside).collect();
    let contents: Vec<_> = kept
        .iter()
        .map(|name| fs::read_to_string(folder.path().join(name)).expect("it is there"))
        .collect();
    assert_eq!(contents, ["foreign 2", "foreign 3", "foreign 4"]);
    assert!(neighbour.exists());
}

#[test]
fn a_folder_in_its_place_is_left_alone() {
    let folder = tempfile::tempdir().expect("it is there");
    let state = file(&folder);
    fs::create_dir(state.path()).expect("it is there");
    let loaded = state.load();
    assert!(matches!(loaded.warnings[..], [Warning::Unreadable { .. }]));
    let error = state.store(&SECTIONS).unwrap_err();
    assert!(
        matches!(&error, StoreError::Io { error, .. } if error.kind() == ErrorKind::IsADirectory)
    );
    assert_eq!(names(folder.path()), ["plimsoll.state"]);
    assert_eq!(names(state.path()), [""; 0]);
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().expect("it is there");
    let state = StateFile::new(folder.path().join("missing/plimsoll.state"));
    assert!(holds(&state.load(), &[]));
    let said = state.store(&SECTIONS).unwrap_err().to_string();
    assert!(
        said.contains("missing/plimsoll.state was not written"),
        "{said}"
    );
}

#[test]
fn without_permission_nothing_is_read_or_written() {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir().expect("it is there");
    if fs::metadata(folder.path()).expect("it is there").uid() == 0 {
        // Root may do everything: so as nobody.
        return again("without_permission_nothing_is_read_or_written", |program| {
            let mut command = Command::new(program);
            command.uid(65_534).gid(65_534).current_dir("/");
            command
        });
    }
    let state = file(&folder);
    state.store(&SECTIONS).expect("it is there");
    set_mode(state.path(), 0o000);
    let loaded = state.load();
    let [Warning::Unreadable { error, .. }] = &loaded.warnings[..] else {
        panic!("{loaded:?}")
    };
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    set_mode(state.path(), 0o600);
    set_mode(folder.path(), 0o500);
    let refused = state.store(&[]).unwrap_err();
    assert!(
        matches!(&refused, StoreError::Io { error, .. } if error.kind() == ErrorKind::PermissionDenied)
    );
    assert!(holds(&state.load(), &SECTIONS));
    // What cannot be set aside is left, and said so.
    fs::write(state.path(), "foreign").expect("it is there");
    let loaded = state.load();
    assert!(matches!(
        loaded.warnings[..],
        [Warning::Left {
            damage: Damage::Foreign,
            ..
        }]
    ));
    set_mode(folder.path(), 0o700);
}

#[test]
fn a_write_that_ends_halfway_leaves_the_state_before() {
    if !is_child() {
        // Files end at 512 or 1,024 bytes, by the shell; beyond it the kernel refuses as it does on a full disk.
        return again(
            "a_write_that_ends_halfway_leaves_the_state_before",
            |program| {
                let mut command = Command::new("sh");
                command.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"]);
                command.arg(program);
                command
            },
        );
    }
    let folder = tempfile::tempdir().expect("it is there");
    let state = file(&folder);
    state.store(&SECTIONS).expect("it is there");
    let error = state.store(&[("more", &[7; 5_000])]).unwrap_err();
    assert!(
        matches!(&error, StoreError::Io { error, .. } if error.kind() == ErrorKind::FileTooLarge)
    );
    assert_eq!(names(folder.path()), ["plimsoll.state"]);
    assert!(holds(&state.load(), &SECTIONS));
}

#[test]
fn every_system_replaces_a_file_as_a_whole_or_not_at_all() {
    for (name, system) in [("unix", system::SYSTEM), ("portable", portable::SYSTEM)] {
        let folder = tempfile::tempdir().expect("it is there");
        let path = folder.path().join("plimsoll.state");
        for bytes in [&b"the first"[..], b"", b"the latest"] {
            replace(&path, bytes, &system).expect("it is there");
            assert_eq!(fs::read(&path).expect("it is there"), bytes, "{name}");
        }
        let again = (system.create_private)(&path).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists, "{name}");
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("by a folder")).expect("it is there");
        replace(&taken, b"bytes", &system).unwrap_err();
        let missing = replace(&path.join("missing"), b"bytes", &system).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotADirectory, "{name}");
        assert_eq!(names(folder.path()), ["plimsoll.state", "taken"], "{name}");
        assert_eq!(
            fs::read(&path).expect("it is there"),
            b"the latest",
            "{name}"
        );
        std::thread::scope(|scope| {
            for writer in [1, 2] {
                let (path, system) = (&path, &system);
                scope.spawn(move || {
                    let replaced = (0..20).map(|_| replace(path, &[writer; 20_000], system));
                    assert!({ replaced }.all(|done| done.is_ok()));
                });
            }
        });
        let last = fs::read(&path).expect("it is there");
        assert!(last == [1; 20_000] || last == [2; 20_000], "{name}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let full = OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("it is there");
    let error = write_whole(full, b"state").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
}

#[test]
fn of_two_writers_at_once_one_wins_and_readers_see_a_whole_file() {
    let folder = tempfile::tempdir().expect("it is there");
    let state = file(&folder);
    let of = |writer: u8| [("a", vec![writer; 20_000]), ("b", vec![writer; 10])];
    let store = |writer: u8| {
        let sections = of(writer);
        let sections = [
            (sections[0].0, &sections[0].1[..]),
            (sections[1].0, &sections[1].1[..]),
        ];
        file(&folder).store(&sections).expect("it is there");
    };
    store(1);
    std::thread::scope(|scope| {
        for writer in [1, 2] {
            scope.spawn(move || (0..50).for_each(|_| store(writer)));
        }
        for _ in 0..200 {
            let loaded = state.load();
            assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
            let writer = loaded.sections["b"][0];
            assert_eq!(loaded.sections["a"], [writer; 20_000]);
            assert_eq!(loaded.sections["b"], [writer; 10]);
        }
    });
    assert_eq!(names(folder.path()), ["plimsoll.state"]);
}

#[test]
fn names_and_sizes_that_do_not_fit_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("it is there");
    let state = file(&folder);
    let long = "n".repeat(256);
    for name in ["", long.as_str()] {
        let error = state.store(&[(name, b"")]).unwrap_err();
        assert!(matches!(error, StoreError::Section(_)));
    }
    let error = state.store(&[("a", b""), ("a", b"")]).unwrap_err();
    assert!(matches!(error, StoreError::Section(name) if name == "a"));
    let most = vec![0; MAX_BYTES as usize];
    let error = state.store(&[("a", &most)]).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge(bytes) if bytes > MAX_BYTES));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_path_without_a_folder_is_one_in_the_current_folder() {
    let folder = tempfile::tempdir_in(".").expect("it is there");
    let name =
        PathBuf::from(folder.path().file_name().expect("it is there")).with_extension("state");
    let state = StateFile::new(&name);
    state.store(&SECTIONS).expect("it is there");
    let loaded = state.load();
    fs::remove_file(&name).expect("it is there");
    assert!(holds(&loaded, &SECTIONS));
}
