use plimsoll::{ManualClock, Naming, Plimsoll};

fn plimsoll(naming: Naming) -> Plimsoll {
    let builder = Plimsoll::builder().clock(ManualClock::new());
    builder.naming(naming).build().unwrap()
}

#[test]
fn a_fresh_instance_reports_on_itself() {
    let plimsoll = plimsoll(Naming::default());
    let page = plimsoll.render();
    let version = env!("CARGO_PKG_VERSION");
    assert!(page.contains(&format!("plimsoll_build_info{{version=\"{version}\"}} 1\n")));
    assert!(page.contains("plimsoll_uptime_seconds 0.0\n"));
    assert!(page.contains("plimsoll_series_overflow_total{kind=\"http\"} 0\n"));
    assert_eq!(
        page,
        plimsoll.render(),
        "the same state gives the same text"
    );
}

#[test]
fn families_are_ordered_and_each_name_has_help_and_type_once() {
    let families = plimsoll(Naming::millis()).families();
    assert!(families.is_sorted_by(|a, b| a.name < b.name));
    assert!(
        families
            .iter()
            .all(|family| !family.help.is_empty() && !family.samples.is_empty())
    );
}

#[cfg(feature = "metrics")]
mod facade {
    use metrics::{counter, describe_counter, describe_histogram, gauge, histogram};
    use plimsoll::Naming;

    use super::plimsoll;

    #[test]
    fn counters_gauges_and_histograms_are_on_the_page_under_their_own_names() {
        let plimsoll = plimsoll(Naming::classic().prefix("shop_"));
        metrics::with_local_recorder(&plimsoll.metrics_recorder(), || {
            describe_counter!("orders_total", "Orders \\ placed.");
            counter!("orders_total", "shop" => "a\"b\\c\nd").increment(3);
            gauge!("queue.depth").set(1.5);
            describe_histogram!("packing_seconds", "Time to pack.");
            let packing = histogram!("packing_seconds", "shop" => "a");
            packing.record(0.005);
            packing.record(-1.0);
            packing.record(f64::NAN);
            packing.record(f64::INFINITY);
        });
        let page = plimsoll.render();
        for line in [
            "# HELP orders_total Orders \\\\ placed.",
            "# TYPE orders_total counter",
            r#"orders_total{shop="a\"b\\c\nd"} 3"#,
            "# TYPE queue_depth gauge",
            "queue_depth 1.5",
            "# HELP packing_seconds Time to pack.",
            r#"packing_seconds_bucket{shop="a",le="0.005"} 2"#,
            r#"packing_seconds_bucket{shop="a",le="+Inf"} 3"#,
            r#"packing_seconds_count{shop="a"} 3"#,
            r#"plimsoll_values_saturated_total{kind="instrument"} 1"#,
            "plimsoll_families_dropped_total 0",
        ] {
            assert!(
                page.lines().any(|it| it == line),
                "{line} is not in\n{page}"
            );
        }
    }

    #[test]
    fn a_name_of_ours_stays_ours_and_the_drop_is_counted_once() {
        let plimsoll = plimsoll(Naming::classic());
        metrics::with_local_recorder(&plimsoll.metrics_recorder(), || {
            counter!("requests_total").increment(666);
            gauge!("request_duration_seconds_count").set(666.0);
            histogram!("db_query_duration_seconds").record(666.0);
            gauge!("plimsoll_uptime_seconds").set(666.0);
            gauge!("fine").set(1.0);
        });
        for _ in 0..2 {
            let page = plimsoll.render();
            assert!(!page.contains("666"), "{page}");
            assert!(page.contains("\nfine 1"), "{page}");
            assert!(
                page.contains("plimsoll_families_dropped_total 4\n"),
                "{page}"
            );
        }
    }

    #[test]
    fn every_call_returns_the_same_recorder() {
        let plimsoll = plimsoll(Naming::otel());
        for _ in 0..2 {
            metrics::with_local_recorder(&plimsoll.metrics_recorder(), || {
                counter!("orders_total").increment(1);
            });
        }
        assert!(plimsoll.render().contains("\norders_total 2\n"));
    }

    #[test]
    fn changing_or_repeated_label_keys_are_dropped_and_counted() {
        let plimsoll = plimsoll(Naming::otel());
        metrics::with_local_recorder(&plimsoll.metrics_recorder(), || {
            histogram!("packing_seconds", "shop" => "a").record(1.0);
            histogram!("packing_seconds", "floor" => "2").record(1.0);
            histogram!("fine_seconds", "a" => "1", "b" => "2").record(1.0);
            histogram!("fine_seconds", "b" => "2", "a" => "1").record(1.0);
            counter!("twice_total", "a.b" => "1", "a_b" => "2").increment(1);
            counter!("fine_total", "a" => "1", "b" => "2").increment(1);
            counter!("fine_total", "b" => "2", "a" => "1").increment(1);
        });
        let page = plimsoll.render();
        for refused in ["floor", "twice_total"] {
            assert!(!page.contains(refused), "{page}");
        }
        for line in [
            r#"fine_seconds_count{a="1",b="2"} 2"#,
            r#"fine_total{a="1",b="2"} 2"#,
            "plimsoll_families_dropped_total 2",
        ] {
            assert!(
                page.lines().any(|it| it == line),
                "{line} is not in\n{page}"
            );
        }
    }

    #[test]
    fn two_instances_stand_side_by_side() {
        let (a, b) = (
            plimsoll(Naming::millis().prefix("a_")),
            plimsoll(Naming::millis().prefix("b_")),
        );
        metrics::with_local_recorder(&a.metrics_recorder(), || {
            counter!("only_a_total").increment(1)
        });
        let (a, b) = (a.render(), b.render());
        assert!(
            a.contains("\na_http_error_rate{") && a.contains("\nonly_a_total 1\n"),
            "{a}"
        );
        assert!(
            b.contains("\nb_http_error_rate{") && !b.contains("only_a_total"),
            "{b}"
        );
    }
}

#[cfg(feature = "axum")]
mod served {
    use std::io::Read;
    use std::time::Duration;

    use axum::Router;
    use axum::body::{Body, HttpBody};
    use axum::http::{Request, StatusCode, header};
    use axum::response::Response;
    use flate2::read::GzDecoder;
    use http_body_util::BodyExt;
    use plimsoll::export::{self, Format, ListenError};
    use plimsoll::{Naming, Outcome, Plimsoll};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tower::ServiceExt;

    use super::plimsoll;

    /// Status line and headers, and body, over a real connection.
    async fn get(address: std::net::SocketAddr, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    #[tokio::test]
    async fn the_handler_serves_the_page() {
        let plimsoll = plimsoll(Naming::otel());
        let app: Router = Router::new().route("/metrics", export::handler(&plimsoll));
        let request = |method| {
            Request::builder()
                .method(method)
                .uri("/metrics")
                .body(Body::empty())
                .unwrap()
        };
        let response = app.clone().oneshot(request("GET")).await.unwrap();
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/plain; version=0.0.4; charset=utf-8"
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, plimsoll.render());
        let response = app.oneshot(request("POST")).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[tokio::test]
    async fn the_listener_serves_metrics_only_and_frees_its_port() {
        let plimsoll = plimsoll(Naming::otel());
        let listener = export::listen(&plimsoll, "127.0.0.1:0").await.unwrap();
        let address = listener.local_addr();
        let (head, body) = get(address, "/metrics").await;
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        assert!(
            head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"),
            "{head}"
        );
        assert_eq!(body, plimsoll.render());
        assert!(get(address, "/").await.0.starts_with("HTTP/1.1 404"));

        let idle = TcpStream::connect(address).await.unwrap();
        listener.stop().await;
        TcpStream::connect(address)
            .await
            .expect_err("the port is closed");
        drop(idle);
        let again = export::listen(&plimsoll, &address.to_string())
            .await
            .unwrap();
        drop(again);
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    /// What the handler answers to a request with these headers.
    async fn answer(plimsoll: &Plimsoll, headers: &[(&str, &str)]) -> Response {
        let app: Router = Router::new().route("/metrics", export::handler(plimsoll));
        let request = headers
            .iter()
            .fold(Request::get("/metrics"), |request, (name, value)| {
                request.header(*name, *value)
            });
        app.oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap()
    }

    async fn body(response: Response) -> Vec<u8> {
        let body = response.into_body().collect().await.unwrap();
        body.to_bytes().to_vec()
    }

    #[tokio::test]
    async fn the_format_is_the_one_that_is_asked_for() {
        let plimsoll = plimsoll(Naming::otel());
        let openmetrics = "application/openmetrics-text;version=1.0.0";
        for (accept, format) in [
            ("*/*", Format::Text),
            ("image/png", Format::Text),
            (openmetrics, Format::OpenMetrics { created: false }),
        ] {
            let response = answer(&plimsoll, &[("accept", accept)]).await;
            let headers = response.headers();
            assert_eq!(headers[header::CONTENT_TYPE], format.content_type());
            assert_eq!(headers[header::VARY], "accept, accept-encoding");
            assert!(!headers.contains_key(header::CONTENT_ENCODING));
            assert_eq!(body(response).await, plimsoll.render_as(format));
        }
        let lines = [("accept", "text/plain;q=0.5"), ("accept", openmetrics)];
        let response = answer(&plimsoll, &lines).await;
        assert!(body(response).await.ends_with(b"# EOF\n"));
    }

    #[tokio::test]
    async fn a_page_is_packed_for_those_who_ask_for_it() {
        let plimsoll = plimsoll(Naming::otel());
        for route in 0..500 {
            plimsoll
                .operation(&format!("operation {route}"))
                .record(Outcome::Ok, Duration::from_millis(route));
        }
        let page = plimsoll.render_as(Format::Text);
        assert!(page.len() > 10 * 64 * 1024, "many pieces: {}", page.len());
        for (accepted, packed) in [
            ("gzip", true),
            ("deflate, gzip;q=0.5, br", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip;q=0.5, identity", false),
            ("br", false),
        ] {
            let response = answer(&plimsoll, &[("accept-encoding", accepted)]).await;
            let encoding = response.headers().get(header::CONTENT_ENCODING).cloned();
            assert_eq!(
                encoding.is_some_and(|it| it == "gzip"),
                packed,
                "{accepted}"
            );
            let body = body(response).await;
            if packed {
                assert!(
                    body.len() * 10 < page.len(),
                    "{} of {}",
                    body.len(),
                    page.len()
                );
                let mut unpacked = Vec::new();
                GzDecoder::new(&*body).read_to_end(&mut unpacked).unwrap();
                assert_eq!(unpacked, page);
            } else {
                assert_eq!(body, page, "{accepted}");
            }
        }
    }

    #[tokio::test]
    async fn a_large_page_is_sent_in_pieces_and_a_small_one_says_its_length() {
        let plimsoll = plimsoll(Naming::otel());
        let response = answer(&plimsoll, &[]).await;
        let length = plimsoll.render().len() as u64;
        assert_eq!(response.body().size_hint().exact(), Some(length));
        for route in 0..500 {
            plimsoll
                .operation(&format!("operation {route}"))
                .record(Outcome::Ok, Duration::from_millis(route));
        }
        let mut large = answer(&plimsoll, &[]).await.into_body();
        assert_eq!(large.size_hint().exact(), None);
        let mut pieces = Vec::new();
        while let Some(frame) = large.frame().await {
            pieces.push(frame.unwrap().into_data().unwrap());
        }
        assert!(pieces.iter().all(|piece| piece.len() < 80 * 1024));
        assert!(large.is_end_stream());
        assert_eq!(pieces.concat(), plimsoll.render_as(Format::Text));
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_with_the_remedy() {
        let plimsoll = plimsoll(Naming::otel());
        let first = export::listen(&plimsoll, "127.0.0.1:0").await.unwrap();
        let address = first.local_addr().to_string();
        let error = export::listen(&plimsoll, &address).await.unwrap_err();
        assert!(matches!(error, ListenError::InUse { .. }));
        assert_eq!(
            error.to_string(),
            format!(
                "address {address} is already in use: stop what listens there, or choose another port (0 lets the \
                 system choose)"
            )
        );
        let error = export::listen(&plimsoll, "nonsense").await.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot listen on \"nonsense\": "),
            "{error}"
        );
    }
}
