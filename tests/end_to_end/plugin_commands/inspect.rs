//! What a formatter's file is, and what the formatter says of itself.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use sha2::{Digest, Sha256};

use super::Workshop;
use crate::support::formatter::{bundled, handmade};
use crate::support::{run, run_in_environment};

#[tokio::test]
async fn a_file_is_told_by_digest_contract_and_imports_and_settings_by_name_kind_and_default() {
    let shop = Workshop::new();
    let acme = shop.file("acme.wasm", handmade("inspected"));
    let digest: String =
        Sha256::digest(handmade("inspected")).iter().map(|byte| format!("{byte:02x}")).collect();
    run(&["plugin", "inspect", &acme]).await.expect(0).shows(&[
        "acme.wasm",
        &digest,
        "siemaphore:formatter@1.0.0",
        "imports         nothing",
        "signature       none",
        "memory          starts with 256.0 KiB; a limit of 64.0 MiB leaves room for calls",
    ]);
    let built_in = run(&["plugin", "inspect", "elasticsearch"]).await.expect(0);
    built_in.shows(&[
        "elasticsearch (built in)",
        "language        Rust",
        "wasi:io/streams@0.2",
        "fields.user_id",
    ]);
    assert!(
        !built_in.stdout.contains("signature"),
        "what is built in is part of the host: {}",
        built_in.stdout
    );
    let cells = |name: &str| -> Vec<String> {
        let row = built_in.stdout.lines().find(|line| line.starts_with(&format!("│ {name} "))).expect(name);
        row.split(['│', '┆']).map(|cell| cell.trim().to_owned()).collect()
    };
    assert_eq!(cells("service")[2], r#""elasticsearch" or "opensearch""#);
    assert_eq!(cells("target")[2..4], ["string", r#""logs-siemaphore.security-default""#]);

    let told = run(&["plugin", "inspect", &acme, "--json"]).await.expect(0).json();
    assert_eq!((&told["digest"], &told["contract"]), (&digest.into(), &"1.0.0".into()));
    assert_eq!(told["signature"]["state"], "no");
    assert_eq!((&told["language"], &told["memory_needed_bytes"]), (&"unknown".into(), &(64 << 20).into()));
    assert_eq!(told["memory_at_start_bytes"], 256 << 10);
    assert_eq!(told["size_bytes"], handmade("inspected").len());
    let damaged = shop.file("damaged.wasm", &bundled("splunk")[..20_000]);
    run(&["plugin", "inspect", &damaged]).await.expect(1).shows(&["damaged", "hint: "]);
}

#[tokio::test]
async fn machine_code_is_kept_for_the_next_command_and_only_where_nobody_else_can_write() {
    let shop = Workshop::new();
    let acme = shop.file("acme.wasm", handmade("kept"));
    let folder = shop.path("cache/siemaphore/code");
    let kept = async || {
        let environment = [("XDG_CACHE_HOME", shop.path("cache").into_os_string())];
        let told = run_in_environment(&["plugin", "inspect", &acme], &environment).await.expect(0);
        told.shows(&["siemaphore:formatter@1.0.0"]);
        let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        files.collect::<Vec<_>>()
    };
    let first = kept().await;
    assert!(
        first.len() == 1 && first[0].extension().is_some_and(|extension| extension == "code"),
        "{first:?}"
    );
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let code = fs::read(&first[0]).unwrap();
    fs::write(&first[0], "damaged").unwrap();
    assert_eq!(kept().await, first);
    assert_eq!(fs::read(&first[0]).unwrap().len(), code.len(), "what is damaged is made again");

    fs::remove_file(&first[0]).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    assert!(kept().await.is_empty(), "others could put code there");
}
