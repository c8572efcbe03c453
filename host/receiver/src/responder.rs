//! One request from arrival to answer: read it, apply a fault or the rules, log it.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use thiserror::Error;
use tokio::time::sleep;

use crate::answer::{Answer, Rules};
use crate::faults::{self, Fault, Faults};
use crate::log::Log;
use crate::request::Request;
use crate::wire::Switch;

/// Makes hyper close the connection.
#[derive(Debug, Error)]
#[error("the connection is closed on purpose")]
pub(crate) struct Cut;

pub(crate) struct Responder {
    pub(crate) rules: Box<dyn Rules>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) log: Arc<Log>,
}

impl Responder {
    pub(crate) async fn respond(
        &self,
        incoming: http::Request<Incoming>,
        switch: &Switch,
    ) -> Result<http::Response<ReplyBody>, Cut> {
        let kind = self.rules.kind(incoming.uri().path());
        if self.faults.next_before_body(kind).is_some() {
            return Err(Cut);
        }
        let request = Request::read(incoming, self.rules.limits()).await.ok_or(Cut)?;
        match self.faults.next(kind) {
            None => Ok(self.reply(&request, self.rules.answer(&request))),
            Some(fault) => self.fail(&request, fault, switch).await,
        }
    }

    async fn fail(
        &self,
        request: &Request,
        fault: Fault,
        switch: &Switch,
    ) -> Result<http::Response<ReplyBody>, Cut> {
        let answer = match fault {
            Fault::Status(status) => faults::scripted(status, &[], ""),
            Fault::StatusWith { status, headers, body } => faults::scripted(status, &headers, &body),
            Fault::RetryAfter(delay) => faults::retry_after(delay),
            Fault::RedirectTo(place) => faults::scripted(307, &[(LOCATION.to_string(), place)], ""),
            Fault::RetryAfterDate(delay) => faults::retry_after_date(delay),
            Fault::StopAt(index) => faults::stopped_at(self.rules.answer(request), index),
            Fault::EchoEverything => faults::echo(request, 400),
            Fault::EchoWith(status) => faults::echo(request, status),
            Fault::HangFor(delay) => {
                sleep(delay).await;
                self.rules.answer(request)
            }
            Fault::Hang => {
                self.log.unanswered(request, Vec::new(), "no answer, on purpose");
                pending().await
            }
            Fault::Endless(endless) => {
                self.log.unanswered(request, Vec::new(), "an endless answer, on purpose");
                switch.turn(endless);
                return Ok(response(StatusCode::OK, HeaderMap::new(), ReplyBody::whole(String::new())));
            }
            // The second is due only now when another request took the fault that was due when this one began.
            Fault::Close | Fault::CloseMidRequest => {
                self.log.unanswered(request, Vec::new(), "connection closed, on purpose");
                return Err(Cut);
            }
            Fault::LoseAnswer => {
                let records = self.rules.answer(request).records;
                self.log.unanswered(request, records, "answer lost, on purpose");
                return Err(Cut);
            }
            Fault::CloseMidBody => {
                self.log.unanswered(request, Vec::new(), "connection closed within the answer, on purpose");
                return Ok(response(StatusCode::OK, HeaderMap::new(), ReplyBody::cut()));
            }
        };
        Ok(self.reply(request, answer))
    }

    fn reply(&self, request: &Request, mut answer: Answer) -> http::Response<ReplyBody> {
        self.log.answered(request, &mut answer);
        response(answer.status, answer.headers, ReplyBody::whole(answer.body))
    }
}

fn response(status: StatusCode, headers: HeaderMap, body: ReplyBody) -> http::Response<ReplyBody> {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// A body in one piece, or one that promises more than it gives.
pub(crate) struct ReplyBody {
    data: Option<Bytes>,
    length: u64,
    cut: Option<CutStage>,
}

enum CutStage {
    Flush,
    Close,
}

impl ReplyBody {
    fn whole(text: String) -> Self {
        let data = Bytes::from(text);
        Self { length: u64::try_from(data.len()).unwrap_or(u64::MAX), data: Some(data), cut: None }
    }

    fn cut() -> Self {
        let half = Bytes::from_static(br#"{"text":"Succ"#);
        Self { data: Some(half), length: 1024, cut: Some(CutStage::Flush) }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.cut {
            None => Poll::Ready(None),
            // Being pending once is what makes hyper write out the first half before the end.
            Some(CutStage::Flush) => {
                self.cut = Some(CutStage::Close);
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Some(CutStage::Close) => Poll::Ready(Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.cut.is_none() && self.data.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
