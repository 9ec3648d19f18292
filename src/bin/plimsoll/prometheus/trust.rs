//! Whose certificates are believed.

use std::fs;
use std::path::Path;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};

use super::link::root;
use crate::failure::Failure;

/// What the reason begins with where a certificate was looked at and is not believed.
pub(super) const REFUSED: &str = "invalid peer certificate";

/// What asks an address: with https it believes the authorities of the file, or else those of the system. It follows nobody
/// elsewhere: a form would arrive there empty, a token at somebody who was not meant.
pub(super) fn client(base: &str, ca: Option<&Path>) -> Result<Client, Failure> {
    // Another link has done so before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().no_proxy().redirect(Policy::none());
    let builder = match (base.starts_with("https://"), ca) {
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
    let failed = |why: &dyn std::fmt::Display| Failure::new(format!("{}: {why}", path.display()));
    let text = fs::read(path).map_err(|error| failed(&error))?;
    let certificates = Certificate::from_pem_bundle(&text).unwrap_or_default();
    match certificates.is_empty() {
        true => Err(failed(
            &"holds no certificate: it takes PEM, which begins with -----BEGIN CERTIFICATE-----",
        )),
        false => Ok(certificates),
    }
}
