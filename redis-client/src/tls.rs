//! TLS with rustls: which certificates are trusted, and which one is shown.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::connection::Transport;
use crate::error::{Error, Result};

/// TLS settings for [`Config::tls`](crate::Config::tls). By default the server's certificate has to
/// be valid for the host name and signed by an authority that browsers trust.
///
/// ```no_run
/// # use redis_client::{Config, Tls};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let tls = Tls::new()
///     .ca_certificate(std::fs::read("ca.crt")?)
///     .client_certificate(std::fs::read("client.crt")?, std::fs::read("client.key")?);
/// let connection = Config::new().host("db.example").tls(tls).connect().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Tls {
    authorities: Vec<Vec<u8>>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
    server_name: Option<String>,
    unverified: bool,
}

impl Tls {
    /// Trust in the authorities that browsers trust, no client certificate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts this authority (PEM, one or several certificates) instead of those of browsers.
    #[must_use]
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// Shows this certificate (PEM, with intermediate ones) with its private key to the server.
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificate_pem: impl Into<Vec<u8>>,
        key_pem: impl Into<Vec<u8>>,
    ) -> Self {
        self.identity = Some((certificate_pem.into(), key_pem.into()));
        self
    }

    /// The name that the server's certificate has to be valid for, where it is not the host name.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Takes any certificate. Whoever sits between can then read and change everything: for
    /// experiments only.
    #[must_use]
    pub fn danger_accept_any_certificate(mut self) -> Self {
        self.unverified = true;
        self
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("authorities", &self.authorities.len())
            .field("client_certificate", &self.identity.is_some())
            .field("server_name", &self.server_name)
            .field("verified", &!self.unverified)
            .finish()
    }
}

/// The settings, read and checked once.
pub(crate) struct Connector {
    connector: TlsConnector,
    server_name: Option<String>,
}

impl Connector {
    pub(crate) fn new(settings: Option<&Tls>) -> Result<Self> {
        let settings = settings.cloned().unwrap_or_default();
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::config(format!("TLS: {error}")))?;
        let builder = if settings.unverified {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        } else {
            builder.with_root_certificates(roots(&settings.authorities)?)
        };
        let config = match &settings.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate, "client certificate")?;
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
                    Error::config(format!(
                        "TLS: the client key is not a PEM private key: {error}"
                    ))
                })?;
                builder.with_client_auth_cert(chain, key).map_err(|error| {
                    Error::config(format!(
                        "TLS: the client certificate cannot be used: {error}"
                    ))
                })?
            }
        };
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            server_name: settings.server_name,
        })
    }

    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<Pin<Box<dyn Transport>>> {
        let name = self.server_name.as_deref().unwrap_or(host);
        let server_name = ServerName::try_from(name.to_owned()).map_err(|_| {
            Error::config(format!(
                "TLS: `{name}` is no name that a certificate can be valid for"
            ))
        })?;
        let stream = self
            .connector
            .connect(server_name, stream)
            .await
            .map_err(|error| {
                Error::connect(format!("{host}: the TLS handshake failed: {error}"))
                    .with_source(error)
            })?;
        Ok(Box::pin(stream))
    }
}

fn roots(authorities: &[Vec<u8>]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    if authorities.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for pem in authorities {
        for certificate in certificates(pem, "CA certificate")? {
            roots.add(certificate).map_err(|error| {
                Error::config(format!("TLS: the CA certificate cannot be used: {error}"))
            })?;
        }
    }
    Ok(roots)
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::config(format!("TLS: the {what} is not PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(Error::config(format!(
            "TLS: the {what} has no PEM certificate in it"
        )));
    }
    Ok(certificates)
}

/// Checks signatures, but not whose certificate it is.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

type Verified<T> = std::result::Result<T, tokio_rustls::rustls::Error>;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Verified<ServerCertVerified> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Verified<HandshakeSignatureValid> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Verified<HandshakeSignatureValid> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
