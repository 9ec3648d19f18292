//! What cannot be: exit code 2, a clear message, no half-written file.

use super::{Shop, files, text};

/// What is said of a mistake.
pub(super) fn refused(shop: &Shop, args: &[&str]) -> String {
    let output = shop.run(args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert_eq!(text(&output.stdout), "", "{args:?}");
    said
}

#[test]
fn a_name_that_is_not_there() {
    let shop = Shop::new();
    let said = refused(&shop, &["explain", "shop.toml", "checkout-error"]);
    assert_eq!(
        said,
        "shop.toml: no budget or SLO is named \"checkout-error\": did you mean \"checkout-errors\"? Others that are declared: \"availability\"\n"
    );
}

#[test]
fn a_file_that_cannot_be_read() {
    let shop = Shop::new();
    for command in [
        &["check", "none.toml"][..],
        &["explain", "none.toml", "x"],
        &["simulate", "none.toml"],
    ] {
        let said = refused(&shop, command);
        assert_eq!(said.matches("none.toml").count(), 1, "{said}");
        assert!(said.starts_with("none.toml: cannot be read: "), "{said}");
    }
}

#[test]
fn options_that_cannot_be() {
    let shop = Shop::new();
    let cases = [
        (["--errors", "120%"], "write 0.1% or 0.001"),
        (["--slow", "x"], "write 0.1% or 0.001"),
        (["--traffic", "-1"], "--traffic -1 is no number"),
        (["--errors", "-0.1"], "--errors -0.1 is no share"),
        (["--history", "-1h"], "--history -1h is no duration"),
        (["--seed", "-1"], "--seed -1 is no whole number from 0 to"),
        (
            ["--sede", "1"],
            "unexpected argument '--sede' found; a similar argument exists: '--seed'\n",
        ),
        (["--traffic", "NaN"], "from 0 to 1000000"),
        (["--shape", "5m bad"], "says nothing of a phase"),
        (["--shape", "good"], "does not begin with a duration"),
        (["--duration", "0s"], "is no time at all"),
        (["--duration", "400d"], "at most 92d"),
        (["--step", "1h"], "--step 1h does not fit: take 1s"),
        (
            ["--from", "tomorrow"],
            "write 2026-03-06T16:00:00Z or 2026-03-06",
        ),
        (["--from", "1969-01-01"], "from 1970 to 2400"),
        (["--from", "9999-12-31T23:00:00Z"], "from 1970 to 2400"),
        (["--until", "2026-03-06"], "--from"),
        (["--set", "queue_depth"], "queue_depth=500@10m"),
        (["--set", "queue depth=3"], "queue_depth=500@10m"),
        (
            ["--set", "plimsoll_sli_valid_total=3"],
            "a gauge of the service's own",
        ),
        (
            ["--set", "queue_depth=3"],
            "--set queue_depth is read by no budget",
        ),
    ];
    for (option, said) in cases {
        let stderr = refused(
            &shop,
            &[
                "simulate",
                "shop.toml",
                option[0],
                option[1],
                "--svg",
                "no.svg",
                "--output",
                "no.txt",
            ],
        );
        assert!(stderr.contains(said), "{option:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{option:?}: {stderr}");
    }
    assert_eq!(shop.files(), ["shop.toml"]);
}

#[test]
fn a_word_too_many_and_one_too_few() {
    let shop = Shop::new();
    assert_eq!(
        refused(&shop, &["chek", "shop.toml"]),
        "unrecognized subcommand 'chek'; a similar subcommand exists: 'check'\n"
    );
    assert_eq!(
        refused(&shop, &["explain"]),
        "the following required arguments were not provided: <FILE> <NAME>\n"
    );
    assert_eq!(
        refused(&shop, &["rules", "shop.toml", "--scope", "flet"]),
        "invalid value 'flet' for '--scope <SCOPE>' [possible values: instance, fleet, both]; a similar value exists: 'fleet'\n"
    );
}

#[test]
fn an_end_that_is_no_end() {
    let shop = Shop::new();
    let between = |from, until| {
        let args = ["simulate", "shop.toml", "--from", from, "--until", until];
        refused(&shop, &args)
    };
    assert_eq!(
        between("2026-03-06", "2026-03-06"),
        "--until 2026-03-06T00:00:00Z is not after --from 2026-03-06T00:00:00Z: name a later moment\n"
    );
    assert!(between("2026-03-06", "2026-07-06").contains("more than 92d after"));
    let both = [
        "simulate",
        "shop.toml",
        "--from",
        "2026-03-06",
        "--until",
        "2026-03-07",
        "--duration",
        "1h",
    ];
    assert!(refused(&shop, &both).contains("cannot be used with"));
}

#[test]
fn mistakes_of_a_declaration_have_their_lines() {
    let shop = Shop::new();
    std::fs::write(
        shop.path("bad.toml"),
        "[[budget]]\nname = \"x\"\non = \"http\"\nsli = \"error_ratio\"\nat_most = 99.9\n",
    )
    .unwrap();
    for command in ["dashboards", "rules", "simulate"] {
        let said = refused(&shop, &[command, "bad.toml", "--output", "made"]);
        assert!(said.starts_with("bad.toml:5: budget \"x\""), "{said}");
    }
    assert_eq!(shop.files(), ["bad.toml", "shop.toml"]);
}

#[test]
fn a_folder_is_written_as_a_whole_or_not_at_all() {
    let shop = Shop::new();
    shop.printed(&["dashboards", "shop.toml", "--output", "made"]);
    let folder = shop.path("made");
    let names = files(&folder);
    let last = folder.join(names.last().unwrap());
    for name in &names {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    std::fs::create_dir(&last).unwrap();
    let said = refused(&shop, &["dashboards", "shop.toml", "--output", "made"]);
    assert!(said.contains("is a folder, and a file is wanted"), "{said}");
    assert_eq!(
        files(&folder),
        [last.file_name().unwrap().to_str().unwrap()]
    );
}

#[test]
fn a_place_that_cannot_be_written_to() {
    let shop = Shop::new();
    let said = refused(&shop, &["rules", "shop.toml", "--output", "none/rules.yml"]);
    assert!(said.starts_with("none/rules.yml: "), "{said}");
    let said = refused(&shop, &["dashboards", "shop.toml", "--output", "shop.toml"]);
    assert!(said.starts_with("shop.toml: "), "{said}");
}
