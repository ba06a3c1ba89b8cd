//! When a server's certificate ends. The driver does not show it, so TLS is begun once more, on a connection that goes no further.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use crate::config::{Endpoint, Tls};
use crate::pool::tls_config;
use crate::schema::Date;

/// PostgreSQL's `SSLRequest` (its manual, "SSL Session Encryption"): eight bytes, and the number 80877103.
const REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

const DAY: i64 = 86_400;

/// Its last day, and how many days that is from now.
pub(super) async fn days_left(tls: &Tls, endpoint: &Endpoint, limit: Duration) -> Result<(String, i64), String> {
    let (tls, endpoint) = (tls.clone(), endpoint.clone());
    // rustls alone reads from a socket that waits.
    let read = tokio::task::spawn_blocking(move || read(&tls, &endpoint, limit)).await;
    let der = read.map_err(|error| error.to_string())??;
    let ends = not_after(&der).ok_or("its time is written in a way that this does not know")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(0));
    let day = Date::from_days(ends.div_euclid(DAY)).map_or_else(String::new, |day| day.to_string());
    Ok((day, (ends - now).div_euclid(DAY)))
}

/// The certificate of the server, once it has been verified.
fn read(tls: &Tls, endpoint: &Endpoint, limit: Duration) -> Result<Vec<u8>, String> {
    let text = |error: std::io::Error| error.to_string();
    let config = tls_config(tls).map_err(|error| error.to_string())?;
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|error| error.to_string())?;
    let mut addresses = (endpoint.host.as_str(), endpoint.port).to_socket_addrs().map_err(text)?;
    let address = addresses.next().ok_or("the host has no address")?;
    let mut socket = TcpStream::connect_timeout(&address, limit).map_err(text)?;
    socket.set_read_timeout(Some(limit)).map_err(text)?;
    socket.write_all(&REQUEST).map_err(text)?;
    let mut answer = [0];
    socket.read_exact(&mut answer).map_err(text)?;
    if answer != *b"S" {
        return Err("the server does not speak TLS".to_owned());
    }
    let mut session = ClientConnection::new(config.into(), name).map_err(|error| error.to_string())?;
    while session.is_handshaking() {
        session.complete_io(&mut socket).map_err(text)?;
    }
    let certificates = session.peer_certificates().unwrap_or_default();
    certificates.first().map(|first| first.to_vec()).ok_or_else(|| "the server showed none".to_owned())
}

/// The end of a certificate's time, in seconds since 1970: `validity.notAfter` of RFC 5280, 4.1.
fn not_after(der: &[u8]) -> Option<i64> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    // What may come first is the version; then the serial number, the signature's kind and the issuer.
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (SEQUENCE, validity, _) = element(rest)? else { return None };
    let (_, _, rest) = element(validity)?;
    let (kind, text, _) = element(rest)?;
    moment(kind, std::str::from_utf8(text).ok()?)
}

/// The first element of DER: its tag, its content, and what comes behind.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // A length of up to four bytes: no certificate has more.
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), rest)
        }
        _ => return None,
    };
    let (content, behind) = rest.split_at_checked(length)?;
    Some((tag, content, behind))
}

/// `YYMMDDhhmmssZ` until 2049, `YYYYMMDDhhmmssZ` from then on (RFC 5280, 4.1.2.5).
fn moment(kind: u8, text: &str) -> Option<i64> {
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    let text = match kind {
        UTC_TIME => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let date = Date::parse(&format!("{}-{}-{}", text.get(..4)?, text.get(4..6)?, text.get(6..8)?))?;
    Some(date.days() * DAY + part(8, 10)? * 3_600 + part(10, 12)? * 60 + part(12, 14)?)
}

#[cfg(test)]
mod tests {
    use super::{element, moment, not_after};

    #[test]
    fn both_ways_of_writing_a_time_are_read() {
        for (kind, text, seconds) in [
            (0x17, "700101000000Z", Some(0)),
            (0x17, "260102030405Z", Some(1_767_323_045)),
            (0x17, "491231235959Z", Some(2_524_607_999)),
            (0x18, "20500101000000Z", Some(2_524_608_000)),
            (0x17, "261302030405Z", None),
            (0x17, "", None),
            (0x02, "260102030405Z", None),
        ] {
            assert_eq!(moment(kind, text), seconds, "{text}");
        }
    }

    #[test]
    fn what_is_cut_off_is_none() {
        assert_eq!(element(&[0x30, 1, 7, 9]), Some((0x30, &[7][..], &[9][..])));
        for der in [&[][..], &[0x30], &[0x30, 2, 0], &[0x30, 0x85, 0, 0, 0, 0, 0], &[0x30, 0x82, 0xff]] {
            assert_eq!(element(der), None, "{der:?}");
            assert_eq!(not_after(der), None, "{der:?}");
        }
    }

    /// As rcgen writes it, before and after the other way of writing begins.
    #[cfg(feature = "local")]
    #[test]
    fn a_certificate_tells_its_end() {
        use rcgen::{CertificateParams, KeyPair, date_time_ymd};
        for (year, seconds) in [(2031, 1_924_992_000), (2061, 2_871_763_200)] {
            let mut params = CertificateParams::new(["db.example.org".to_owned()]).expect("a name");
            params.not_after = date_time_ymd(year, 1, 1);
            let key = KeyPair::generate().expect("a key");
            let certificate = params.self_signed(&key).expect("a certificate");
            assert_eq!(not_after(certificate.der()), Some(seconds), "{year}");
            let whole = certificate.der();
            assert!((0..40).all(|cut| not_after(&whole[..cut]).is_none()));
        }
    }
}
