//! Sample events, as four producers send them.

use std::time::SystemTime;

/// One event a line. `{now}` is replaced, because SIEMs drop or re-time what is old.
const SAMPLES: &str = include_str!("samples.jsonl");

/// All samples, happening now.
pub(crate) fn all() -> Vec<String> {
    at(SystemTime::now())
}

/// All samples, happening at a given time.
pub(crate) fn at(moment: SystemTime) -> Vec<String> {
    let moment = humantime::format_rfc3339_millis(moment).to_string();
    SAMPLES.lines().filter(|line| !line.is_empty()).map(|line| line.replace("{now}", &moment)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_one_json_object_that_happens_now() {
        let samples = all();
        assert!(samples.len() >= 12);
        for sample in samples {
            let event: serde_json::Value = serde_json::from_str(&sample).unwrap();
            assert!(event.is_object() && !sample.contains("{now}"), "{sample}");
        }
    }
}
