//! Sizes and durations as people write them.

use std::time::Duration;

/// `16 MiB`, `1GB`, `65536`.
pub(crate) fn bytes(text: &str) -> Result<u64, (String, String)> {
    let parsed = text.parse::<bytesize::ByteSize>();
    parsed.map(|size| size.as_u64()).map_err(|_| {
        (
            format!("`{text}` is not a size"),
            "write a number with a unit, such as \"512 MiB\" or \"10 GiB\"".to_owned(),
        )
    })
}

/// `30s`, `24h`, `7d`.
pub(crate) fn duration(text: &str) -> Result<Duration, (String, String)> {
    let parsed = humantime::parse_duration(text);
    parsed.map_err(|error| {
        (
            format!("`{text}` is not a duration: {error}"),
            "write a number with a unit, such as \"30s\", \"24h\" or \"7d\"".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_read_as_written() {
        assert_eq!(bytes("16 MiB").unwrap(), 16 * 1024 * 1024);
        assert_eq!(bytes("1GB").unwrap(), 1_000_000_000);
        assert_eq!(bytes("100").unwrap(), 100);
        bytes("lots").unwrap_err();
        assert_eq!(duration("7d").unwrap(), Duration::from_secs(7 * 86_400));
        duration("7").unwrap_err();
    }
}
