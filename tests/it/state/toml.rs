//! The state file as a setting of a file.

use super::*;

#[test]
fn a_file_and_how_often_it_is_written() {
    let service = Service::new();
    let path = service.folder.path().join("of the file.state");
    let text = format!(
        "state_file = {:?}\nstate_every = \"10s\"\n",
        path.to_str().unwrap()
    );
    let plimsoll = service.start(|builder| builder.slo(slo()).toml(&text));
    let size = || std::fs::metadata(&path).unwrap().len();
    service.work(&plimsoll, 1, 0);
    let before = size();
    service.work(&plimsoll, 9, 3);
    assert_eq!(size(), before);
    service.work(&plimsoll, 1, 3);
    assert!(size() > before, "ten seconds after the first time");
    assert!(!service.path().exists(), "a file wins over the code");
    drop(plimsoll);
    let next = service.start(|builder| builder.slo(slo()).toml(&text));
    assert_eq!(next.slos()[0].valid, 11.0);
}

#[test]
fn what_is_no_file_or_no_time_is_refused() {
    let refused = |text: &str| {
        let built = Plimsoll::builder().manual_tick().toml(text).build();
        built.unwrap_err().to_string()
    };
    for (text, says) in [
        ("state_file = \"/\"", "state_file names no file"),
        ("state_file = 7", "state_file"),
        (
            "state_file = \"x.state\"\nstate_every = \"0s\"",
            "state_every is 0",
        ),
        ("state_every = \"soon\"", "state_every"),
    ] {
        let said = refused(text);
        assert!(said.contains(says), "{text}: {said}");
    }
}
