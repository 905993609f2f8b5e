use std::path::{Path, PathBuf};

use crate::error::Error;

/// A certificate authority made for this process, and what it signed: PEM files in the server's
/// folder.
#[derive(Debug, Clone)]
pub struct Certs {
    /// The authority's certificate, for clients to trust.
    pub ca: PathBuf,
    /// The server's certificate, for `localhost`, `127.0.0.1` and `::1`.
    pub server: PathBuf,
    /// The key of `server`.
    pub server_key: PathBuf,
    /// A certificate for clients, see [`Builder::mutual_tls`](crate::Builder::mutual_tls).
    pub client: PathBuf,
    /// The key of `client`.
    pub client_key: PathBuf,
}

impl Certs {
    #[cfg(not(feature = "tls"))]
    pub(crate) fn write(_folder: &Path) -> Result<Self, Error> {
        Err(Error::NoTls {
            reason: "redis-tests was built without its feature `tls`".to_owned(),
        })
    }

    #[cfg(feature = "tls")]
    pub(crate) fn write(folder: &Path) -> Result<Self, Error> {
        static PEM: OnceLock<Result<Pem, Error>> = OnceLock::new();
        let pem = PEM.get_or_init(|| {
            Pem::generate().map_err(|error| Error::NoTls {
                reason: error.to_string(),
            })
        });
        let pem = pem.as_ref().map_err(Error::clone)?;
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).map_err(Error::io("writing a certificate"))?;
            Ok(path)
        };
        Ok(Self {
            ca: file("ca.crt", &pem.ca)?,
            server: file("server.crt", &pem.server.0)?,
            server_key: file("server.key", &pem.server.1)?,
            client: file("client.crt", &pem.client.0)?,
            client_key: file("client.key", &pem.client.1)?,
        })
    }
}

#[cfg(feature = "tls")]
use self::generate::Pem;
#[cfg(feature = "tls")]
use std::{fs, sync::OnceLock};

#[cfg(feature = "tls")]
mod generate {
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, Error, ExtendedKeyUsagePurpose as Purpose,
        IsCa, Issuer, KeyPair, KeyUsagePurpose,
    };

    /// Certificates with their keys.
    pub(super) struct Pem {
        pub(super) ca: String,
        pub(super) server: (String, String),
        pub(super) client: (String, String),
    }

    impl Pem {
        pub(super) fn generate() -> Result<Self, Error> {
            let mut ca = params("redis-tests authority", &[])?;
            ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            let ca_key = KeyPair::generate()?;
            let certificate = ca.self_signed(&ca_key)?;
            let issuer = Issuer::new(ca, ca_key);

            let signed = |name, hosts: &[&str], purpose| {
                let mut params = params(name, hosts)?;
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
                params.extended_key_usages = vec![purpose];
                let key = KeyPair::generate()?;
                Ok::<_, Error>((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
            };
            Ok(Self {
                ca: certificate.pem(),
                server: signed(
                    "redis-tests server",
                    &["localhost", "127.0.0.1", "::1"],
                    Purpose::ServerAuth,
                )?,
                client: signed("redis-tests client", &[], Purpose::ClientAuth)?,
            })
        }
    }

    fn params(name: &str, hosts: &[&str]) -> Result<CertificateParams, Error> {
        let mut params = CertificateParams::new(
            hosts
                .iter()
                .map(|&host| host.to_owned())
                .collect::<Vec<_>>(),
        )?;
        params.distinguished_name.push(DnType::CommonName, name);
        Ok(params)
    }
}
