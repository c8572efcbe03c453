//! Starting points for the request that a formatter asks for.

use crate::{Compression, Framing, Limits, Method, Probe, RequestProfile};

impl RequestProfile {
    /// POST of gzip-compressed JSON: what most SIEMs take. The rest is set by struct update.
    pub fn post_json(path: impl Into<String>, framing: Framing, limits: Limits) -> RequestProfile {
        RequestProfile {
            method: Method::Post,
            path: path.into(),
            query: Vec::new(),
            content_type: "application/json".to_owned(),
            headers: Vec::new(),
            follow_up_path: None,
            sticky: false,
            framing,
            limits,
            compression: vec![Compression::Gzip],
            probe: None,
            replay_window: None,
        }
    }
}

impl Probe {
    /// A GET without a body.
    pub fn get(path: impl Into<String>) -> Probe {
        Probe { get: true, path: path.into(), query: Vec::new(), body: Vec::new() }
    }
}
