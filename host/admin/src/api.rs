//! Version 1 of the operator's API. Answers are JSON; an error is `{"error":{"reason","hint"}}`.

pub(crate) mod dead_letters;
pub(crate) mod destinations;
mod event_line;
mod events;
pub(crate) mod ledger;
mod lines;
pub(crate) mod plugins;
mod sources;
mod store;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde::Serialize;
use siemaphore_store::{Store, StoreError};

use crate::Handles;

/// What needs the running parts.
pub(crate) fn router() -> Router<Handles> {
    Router::new().nest("/v1", destinations::router().merge(plugins::router()).merge(sources::router()))
}

/// What the store answers by itself.
pub(crate) fn store_router() -> Router<Store> {
    let parts = [dead_letters::router(), ledger::router(), events::router(), store::router()];
    Router::new().nest("/v1", parts.into_iter().fold(Router::new(), Router::merge))
}

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    reason: String,
    hint: String,
}

impl ApiError {
    pub(crate) fn not_found(reason: impl Into<String>, hint: impl Into<String>) -> ApiError {
        ApiError { status: StatusCode::NOT_FOUND, reason: reason.into(), hint: hint.into() }
    }

    pub(crate) fn unknown_destination(id: &str) -> ApiError {
        ApiError::not_found(
            format!("the store knows no destination `{id}`"),
            "`siemaphore ledger` shows all that it knows",
        )
    }

    pub(crate) fn bad_request(reason: impl Into<String>, hint: impl Into<String>) -> ApiError {
        ApiError { status: StatusCode::BAD_REQUEST, reason: reason.into(), hint: hint.into() }
    }

    pub(crate) fn conflict(reason: impl Into<String>, hint: impl Into<String>) -> ApiError {
        ApiError { status: StatusCode::CONFLICT, reason: reason.into(), hint: hint.into() }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        if let StoreError::UnknownDestination { destination } = &error {
            return ApiError::unknown_destination(destination);
        }
        ApiError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            reason: error.to_string(),
            hint: "see the log of the host".to_owned(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: Inner,
        }
        #[derive(Serialize)]
        struct Inner {
            reason: String,
            hint: String,
        }
        let body = Body { error: Inner { reason: self.reason, hint: self.hint } };
        (self.status, Json(body)).into_response()
    }
}
