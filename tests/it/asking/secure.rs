//! Behind https, with an authority that only a file knows.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::fake::{Fake, listening};
use super::{COMMANDS, asked, fails, plimsoll};

/// In front of a Prometheus: what it says goes through TLS.
struct Secure {
    folder: tempfile::TempDir,
    url: String,
}

impl Secure {
    /// In front of what listens at `behind`, with a certificate for these names.
    fn of(behind: &str, names: &[&str]) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(names).unwrap();
        let own = own.signed_by(&key, &authority).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![own.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let secure = Self {
            folder: tempfile::tempdir().unwrap(),
            url: serve(config, behind.strip_prefix("http://").unwrap().to_owned()),
        };
        secure.write("ca.pem", &authority.pem());
        secure
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn authority(&self) -> String {
        self.folder
            .path()
            .join("ca.pem")
            .to_str()
            .unwrap()
            .to_owned()
    }
}

/// Its address, until the test ends.
fn serve(config: ServerConfig, behind: String) -> String {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let address = listening(async move |listener| {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(pass_on(acceptor.clone(), stream, behind.clone()));
        }
    });
    format!("https://{address}")
}

async fn pass_on(acceptor: TlsAcceptor, stream: TcpStream, behind: String) {
    // Whoever does not believe the certificate ends it here.
    let Ok(mut outside) = acceptor.accept(stream).await else {
        return;
    };
    let mut inside = TcpStream::connect(behind).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
}

#[test]
fn the_authority_of_a_file_is_believed() {
    let secure = Secure::of(&Fake::new().serve(), &["127.0.0.1"]);
    let ca = secure.authority();
    assert_eq!(asked("query", &secure.url, &["--ca", &ca]).0, 0);
    let options = ["--prometheus", &secure.url];
    let of_environment = [("PLIMSOLL_PROMETHEUS_CA", ca.as_str())];
    assert_eq!(plimsoll("query", &options, &of_environment).0, 0);
}

#[test]
fn a_token_goes_through_and_is_not_told() {
    let behind = Fake::new().only_for("Bearer s3cret").serve();
    let secure = Secure::of(&behind, &["127.0.0.1"]);
    let ca = secure.authority();
    let asks = |token: &str| {
        let file = secure.write("token", token);
        let options = [
            "--prometheus",
            &secure.url,
            "--ca",
            &ca,
            "--token-file",
            &file,
        ];
        plimsoll("query", &options, &[])
    };
    assert_eq!(asks("s3cret").0, 0);
    let other = asks("0ther");
    fails(&other, "HTTP status 401");
    assert!(!other.2.contains("0ther"), "{other:?}");
}

#[test]
fn nobody_else_is_believed() {
    let secure = Secure::of(&Fake::new().serve(), &["127.0.0.1"]);
    let stranger = Secure::of(&Fake::new().serve(), &["127.0.0.1"]);
    let misnamed = Secure::of(&Fake::new().serve(), &["prometheus.example"]);
    for command in COMMANDS {
        let strange = asked(command, &secure.url, &["--ca", &stranger.authority()]);
        fails(&strange, "is not believed: invalid peer certificate");
        fails(&strange, "with --ca");
        let misnamed = asked(command, &misnamed.url, &["--ca", &misnamed.authority()]);
        fails(&misnamed, "is not believed: invalid peer certificate");
    }
    // Not an authority of any system.
    assert_eq!(asked("query", &secure.url, &[]).0, 2);
}

#[test]
fn the_wrong_scheme_is_named() {
    let open = Fake::new().serve();
    let secure = Secure::of(&open, &["127.0.0.1"]);
    for command in COMMANDS {
        let plain = asked(command, &secure.url.replace("https", "http"), &[]);
        fails(&plain, "write https:// in --prometheus if it wants that");
        let ca = ["--ca", &secure.authority()];
        let said = asked(command, &open.replace("http", "https"), &ca);
        fails(&said, "does not speak https");
        fails(&said, "write http:// in --prometheus");
    }
}

#[test]
fn a_file_that_holds_no_certificate_is_named() {
    let secure = Secure::of(&Fake::new().serve(), &["127.0.0.1"]);
    let key = secure.write("key.pem", &KeyPair::generate().unwrap().serialize_pem());
    fails(
        &asked("query", &secure.url, &["--ca", &key]),
        "key.pem: holds no certificate",
    );
    fails(
        &asked("query", &secure.url, &["--ca", "/nowhere"]),
        "/nowhere: ",
    );
}

#[test]
fn a_broken_certificate_among_others_is_named() {
    let secure = Secure::of(&Fake::new().serve(), &["127.0.0.1"]);
    let sound = std::fs::read_to_string(secure.authority()).unwrap();
    let block =
        |text: &str| format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    for broken in [block("no base64!"), block("AAAA"), sound[..60].to_owned()] {
        let bundle = secure.write("bundle.pem", &format!("{sound}{broken}"));
        fails(
            &asked("query", &secure.url, &["--ca", &bundle]),
            "bundle.pem: certificate 2 cannot be read: ",
        );
    }
}

#[test]
fn authorities_are_for_https() {
    let secure = Secure::of(&Fake::new().serve(), &["127.0.0.1"]);
    let (ca, open) = (secure.authority(), Fake::new().serve());
    fails(
        &asked("query", &open, &["--ca", &ca]),
        "shows no certificate: write https://, or leave --ca out",
    );
    let page = ["--target", &open, "--ca", &ca];
    fails(&plimsoll("doctor", &page, &[]), "shows no certificate");
    // The environment is the same for all addresses.
    let of_environment = [("PLIMSOLL_PROMETHEUS_CA", ca.as_str())];
    let said = plimsoll("query", &["--prometheus", &open], &of_environment);
    assert_eq!(said.0, 0, "{said:?}");
}
