//! A throwaway CA and a server's certificate by it, which is made out to the address 127.0.0.1 and to no name.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use uuid::Uuid;

use super::failed;
use super::folder::Folder;
use crate::error::Result;

/// The names of the files.
pub(super) const CA: &str = "ca.crt";
pub(super) const CERTIFICATE: &str = "server.crt";
pub(super) const KEY: &str = "server.key";

pub(super) fn write(folder: &Folder) -> Result<()> {
    let (ca, certificate, key) =
        make().map_err(|error| failed("the throwaway certificates can't be made").caused_by(error))?;
    folder.write(CA, &ca)?;
    folder.write(CERTIFICATE, &certificate)?;
    folder.write(KEY, &key)?;
    Ok(())
}

/// The same ones for another server, so that whoever trusts the first trusts both.
pub(super) fn copy(from: &Path, to: &Folder) -> Result<()> {
    for name in [CA, CERTIFICATE, KEY] {
        let path = from.join(name);
        let content = std::fs::read_to_string(&path);
        to.write(
            name,
            &content.map_err(|error| failed(format!("{} can't be read", path.display())).caused_by(error))?,
        )?;
    }
    Ok(())
}

fn make() -> Result<(String, String, String), rcgen::Error> {
    let mut ca = CertificateParams::default();
    // No two of them have the same name: clients look for the issuer by it.
    ca.distinguished_name.push(DnType::CommonName, format!("shardwise throwaway CA {}", Uuid::new_v4()));
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&key, &ca)?;
    Ok((ca.pem(), certificate.pem(), key.serialize_pem()))
}
