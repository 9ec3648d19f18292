//! One mistake is one message, all of them come at once, and each has its line.

use super::says;

#[test]
fn labels_are_told_in_their_lines() {
    says(
        r#"
[[budget]]
name = "b"
on = "http"
sli = "error_ratio"
at_most = 0.1
per = [
  "route",
  "rute",
]
[budget.labels]
rout = "/a"
method = "GET"
verb = 5
route = 7
[[slo]]
name = "s"
on = "http"
objective = 0.999
labels = { rout = "/a" }
per = "metod"
[slo.except]
rout = "/health"
"#,
        &[
            "line 9: budget \"b\": per \"rute\" is not a label of http: it has method, route",
            "line 12: budget \"b\": labels: rout is not a label of http",
            "line 14: budget \"b\": labels: verb 5 is not a string: write it in quotes",
            "line 15: budget \"b\": labels: route 7 is not a string",
            "line 20: slo \"s\": labels: rout is not a label",
            "line 21: slo \"s\": per \"metod\" is not a label",
            "line 23: slo \"s\": except: rout is not a label",
        ],
    );
}

#[test]
fn what_a_table_is_about_hides_nothing_else_of_it() {
    says(
        r#"
[[budget]]
name = "kind"
on = "htp"
sli = "eror_ratio"
at_most = 5
over = "0s"
absent_after = "0s"
[[budget]]
name = "sli"
on = "http"
sli = "latency"
labels = { rout = "/a" }
critical = "5s"
over = "0s"
[[budget]]
name = "part"
part = "a_total"
at_most = 2
over = "0s"
[[slo]]
name = "slo"
on = "htp"
objective = 99.9
absent_after = "1ms"
[[slo]]
name = "of slo"
all_of = ["slo"]
objective = 0.0
[[kpi]]
name = "kpi"
on = "htp"
quantile = 0.9
target = 3
over = "0s"
"#,
        &[
            "line 4: budget \"kind\": on \"htp\" is not a kind of work",
            "line 5: budget \"kind\": sli \"eror_ratio\" is not one",
            "line 7: budget \"kind\": over 0ns is not a window",
            "line 8: budget \"kind\": absent_after 0ns is no time",
            "line 12: budget \"sli\": sli \"latency\" is not one",
            "line 13: budget \"sli\": labels: rout is not a label",
            "line 15: budget \"sli\": over 0ns is not a window",
            "line 16: budget \"part\": whole is missing",
            "line 20: budget \"part\": over 0ns is not a window",
            "line 23: slo \"slo\": on \"htp\" is not a kind of work",
            "line 24: slo \"slo\": objective 99.9 is a percentage",
            "line 25: slo \"slo\": absent_after 1ms is not a silence",
            "line 29: slo \"of slo\": objective 0 promises nothing",
            "line 32: kpi \"kpi\": on \"htp\" is not a kind of work",
            "line 35: kpi \"kpi\": over 0ns is not a window",
        ],
    );
}

#[test]
fn a_wrong_type_is_not_missing_as_well() {
    says(
        r#"
[[budget]]
name = 5
on = 7
at_most = true
[[budget]]
name = "b"
on = "http"
sli = 3
critical = { limit = true }
[[slo]]
name = "s"
on = "http"
objective = "99 %"
[[slo.burn_alert]]
severity = "page"
share = "a"
long = "1h"
[[slo.burn_alert]]
severity = "page"
share = 2
long = "1h"
[[slo]]
name = "w"
weights = { s = "much", nobody = 0 }
objective = 0.99
"#,
        &[
            "line 3: budget \"#1\": name 5 is not a string",
            "line 4: budget \"#1\": on 7 is not a string",
            "line 5: budget \"#1\": at_most true is not a limit",
            "line 9: budget \"b\": sli 3 is not a string",
            "line 10: budget \"b\": critical: limit true is not a limit",
            "line 14: slo \"s\": objective \"99 %\" is not a number",
            "line 17: slo \"s\": burn_alert 1: share \"a\" is not a number",
            "line 25: slo \"w\": weights: s \"much\" is not a weight",
            "line 25: slo \"w\": weights: nobody is no SLO of this instance",
            "line 25: slo \"w\": weights: nobody 0 is no weight: write a number above 0",
        ],
    );
}

#[test]
fn what_follows_from_a_mistake_is_not_told() {
    says(
        r#"
[[slo]]
name = "long"
on = "http"
objective = 0.999
rolling = 100000
[[slo]]
on = "http"
objective = 0.999
[[slo]]
on = "http"
objective = 0.999
[[slo]]
name = "low"
on = "http"
objective = 0.5
[[kpi]]
name = "k"
gauge = "plimsoll_ticks_total"
min = 1
max = 3
absent_after = "0ns"
"#,
        &[
            "line 6: slo \"long\": rolling 100000 is not a number of days from 1 to 366: write 30",
            "line 7: slo \"#2\": name is missing: every slo needs one",
            "line 10: slo \"#3\": name is missing",
            "line 13: slo \"low\": burn_alerts over 1h can never fire",
            "line 22: kpi \"k\": absent_after 0ns is no time",
        ],
    );
}

#[test]
fn shares_that_cannot_be_read_are_not_summed() {
    says(
        r#"
[[budget_tree]]
name = "t"
total = "1s"
[[budget_tree.share]]
name = "a"
of = "x"
[[budget_tree.share]]
of = 0.5
[[budget]]
name = "c"
condition = "sum(x) >"
[[budget]]
name = "checkout: p95"
on = "http"
quantile = 0.95
at_most = 200
"#,
        &[
            "line 7: budget_tree \"t\": share 1: of \"x\" is not",
            "line 8: budget_tree \"t\": share 2: name is missing",
            "line 12: budget \"c\": condition ",
            "line 17: budget \"checkout: p95\": at_most 200 is a plain number, and a quantile is a duration: write at_most = \"200ms\"",
        ],
    );
}

#[test]
fn tables_without_names_are_told_by_their_places() {
    says(
        r#"
[[slo]]
name = "s"
on = "http"
objective = 0.999
[[slo.burn_alert]]
severity = "page"
share = 0.02
long = "1h"
[[slo.burn_alert]]
severity = "page"
share = 2
long = "1h"
[[slo.maintenance]]
start = "2026-02-01T02:00:00Z"
end = "2026-02-01T03:00:00Z"
reason = "backup"
[[slo.maintenance]]
start = "2026-02-01T02:00:00Z"
end = "2026-02-01T03:00:00Z"
"#,
        &[
            "line 10: slo \"s\": burn_alert 2 2 is not a share of the error budget",
            "line 18: slo \"s\": maintenance 2 has no reason",
        ],
    );
}
