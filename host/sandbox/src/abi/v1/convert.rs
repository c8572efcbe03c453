//! Between the bindings and the host's own types, field by field. No checks and no decisions: those are the same for
//! every version and live in `check`.

use siemaphore_model::formatter::{
    AuthenticationHint, Compression, Description, Fate, Framing, Limits, Method, Note, Partial, Pending,
    Phase, Probe, Records, Refusal, Rejection, ReplayWindow, RequestProfile, Response, Run, SettingProblem,
    TooOld, Verdict,
};
use siemaphore_model::{Event, Severity};

use super::wit;

// === What the guest is given ===

pub(super) fn event<'a>(event: &Event<'a>, key: &'a str) -> wit::Event<'a> {
    wit::Event {
        key,
        id: event.id(),
        event_type: event.event_type(),
        timestamp: event.timestamp(),
        timestamp_ns: event.timestamp_ns(),
        received_ns: event.received_ns(),
        severity: severity(event.severity()),
        source: event.source(),
        producer: event.producer(),
        organization: event.organization(),
        project: event.project(),
        document: event.document(),
    }
}

fn severity(severity: Severity) -> wit::Severity {
    match severity {
        Severity::Informational => wit::Severity::Informational,
        Severity::Low => wit::Severity::Low,
        Severity::Medium => wit::Severity::Medium,
        Severity::High => wit::Severity::High,
        Severity::Critical => wit::Severity::Critical,
    }
}

pub(super) fn pairs(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

pub(super) fn response<'a>(response: &'a Response, headers: &'a [(&'a str, &'a str)]) -> wit::Response<'a> {
    wit::Response {
        phase: match response.phase {
            Phase::First => wit::Phase::First,
            Phase::FollowUp => wit::Phase::FollowUp,
        },
        state: &response.state,
        status: response.status,
        headers,
        body: &response.body,
        truncated: response.truncated,
        records: response.records,
        body_bytes: response.body_bytes,
    }
}

// === What the guest returns ===

pub(super) fn description(description: wit::Description) -> Description {
    let hint = |hint: wit::AuthenticationHint| AuthenticationHint {
        scheme: hint.scheme,
        parameters: hint.parameters,
    };
    Description {
        name: description.name,
        version: description.version,
        vendor: description.vendor,
        title: description.title,
        summary: description.summary,
        settings_schema: description.settings_schema,
        settings_example: description.settings_example,
        endpoint_example: description.endpoint_example,
        secret_name: description.secret_name,
        authentication: description.authentication.into_iter().map(hint).collect(),
    }
}

pub(super) fn problems(problems: Vec<wit::SettingProblem>) -> Vec<SettingProblem> {
    problems
        .into_iter()
        .map(|problem| SettingProblem { pointer: problem.pointer, message: problem.message })
        .collect()
}

pub(super) fn profile(profile: wit::RequestProfile) -> RequestProfile {
    RequestProfile {
        method: match profile.method {
            wit::Method::Post => Method::Post,
            wit::Method::Put => Method::Put,
        },
        path: profile.path,
        query: profile.query,
        content_type: profile.content_type,
        headers: profile.headers,
        follow_up_path: profile.follow_up_path,
        sticky: profile.sticky,
        framing: framing(profile.framing),
        limits: Limits {
            records: profile.limits.records,
            body_bytes: profile.limits.body_bytes,
            record_bytes: profile.limits.record_bytes,
        },
        compression: profile.compression.into_iter().map(compression).collect(),
        probe: profile.probe.map(|probe| Probe {
            get: probe.get,
            path: probe.path,
            query: probe.query,
            body: probe.body,
        }),
        replay_window: profile.replay_window.map(replay_window),
    }
}

fn framing(framing: wit::Framing) -> Framing {
    match framing {
        wit::Framing::JsonArray => Framing::JsonArray,
        wit::Framing::Newline => Framing::Newline,
        wit::Framing::Concatenated => Framing::Concatenated,
        wit::Framing::OnePerRequest => Framing::OnePerRequest,
        wit::Framing::Enclosed(wit::Enclosure { prefix, separator, suffix }) => {
            Framing::Enclosed { prefix, separator, suffix }
        }
    }
}

fn compression(compression: wit::Compression) -> Compression {
    match compression {
        wit::Compression::Gzip => Compression::Gzip,
        wit::Compression::Zstd => Compression::Zstd,
        wit::Compression::Deflate => Compression::Deflate,
    }
}

fn replay_window(window: wit::ReplayWindow) -> ReplayWindow {
    ReplayWindow {
        max_age_s: window.max_age_s,
        effect: match window.effect {
            wit::TooOld::Dropped => TooOld::Dropped,
            wit::TooOld::Retimed => TooOld::Retimed,
        },
    }
}

pub(super) fn records(records: wit::Records) -> Records {
    let rejection =
        |rejection: wit::Rejection| Rejection { index: rejection.index, reason: rejection.reason };
    Records {
        data: records.data,
        ends: records.ends,
        rejected: records.rejected.into_iter().map(rejection).collect(),
    }
}

pub(super) fn verdict(verdict: wit::Verdict) -> Verdict {
    match verdict {
        wit::Verdict::Standard => Verdict::Standard,
        wit::Verdict::Delivered(note) => Verdict::Delivered(note.map(self::note)),
        wit::Verdict::Partial(partial) => Verdict::Partial(self::partial(partial)),
        wit::Verdict::Retry(retry) => Verdict::Retry { after_ms: retry.after_ms, reason: retry.reason },
        wit::Verdict::Split => Verdict::Split,
        wit::Verdict::Hold(refusal) => Verdict::Hold(self::refusal(refusal)),
        wit::Verdict::Rejected(refusal) => Verdict::Rejected(self::refusal(refusal)),
        wit::Verdict::Uncertain(uncertain) => {
            Verdict::Uncertain { lost: uncertain.lost, reason: uncertain.reason }
        }
        wit::Verdict::Pending(pending) => Verdict::Pending(Pending {
            after_ms: pending.after_ms,
            query: pending.query,
            body: pending.body,
            state: pending.state,
        }),
    }
}

fn note(note: wit::Note) -> Note {
    Note { reason: note.reason, hint: note.hint, pause_ms: note.pause_ms }
}

fn refusal(refusal: wit::Refusal) -> Refusal {
    Refusal { reason: refusal.reason, hint: refusal.hint }
}

fn partial(partial: wit::Partial) -> Partial {
    let run = |run: wit::Run| Run { first: run.first, count: run.count, fate: fate(run.fate) };
    Partial {
        runs: partial.runs.into_iter().map(run).collect(),
        rest: fate(partial.rest),
        note: partial.note.map(note),
    }
}

fn fate(fate: wit::Fate) -> Fate {
    match fate {
        wit::Fate::Delivered => Fate::Delivered,
        wit::Fate::Duplicate => Fate::Duplicate,
        wit::Fate::Retry => Fate::Retry,
        wit::Fate::Rejected(reason) => Fate::Rejected(reason),
    }
}
