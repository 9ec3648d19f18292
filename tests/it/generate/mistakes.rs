//! What cannot be meant, and what people name that means something to others.

use plimsoll::generate::{Declaration, RuleOptions};
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
