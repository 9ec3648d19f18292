//! What `plimsoll doctor` finds.

use plimsoll::generate::{Declaration, RuleOptions};
use serde_json::{Value, json};

use super::fake::{answering, target};
use super::{Fake, PROMISES, asked, fails};

/// Nothing is wrong with it.
fn well() -> Fake {
    let mut fake = Fake::new();
    fake.names = [
        "plimsoll_budget_state",
        "plimsoll_sli_bad_total",
        "plimsoll_sli_valid_total",
        "plimsoll_slo_burn_rate",
        "plimsoll_slo_coverage",
        "plimsoll_slo_error_budget_remaining",
        "plimsoll_slo_objective",
    ]
    .map(str::to_owned)
    .into();
    fake.rules = rules();
    fake
}

/// Every group of the declaration.
fn rules() -> Value {
    let groups = Declaration::parse(PROMISES)
        .unwrap()
        .rules(RuleOptions::new());
    let group = |name: &str| json!({ "name": name, "rules": [{ "name": "a", "health": "ok" }] });
    groups.groups().iter().map(|one| group(&one.name)).collect()
}

fn finds(fake: Fake, options: &[&str], finding: &str) {
    let (code, text, error) = asked("doctor", &fake.serve(), options);
    assert_eq!((code, error.as_str()), (1, ""), "{text}");
    assert!(text.contains(finding), "{finding:?} is not in\n{text}");
    assert_eq!(
        text.lines().count(),
        2,
        "one finding, and what to do\n{text}"
    );
}

#[test]
fn a_healthy_service_has_nothing() {
    let (code, text, error) = asked("doctor", &well().serve(), &[]);
    assert_eq!((code, error.as_str()), (0, ""), "{text}");
    assert!(text.starts_with("nothing is wrong"), "{text}");
}

#[test]
fn targets_that_are_missing_down_or_scraped_too_seldom() {
    let with = |targets: Value| Fake { targets, ..well() };
    finds(
        with(json!([])),
        &[],
        "no target has the job \"shop\": it scrapes nothing",
    );
    let mut other = target("up", "", "15s");
    other["labels"]["job"] = "prometheus".into();
    finds(with(json!([other])), &[], "there are prometheus");
    let refused = target("down", "connection refused", "15s");
    finds(
        with(json!([refused])),
        &[],
        "http://a:1/metrics is down: connection refused",
    );
    finds(
        with(json!([target("unknown", "", "15s")])),
        &[],
        "was not scraped yet",
    );
    finds(
        with(json!([target("up", "", "40s")])),
        &[],
        "every 40s, more than half of the shortest window",
    );
}

#[test]
fn nothing_else_is_said_of_a_job_that_nobody_reaches() {
    let down = || {
        let mut fake = well();
        let targets = ["b:1", "c:1"].map(|_| target("down", "connection refused", "15s"));
        fake.targets = json!(targets);
        // What Prometheus has of a target that was never up.
        fake.names = vec!["up".to_owned()];
        fake
    };
    finds(
        down(),
        &[],
        "is down: connection refused (and another target)\n    see whether the process runs, listens there and serves its \
         page under this path; what is missing otherwise shows once one is up",
    );
    let mut one = well();
    one.targets = json!([target("up", "", "15s"), target("down", "refused", "15s")]);
    one.names.retain(|name| name != "plimsoll_slo_objective");
    let (_, text, _) = asked("doctor", &one.serve(), &[]);
    assert!(text.contains("is down: refused\n"), "{text}");
    assert!(
        text.contains("plimsoll_slo_objective is not there"),
        "{text}"
    );
    // Whether a name is known needs no process.
    let misspelt = ["--metric", "plimsoll_slo_objectiv"];
    let (_, text, _) = asked("doctor", &down().serve(), &misspelt);
    assert!(
        text.contains("did you mean plimsoll_slo_objective?"),
        "{text}"
    );
    let mut fresh = well();
    fresh.names.clear();
    finds(fresh, &[], "has no series of it");
}

#[test]
fn a_name_that_the_declaration_does_not_know() {
    for (name, finding) in [
        (
            "http_server_request_duration_second",
            "no part of the declaration\n    did you mean http_server_request_duration_seconds?",
        ),
        (
            "http_request_duration_ms_bucket",
            "it is a name of the profile millis, and the declaration is of otel\n    \
             ask for http_server_request_duration_seconds_bucket",
        ),
        ("orders_total", "by `expect_families`"),
    ] {
        finds(well(), &["--metric", name], finding);
    }
    let of_mail = well().query(|expr| {
        let here = expr == "count by (job) ({__name__=\"letters_total\"})";
        let series = here.then(|| (json!({ "job": "mail" }), 3.0));
        Ok(series.into_iter().collect())
    });
    finds(
        of_mail,
        &["--metric", "letters_total"],
        "letters_total is not there for the job \"shop\", but for mail",
    );
    let mut own = well();
    own.names.push("orders_total".to_owned());
    let (code, text, _) = asked("doctor", &own.serve(), &["--metric", "orders_total"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("orders_total is there, though no part of the declaration"),
        "{text}"
    );
    let selector = ["--metric", "orders_total{route=\"/\"}"];
    fails(
        &asked("doctor", &well().serve(), &selector),
        "is no name of a family: write it without labels",
    );
}

#[test]
fn families_under_another_name_or_kind() {
    let with = |name: &str| {
        let mut fake = well();
        fake.names.push(name.to_owned());
        fake
    };
    for (there, wanted, finding) in [
        (
            "http_request_duration_ms_bucket",
            "http_server_request_duration_seconds",
            "exports by the profile millis, and this is a name of otel",
        ),
        (
            "http_request_duration_ms_bucket",
            "http_server_request_duration_seconds_bucket",
            "use http_request_duration_ms_bucket, whose values are 1000 times as large",
        ),
        (
            "shop_slow_queries_total",
            "db_client_slow_operations_total",
            "use shop_slow_queries_total; if rules and panels ask for it, write profile = ",
        ),
        (
            "shop_db_client_slow_operations_total",
            "db_client_slow_operations_total",
            "the service calls it shop_db_client_slow_operations_total",
        ),
        (
            "orders_seconds",
            "orders_seconds_bucket",
            "native histogram only",
        ),
        (
            "shop_orders_total",
            "orders_total",
            "there is shop_orders_total",
        ),
        (
            "invoices",
            "http_server_active_requests",
            "was not used or declared",
        ),
    ] {
        let fake = with(there);
        finds(fake, &["--metric", wanted], finding);
    }
    let (code, text, _) = asked(
        "doctor",
        &with("orders_bucket").serve(),
        &["--metric", "orders"],
    );
    assert_eq!(code, 0, "{text}");
}

#[test]
fn families_that_are_mended_alike_are_one_finding() {
    let mut other = well();
    other.names.retain(|name| !name.starts_with("plimsoll_slo"));
    finds(
        other,
        &[],
        "plimsoll_slo_error_budget_remaining, plimsoll_slo_objective are not there\n    the process runs without",
    );
}

#[test]
fn rules_that_are_not_loaded_or_fail() {
    finds(
        Fake {
            rules: json!([]),
            ..well()
        },
        &[],
        "the rules are not loaded",
    );
    let mut some = rules();
    some.as_array_mut().unwrap().pop();
    finds(
        Fake {
            rules: some,
            ..well()
        },
        &[],
        "is not loaded",
    );
    let mut failing = rules();
    failing[0]["rules"][0] =
        json!({ "name": "errors", "health": "err", "lastError": "many-to-many" });
    finds(
        Fake {
            rules: failing,
            ..well()
        },
        &[],
        "errors fails: many-to-many",
    );
}

#[test]
fn what_processes_say_of_themselves() {
    for (part, labels, finding) in [
        (
            "plimsoll_sli_valid_total",
            json!({ "budget": "errors" }),
            "errors: nothing was counted yet",
        ),
        (
            "plimsoll_series_overflow_total",
            json!({ "kind": "http" }),
            "(kind: http)",
        ),
        (
            "plimsoll_label_overflow_total",
            json!({ "label": "tenant" }),
            "(label: tenant)",
        ),
        (
            "plimsoll_families_dropped_total",
            json!({}),
            "their names are taken",
        ),
        (
            "plimsoll_values_invalid_total",
            json!({ "reason": "nan" }),
            "(reason: nan)",
        ),
        (
            "plimsoll_warnings_total",
            json!({ "kind": "rule_failed" }),
            "(kind: rule_failed)",
        ),
        (
            "plimsoll_budget_unmatched",
            json!({ "budget": "errors" }),
            "(budget: errors)",
        ),
        (
            "process_start_time_seconds",
            json!({}),
            "the clock of a process is 30 s ahead",
        ),
        ("time()", json!({}), "the clock of Prometheus is -"),
    ] {
        let fake = well().query(move |expr| {
            let here = match part {
                "time()" => expr == part,
                _ => expr.contains(part),
            };
            Ok(here.then(|| (labels.clone(), 30.0)).into_iter().collect())
        });
        finds(fake, &[], finding);
    }
}

#[test]
fn a_page_can_be_asked_itself() {
    let page = "# TYPE orders_total counter\norders_total 3\n";
    let url = answering(200, "text/plain", page);
    let run = |name: &str| {
        let options = ["--target", &url, "--metric", name];
        super::plimsoll("doctor", &options, &[])
    };
    assert_eq!(run("orders_total").0, 0);
    let (code, text, _) = run("order_total");
    assert!(
        code == 1 && text.contains("there is orders_total"),
        "{text}"
    );
    let html = answering(200, "text/html", "<html>");
    let said = super::plimsoll("doctor", &["--target", &html], &[]);
    fails(&said, "is no page of metrics");
    for (status, hint) in [
        (302, "it points elsewhere"),
        (401, "--token-file"),
        (403, "--user-file"),
        (404, "/metrics as a rule: write that in --target"),
        (500, "its log says why"),
    ] {
        let url = answering(status, "text/plain", "");
        let said = super::plimsoll("doctor", &["--target", &url], &[]);
        fails(&said, &format!("{url}: answered with HTTP status {status}"));
        fails(&said, hint);
    }
    let both = ["--target", &url, "--prometheus", &url];
    fails(
        &super::plimsoll("doctor", &both, &[]),
        "cannot be used with",
    );
}

#[test]
fn a_page_is_told_who_asks_by_options_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "s3cret").unwrap();
    let url = Fake::new().only_for("Bearer s3cret").serve() + "/metrics";
    let page = ["--target", &url, "--metric", "orders_total"];
    let environment = [("PLIMSOLL_PROMETHEUS_TOKEN", "s3cret")];
    fails(
        &super::plimsoll("doctor", &page, &environment),
        "HTTP status 401",
    );
    let with = [&page[..], &["--token-file", file.to_str().unwrap()]].concat();
    let said = super::plimsoll("doctor", &with, &[]);
    assert_eq!(said.0, 0, "{said:?}");
}

#[test]
fn rules_of_one_scope_are_asked_for_as_they_were_printed() {
    let fleet = || {
        let mut fake = well();
        let groups = fake.rules.as_array_mut().unwrap();
        let all = groups.len();
        groups.retain(|group| group["name"].as_str().unwrap().contains("fleet"));
        assert!(!groups.is_empty() && groups.len() < all);
        fake
    };
    finds(fleet(), &[], "groups of rules are not loaded");
    let (code, text, _) = asked("doctor", &fleet().serve(), &["--scope", "fleet"]);
    assert_eq!(code, 0, "{text}");
}
