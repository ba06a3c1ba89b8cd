//! Why there is no session, although there is a socket, and what to do about it.

use std::error::Error as _;

use rustls::CertificateError;

use crate::error::{Error, ErrorKind};

/// Why there is no session, although there is a socket.
pub(super) fn refused(error: tokio_postgres::Error) -> Error {
    if error.code().is_some() {
        return Error::postgres(error).with_kind(ErrorKind::Connect);
    }
    if let Some(reason) = tls_reason(&error).or_else(|| log_in_reason(&error)) {
        return Error::new(ErrorKind::Connect, reason);
    }
    Error::new(ErrorKind::Connect, "the server broke off the log-in").caused_by(error)
}

/// What TLS failed for, and the fix.
fn tls_reason(error: &tokio_postgres::Error) -> Option<String> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        // An I/O error passes over the error that it wraps.
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(tls) = wrapped.and_then(|wrapped| wrapped.downcast_ref::<rustls::Error>()) {
            let fix = match tls {
                rustls::Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                ) => "name the host as its certificate does, or set `tls.mode = \"verify-ca\"`",
                rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
                    "set `tls.ca_file` to the certificate of the CA that signed the server's"
                }
                rustls::Error::InvalidCertificate(
                    CertificateError::Expired | CertificateError::ExpiredContext { .. },
                ) => "renew the server's certificate; or this machine's clock is wrong",
                rustls::Error::AlertReceived(_) => "see the server's log, and whether it wants another `tls.cert_file`",
                _ => "see the server's log",
            };
            return Some(format!("TLS failed: {tls}: {fix}"));
        }
        if inner.to_string() == "server does not support TLS" {
            return Some("the server does not support TLS: turn it on there, or set `tls.mode = \"off\"`".to_owned());
        }
        cause = inner.source();
    }
    None
}

/// What the driver alone knows to be wrong with a log-in, and the fix. Only its words tell.
fn log_in_reason(error: &tokio_postgres::Error) -> Option<String> {
    let reason = match error.source()?.to_string().as_str() {
        "password missing" => {
            "the server asks for a password, and there is none for it: set `password_file`, `password` or SHARDWISE_PASSWORD, \
             or add a line for the node to the password file"
        }
        "server did not use channel binding" => {
            "the server let us in without channel binding, or would: it must ask for the password by scram-sha-256 over TLS, \
             and have a certificate that is signed with RSA or ECDSA; or set `channel_binding = \"prefer\"`"
        }
        _ => return None,
    };
    Some(reason.to_owned())
}
