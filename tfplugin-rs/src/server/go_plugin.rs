//! go-plugin's own services: the controller ends the process; standard streams and broker are opened by every host at
//! once, and stay open and silent until then.

use std::sync::Arc;

use futures::{FutureExt as _, StreamExt as _};
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::lifecycle::Lifecycle;
use super::proto::plugin::grpc_broker_server::GrpcBroker;
use super::proto::plugin::grpc_controller_server::GrpcController;
use super::proto::plugin::grpc_stdio_server::GrpcStdio;
use super::proto::plugin::{ConnInfo, Empty, StdioData};

/// Implements the three services.
#[derive(Debug, Clone)]
pub(crate) struct GoPlugin(pub(crate) Arc<Lifecycle>);

impl GoPlugin {
    /// A stream that carries nothing and ends with the server, so that it does not keep the server from ending.
    fn silence<T: Send + 'static>(&self) -> BoxStream<T> {
        let lifecycle = Arc::clone(&self.0);
        let end = async move { lifecycle.shutting_down().await };
        end.into_stream()
            .filter_map(|()| std::future::ready(None))
            .boxed()
    }
}

#[tonic::async_trait]
impl GrpcController for GoPlugin {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        tracing::debug!("the host ends this provider");
        self.0.shut_down();
        Ok(Response::new(Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcStdio for GoPlugin {
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        Ok(Response::new(self.silence()))
    }
}

#[tonic::async_trait]
impl GrpcBroker for GoPlugin {
    async fn start_stream(
        &self,
        _: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        Ok(Response::new(self.silence()))
    }
}
