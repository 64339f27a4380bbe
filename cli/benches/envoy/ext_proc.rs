//! An external processor that does nothing: what a local hop costs that sees headers and body of each request. Never
//! changes anything. Runs as a process of its own, with this program's `--ext-proc`.

use anyhow::Context as _;
use envoy_types::pb::envoy::service::ext_proc::v3::external_processor_server::{
    ExternalProcessor, ExternalProcessorServer,
};
use envoy_types::pb::envoy::service::ext_proc::v3::processing_request::Request as Seen;
use envoy_types::pb::envoy::service::ext_proc::v3::processing_response::Response as Said;
use envoy_types::pb::envoy::service::ext_proc::v3::{
    BodyResponse, HeadersResponse, ProcessingRequest, ProcessingResponse,
};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use std::net::Ipv4Addr;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

struct Empty;

#[tonic::async_trait]
impl ExternalProcessor for Empty {
    type ProcessStream = BoxStream<'static, Result<ProcessingResponse, Status>>;

    async fn process(
        &self,
        request: Request<Streaming<ProcessingRequest>>,
    ) -> Result<Response<Self::ProcessStream>, Status> {
        Ok(Response::new(request.into_inner().map(|seen| go_on(&seen?)).boxed()))
    }
}

/// To go on is the default of every answer.
fn go_on(seen: &ProcessingRequest) -> Result<ProcessingResponse, Status> {
    let said = match seen.request {
        Some(Seen::RequestHeaders(_)) => Said::RequestHeaders(HeadersResponse::default()),
        Some(Seen::RequestBody(_)) => Said::RequestBody(BodyResponse::default()),
        _ => return Err(Status::unimplemented("only requests' headers and bodies")),
    };
    Ok(ProcessingResponse { response: Some(said), ..Default::default() })
}

/// Serves until the process is killed.
pub async fn serve(port: u16) -> anyhow::Result<()> {
    let service = ExternalProcessorServer::new(Empty).max_decoding_message_size(16 << 20);
    let server = Server::builder().tcp_nodelay(true).add_service(service);
    server.serve((Ipv4Addr::LOCALHOST, port).into()).await.context("the external processor")
}
