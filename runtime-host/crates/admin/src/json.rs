//! Answers as JSON.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;

use crate::failure::Failure;

/// An answer as JSON, or why there is none.
pub(crate) type Answer<T> = Result<Json<T>, Failure>;

/// An answer as JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        // What is answered here has texts and numbers only, which always have a JSON form.
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], body).into_response()
    }
}
