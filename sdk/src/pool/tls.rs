//! TLS by rustls: the certificate is always verified against a CA; the host name too, unless told otherwise.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{Tls, Verify, is_open_to_strangers};
use crate::error::{Error, ErrorKind, Result};

/// For the driver.
pub(super) fn connector(tls: &Tls) -> Result<MakeRustlsConnect> {
    client_config(tls).map(MakeRustlsConnect::new)
}

/// Reads the certificates that the configuration names.
pub(crate) fn client_config(tls: &Tls) -> Result<ClientConfig> {
    // Our own provider: a process-wide default belongs to the service, not to a library.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(roots(tls.ca_file.as_deref())?);
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| bad("tls", "no usable protocol version").caused_by(error))?;
    let builder = match tls.verify {
        Verify::Full => builder.with_root_certificates(roots),
        Verify::Ca => builder.dangerous().with_custom_certificate_verifier(AnyName::new(roots, provider)?),
    };
    match (&tls.cert_file, &tls.key_file) {
        (Some(certificate), Some(key)) => {
            let chain = certificates("tls.cert_file", certificate)?;
            let key = private_key(key)?;
            let misfit = |error| bad("tls.cert_file", "the certificate and the key don't fit").caused_by(error);
            builder.with_client_auth_cert(chain, key).map_err(misfit)
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => {
            for certificate in certificates("tls.ca_file", path)? {
                roots.add(certificate).map_err(|error| unreadable("tls.ca_file", path, error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(bad(
            "tls.ca_file",
            "no CA certificate found: name the file of the CA that signed the servers' certificates",
        ));
    }
    Ok(roots)
}

fn certificates(key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| unreadable(key, path, error))
}

/// As libpq, not one that others could have read.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    const KEY: &str = "tls.key_file";
    let mut file = File::open(path).map_err(|error| unreadable(KEY, path, error))?;
    let metadata = file.metadata().map_err(|error| unreadable(KEY, path, error))?;
    if is_open_to_strangers(&metadata) {
        let fix = "make it yours alone, by chmod 0600 (0640 where it is root's)";
        return Err(bad(KEY, &format!("{} has group or world access: {fix}", path.display())));
    }
    PrivateKeyDer::from_pem_reader(&mut file).map_err(|error| unreadable(KEY, path, error))
}

fn unreadable(key: &str, path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    bad(key, &format!("{} can't be read as PEM", path.display())).caused_by(error)
}

fn bad(key: &str, problem: &str) -> Error {
    Error::new(ErrorKind::Config, format!("`{key}`: {problem}"))
}

/// libpq's `verify-ca`: the chain must lead to the CA, the name may be another one.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl AnyName {
    fn new(roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Result<Arc<Self>> {
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|error| bad("tls.ca_file", "no usable CA certificate").caused_by(error))?;
        Ok(Arc::new(Self(verifier)))
    }
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.0.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            // The chain is verified before the name, so this error means that only the name differs.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
