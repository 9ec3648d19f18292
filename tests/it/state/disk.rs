//! A disk that gives trouble while the process runs: it goes on, the old file stays whole, one warning says so.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use plimsoll::state::StateFile;

use super::*;

/// Starts that writes at every tick.
fn eager(service: &Service) -> Plimsoll {
    service.start(|builder| builder.slo(slo()).state_every(SECOND))
}

/// How many operations the next process would know of.
fn remembered(service: &Service) -> f64 {
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("copy.state");
    fs::copy(service.path(), &path).unwrap();
    let next = service.start(|builder| builder.slo(slo()).state_file(path));
    assert_eq!(warned(&next), []);
    next.slos()[0].valid
}

fn state_warnings(plimsoll: &Plimsoll) -> usize {
    let warned = warned(plimsoll).into_iter();
    warned.filter(|warning| warning.0 == "state_file").count()
}

/// Runs this test once more, as its child: with `sh -c` before it, or as somebody who may not do everything.
fn again(test: &str, through: impl FnOnce(&Path) -> Command) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("it");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let output = through(&program)
        .args(["--exact", &format!("state::disk::{test}")])
        .env("PLIMSOLL_CHILD", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

fn is_child() -> bool {
    std::env::var_os("PLIMSOLL_CHILD").is_some()
}

#[test]
fn a_file_that_is_removed_is_written_again() {
    let service = Service::new();
    let plimsoll = eager(&service);
    service.work(&plimsoll, 3, 0);
    fs::remove_file(service.path()).unwrap();
    service.work(&plimsoll, 1, 0);
    assert_eq!((warned(&plimsoll), remembered(&service)), (vec![], 4.0));
}

#[test]
fn a_folder_that_is_away_for_a_while_is_warned_of_once() {
    let service = Service::new();
    let folder = service.folder.path().join("mounted");
    let away = service.folder.path().join("away");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("plimsoll.state");
    let configure = |builder: Builder| builder.slo(slo()).state_every(SECOND).state_file(&path);
    let plimsoll = service.start(configure);
    service.work(&plimsoll, 3, 0);
    let before = fs::read(&path).unwrap();
    fs::rename(&folder, &away).unwrap();
    service.work(&plimsoll, 10, 0);
    assert_eq!(state_warnings(&plimsoll), 1);
    let text = plimsoll.warnings()[0].to_string();
    assert!(text.contains("was not written"), "{text}");
    assert_eq!(plimsoll.slos()[0].valid, 13.0, "it goes on");
    assert_eq!(fs::read(away.join("plimsoll.state")).unwrap(), before);
    fs::rename(&away, &folder).unwrap();
    service.work(&plimsoll, 1, 0);
    assert_ne!(fs::read(&path).unwrap(), before);
    assert_eq!(state_warnings(&plimsoll), 1);
    drop(plimsoll);
    assert_eq!(service.start(configure).slos()[0].valid, 14.0);
}

#[test]
fn a_path_below_a_file_is_warned_of_and_nothing_else() {
    let service = Service::new();
    let file = service.folder.path().join("file");
    fs::write(&file, "somebody else's").unwrap();
    let path = file.join("plimsoll.state");
    let plimsoll = service.start(|builder| builder.slo(slo()).state_file(path));
    service.work(&plimsoll, 130, 0);
    assert_eq!(state_warnings(&plimsoll), 2, "neither read nor written");
    assert_eq!(plimsoll.slos()[0].valid, 130.0);
    drop(plimsoll);
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody else's");
}

#[test]
fn without_permission_the_file_stays_and_is_written_once_there_is_one() {
    let service = Service::new();
    if fs::metadata(service.folder.path()).unwrap().uid() == 0 {
        // Root may do everything: so as nobody.
        return again(
            "without_permission_the_file_stays_and_is_written_once_there_is_one",
            |program| {
                let mut command = Command::new(program);
                command.uid(65_534).gid(65_534).current_dir("/");
                command
            },
        );
    }
    let mode = |mode| {
        fs::set_permissions(service.folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    };
    let plimsoll = eager(&service);
    service.work(&plimsoll, 3, 0);
    mode(0o500);
    service.work(&plimsoll, 5, 0);
    assert_eq!((state_warnings(&plimsoll), remembered(&service)), (1, 3.0));
    mode(0o700);
    service.work(&plimsoll, 1, 0);
    assert_eq!((state_warnings(&plimsoll), remembered(&service)), (1, 9.0));
}

#[test]
fn a_disk_that_is_full_in_the_middle_leaves_the_old_file() {
    if !is_child() {
        // Files end at some kilobytes, by the shell; beyond it the kernel refuses as it does on a full disk.
        return again(
            "a_disk_that_is_full_in_the_middle_leaves_the_old_file",
            |program| {
                let mut command = Command::new("sh");
                command.args(["-c", "trap '' XFSZ; ulimit -S -f 8; exec \"$@\"", "sh"]);
                command.arg(program);
                command
            },
        );
    }
    let service = Service::new();
    let plimsoll = eager(&service);
    service.work(&plimsoll, 10, 0);
    assert_eq!(warned(&plimsoll), []);
    let mut before = Vec::new();
    for _ in 0..10_000 {
        before = fs::read(service.path()).unwrap();
        service.work(&plimsoll, 1, 3);
        if state_warnings(&plimsoll) > 0 {
            break;
        }
    }
    assert!(before.len() > 3_000, "it filled up: {}", before.len());
    service.work(&plimsoll, 10, 0);
    assert_eq!(state_warnings(&plimsoll), 1);
    assert_eq!(fs::read(service.path()).unwrap(), before);
    assert!(StateFile::new(service.path()).load().warnings.is_empty());
    let left = fs::read_dir(service.folder.path()).unwrap();
    assert_eq!(left.count(), 2, "the file and its lock");
    // There is room again.
    let room = Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid"])
        .arg(std::process::id().to_string())
        .status()
        .unwrap();
    assert!(room.success());
    let valid = plimsoll.slos()[0].valid;
    service.work(&plimsoll, 1, 0);
    assert_eq!(remembered(&service), valid + 1.0);
    assert_eq!(state_warnings(&plimsoll), 1);
}

#[test]
fn a_disk_that_hangs_delays_no_tick() {
    let service = Service::new();
    // Who opens a pipe to write waits until somebody reads.
    let lock = service.folder.path().join("plimsoll.state.lock");
    let made = Command::new("mkfifo").arg(&lock).status().unwrap();
    assert!(made.success());
    let builder = Plimsoll::builder()
        .clock(service.clock.clone())
        .tick(MINUTE)
        .slo(slo())
        .state_every(SECOND)
        .state_file(service.path());
    let plimsoll = builder.build().unwrap();
    service.work(&plimsoll, 10, 0);
    assert_eq!(plimsoll.slos()[0].valid, 10.0);
    assert!(!service.path().exists());
    let mut options = fs::File::options();
    let reader = options.read(true).write(true).open(&lock).unwrap();
    drop(plimsoll);
    drop(reader);
    assert_eq!(remembered(&service), 10.0);
}
