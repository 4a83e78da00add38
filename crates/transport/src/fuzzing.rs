//! The door for the fuzz targets (`fuzz/`), behind the feature `fuzzing`, which no program has.

use crate::Pin;
use rustls::pki_types::CertificateDer;

/// The second door's whole response.
pub fn response(bytes: &[u8]) {
    let _ = crate::post::parse_response(bytes);
}

/// A server's certificate, judged for this pin.
pub fn certificate(der: &[u8], pin: &Pin) -> bool {
    crate::tls::check(&CertificateDer::from(der), pin).is_ok()
}
