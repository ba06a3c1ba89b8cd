//! Somebody between the client and the server, with a certificate that the client trusts.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::server::{Authority, Door};

/// What asks a server for TLS: a length of eight, and a number that is no version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Passes on what it decrypts; returns its port.
pub async fn man_in_the_middle(door: &Door, trusted: &Authority) -> u16 {
    let (certificate, key) = trusted.sign("127.0.0.1");
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let server =
        TlsAcceptor::from(Arc::new(server.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(door.server.ca_file().unwrap()).unwrap()).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = TlsConnector::from(Arc::new(client.with_root_certificates(roots).with_no_client_auth()));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, target) = (listener.local_addr().unwrap().port(), door.server.config().contact_points()[0].port);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let (server, client) = (server.clone(), client.clone());
            tokio::spawn(async move { pass_on(near, target, &server, &client).await });
        }
    });
    port
}

async fn pass_on(
    mut near: TcpStream,
    target: u16,
    server: &TlsAcceptor,
    client: &TlsConnector,
) -> std::io::Result<(u64, u64)> {
    let mut request = [0; 8];
    near.read_exact(&mut request).await?;
    assert_eq!(request, SSL_REQUEST);
    near.write_all(b"S").await?;
    let mut near = server.accept(near).await?;
    let mut far = TcpStream::connect(("127.0.0.1", target)).await?;
    far.write_all(&SSL_REQUEST).await?;
    assert_eq!(far.read_u8().await?, b'S');
    let mut far = client.connect(ServerName::try_from("127.0.0.1").unwrap(), far).await?;
    tokio::io::copy_bidirectional(&mut near, &mut far).await
}
