//! What answers as no Prometheus does.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fake::{answering, listening};
use super::{COMMANDS, Fake, asked, fails};

/// What reads a request, says this and hangs up.
fn saying(text: &'static str) -> String {
    talking(async move |mut stream| {
        let _ = stream.write_all(text.as_bytes()).await;
    })
}

/// What never comes to an end.
fn endless() -> String {
    talking(async move |mut stream| {
        let mut part = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        while stream.write_all(&part).await.is_ok() {
            part = vec![b' '; 1 << 20];
        }
    })
}

fn talking(talk: impl AsyncFn(TcpStream) + Send + 'static) -> String {
    let address = listening(async move |listener| {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            talk(stream).await;
        }
    });
    format!("http://{address}")
}

#[test]
fn every_way_to_give_no_answer_has_a_sentence_of_its_own() {
    let cases = [
        (saying(""), "hung up without an answer"),
        (
            saying("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
            "does not answer in HTTP",
        ),
        (
            saying("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"status\":"),
            "broke off in the middle of its answer",
        ),
        (
            saying("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nxx"),
            "answers compressed (gzip), which it was not asked for",
        ),
        (endless(), "answers with more than 64 MiB"),
        (
            saying(
                "HTTP/1.1 302 Found\r\nlocation: /login?next=s3cret\r\ncontent-length: 0\r\n\r\n",
            ),
            "/login, which is not followed: write that in --prometheus",
        ),
        (
            saying(
                "HTTP/1.1 301 Moved\r\nlocation: https://prometheus.example/api/v1/status/buildinfo\r\ncontent-length: 0\r\n\r\n",
            ),
            "it points elsewhere, to https://prometheus.example, which",
        ),
        (
            answering(
                400,
                "text/plain",
                "Client sent an HTTP request to an HTTPS server.",
            ),
            "it wants https: write https:// in --prometheus",
        ),
        (
            answering(
                503,
                "application/json",
                r#"{"status":"error","errorType":"unavailable","error":"TSDB not ready"}"#,
            ),
            "HTTP status 503 (TSDB not ready): it is not ready",
        ),
        (
            answering(
                200,
                "application/json",
                r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
            ),
            "(query timed out)",
        ),
        (
            answering(
                200,
                "application/json",
                r#"{"status":"success","data":null}"#,
            ),
            "the answer is broken",
        ),
    ];
    for (url, sentence) in cases {
        for command in COMMANDS {
            // Much is sent to it, and the machine may be busy.
            let said = asked(command, &url, &["--timeout", "60s"]);
            fails(&said, sentence);
            assert!(!said.2.contains("s3cret"), "{said:?}");
        }
    }
}

#[test]
fn data_of_another_shape_are_not_taken_for_none() {
    for (command, path) in [
        ("doctor", "targets"),
        ("doctor", "rules"),
        ("doctor", "query"),
        ("query", "rules"),
        ("query", "query"),
        ("verify", "query"),
    ] {
        let mut fake = Fake::new();
        fake.names = vec!["up".to_owned()];
        fake.null = path;
        let said = asked(command, &fake.serve(), &[]);
        fails(&said, &format!(": {path} was answered with a success"));
        fails(&said, "the answer is broken");
    }
}
