//! go-plugin's handshake: what the host says through the environment, and the one line on standard output that
//! answers it. Everything here happens before the first network byte, so it does as little as it can.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls_pki_types::CertificateDer;

/// The one protocol major version that this crate speaks.
pub(crate) const PROTOCOL_VERSION: u32 = 6;

const COOKIE_NAME: &str = "TF_PLUGIN_MAGIC_COOKIE";
const COOKIE_VALUE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
const CORE_VERSION: u32 = 1;
/// The range that go-plugin names when the host does not.
const DEFAULT_PORTS: (u16, u16) = (10_000, 25_000);

/// What the host told this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Host {
    /// The certificate that the one client will present, in PEM; none when the host turned TLS off.
    pub(crate) client_certificate: Option<String>,
    /// Where the host wants the socket.
    pub(crate) socket_folder: Option<PathBuf>,
    /// The TCP ports that the host allows.
    pub(crate) ports: Option<(u16, u16)>,
    /// Whether the host offered to multiplex its broker over one connection.
    pub(crate) offers_multiplexing: bool,
}

/// The process was not started by Terraform or OpenTofu.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAPlugin;

impl Host {
    /// Reads the environment of this process.
    pub(crate) fn from_environment() -> Result<Self, NotAPlugin> {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, NotAPlugin> {
        if variable(COOKIE_NAME).as_deref() != Some(COOKIE_VALUE) {
            return Err(NotAPlugin);
        }
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let port = |name: &str| set(name).and_then(|value| value.parse::<u16>().ok());
        Ok(Self {
            client_certificate: set("PLUGIN_CLIENT_CERT"),
            socket_folder: set("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
            ports: port("PLUGIN_MIN_PORT").zip(port("PLUGIN_MAX_PORT")),
            offers_multiplexing: set("PLUGIN_MULTIPLEX_GRPC").is_some(),
        })
    }

    /// The lowest and the highest TCP port that may be listened on.
    pub(crate) fn port_range(&self) -> (u16, u16) {
        self.ports.unwrap_or(DEFAULT_PORTS)
    }
}

/// Where the server listens, as go-plugin writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A Unix socket at this path.
    Unix(PathBuf),
    /// A TCP port of the loopback interface.
    Tcp(std::net::SocketAddr),
}

impl Address {
    pub(crate) fn network(&self) -> &'static str {
        match self {
            Self::Unix(_) => "unix",
            Self::Tcp(_) => "tcp",
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp(address) => write!(f, "{address}"),
        }
    }
}

/// The line that tells the host where to connect and whom to trust there, without its line end.
///
/// Versions are not negotiated: a provider that speaks 6 alone says 6, and a host that cannot says so itself. The
/// seventh field may only be there when the host offered multiplexing: older hosts would read it into the certificate.
pub(crate) fn line(
    host: &Host,
    address: &Address,
    certificate: Option<&CertificateDer<'_>>,
) -> String {
    let certificate = certificate
        .map(|der| STANDARD_NO_PAD.encode(der))
        .unwrap_or_default();
    let multiplexing = if host.offers_multiplexing {
        "|false"
    } else {
        ""
    };
    let network = address.network();
    format!(
        "{CORE_VERSION}|{PROTOCOL_VERSION}|{network}|{address}|grpc|{certificate}{multiplexing}"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn host(pairs: &[(&str, &str)]) -> Result<Host, NotAPlugin> {
        Host::read(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_the_cookie_it_is_no_plugin() {
        assert_eq!(host(&[]), Err(NotAPlugin));
        assert_eq!(host(&[(COOKIE_NAME, "another")]), Err(NotAPlugin));
    }

    #[test]
    fn the_environment_of_terraform_is_read() {
        let host = host(&[
            (COOKIE_NAME, COOKIE_VALUE),
            ("PLUGIN_PROTOCOL_VERSIONS", "5,6"),
            ("PLUGIN_MIN_PORT", "10000"),
            ("PLUGIN_MAX_PORT", "25000"),
            ("PLUGIN_CLIENT_CERT", "pem"),
            ("PLUGIN_UNIX_SOCKET_DIR", ""),
        ])
        .unwrap();
        assert_eq!(host.client_certificate.as_deref(), Some("pem"));
        assert_eq!(host.socket_folder, None);
        assert_eq!(host.port_range(), (10_000, 25_000));
        assert!(!host.offers_multiplexing);
    }

    #[test]
    fn the_line_carries_the_certificate_without_padding() {
        let address = Address::Unix(PathBuf::from("/tmp/plugin1"));
        let certificate = CertificateDer::from(vec![1_u8, 2, 3, 4]);
        assert_eq!(
            line(&Host::default(), &address, Some(&certificate)),
            "1|6|unix|/tmp/plugin1|grpc|AQIDBA"
        );
    }

    #[test]
    fn the_line_without_tls_keeps_its_empty_last_field() {
        let address = Address::Tcp("127.0.0.1:10000".parse().unwrap());
        assert_eq!(
            line(&Host::default(), &address, None),
            "1|6|tcp|127.0.0.1:10000|grpc|"
        );
    }

    #[test]
    fn multiplexing_is_declined_only_where_it_was_offered() {
        let address = Address::Unix(PathBuf::from("/tmp/plugin1"));
        let host = Host {
            offers_multiplexing: true,
            ..Host::default()
        };
        assert_eq!(
            line(&host, &address, None),
            "1|6|unix|/tmp/plugin1|grpc||false"
        );
    }
}
