use super::*;

fn names(naming: &Naming) -> Vec<String> {
    naming.specs().into_iter().map(|spec| spec.name).collect()
}

fn only_problem(naming: &Naming) -> (String, String) {
    let mut problems = naming.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

fn all() -> [Naming; 5] {
    [
        Naming::otel(),
        Naming::classic(),
        Naming::classic().errors_family(),
        Naming::millis(),
        Naming::axum_prometheus(),
    ]
}

#[test]
fn every_profile_is_sound_and_its_labels_lie_within_the_domain() {
    for naming in all() {
        assert_eq!(naming.problems(), []);
        assert_eq!(naming.clone().prefix("bifrost_").problems(), []);
        for spec in naming.specs() {
            for (key, label) in &spec.labels {
                crate::registry::check_label(&spec.name, key).expect("label key");
                if let Label::Key(index) = label {
                    assert!(*index < spec.source.keys().len(), "{}", spec.name);
                }
            }
        }
    }
}

#[test]
fn the_catalogue_names_every_family() {
    let catalogue = include_str!("../../docs/metrics.md");
    let named = |name: &str| catalogue.contains(&format!("`{name}`"));
    for naming in all() {
        for name in names(&naming) {
            assert!(named(&name), "docs/metrics.md lacks `{name}`");
        }
    }
    let others = table::INSTRUMENTS.iter().chain(table::PROCESS);
    for name in OWN.iter().chain(others) {
        assert!(named(name), "docs/metrics.md lacks `{name}`");
    }
}

#[test]
fn prefix_and_renames_hold_for_families_and_instruments() {
    let naming = Naming::classic()
        .prefix("shop_")
        .rename("requests_total", "calls_total")
        .rename("device_connected", "device_up")
        .rename_label("requests_total", "status", "code");
    assert_eq!(naming.problems(), []);
    assert!(names(&naming).contains(&"shop_calls_total".to_owned()));
    assert_eq!(naming.instrument("device_connected"), "shop_device_up");
    assert_eq!(naming.instrument("jobs_total"), "shop_jobs_total");
    let calls = naming
        .specs()
        .into_iter()
        .find(|spec| spec.name == "shop_calls_total");
    let keys: Vec<_> = calls
        .expect("there")
        .labels
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, ["method", "route", "code"]);
}

#[test]
fn a_prefix_takes_the_place_of_that_of_axum_prometheus() {
    let naming = Naming::axum_prometheus();
    assert!(names(&naming).contains(&"axum_http_requests_total".to_owned()));
    let naming = naming
        .prefix("shop_")
        .rename("axum_http_requests_pending", "axum_pending");
    assert_eq!(naming.problems(), []);
    for name in [
        "shop_http_requests_total",
        "shop_axum_pending",
        "shop_db_query_duration_seconds",
    ] {
        assert!(names(&naming).contains(&name.to_owned()), "{name}");
    }
    assert_eq!(naming.instrument("axum_jobs"), "shop_axum_jobs");
}

#[test]
fn what_we_export_is_taken_with_its_suffixes() {
    let naming = Naming::classic().prefix("shop_");
    for name in [
        "shop_requests_total",
        "shop_request_duration_seconds",
        "shop_request_duration_seconds_bucket",
        "shop_request_duration_seconds_count",
        "plimsoll_uptime_seconds",
    ] {
        assert!(naming.names().contains(name), "{name}");
    }
    for name in [
        "requests_total",
        "shop_requests_total_sum",
        "shop_errors_total",
    ] {
        assert!(!naming.names().contains(name), "{name}");
    }
}

#[test]
fn every_mistake_is_named_with_its_remedy() {
    let mistakes = [
        (
            Naming::otel().prefix("9-"),
            "naming: prefix",
            r#""9-" must match [a-zA-Z_][a-zA-Z0-9_]*"#,
        ),
        (
            Naming::millis().errors_family(),
            "naming: errors_family",
            "belongs to the profile classic: leave it out or change the profile",
        ),
        (
            Naming::classic().rename("request_total", "x"),
            "naming: rename: request_total",
            r#"is no family of this profile: did you mean "requests_total"?"#,
        ),
        (
            Naming::classic().rename("requests_total", "a b"),
            "naming: rename: requests_total",
            r#"has the new name "a b", which must match [a-zA-Z_][a-zA-Z0-9_]*"#,
        ),
        (
            Naming::classic().rename("requests_total", "request_duration_seconds_count"),
            "naming: rename",
            "request_duration_seconds and requests_total would both export request_duration_seconds_count: choose \
             another name for one of them",
        ),
        (
            Naming::classic().rename_label("requests_total", "code", "x"),
            "naming: rename_label: requests_total.code",
            r#"requests_total has no label "code": its labels are ["method", "route", "status"]"#,
        ),
        (
            Naming::classic().rename_label("requests_total", "status", "route"),
            "naming: rename_label: requests_total.status",
            r#"two labels of requests_total would be called "route""#,
        ),
        (
            Naming::classic().rename_label("requestz_total", "status", "code"),
            "naming: rename_label: requestz_total.status",
            r#"is a label of no family of this profile: did you mean "requests_total"?"#,
        ),
    ];
    for (naming, field, message) in mistakes {
        assert_eq!(
            only_problem(&naming),
            (field.to_owned(), message.to_owned())
        );
    }
}

#[test]
fn no_label_takes_the_name_of_one_that_somebody_else_adds() {
    let renamed = |new| Naming::classic().rename_label("requests_total", "status", new);
    for (new, expected) in [
        ("le", "must not be le"),
        ("quantile", "must not be le or quantile"),
        (
            "job",
            "would be called \"job\", which Prometheus or our own",
        ),
        ("instance", "would be called \"instance\""),
        ("budget", "would be called \"budget\""),
        ("level", "would be called \"level\""),
        ("slo", "would be called \"slo\""),
        ("alertname", "would be called \"alertname\""),
    ] {
        let (field, message) = only_problem(&renamed(new));
        assert_eq!(field, "naming: rename_label: requests_total.status");
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(renamed("code").problems(), []);
}

#[test]
fn bounds_are_ascending_and_hold_the_profiles_figures() {
    for naming in all() {
        for domain in Domain::ALL {
            assert!(naming.bounds(domain).is_sorted());
        }
    }
    assert_eq!(Naming::otel().bounds(Domain::Http).len(), 14);
    assert_eq!(Naming::otel().bounds(Domain::Db)[0], 0.001);
    assert_eq!(
        Naming::classic().bounds(Domain::Db),
        Naming::otel().bounds(Domain::Http)
    );
    assert_eq!(Naming::millis().bounds(Domain::Http)[3], 0.2);
    assert_eq!(Naming::axum_prometheus().bounds(Domain::Http).len(), 11);
    assert_eq!(
        Naming::millis().bounds(Domain::Modbus),
        Naming::otel().bounds(Domain::Connect)
    );
}

fn labels(naming: &Naming, family: &str) -> Vec<String> {
    let specs = naming.specs().into_iter();
    let mut named = specs.filter(|spec| spec.name == family);
    let spec = named.next().expect("the profile has it");
    spec.labels.into_iter().map(|(key, _)| key).collect()
}

fn added() -> [registry::Label; 3] {
    let label = |name, side| registry::Label::new(name, side, Box::new(()));
    [
        label("cache", Side::Response),
        label("tier", Side::Request),
        label("scheme", Side::Request).called("url_scheme"),
    ]
}

#[test]
fn added_labels_go_where_routes_are_told_apart_and_those_of_responses_where_ends_are() {
    let [mut otel, mut classic, mut errors, mut millis, mut axum] = all();
    for naming in [&mut otel, &mut classic, &mut errors, &mut millis, &mut axum] {
        naming.add_labels(&added());
        assert_eq!(naming.problems(), []);
    }
    for (naming, family, expected) in [
        (
            &otel,
            "http_server_request_duration_seconds",
            "http_request_method http_route http_response_status_code error_type tier url_scheme cache",
        ),
        (
            &otel,
            "http_server_response_body_size_bytes",
            "http_request_method http_route tier url_scheme",
        ),
        (&otel, "http_server_active_requests", "http_request_method"),
        (&otel, "operation_duration_seconds", "operation outcome"),
        (
            &classic,
            "request_duration_seconds",
            "method route tier scheme",
        ),
        (
            &classic,
            "requests_total",
            "method route status tier scheme cache",
        ),
        (
            &classic,
            "request_ends_total",
            "method route end tier scheme cache",
        ),
        (&errors, "errors_total", "method route tier scheme"),
        (&errors, "requests_total", "method route tier scheme"),
        (&millis, "slow_requests_total", "method route tier scheme"),
        (
            &millis,
            "http_requests_total",
            "method route status_code tier scheme cache",
        ),
        (&millis, "http_error_rate", "service"),
        (&millis, "modbus_errors_total", "device operation"),
    ] {
        assert_eq!(labels(naming, family).join(" "), expected, "{family}");
    }
}

#[test]
fn added_labels_can_be_renamed_and_clash_with_nothing() {
    let mut naming = Naming::classic().rename_label("requests_total", "tier", "plan");
    naming.add_labels(&added());
    assert_eq!(naming.problems(), []);
    let expected = "method route status plan scheme cache";
    assert_eq!(labels(&naming, "requests_total").join(" "), expected);

    let mut naming = Naming::classic().rename_label("requests_total", "tier", "cache");
    naming.add_labels(&added());
    let (field, message) = only_problem(&naming);
    assert_eq!(field, "naming: rename_label: requests_total.tier");
    assert_eq!(
        message,
        "two labels of requests_total would be called \"cache\""
    );

    let label = |name| registry::Label::new(name, Side::Response, Box::new(()));
    for (mut naming, name, family) in [
        (
            Naming::otel(),
            "http_route",
            "http_server_request_duration_seconds",
        ),
        (Naming::classic(), "end", "request_ends_total"),
        (
            Naming::classic().errors_family(),
            "status",
            "responses_total",
        ),
        (Naming::millis(), "status_code", "http_request_duration_ms"),
        (Naming::millis(), "service", "http_error_rate"),
    ] {
        naming.add_labels(&[label(name)]);
        let (field, message) = only_problem(&naming);
        assert_eq!(field, format!("http_label {name:?}:"));
        let expected = format!("is a label of {family} already: choose another name");
        assert_eq!(message, expected);
    }
}
