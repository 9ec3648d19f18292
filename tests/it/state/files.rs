//! Files that are not what they should be: the instance says so, and goes on.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn kinds(plimsoll: &Plimsoll) -> Vec<&'static str> {
    let mut kinds: Vec<_> = warned(plimsoll).into_iter().map(|(kind, _)| kind).collect();
    kinds.sort_unstable();
    kinds
}

fn valid(plimsoll: &Plimsoll) -> f64 {
    plimsoll.slos()[0].valid
}

#[test]
fn a_file_that_is_cut_anywhere_is_a_fresh_start() {
    let service = Service::new();
    let first = service.start(|builder| builder.slo(slo().reachable_burn_alerts()));
    service.work(&first, 5, 2);
    drop(first);
    let whole = fs::read(service.path()).unwrap();
    for cut in 0..whole.len() {
        fs::write(service.path(), &whole[..cut]).unwrap();
        let next = service.start(|builder| builder.slo(slo()));
        assert_eq!(kinds(&next), ["state_file"], "{cut}");
        assert_eq!(valid(&next), 0.0, "{cut}");
    }
    fs::write(service.path(), &whole).unwrap();
    let next = service.start(|builder| builder.slo(slo()));
    assert_eq!((warned(&next), valid(&next)), (vec![], 5.0));
}

#[test]
fn a_byte_that_is_another_is_a_fresh_start() {
    let service = Service::new();
    let first = service.start(|builder| builder.slo(slo()));
    service.work(&first, 5, 2);
    drop(first);
    let whole = fs::read(service.path()).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(service.path(), &bytes).unwrap();
        let next = service.start(|builder| builder.slo(slo()));
        assert_eq!(
            (kinds(&next), valid(&next)),
            (vec!["state_file"], 0.0),
            "{at}"
        );
    }
}

#[test]
fn a_folder_in_its_place_is_warned_of_and_left() {
    let service = Service::new();
    fs::create_dir(service.path()).unwrap();
    let plimsoll = service.start(|builder| builder.slo(slo()));
    service.work(&plimsoll, 3, 0);
    assert_eq!(
        kinds(&plimsoll),
        ["state_file"; 2],
        "neither read nor written"
    );
    assert_eq!(valid(&plimsoll), 3.0);
    drop(plimsoll);
    assert!(service.path().is_dir());
}

#[test]
fn a_folder_that_is_not_there_is_warned_of() {
    let service = Service::new();
    let missing = service.folder.path().join("missing/plimsoll.state");
    let plimsoll = service.start(|builder| builder.slo(slo()).state_file(missing));
    service.work(&plimsoll, 3, 0);
    assert_eq!(kinds(&plimsoll), ["state_file"]);
    let warning = plimsoll.warnings().remove(0).to_string();
    assert!(warning.contains("was not written"), "{warning}");
}

#[test]
fn a_full_device_is_warned_of() {
    let service = Service::new();
    symlink("/dev/full", service.path()).unwrap();
    let plimsoll = service.start(|builder| builder.slo(slo()));
    assert_eq!(kinds(&plimsoll), ["state_file"], "a device is no file");
    service.work(&plimsoll, 3, 0);
    drop(plimsoll);
    // The link was replaced, not followed.
    let next = service.start(|builder| builder.slo(slo()));
    assert_eq!((warned(&next), valid(&next)), (vec![], 3.0));
}

#[test]
fn of_two_instances_with_one_file_the_first_writes_until_it_is_gone() {
    let service = Service::new();
    let first = service.start(|builder| builder.slo(slo()));
    service.work(&first, 10, 0);
    let second = service.start(|builder| builder.slo(slo()).state_every(SECOND));
    service.work(&second, 1, 0);
    assert_eq!(kinds(&second), ["state_file"]);
    let warning = second.warnings().remove(0).to_string();
    assert!(warning.contains("is kept by another instance"), "{warning}");
    let before = fs::read(service.path()).unwrap();
    service.work(&second, 5, 0);
    assert_eq!(fs::read(service.path()).unwrap(), before);
    drop(first);
    service.work(&second, 1, 0);
    assert_ne!(fs::read(service.path()).unwrap(), before);
    drop(second);
}

#[test]
fn a_file_from_the_future_is_neither_taken_nor_overwritten() {
    let service = Service::new();
    let ahead = Service::new();
    ahead.clock.advance(HOUR + 10 * SECOND);
    let first = ahead.start(|builder| builder.slo(slo()));
    ahead.work(&first, 10, 0);
    drop(first);
    fs::copy(ahead.path(), service.path()).unwrap();
    let before = fs::read(service.path()).unwrap();
    let second = service.start(|builder| builder.slo(slo()));
    service.work(&second, 5, 0);
    assert_eq!(
        (kinds(&second), valid(&second)),
        (vec!["state_dropped"], 5.0)
    );
    drop(second);
    assert_eq!(fs::read(service.path()).unwrap(), before);
}

#[test]
fn what_a_clock_that_was_set_back_saw_later_is_left_out() {
    let service = Service::new();
    let ahead = Service::new();
    ahead.clock.advance(MINUTE);
    let first = ahead.start(|builder| builder.slo(slo()));
    ahead.work(&first, 100, 0);
    drop(first);
    fs::copy(ahead.path(), service.path()).unwrap();
    // Half of what was seen is yet to come.
    service.clock.advance(MINUTE + 50 * SECOND);
    let second = service.start(|builder| builder.slo(slo()));
    service.work(&second, 10, 0);
    let slo = second.slos().remove(0);
    assert_eq!(
        (warned(&second), slo.valid),
        (vec![], 10.0),
        "one step of an hour"
    );
    assert!(slo.burn_rates.iter().all(|rate| rate.rate == Some(0.0)));
    assert!(slo.period.coverage <= 10.0 / (30.0 * 86_400.0));
}
