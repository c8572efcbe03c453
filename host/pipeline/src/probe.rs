//! The formatter's probe: a request that shows whether endpoint and credential work, and stores nothing.

use serde::Serialize;
use siemaphore_delivery::{Decision, Group, Target, classify};
use siemaphore_model::formatter::Verdict;
use siemaphore_registry::Plugin;
use siemaphore_sandbox::Sandbox;

use crate::PipelineConfig;
use crate::sending::{excerpt, words};
use crate::test_event::TestReport;
use crate::version::configured;

/// What came of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProbeReport {
    /// False where the formatter has none for its SIEM: then nothing was asked, and nothing is wrong.
    pub has_probe: bool,
    #[serde(flatten)]
    pub report: TestReport,
}

const NO_PROBE_HINT: &str = "`siemaphore destination test NAME` sends a synthetic event instead";

/// Makes the probe of a destination's formatter. Needs no running pipeline, and touches no store.
pub async fn probe(
    config: &PipelineConfig,
    sandbox: &Sandbox,
    plugin: &Plugin,
    target: &Target,
) -> ProbeReport {
    match tried(config, sandbox, plugin, target).await {
        Some(report) => ProbeReport { has_probe: true, report },
        None => ProbeReport {
            has_probe: false,
            report: TestReport::failed("the formatter has no probe for its SIEM", NO_PROBE_HINT),
        },
    }
}

/// None when there is no probe.
async fn tried(
    config: &PipelineConfig,
    sandbox: &Sandbox,
    plugin: &Plugin,
    target: &Target,
) -> Option<TestReport> {
    let Some(active) = plugin.active() else {
        let reason = format!("formatter `{}` is not loaded", plugin.name());
        return Some(TestReport::failed(reason, "see `siemaphore plugin list` for the reason"));
    };
    let version = match configured(config, sandbox, target, active).await {
        Ok(version) => version,
        Err(error) => return Some(TestReport::failed(error.to_string(), error.hint())),
    };
    let request = Some(version.profile.probe_summary()?.to_owned());
    let report = match target.probe(&version.profile, &Group::default()).await {
        Err(error) => TestReport { request, ..TestReport::failed(error.reason, error.hint) },
        Ok(answer) => {
            let decision = classify(&answer, Verdict::Standard, 0);
            let (reason, hint) = words(&decision);
            TestReport {
                ok: matches!(decision, Decision::Delivered { .. }),
                request,
                status: Some(answer.status),
                answer: excerpt(&answer),
                ..TestReport::failed(reason, hint)
            }
        }
    };
    Some(report)
}
