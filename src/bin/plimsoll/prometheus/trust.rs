//! Whose certificates are believed.

use std::fs;
use std::path::Path;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::lost::root;
use crate::failure::Failure;

/// What the reason begins with where a certificate was looked at and is not believed.
pub(super) const REFUSED: &str = "invalid peer certificate";

/// What asks an address: with https it believes the authorities of the file, or else those of the system. It follows nobody
/// elsewhere: a form would arrive there empty, a token at somebody who was not meant.
pub(super) fn client(base: &Url, ca: Option<&Path>) -> Result<Client, Failure> {
    // Another link has done so before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().no_proxy().redirect(Policy::none());
    let builder = match (base.scheme() == "https", ca) {
        // Nobody shows one, so a system without authorities is no obstacle.
        (false, _) => builder.tls_certs_only([]),
        (true, Some(path)) => builder.tls_certs_only(authorities(path)?),
        (true, None) => builder,
    };
    builder.build().map_err(|error| {
        let why = root(&error);
        Failure::new(format!(
            "https cannot be used: {why}; give the certificate of the authority with --ca"
        ))
    })
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let failed = |why: String| Failure::new(format!("{}: {why}", path.display()));
    let text = fs::read(path).map_err(|error| failed(error.to_string()))?;
    let mut certificates = Vec::new();
    for (nth, der) in (1..).zip(CertificateDer::pem_slice_iter(&text)) {
        let broken = |why: String| {
            failed(format!(
                "certificate {nth} cannot be read: {why}; leave it out, or put the whole of it there"
            ))
        };
        let der = der.map_err(|error| broken(error.to_string()))?;
        certificates.push(certificate(der).map_err(broken)?);
    }
    match certificates.is_empty() {
        true => Err(failed(
            "holds no certificate: it takes PEM, which begins with -----BEGIN CERTIFICATE-----"
                .to_owned(),
        )),
        false => Ok(certificates),
    }
}

/// One that can be an authority.
fn certificate(der: CertificateDer<'_>) -> Result<Certificate, String> {
    let certificate = Certificate::from_der(&der).map_err(|error| root(&error))?;
    let added = RootCertStore::empty().add(der);
    added.map_err(|error| error.to_string())?;
    Ok(certificate)
}
