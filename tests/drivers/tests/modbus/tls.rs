//! Modbus/TCP inside TLS: libmodbus behind socat, which speaks TLS by OpenSSL.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use plimsoll::Plimsoll;
use plimsoll::modbus::{Device, SetupError};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

fn device(
    plimsoll: &Plimsoll,
    addr: SocketAddr,
    name: ServerName<'static>,
    config: ClientConfig,
) -> Result<Device, SetupError> {
    let tls = TlsConnector::from(Arc::new(config));
    plimsoll.modbus("press-3").tcp_with(move || {
        let (tls, name) = (tls.clone(), name.clone());
        async move {
            let stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            tls.connect(name, stream).await
        }
    })
}

/// Ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn libmodbus(addr: SocketAddr) -> Process {
    let program = std::env::var("PLIMSOLL_MODBUS_LINE").expect("tests/run builds it");
    let mut command = Command::new(program);
    command.args(["tcp", &addr.port().to_string()]);
    let mut process = Process(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    let stdout = process.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready");
    process
}

/// A certificate for `localhost`, signed by itself; its key is beside it.
fn certify(folder: &Path) {
    let mut command = Command::new("openssl");
    command.args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(' '));
    command.args("-subj /CN=localhost -addext subjectAltName=DNS:localhost".split(' '));
    // Not one that may sign others, which rustls does not take for a server's.
    command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    command.args(["-keyout", "key.pem", "-out", "cert.pem"]);
    let output = command.current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn socat(folder: &Path, from: SocketAddr, to: SocketAddr) -> Process {
    let port = from.port();
    let listen = format!(
        "OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,cert=cert.pem,key=key.pem,verify=0"
    );
    let mut command = Command::new("socat");
    command.args([listen, format!("TCP:{to}")]);
    // It says that clients go away, as they shall.
    Process(
        command
            .current_dir(folder)
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    )
}

#[tokio::test]
#[ignore = "needs libmodbus and socat: tests/run"]
async fn a_device_speaks_through_tls() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let (outside, inside) = (free_port(), free_port());
    let _libmodbus = libmodbus(inside);
    let _socat = socat(folder.path(), outside, inside);
    while TcpStream::connect(outside).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(folder.path().join("cert.pem"));
    roots.add(certificate.unwrap()).unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();

    let plimsoll = Plimsoll::builder().build().unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let press = device(&plimsoll, outside, name, config.clone()).unwrap();
    let words = press.read_holding_registers(2, 2).await;
    assert_eq!(words.unwrap().unwrap(), [2 * 31 + 7, 3 * 31 + 7]);
    drop(press);
    let name = ServerName::try_from("another.example").unwrap();
    let press = device(&plimsoll, outside, name, config).unwrap();
    let error = press.read_holding_registers(2, 2).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}
