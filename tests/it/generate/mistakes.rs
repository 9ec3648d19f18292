//! What cannot be meant, and what people name that means something to others.

use plimsoll::generate::{Declaration, RuleDialect, RuleOptions, Variables};
use plimsoll::rule::RuleKind;

use super::declarations::{ODD, rich};

#[track_caller]
fn refused(toml: &str, with: &[&str]) {
    let error = Declaration::parse(toml).unwrap_err().to_string();
    for part in with {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

#[test]
fn all_mistakes_of_operations_are_named_at_once() {
    refused(
        r#"
        [generate]
        job = ""
        targets = ["here", "http://there:9100", "fine:9100"]
        scrape_interval = "0s"
        evaluation_interval = "soon"
        runbook_url = "example.org/{{ x }}"
        dashboard_url = "https://example.org/a b"
        receivers = { page = "", nobody = "x" }
        colour = "red"
        [[generate.escalation]]
        after = "15m"
        receiver = "lead"
        [[generate.escalation]]
        after = "5m"
        receiver = ""
        [[generate.escalation]]
        receiver = "x"
        "#,
        &[
            "generate: job is empty",
            "targets \"here\" is not host:port",
            "targets \"http://there:9100\" is not host:port",
            "scrape_interval 0ns is no interval",
            "evaluation_interval \"soon\" is not a duration",
            "runbook_url \"example.org/{{ x }}\" is no address",
            "dashboard_url \"https://example.org/a b\" is no address",
            "receivers are empty",
            "receivers: nobody is not a known key: choose one of page, ticket, info",
            "colour is not a known key",
            "escalation begins after 900s",
            "escalation after 300s does not come later",
            "after 300s has no receiver",
            "escalation 3: after is missing: write after",
        ],
    );
}

#[test]
fn names_that_stand_twice_or_are_none_are_refused() {
    let slo = "[[slo]]\nname = \"a\"\non = \"http\"\nobjective = 0.99\n";
    refused(&format!("{slo}{slo}"), &["slo \"a\": name stands twice"]);
    let budget = "[[budget]]\nname = \"a\"\non = \"http\"\nsli = \"error_ratio\"\nat_most = 0.1\n";
    refused(
        &format!("{slo}{budget}"),
        &["slo \"a\": name is that of another SLO or budget"],
    );
    let state = "[[slo]]\nname = \"a\"\nstate = \"no name\"\nobjective = 0.99\n";
    refused(state, &["slo \"a\"", "no name"]);
}

#[cfg(feature = "http")]
#[test]
fn labels_that_rules_have_for_themselves_are_refused() {
    use plimsoll::http::Label;
    use plimsoll::{Budget, Plimsoll, Select, Slo};
    for name in ["scope", "slo", "escalation"] {
        let label = Label::request(name, |head| head.headers().get("x")?.to_str().ok());
        let builder = Plimsoll::builder().http_label(label.values(["a", "b"]));
        let builder = builder
            .budget(
                Budget::error_ratio("errors", Select::http())
                    .at_most(0.1)
                    .per(name),
            )
            .slo(
                Slo::availability("api", Select::http())
                    .objective(0.99)
                    .per(name),
            );
        let error = builder.declaration().unwrap_err().to_string();
        for promise in ["budget \"errors\": per", "slo \"api\": per"] {
            let said =
                format!("{promise} {name:?} is a label that generated rules have for themselves");
            assert!(error.contains(&said), "{said:?} is not in: {error}");
        }
    }
}

/// promtool takes them too: `programs`.
#[test]
fn odd_names_are_no_templates() {
    let rules = rich().rules(RuleOptions::new());
    let all = rules.groups().iter().flat_map(|group| &group.rules);
    let odd: Vec<_> = all.filter(|rule| rule.name() == ODD).collect();
    assert_eq!(odd.len(), 6, "three levels of escalation in both scopes");
    for rule in odd {
        let label = rule.labels.get("budget");
        assert_ne!(label, ODD);
        assert_eq!(label.replace(r#"{{ "{{" }}"#, "{{"), ODD);
        // In the condition it is none.
        let quoted = format!("budget={}", serde_json::to_string(ODD).unwrap());
        assert!(rule.expr.to_string().contains(&quoted));
        let RuleKind::Alert(alert) = &rule.kind else {
            panic!("an alert");
        };
        for (_, text) in &alert.annotations {
            assert!(!text.contains("{{ names"), "{text}");
        }
    }
}

/// Prometheus takes the labels of recordings as they are.
#[test]
fn odd_names_are_recorded_as_they_are() {
    for options in [
        RuleOptions::new(),
        RuleOptions::new().dialect(RuleDialect::Sloth),
    ] {
        let toml = r#"
            service = "{{ shop }}"
            [[slo]]
            name = "{{ api }}"
            on = "http"
            objective = 0.99
        "#;
        let rules = Declaration::parse(toml).unwrap().rules(options);
        let all = rules.groups().iter().flat_map(|group| &group.rules);
        let recorded: Vec<_> = all
            .filter(|rule| matches!(rule.kind, RuleKind::Record(_)))
            .collect();
        assert!(!recorded.is_empty());
        for rule in recorded {
            let labels = rule.labels.to_string();
            assert!(labels.contains("{{ api }}"), "{labels}");
            assert!(!labels.contains(r#""{{""#), "{labels}");
        }
    }
}

#[test]
fn legends_have_no_braces_of_names() {
    let toml = r#"
        [[budget]]
        name = "errors {{ route }}"
        on = "http"
        sli = "error_ratio"
        at_most = 0.01
    "#;
    for dashboard in Declaration::parse(toml).unwrap().dashboards() {
        for query in dashboard.queries(&Variables::new()) {
            assert!(!query.legend.contains("{{ route"), "{}", query.legend);
        }
    }
}

#[test]
fn the_alert_of_a_process_that_is_down_has_its_name_alone() {
    let slo = |name: &str| format!("[[slo]]\nname = {name:?}\non = \"http\"\nobjective = 0.99\n");
    refused(
        &(slo("api") + &slo("api-down")),
        &["slo \"api-down\": name \"api-down\" is the alert that tells that slo \"api\""],
    );
}

#[test]
fn durations_longer_than_those_of_rules_are_refused() {
    let budget = "[[budget]]\nname = \"a\"\non = \"http\"\nsli = \"error_ratio\"\nat_most = 0.1\n";
    for field in ["over", "for", "keep_firing_for", "absent_after"] {
        let said = format!("{field} is longer than 100 years");
        refused(&format!("{budget}{field} = \"101y\""), &[&said]);
    }
}
