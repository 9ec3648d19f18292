//! Specs of OpenSLO and sloth, in and out.

use plimsoll::generate::Declaration;
use plimsoll::generate::spec;

use super::mistakes::refused;
use super::{Shop, text};

const OPENSLO: &str = r#"apiVersion: openslo/v1
kind: SLO
metadata: { name: checkout, displayName: Checkout }
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{ duration: 30d, isRolling: true }]
  indicatorRef: checkout-errors
  objectives: [{ target: 0.999 }]
"#;

const INDICATOR: &str = r#"apiVersion: openslo/v1
kind: SLI
metadata: { name: checkout-errors }
spec:
  ratioMetric:
    counter: true
    bad: { metricSource: { type: Prometheus, spec: { query: 'sum(rate(orders_total{result="error"}[5m]))' } } }
    total: { metricSource: { type: Prometheus, spec: { query: 'sum(rate(orders_total[5m]))' } } }
"#;

pub(super) const SLOTH: &str = r#"version: prometheus/v1
service: shop
slos:
  - name: orders
    objective: 99.9
    description: Orders come through.
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="shop-prod",code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="shop-prod"}[{{.window}}]))
    alerting:
      ticket_alert: { disable: true }
"#;

#[test]
fn a_spec_becomes_a_declaration() {
    let shop = Shop::new();
    shop.write("slos.yml", SLOTH);
    let output = shop.run(&["import", "slos.yml", "--output", "orders.toml"]);
    let notes = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{notes}");
    assert!(
        notes.contains("slos.yml:6: service \"shop\": slos[0].description: is not kept"),
        "{notes}"
    );
    let written = std::fs::read_to_string(shop.path("orders.toml")).unwrap();
    assert_eq!(
        written,
        r#"service = "shop"
expect_families = ["http_requests_total"]

[generate]
job = "shop-prod"

[[slo]]
name = "orders"
bad = 'http_requests_total{code=~"5.."}'
valid = "http_requests_total"
objective = 0.999
rolling = 30

[[slo.burn_alert]]
severity = "page"
share = 0.02
long = "1h"

[[slo.burn_alert]]
severity = "page"
share = 0.05
long = "6h"
"#
    );
    let said = shop.printed(&["check", "orders.toml"]);
    assert!(said.contains("shop has no mistakes"), "{said}");
}

#[test]
fn files_refer_to_each_other_and_may_be_of_both_kinds() {
    let shop = Shop::new();
    shop.write("slo.yaml", OPENSLO);
    shop.write("sli.yaml", INDICATOR);
    shop.write("sloth.yaml", SLOTH);
    let said = refused(&shop, &["import", "slo.yaml"]);
    assert!(
        said.starts_with("slo.yaml:8: SLO \"checkout\": spec.indicatorRef: names"),
        "{said}"
    );
    let both = shop.printed(&["import", "slo.yaml", "sli.yaml", "sloth.yaml"]);
    let declaration = Declaration::parse(&both).unwrap();
    let names: Vec<_> = declaration.slos().iter().map(|slo| slo.name()).collect();
    assert_eq!(names, ["checkout", "orders"]);
}

#[test]
fn every_mistake_of_every_file_is_said_and_nothing_written() {
    let shop = Shop::new();
    shop.write(
        "percent.yaml",
        &(OPENSLO.replace("0.999", "99.9") + "---\n" + INDICATOR),
    );
    shop.write(
        "twice.yaml",
        &SLOTH
            .replace("  - name: orders", "  - name: checkout")
            .replace("99.9", "50"),
    );
    shop.write(
        "again.yaml",
        &SLOTH.replace("  - name: orders", "  - name: checkout"),
    );
    shop.write(
        "old.yaml",
        &OPENSLO.replace("openslo/v1", "openslo/v1alpha"),
    );
    shop.write(
        "pyrra.yaml",
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\n",
    );
    let files = [
        "percent.yaml",
        "twice.yaml",
        "again.yaml",
        "old.yaml",
        "pyrra.yaml",
    ];
    let import = |others: &[&str]| {
        let args = [&["import"], &files[..], others, &["--output", "made.toml"]];
        refused(&shop, &args.concat())
    };
    let unread = import(&["none.yaml"]);
    assert_eq!(unread.lines().count(), 1, "{unread}");
    assert!(
        unread.starts_with("none.yaml: cannot be read: "),
        "{unread}"
    );
    let said = import(&[]);
    for expected in [
        "percent.yaml:9: SLO \"checkout\": spec.objectives[0].target: 99.9 is a percentage: write 0.999",
        "twice.yaml:4: service \"shop\": slos[0]: burn_alert 1 over 1h can never fire",
        "again.yaml:4: service \"shop\": slos[0]: makes a second SLO \"checkout\"",
        "old.yaml:1: SLO \"checkout\": apiVersion: \"openslo/v1alpha\" is another version",
        "pyrra.yaml:1: document 1: is neither OpenSLO",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    assert!(!shop.files().contains(&"made.toml".to_owned()));
}

#[test]
fn what_only_prometheus_could_tell_is_refused_where_it_stands() {
    let shop = Shop::new();
    let of_instance = SLOTH.replace("{job=\"shop-prod\"}", "{instance=\"a:1\"}");
    shop.write("slos.yaml", &of_instance);
    let said = refused(&shop, &["import", "slos.yaml"]);
    assert!(
        said.contains("slos.yaml:4: service \"shop\": slos[0]: bad asks for"),
        "{said}"
    );
    assert!(
        said.contains("let all queries of the service ask for the same job")
            && !said.contains("Builder"),
        "{said}"
    );
    shop.write(
        "two.yaml",
        &SLOTH.replacen("{job=\"shop-prod\"", "{job=\"shop-test\"", 1),
    );
    let said = refused(&shop, &["import", "two.yaml"]);
    assert!(said.contains("two.yaml:4: "), "{said}");
}

#[test]
fn one_service_is_chosen_of_several() {
    let shop = Shop::new();
    let other = SLOTH
        .replace("service: shop", "service: mail")
        .replace("orders", "letters");
    shop.write("all.yaml", &format!("{SLOTH}---\n{other}"));
    let said = refused(&shop, &["import", "all.yaml"]);
    let several = said.clone();
    assert_eq!(
        said,
        "the files are about several services: choose one of shop, mail with `plimsoll import --service`\n"
    );
    let said = refused(&shop, &["import", "all.yaml", "--service", "post"]);
    assert!(said.contains("there are shop, mail"), "{said}");
    let mail = shop.printed(&["import", "all.yaml", "--service", "mail"]);
    let mail = Declaration::parse(&mail).unwrap();
    assert_eq!((mail.service(), mail.slos()[0].name()), ("mail", "letters"));
    assert_eq!(mail.slos().len(), 1);
    assert_eq!(refused(&shop, &["check", "all.yaml"]), several);
    // Only its SLOs make a service one to choose.
    let alone = "apiVersion: openslo/v1\nkind: Service\nmetadata: { name: post }\nspec: {}\n";
    shop.write("one.yaml", &format!("{alone}---\n{SLOTH}"));
    let said = shop.printed(&["check", "one.yaml"]);
    assert!(said.contains("shop has no mistakes"), "{said}");
}

#[test]
fn a_spec_without_slos_is_no_declaration() {
    let shop = Shop::new();
    let none = SLOTH.split("slos:").next().unwrap().to_owned() + "slos: []\n";
    shop.write("none.yaml", &none);
    let service = "apiVersion: openslo/v1\nkind: Service\nmetadata: { name: shop }\nspec: {}\n";
    shop.write("service.yaml", service);
    for spec in ["none.yaml", "service.yaml"] {
        for command in [
            &["import", spec, "--output", "made.toml"][..],
            &["check", spec],
        ] {
            assert_eq!(
                refused(&shop, command),
                "service \"shop\" has no SLO in these files: add one, or name the file that holds them as well\n"
            );
        }
    }
    assert!(!shop.files().contains(&"made.toml".to_owned()));
}

#[test]
fn what_a_service_is_called_beside_its_name_is_said() {
    let shop = Shop::new();
    let service = "apiVersion: openslo/v1\nkind: Service\nmetadata: { name: shop, displayName: The Shop }\nspec: { description: It sells. }\n";
    shop.write(
        "all.yaml",
        &format!("{service}---\n{OPENSLO}---\n{INDICATOR}"),
    );
    let output = shop.run(&["import", "all.yaml"]);
    let notes = text(&output.stderr);
    for field in [
        "3: Service \"shop\": metadata.displayName",
        "4: Service \"shop\": spec.description",
    ] {
        let note = format!("all.yaml:{field}: is not kept: of a service there is its name");
        assert!(notes.contains(&note), "{notes}");
    }
    let lines = notes.lines().map(|note| note.split(':').nth(1).unwrap());
    let lines: Vec<u32> = lines.map(|line| line.parse().unwrap()).collect();
    assert!(lines.len() > 2 && lines.is_sorted(), "{notes}");
    let of_slo =
        "SLO \"checkout\": metadata.displayName: is not kept: here an SLO is known by its name";
    assert!(notes.contains(of_slo), "{notes}");
}

#[test]
fn notes_are_about_the_service_and_about_what_is_not_kept() {
    let shop = Shop::new();
    let other = SLOTH
        .replace("service: shop", "service: mail")
        .replace("orders", "letters")
        .replace("{job=\"shop-prod\"}", "");
    shop.write("all.yaml", &format!("{SLOTH}---\n{other}"));
    let notes = |service: &str| {
        let output = shop.run(&["import", "all.yaml", "--service", service]);
        text(&output.stderr)
    };
    let (of_shop, of_mail) = (notes("shop"), notes("mail"));
    assert!(
        of_shop.contains("all.yaml:6: service \"shop\": slos[0].description"),
        "{of_shop}"
    );
    assert!(!of_shop.contains("\"mail\""), "{of_shop}");
    assert!(!of_shop.contains("ask for the same job"), "{of_shop}");
    assert!(
        of_mail.contains("service \"mail\": slos[0].description"),
        "{of_mail}"
    );
    assert!(!of_mail.contains("\"shop\""), "{of_mail}");
}

#[test]
fn warnings_of_a_spec_have_lines_and_can_be_mended_there() {
    let shop = Shop::new();
    let silent = SLOTH
        .replace("http_requests_total", "http_server_requests_total")
        .replace(
            "ticket_alert:",
            "page_alert: { disable: true }\n      ticket_alert:",
        );
    shop.write("slos.yaml", &silent);
    let output = shop.run(&["check", "slos.yaml", "--strict"]);
    let said = text(&output.stdout);
    assert!(
        said.starts_with("slos.yaml:4: warning: slo \"orders\": burn_alerts leaves none"),
        "{said}"
    );
    assert!(!said.contains("absent_after"), "{said}");
    assert!(!said.contains("state_file"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_list_of_documents_is_a_stream_of_them() {
    let shop = Shop::new();
    let item = |text: &str| {
        let lines = text.lines().enumerate();
        let lines =
            lines.map(|(at, line)| format!("{}{line}\n", if at == 0 { "- " } else { "  " }));
        lines.collect::<String>()
    };
    shop.write("list.yaml", &(item(OPENSLO) + &item(INDICATOR)));
    shop.write("stream.yaml", &format!("{OPENSLO}---\n{INDICATOR}"));
    assert_eq!(
        shop.printed(&["import", "list.yaml"]),
        shop.printed(&["import", "stream.yaml"])
    );
    shop.write(
        "bad.yaml",
        &(item(OPENSLO) + &item(&INDICATOR.replace("kind: SLI", "kind: Sli"))),
    );
    let said = refused(&shop, &["import", "bad.yaml"]);
    assert!(
        said.contains("bad.yaml:11: Sli \"checkout-errors\": kind: \"Sli\" is no kind"),
        "{said}"
    );
}

#[test]
fn what_is_exported_comes_back() {
    let shop = Shop::new();
    for format in ["openslo", "sloth"] {
        let exported = shop.printed(&["export", "shop.toml", "--format", format]);
        let declaration = Declaration::parse(super::SHOP).unwrap();
        let expected = match format {
            "openslo" => spec::to_openslo(&declaration),
            _ => spec::to_sloth(&declaration),
        };
        assert_eq!(exported, expected.text);
        shop.write("exported.yaml", &exported);
        let said = refused(&shop, &["import", "exported.yaml"]);
        assert!(said.contains("which is not declared: declare it"), "{said}");
        let back = shop.printed(&["import", "exported.yaml", "--known", "shop.toml"]);
        assert_eq!(
            Declaration::parse(&back).unwrap().slos(),
            declaration.slos()
        );
    }
}

#[test]
fn what_a_spec_cannot_say_is_said() {
    let shop = Shop::new();
    let output = shop.run(&["export", "shop.toml", "--format", "sloth"]);
    let notes = text(&output.stderr);
    assert!(
        notes.contains("shop.toml: budget: \"checkout-errors\" is no SLO, and is left out"),
        "{notes}"
    );
    let more = super::SHOP.replace("[[slo]]", "[[budget]]\nname = \"rate\"\non = \"http\"\nsli = \"error_ratio\"\nat_most = 0.1\n\n[[slo]]");
    shop.write("more.toml", &more);
    let output = shop.run(&["export", "more.toml", "--format", "openslo"]);
    let notes = text(&output.stderr);
    let windows = "SLO \"availability\": burn_alert: also ask for short windows (5m, 30m, 2h, 6h), which OpenSLO";
    assert!(notes.contains(windows), "{notes}");
    assert!(
        notes.contains("\"checkout-errors\", \"rate\" are no SLOs, and are left out"),
        "{notes}"
    );
    shop.write("none.toml", "service = \"shop\"");
    let said = refused(
        &shop,
        &[
            "export",
            "none.toml",
            "--format",
            "sloth",
            "--output",
            "made.yaml",
        ],
    );
    assert!(said.starts_with("none.toml: declares no SLO"), "{said}");
    assert_eq!(shop.files(), ["more.toml", "none.toml", "shop.toml"]);
}

#[test]
fn other_commands_read_a_spec_as_well() {
    let shop = Shop::new();
    shop.write("slos.yaml", SLOTH);
    let imported = shop.printed(&["import", "slos.yaml"]);
    shop.write("slos.toml", &imported);
    for command in ["rules", "alertmanager", "metrics"] {
        assert_eq!(
            shop.printed(&[command, "slos.yaml"]),
            shop.printed(&[command, "slos.toml"]),
            "{command}"
        );
    }
    shop.write("bad.yaml", &SLOTH.replace("99.9", "0.999"));
    let said = refused(&shop, &["rules", "bad.yaml", "--output", "rules.yml"]);
    assert!(said.starts_with("bad.yaml:5: "), "{said}");
}
