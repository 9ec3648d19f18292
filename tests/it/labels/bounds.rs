//! What clients, and the code that reads labels, cannot break.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

#[tokio::test]
async fn what_comes_after_the_cap_is_other_and_counted() {
    let builder = Plimsoll::builder().http_label(tier().at_most(3));
    let plimsoll = builder.build().unwrap();
    let app = app(MeasureLayer::new(&plimsoll));
    for n in 0..100 {
        let tier = format!("t{n}");
        send(&app, request("/answer/200", &[("x-tier", &tier)])).await;
    }
    let expected = [("other", 97), ("t0", 1), ("t1", 1), ("t2", 1)]
        .map(|(tier, count)| line(&format!("GET /answer/{{status}} {tier}"), count));
    assert_eq!(lines(&plimsoll), expected);
    assert_eq!(
        sample(&plimsoll, "plimsoll_label_overflow_total{label=\"tier\"}"),
        Some(97.0)
    );
    assert_eq!(
        sample(&plimsoll, "plimsoll_series_overflow_total{kind=\"http\"}"),
        Some(0.0)
    );
}

#[tokio::test]
async fn a_label_nobody_bounded_has_sixteen_values() {
    let plimsoll = Plimsoll::builder().http_label(tier()).build().unwrap();
    let app = app(MeasureLayer::new(&plimsoll));
    for n in 0..100 {
        let tier = format!("t{n}");
        send(&app, request("/answer/200", &[("x-tier", &tier)])).await;
    }
    assert_eq!(lines(&plimsoll).len(), 17);
}

#[tokio::test]
async fn a_megabyte_is_other_and_not_kept() {
    let megabyte: &'static str = "m".repeat(1 << 20).leak();
    let label = Label::request("tier", move |_| Some(megabyte));
    let plimsoll = Plimsoll::builder().http_label(label).build().unwrap();
    let app = app(MeasureLayer::new(&plimsoll));
    for _ in 0..10 {
        send(&app, request("/answer/200", &[])).await;
    }
    assert_eq!(lines(&plimsoll), [line("GET /answer/{status} other", 10)]);
    assert!(plimsoll.render().len() < 20_000);
}

#[tokio::test]
async fn a_panic_in_the_code_that_reads_a_label_changes_nothing_for_the_client() {
    let panicking = Arc::new(AtomicBool::new(true));
    let (first, second) = (panicking.clone(), panicking.clone());
    let tier = Label::request("tier", move |_| {
        assert!(!first.load(Ordering::Relaxed), "on purpose");
        Some("calm")
    });
    let cache = Label::response("cache", move |_| {
        assert!(!second.load(Ordering::Relaxed), "on purpose");
        Some("calm")
    });
    let builder = Plimsoll::builder().naming(Naming::classic());
    let builder = builder.http_label(tier.values(["calm"])).http_label(cache);
    let plimsoll = builder.build().unwrap();
    let app = app(MeasureLayer::new(&plimsoll));
    let answer = send(&app, request("/answer/201", &[])).await;
    assert_eq!(answer, (StatusCode::CREATED, "body".into()));
    panicking.store(false, Ordering::Relaxed);
    send(&app, request("/answer/201", &[])).await;
    let total = |tier: &str, cache: &str| {
        let labels = "method=\"GET\",route=\"/answer/{status}\",status=\"201\"";
        let name = format!("requests_total{{{labels},tier=\"{tier}\",cache=\"{cache}\"}}");
        sample(&plimsoll, &name)
    };
    assert_eq!(total("_OTHER", "other"), Some(1.0));
    assert_eq!(total("calm", "calm"), Some(1.0));
    for label in ["tier", "cache"] {
        let of = |family: &str| sample(&plimsoll, &format!("{family}{{label=\"{label}\"}}"));
        assert_eq!(of("plimsoll_label_panics_total"), Some(1.0));
        assert_eq!(of("plimsoll_label_overflow_total"), Some(0.0));
    }
    let operations = plimsoll.stats().operations;
    assert!(operations.iter().all(|operation| operation.in_flight == 0));
}

#[tokio::test]
async fn one_warning_for_each_label_that_loses_values() {
    let builder = Plimsoll::builder().manual_tick();
    let builder = builder.http_label(tier().values(["free"]));
    let plimsoll = builder.http_label(cache().values(["hit"])).build().unwrap();
    let app = app(MeasureLayer::new(&plimsoll));
    for _ in 0..3 {
        let headers = [("x-tier", "gold"), ("x-cache", "hit")];
        send(&app, request("/answer/200", &headers)).await;
        plimsoll.tick();
    }
    let warnings = plimsoll.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(
        (warnings[0].kind, &*warnings[0].subject),
        ("label_overflow", "tier")
    );
}

/// Bytes of all counters.
fn bytes(plimsoll: &Plimsoll) -> f64 {
    let owners = ["thread", "shared"].into_iter();
    let of = |owner| {
        sample(
            plimsoll,
            &format!("plimsoll_shard_bytes{{owner=\"{owner}\"}}"),
        )
    };
    owners.map(|owner| of(owner).unwrap()).sum()
}

/// Everything that a client sends is as random as it can be, and neither series nor memory grow.
#[tokio::test]
async fn no_host_path_query_or_address_is_a_label_and_nothing_grows() {
    let open = Label::request("tier", |head| head.headers().get("x-tier")?.to_str().ok());
    // Time stands still: a duration of another length would make a page of counters.
    let builder = Plimsoll::builder().clock(ManualClock::new());
    let builder = builder.http_label(Label::scheme());
    let builder = builder
        .http_label(Label::version())
        .http_label(open.at_most(4));
    let plimsoll = builder.build().unwrap();
    let layer = MeasureLayer::new(&plimsoll).declare_routes([("GET", "/answer/{status}")]);
    let app = app(layer);
    let seed = AtomicU64::new(1);
    let random = || {
        let next = seed
            .load(Ordering::Relaxed)
            .wrapping_mul(6_364_136_223_846_793_005);
        seed.store(
            next.wrapping_add(1_442_695_040_888_963_407),
            Ordering::Relaxed,
        );
        format!("{:x}", next >> 20)
    };
    let flood = async |count: u32| {
        for n in 0..count {
            let path = if n % 3 == 0 { "/answer/200" } else { "" };
            let uri = match n % 2 {
                0 => format!(
                    "http://{}.example{path}/{}?q={}",
                    random(),
                    random(),
                    random()
                ),
                _ => format!("{path}?q={}", random()),
            };
            let uri = if uri.starts_with('?') {
                format!("/{}{uri}", random())
            } else {
                uri
            };
            let tier = match n / 30 % 8 {
                known @ 0..4 => format!("t{known}"),
                _ => random(),
            };
            let mut request = request(&uri, &[("x-tier", &tier), ("host", &random())]);
            *request.method_mut() = match n % 5 {
                0 => http::Method::GET,
                _ => http::Method::from_bytes(format!("M{}", random()).as_bytes()).unwrap(),
            };
            let headers = request.headers_mut();
            let forwarded = random().parse::<http::HeaderValue>().unwrap();
            headers.insert("x-forwarded-proto", forwarded.clone());
            headers.insert("x-forwarded-for", forwarded);
            send(&app, request).await;
        }
    };
    flood(10_000).await;
    let (known, before) = (lines(&plimsoll), bytes(&plimsoll));
    flood(90_000).await;
    let after = lines(&plimsoll);
    let names = |lines: &[(String, u64)]| {
        let names = lines.iter().map(|(name, _)| name.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&after), names(&known));
    // The declared one; two methods, the route or none, four tiers or another. The scheme is always a lie.
    assert_eq!(after.len(), 1 + 2 * 2 * (4 + 1), "{after:#?}");
    let total: u64 = after.iter().map(|line| line.1).sum();
    assert_eq!(total, 100_000);
    assert_eq!(bytes(&plimsoll), before);
}
