//! Sockets: binds, accepts, hands connections to hyper, and can reset one. Knows nothing of what is served.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::Socket;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::provider::Provider;

/// A handle on the TCP connection that carries a request.
#[derive(Debug)]
pub struct Connection {
    /// A second descriptor of the connection's socket: hyper owns the first and hides it.
    socket: Socket,
    reset: Notify,
}

impl Connection {
    /// Closes the connection with RST instead of FIN, dropping whatever was not sent. Never returns: the connection
    /// owns the task that calls this, and takes it down.
    pub async fn reset(&self) -> Infallible {
        if let Err(error) = self.socket.set_linger(Some(Duration::ZERO)) {
            eprintln!("cannot reset a connection: {error}");
        }
        self.reset.notify_one();
        std::future::pending().await
    }
}

/// Listens on `address` and serves `provider` there until the runtime ends. Answers with the bound address.
pub async fn start(address: &str, provider: Arc<Provider>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let local = listener.local_addr()?;
    tokio::spawn(accept(listener, provider));
    Ok(local)
}

async fn accept(listener: TcpListener, provider: Arc<Provider>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, provider.clone()));
            }
            Err(error) => {
                // Out of descriptors, most likely: wait until some connection ends.
                eprintln!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, provider: Arc<Provider>) {
    let twin = stream.set_nodelay(true).and_then(|()| stream.as_fd().try_clone_to_owned());
    let connection = match twin {
        Ok(twin) => Arc::new(Connection { socket: Socket::from(twin), reset: Notify::new() }),
        Err(error) => return eprintln!("cannot serve a connection: {error}"),
    };
    let service = service_fn(|request| provider.clone().answer(request, connection.clone()));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A client that goes away and an answer that is cut on purpose both end here as errors, and are no news.
        _ = served => {}
        () = connection.reset.notified() => {}
    }
}
