//! A provider served in this process, and a client of it.

use std::io;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use crate::framework::Provider;
use crate::server::proto::tfplugin6::provider_client::ProviderClient;
use crate::server::{Address, Lifecycle, Listener, MESSAGE_LIMIT, Service, answer};

/// A provider served on a socket of its own, in the clear. It ends when this is dropped.
#[derive(Debug)]
pub struct Host {
    client: ProviderClient<Channel>,
    lifecycle: Arc<Lifecycle>,
    server: JoinHandle<()>,
}

impl Host {
    /// Serves a provider and connects to it.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub async fn start(provider: Arc<dyn Provider>) -> io::Result<Self> {
        let lifecycle = Arc::new(Lifecycle::default());
        let listener = Listener::bind(&Default::default()).await?;
        let endpoint = match listener.address() {
            Address::Unix(path) => format!("unix://{}", path.display()),
            Address::Tcp(address) => format!("http://{address}"),
        };
        let incoming = listener.incoming(None, &lifecycle);
        let service = Service::new(provider, Arc::clone(&lifecycle));
        let ends = Arc::clone(&lifecycle);
        let server = tokio::spawn(async move {
            // What goes wrong here the client sees.
            let _ = answer(service, incoming, &ends).await;
        });
        let channel = Endpoint::from_shared(endpoint)
            .map_err(io::Error::other)?
            .connect()
            .await;
        let client = ProviderClient::new(channel.map_err(io::Error::other)?)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Ok(Self {
            client,
            lifecycle,
            server,
        })
    }

    /// A client for calls of one's own.
    #[must_use]
    pub fn client(&self) -> ProviderClient<Channel> {
        self.client.clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.lifecycle.shut_down();
        self.server.abort();
    }
}
