//! Where the host connects: a Unix socket that nobody else may use, or a loopback port where there are none. Turns
//! accepted connections, with TLS or without, into one stream for the gRPC server.
//! Windows takes the loopback port; that is tested on other systems alone.

use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;

use super::handshake::{Address, Host};
use super::lifecycle::{ConnectionGuard, Lifecycle};

/// A bound socket. A Unix socket's file goes with it.
#[derive(Debug)]
pub(crate) struct Listener {
    bound: Bound,
    address: Address,
    file: Option<SocketFile>,
}

#[derive(Debug)]
enum Bound {
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    /// Binds a Unix socket; where there is none, as on Windows, the first free loopback port that the host allows.
    pub(crate) async fn bind(host: &Host) -> io::Result<Self> {
        #[cfg(unix)]
        match Self::bind_unix(host) {
            Ok(listener) => return Ok(listener),
            Err(error) => tracing::warn!(%error, "no Unix socket can be bound, so TCP is used"),
        }
        Self::bind_tcp(host.port_range()).await
    }

    #[cfg(unix)]
    fn bind_unix(host: &Host) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for path in SocketFile::choose(host.socket_folder.as_deref()) {
            match tokio::net::UnixListener::bind(&path) {
                Ok(listener) => {
                    let file = SocketFile(path.clone());
                    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
                    let (bound, address) = (Bound::Unix(listener), Address::Unix(path));
                    return Ok(Self {
                        bound,
                        address,
                        file: Some(file),
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn bind_tcp((lowest, highest): (u16, u16)) -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for port in lowest..=highest {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                Ok(listener) => {
                    let address = Address::Tcp(listener.local_addr()?);
                    return Ok(Self {
                        bound: Bound::Tcp(listener),
                        address,
                        file: None,
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Accepts until the server shuts down. A connection that fails, for want of a certificate or otherwise, ends
    /// alone.
    pub(crate) fn incoming(
        self,
        tls: Option<Arc<ServerConfig>>,
        lifecycle: &Arc<Lifecycle>,
    ) -> Incoming {
        let (sender, receiver) = mpsc::channel(4);
        let Self { bound, file, .. } = self;
        let acceptor = tls.map(TlsAcceptor::from);
        let lifecycle = Arc::clone(lifecycle);
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = bound.accept() => accepted,
                    () = lifecycle.shutting_down() => return,
                };
                match accepted {
                    Ok(socket) => {
                        let guard = lifecycle.connected();
                        tokio::spawn(establish(socket, acceptor.clone(), guard, sender.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        // Out of file descriptors, most likely: give others the time to close theirs.
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                }
            }
        });
        Incoming {
            connections: receiver,
            _file: file,
        }
    }
}

impl Bound {
    async fn accept(&self) -> io::Result<Box<dyn Socket>> {
        match self {
            #[cfg(unix)]
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
            Self::Tcp(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}

/// Connections as they are established. Whoever serves them holds the file of the socket: it is gone before the
/// process is.
pub(crate) struct Incoming {
    connections: mpsc::Receiver<io::Result<Connection>>,
    _file: Option<SocketFile>,
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.connections.poll_recv(cx)
    }
}

async fn establish(
    socket: Box<dyn Socket>,
    acceptor: Option<TlsAcceptor>,
    guard: ConnectionGuard,
    sender: mpsc::Sender<io::Result<Connection>>,
) {
    let socket: Box<dyn Socket> = match acceptor {
        None => socket,
        Some(acceptor) => match acceptor.accept(socket).await {
            Ok(stream) => Box::new(stream),
            Err(error) => {
                tracing::warn!(%error, "a client was refused: it is not the one that started this provider");
                return;
            }
        },
    };
    // The receiver is gone only when the server is, and then so is the connection.
    let _ = sender
        .send(Ok(Connection {
            socket,
            _guard: guard,
        }))
        .await;
}

/// What a connection runs over.
trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// An established connection of the host.
pub(crate) struct Connection {
    socket: Box<dyn Socket>,
    _guard: ConnectionGuard,
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

use socket_file::SocketFile;

mod socket_file {
    //! The path of a Unix socket, which the kernel keeps short, and which must not outlive the process.

    use std::path::{Path, PathBuf};

    /// What fits into `sun_path` on macOS, the smallest there is, with its final NUL.
    const PATH_LIMIT: usize = 103;
    const TRIES: u32 = 16;

    /// A socket's file, removed when dropped.
    #[derive(Debug)]
    pub(crate) struct SocketFile(pub(super) PathBuf);

    impl SocketFile {
        #[cfg(unix)]
        /// Paths to try, in order: the host's folder or the temporary one, and `/tmp` for folders with long names.
        pub(super) fn choose(folder: Option<&Path>) -> Vec<PathBuf> {
            let preferred = folder.map_or_else(std::env::temp_dir, Path::to_owned);
            let process = std::process::id();
            // Several servers may run in one process (tests do), so the time of each tells them apart.
            let moment = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |elapsed| elapsed.subsec_nanos());
            [preferred, PathBuf::from("/tmp")]
                .iter()
                .flat_map(|folder| {
                    (0..TRIES).map(move |n| {
                        folder.join(format!("plugin{process}{}", moment.wrapping_add(n)))
                    })
                })
                .filter(|path| path.as_os_str().len() <= PATH_LIMIT)
                .collect()
        }
    }

    impl Drop for SocketFile {
        fn drop(&mut self) {
            // Gone already is as good; anything else cannot be helped at the end of the process.
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[cfg(test)]
    #[allow(clippy::unwrap_used, clippy::expect_used)]
    mod tests {
        use super::*;

        #[test]
        fn a_folder_with_a_long_name_is_not_used() {
            let long = PathBuf::from(format!("/{}", "x".repeat(100)));
            assert!(
                SocketFile::choose(Some(&long))
                    .iter()
                    .all(|path| path.starts_with("/tmp"))
            );
        }

        #[test]
        fn the_hosts_folder_comes_first() {
            let folder = Path::new("/run/user/1");
            assert!(SocketFile::choose(Some(folder))[0].starts_with(folder));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tcp_takes_the_first_free_port_of_the_range() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let listener = Listener::bind_tcp((port, port.saturating_add(20)))
            .await
            .unwrap();
        let Address::Tcp(address) = listener.address() else {
            panic!("no port bound");
        };
        assert!(
            address.ip().is_loopback() && address.port() > port,
            "{address}"
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_unix_socket_is_its_owners_alone_and_goes_with_the_listener() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let host = Host {
            socket_folder: Some(folder.path().to_owned()),
            ..Host::default()
        };
        let listener = Listener::bind(&host).await.unwrap();
        let Address::Unix(path) = listener.address().clone() else {
            panic!("no Unix socket")
        };
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        drop(listener);
        assert!(!path.exists());
    }
}
