//! Which format is served, and OpenMetrics.

use super::*;

pub(super) const OPENMETRICS: Format = Format::OpenMetrics { created: false };
const WITH_CREATED: Format = Format::OpenMetrics { created: true };

pub(super) fn text(plimsoll: &Plimsoll, format: Format) -> String {
    String::from_utf8(plimsoll.render_as(format)).expect("text")
}

fn counter(plimsoll: &Plimsoll, name: &str) {
    let instruments = &plimsoll.registry().instruments;
    let made = instruments.register(name, "Help \"me\".", InstrumentKind::Counter, &[]);
    made.expect("new");
}

fn gauge(plimsoll: &Plimsoll, name: &str) {
    let instruments = &plimsoll.registry().instruments;
    let made = instruments.register(name, "", InstrumentKind::Gauge, &[]);
    let Ok(InstrumentValue::Gauge(cell)) = made else {
        panic!("{made:?}")
    };
    cell.set(1e6);
}

/// Names that are sound as text and collide in OpenMetrics.
fn colliding() -> Plimsoll {
    let plimsoll = filled(Naming::classic());
    for name in [
        "fine_bytes_total",
        "orders",
        "jobs_total",
        "sold_total",
        "_total",
        "one_total",
        "one_total_total",
    ] {
        counter(&plimsoll, name);
    }
    for name in ["jobs", "sold_created", "request_duration_seconds_created"] {
        gauge(&plimsoll, name);
    }
    for name in ["histogram", "histogram_created"] {
        let buckets = crate::Buckets::new(crate::Layout::counts(), &[1.0]).expect("bounds");
        let instruments = &plimsoll.registry().instruments;
        let made = instruments.register(name, "", InstrumentKind::Histogram(buckets), &[]);
        made.expect("new");
    }
    plimsoll
}

#[test]
fn the_greatest_q_wins_then_the_most_exact_then_the_first() {
    let prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                        text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    for (accept, format) in [
        (prometheus_2, OPENMETRICS),
        ("", Format::Text),
        ("*/*", Format::Text),
        ("text/*", Format::Text),
        ("image/png", Format::Text),
        ("application/*", OPENMETRICS),
        ("text/plain;q=0,*/*", OPENMETRICS),
        ("application/openmetrics-text", OPENMETRICS),
        (
            "APPLICATION/OpenMetrics-Text ; Version=\"1.0.0\"",
            OPENMETRICS,
        ),
        ("application/openmetrics-text;version=0.0.1", Format::Text),
        (
            "text/plain;q=0.5, application/openmetrics-text;q=0.4",
            Format::Text,
        ),
        (
            "text/plain;q=0.4, application/openmetrics-text;q=0.5",
            OPENMETRICS,
        ),
        ("text/plain, application/openmetrics-text", Format::Text),
        ("application/openmetrics-text, text/plain", OPENMETRICS),
        (
            "text/plain, application/openmetrics-text;version=1.0.0",
            OPENMETRICS,
        ),
        (
            "application/openmetrics-text;q=nan, text/plain;q=0.1",
            Format::Text,
        ),
        (
            "application/openmetrics-text;q=2, text/plain;q=0.1",
            Format::Text,
        ),
        ("application/openmetrics-text;q=0", Format::Text),
        (
            "application/openmetrics-text;charset=utf-8;escaping=allow-utf-8",
            OPENMETRICS,
        ),
        (";;,,q=1,/", Format::Text),
    ] {
        assert_eq!(Format::negotiate(Some(accept)), format, "{accept:?}");
    }
    assert_eq!(Format::negotiate(None), Format::Text);
}

#[test]
fn an_instance_serves_the_variant_that_it_was_given() {
    let plimsoll = Plimsoll::builder()
        .format(WITH_CREATED)
        .build()
        .expect("sound");
    let accept = Some("application/openmetrics-text");
    assert_eq!(plimsoll.negotiate(accept), WITH_CREATED);
    assert_eq!(plimsoll.negotiate(None), Format::Text);
}

#[cfg(feature = "tracing")]
#[test]
fn openmetrics_is_as_its_snapshot() {
    let plimsoll = filled(Naming::classic().errors_family());
    instruments(&plimsoll);
    compare("openmetrics.txt", &text(&plimsoll, WITH_CREATED));
}

#[test]
fn created_samples_are_the_only_difference_that_they_make() {
    let plimsoll = filled(Naming::classic());
    let with = text(&plimsoll, WITH_CREATED);
    let created = |line: &&str| {
        line.split(['{', ' '])
            .next()
            .is_some_and(|name| name.ends_with("_created"))
    };
    let (created, others): (Vec<&str>, Vec<&str>) = with.lines().partition(created);
    assert_eq!(
        others,
        text(&plimsoll, OPENMETRICS).lines().collect::<Vec<_>>()
    );
    let counted = plimsoll.families().into_iter();
    let counted = counted.filter(|family| family.kind != Kind::Gauge);
    assert_eq!(
        created.len(),
        counted.map(|family| family.samples.len()).sum::<usize>()
    );
    // The instance was built at 0, the series came 2.5 s later.
    for line in &created {
        let expected = if line.starts_with("plimsoll_") {
            " 0.000"
        } else {
            " 2.500"
        };
        assert!(line.ends_with(expected), "{line}");
    }
}

#[test]
fn counters_that_openmetrics_does_not_know_are_unknown() {
    let plimsoll = colliding();
    let page = text(&plimsoll, OPENMETRICS);
    for line in [
        "# TYPE fine_bytes counter",
        "# UNIT fine_bytes bytes",
        "# HELP fine_bytes Help \\\"me\\\".",
        "fine_bytes_total 0",
        "# TYPE orders unknown",
        "orders 0",
        "# TYPE jobs gauge",
        "jobs 1e+06",
        "# TYPE jobs_total unknown",
        "jobs_total 0",
        "# TYPE sold_total unknown",
        "# TYPE _total unknown",
        "# TYPE request_duration_seconds histogram",
        "# UNIT request_duration_seconds seconds",
    ] {
        assert!(
            page.lines().any(|it| it == line),
            "{line} is not in\n{page}"
        );
    }
    assert!(!page.contains("request_duration_seconds_created"), "{page}");
    assert!(text(&plimsoll, Format::Text).contains("\nrequest_duration_seconds_created 1e+06\n"));
    assert!(text(&plimsoll, Format::Text).contains("\nplimsoll_families_dropped_total 2\n"));
    assert!(page.ends_with("\n# EOF\n"));
}

#[test]
fn a_page_is_the_same_in_one_piece_and_in_many() {
    let plimsoll = plimsoll(Naming::otel());
    for route in 0..300 {
        let labels = ["GET", &*format!("/{route}")];
        record(&plimsoll, Domain::Http, &labels, &[(Outcome::Ok, 200, MS)]);
    }
    for format in formats() {
        let mut pieces = Pieces::default();
        plimsoll.render_to(format, &mut pieces).expect("taken");
        assert_eq!(pieces.0.concat(), plimsoll.render_as(format), "{format:?}");
        assert!(pieces.0.len() > 1, "{format:?}");
        if matches!(format, Format::Text | Format::OpenMetrics { .. }) {
            let fits = |piece: &Vec<u8>| piece.len() < CHUNK + CHUNK / 8;
            assert!(pieces.0.iter().all(fits), "{format:?}");
        }
    }
    let mut full: &mut [u8] = &mut [];
    plimsoll
        .render_to(Format::Text, &mut full)
        .expect_err("no room");
}

#[derive(Default)]
struct Pieces(Vec<Vec<u8>>);

impl io::Write for Pieces {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.push(piece.to_owned());
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Each format; without its feature protobuf is text once more.
fn formats() -> [Format; 3] {
    [
        "text/plain",
        "application/openmetrics-text",
        "application/vnd.google.protobuf",
    ]
    .map(|accept| Format::negotiate(Some(accept)))
}

#[test]
fn a_page_without_families_is_a_page() {
    let nothing = |format| {
        let plimsoll = plimsoll(Naming::otel());
        let mut out = Vec::new();
        let mut page = Page::new(plimsoll.inner(), format);
        page.forget_families();
        page.finish(&mut out);
        out
    };
    assert_eq!(nothing(Format::Text), b"");
    assert_eq!(nothing(OPENMETRICS), b"# EOF\n");
    #[cfg(feature = "native")]
    assert_eq!(
        nothing(Format::Protobuf {
            schema: NativeSchema::default()
        }),
        b""
    );
}

#[test]
#[ignore = "needs prometheus-client: tests/run"]
fn an_openmetrics_parser_takes_the_pages() {
    use std::process::{Command, Stdio};

    let script = "import sys\nfrom prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n\
                  print(sum(len(family.samples) for family in parse(sys.stdin.read())))";
    let python = std::env::var("PLIMSOLL_PYTHON").unwrap_or_else(|_| "python3".into());
    let parse = |page: &str| {
        let mut parser = Command::new(&python)
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("python is installed");
        let mut stdin = parser.stdin.take().expect("piped");
        io::Write::write_all(&mut stdin, page.as_bytes()).expect("read");
        drop(stdin);
        let output = parser.wait_with_output().expect("ended");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}\n{page}");
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse::<usize>()
            .expect("a number")
    };
    let mut pages: Vec<Plimsoll> = profiles().map(|(_, naming)| filled(naming)).into();
    pages.iter().for_each(instruments);
    pages.push(colliding());
    pages.push(super::exemplars::traced());
    pages.push(plimsoll(Naming::otel()));
    record(
        &pages[0],
        Domain::Http,
        &["GET", "/\"a\\\n"],
        &[(Outcome::Ok, 200, MS)],
    );
    for (plimsoll, format) in pages
        .iter()
        .flat_map(|it| [(it, OPENMETRICS), (it, WITH_CREATED)])
    {
        let page = text(plimsoll, format);
        let samples = page.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(parse(&page), samples);
    }
}
