//! A Splunk that takes everything: reads a request to its end, throws it away, and says success. In a process of its
//! own, this same program started with [`ARGUMENT`].

use std::convert::Infallible;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio_rustls::TlsAcceptor;

pub(crate) const ARGUMENT: &str = "play-the-siem";

/// The sink, running beside this process. Ends when dropped.
pub(crate) struct SinkProcess {
    _child: Child,
    pub(crate) port: u16,
    pub(crate) certificate_pem: String,
}

impl SinkProcess {
    /// The sink prints its port and its certificate.
    pub(crate) async fn start() -> Result<SinkProcess> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let mut said = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let port = said.next_line().await?.context("the sink's port")?.parse()?;
        let mut certificate_pem = String::new();
        while !certificate_pem.contains("-----END") {
            certificate_pem += &said.next_line().await?.context("the sink's certificate")?;
            certificate_pem.push('\n');
        }
        Ok(SinkProcess { _child: child, port, certificate_pem })
    }
}

/// Serves until standard input closes, which it does when the driver ends, however it ends.
pub(crate) async fn serve() -> Result<()> {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![key.cert.der().clone()],
            PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()).into(),
        )?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    // In one write: the parent closes its end when it has read the certificate's last line.
    let announcement = format!("{}\n{}", listener.local_addr()?.port(), key.cert.pem());
    print!("{announcement}");
    let mut rest = Vec::new();
    let mut input = tokio::io::stdin();
    tokio::select! {
        _ = accept(listener, acceptor) => Ok(()),
        ended = input.read_to_end(&mut rest) => ended.map(|_| ()).context("standard input"),
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A connection that ends badly shows in the host's figures.
            converse(stream, acceptor).await.ok();
        });
    }
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor) -> Result<()> {
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await?;
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await?;
    Ok(())
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    while let Some(Ok(_)) = request.body_mut().frame().await {}
    let mut response = Response::new(Full::from(&br#"{"text":"Success","code":0}"#[..]));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    Ok(response)
}
