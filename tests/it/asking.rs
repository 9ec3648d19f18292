//! `plimsoll verify`, `query` and `doctor`, run against a Prometheus that the test makes up.

mod broken;
mod doctor;
mod fake;
mod query;
mod secure;
mod verify;

use std::process::Command;

use fake::{Fake, answering, pending};

const PROMISES: &str = "\
    service = \"shop\"
    [[budget]]
    name = \"errors\"
    on = \"http\"
    sli = \"error_ratio\"
    critical = 0.01
    [[slo]]
    name = \"api\"
    on = \"http\"
    objective = 0.999
";

/// Exit code, standard output and standard error.
type Said = (i32, String, String);

/// Runs a command about what is promised, with these options.
fn plimsoll(command: &str, options: &[&str], environment: &[(&str, &str)]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.toml");
    std::fs::write(&file, PROMISES).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .arg(command)
        .arg(file)
        .args(options)
        .env_remove("PLIMSOLL_PROMETHEUS")
        .env_remove("PLIMSOLL_PROMETHEUS_CA")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// The same, of a Prometheus at `url`.
fn asked(command: &str, url: &str, options: &[&str]) -> Said {
    let mut all = vec!["--prometheus", url];
    all.extend(options);
    plimsoll(command, &all, &[])
}

/// It fails with code 2, says nothing else, and says this.
fn fails(said: &Said, message: &str) {
    assert_eq!((said.0, said.1.as_str()), (2, ""), "{said:?}");
    assert!(said.2.contains(message), "{said:?}");
}

const COMMANDS: [&str; 3] = ["verify", "query", "doctor"];

#[test]
fn a_prometheus_that_is_not_there_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    for command in COMMANDS {
        let said = asked(command, &url, &[]);
        fails(&said, &format!("{url} cannot be reached: "));
        fails(&said, "--prometheus http://HOST:PORT");
    }
    let from_environment = plimsoll("query", &[], &[("PLIMSOLL_PROMETHEUS", &url)]);
    fails(&from_environment, &url);
}

#[test]
fn a_slow_one_is_not_waited_for() {
    let url = pending();
    for command in COMMANDS {
        let said = asked(command, &url, &["--timeout", "200ms"]);
        fails(&said, "did not answer within 200ms");
    }
    fails(
        &asked("query", &url, &["--timeout", "0s"]),
        "longer than nothing",
    );
}

#[test]
fn errors_of_http_say_what_to_do() {
    for (status, hint) in [
        (302, "it points elsewhere"),
        (401, "--token-file"),
        (404, "a path in front of it"),
        (500, "its log says why"),
        (503, "not ready"),
    ] {
        let url = answering(status, "text/plain", "no");
        for command in COMMANDS {
            let said = asked(command, &url, &[]);
            fails(&said, &format!("HTTP status {status}"));
            fails(&said, hint);
        }
    }
}

#[test]
fn what_is_no_prometheus_is_called_so() {
    for (kind, body) in [
        ("text/html", "<html>hello</html>"),
        ("application/json", "{\"ok\":true}"),
        ("application/json", ""),
    ] {
        let url = answering(200, kind, body);
        for command in COMMANDS {
            let said = asked(command, &url, &[]);
            fails(&said, "was not answered as Prometheus' API does");
        }
    }
}

#[test]
fn addresses_that_cannot_be_are_refused_without_repeating_a_password() {
    for address in ["prometheus:9090", "https://", "ftp://prometheus"] {
        fails(
            &asked("query", address, &[]),
            "write http://HOST:PORT or https://HOST:PORT",
        );
    }
    for address in [
        "http://me:hunter2@127.0.0.1:9090",
        "https://me:hunter2@127.0.0.1:9090",
        "HTTPS://me:hunter2@127.0.0.1:9090",
        "http:///me:hunter2@127.0.0.1:9090",
        "me:hunter2@127.0.0.1:9090",
    ] {
        for said in [
            asked("query", address, &[]),
            plimsoll("query", &[], &[("PLIMSOLL_PROMETHEUS", address)]),
            plimsoll("doctor", &["--target", address], &[]),
        ] {
            fails(&said, "--user-file");
            assert!(!said.2.contains("hunter2"), "{said:?}");
        }
    }
    let said = asked("query", "http://me:hunter2%40127.0.0.1", &[]);
    fails(&said, "--prometheus is no address");
    assert!(!said.2.contains("hunter2"), "{said:?}");
}

#[test]
fn what_has_no_place_behind_an_address_is_refused() {
    for (behind, message) in [
        ("?secret=b", "--prometheus holds a ?"),
        ("/prom?secret=b", "with a path in front of the API"),
        ("/#secret", "--prometheus holds a #"),
    ] {
        let said = asked("query", &format!("http://127.0.0.1:1{behind}"), &[]);
        fails(&said, message);
        assert!(!said.2.contains("secret"), "{said:?}");
    }
}

#[test]
fn a_secret_that_everybody_on_the_way_reads_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "s3cret").unwrap();
    let token = ["--timeout", "100ms", "--token-file", file.to_str().unwrap()];
    let warned = |url: &str, options: &[&str]| {
        let said = asked("query", url, options);
        assert!(!said.2.contains("s3cret"), "{said:?}");
        said.2.contains("without encryption")
    };
    // Addresses where nobody is, whatever the network.
    assert!(warned("http://192.0.2.1:9090", &token));
    assert!(warned("http://[2001:db8::1]:9090", &token));
    assert!(!warned("https://192.0.2.1:9090", &token));
    assert!(!warned("http://192.0.2.1:9090", &token[..2]));
    for here in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"] {
        assert!(!warned(here, &token), "{here}");
    }
}

#[test]
fn who_asks_comes_from_files_or_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (token, user) = (secret("token", "s3cret\n"), secret("user", "me:hunter2\n"));
    let bearer = Fake::new().only_for("Bearer s3cret").serve();
    let basic = Fake::new().only_for("Basic bWU6aHVudGVyMg==").serve();
    for (url, option, file, name, value) in [
        (
            &bearer,
            "--token-file",
            &token,
            "PLIMSOLL_PROMETHEUS_TOKEN",
            "s3cret",
        ),
        (
            &basic,
            "--user-file",
            &user,
            "PLIMSOLL_PROMETHEUS_USER",
            "me:hunter2",
        ),
    ] {
        fails(&asked("query", url, &[]), "HTTP status 401");
        assert_eq!(asked("query", url, &[option, file]).0, 0);
        let options = ["--prometheus", url];
        assert_eq!(plimsoll("query", &options, &[(name, value)]).0, 0);
    }
    let wrong = secret("wrong", "me");
    fails(
        &asked("query", &basic, &["--user-file", &wrong]),
        "wrong: write USER:PASSWORD",
    );
    for (text, message) in [
        (" \n", "is empty: put the token into it"),
        ("one\ntwo", "holds more than a token"),
    ] {
        let file = secret("token", text);
        fails(&asked("query", &bearer, &["--token-file", &file]), message);
        let environment = [("PLIMSOLL_PROMETHEUS_TOKEN", text)];
        let said = plimsoll("query", &["--prometheus", &bearer], &environment);
        fails(&said, &format!("$PLIMSOLL_PROMETHEUS_TOKEN: {message}"));
    }
    fails(
        &asked("query", &basic, &["--token-file", "/nowhere"]),
        "/nowhere: ",
    );
}
