//! Secrets from the environment and from real files.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use siemaphore_secrets::{
    CACHE_TIME, MAX_SECRET_BYTES, REFRESH_INTERVAL, SecretErrorKind, SecretReference, Secrets,
};
use tempfile::TempDir;

struct SecretFile {
    _folder: TempDir,
    path: PathBuf,
}

impl SecretFile {
    fn new(content: impl AsRef<[u8]>) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("token");
        write(&path, content);
        SecretFile { _folder: folder, path }
    }

    fn reference(&self) -> SecretReference {
        SecretReference::File(self.path.clone())
    }
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).expect("the secret file is written");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("its mode is set");
}

async fn refusal(reference: &SecretReference) -> SecretErrorKind {
    let error = Secrets::new().resolve(reference).await.expect_err("the secret is refused");
    assert!(error.to_string().contains(&reference.to_string()), "{error} names the reference");
    assert!(!error.hint().is_empty());
    error.kind
}

#[tokio::test]
async fn an_environment_variable_is_read() {
    // Cargo sets this variable for every test that it runs.
    let secret =
        Secrets::new().resolve(&SecretReference::Env("CARGO_PKG_NAME".into())).await.expect("it is set");
    assert_eq!(secret.expose(), "siemaphore-secrets");
}

#[tokio::test]
async fn a_missing_variable_is_refused() {
    let reference = SecretReference::Env("SIEMAPHORE_TEST_NEVER_SET".into());
    assert_eq!(refusal(&reference).await, SecretErrorKind::Missing);
}

#[tokio::test]
async fn the_line_ending_of_a_file_is_not_part_of_the_secret() {
    for (content, value) in [("abc\n", "abc"), ("abc\r\n", "abc"), ("abc", "abc"), (" a b \n\n", " a b ")] {
        let file = SecretFile::new(content);
        let secret = Secrets::new().resolve(&file.reference()).await.expect("it is readable");
        assert_eq!(secret.expose(), value);
    }
}

#[tokio::test]
async fn what_cannot_be_a_secret_is_refused() {
    let folder = TempDir::new().expect("a temporary folder");
    assert_eq!(refusal(&SecretReference::File(folder.path().join("none"))).await, SecretErrorKind::Missing);
    assert_eq!(refusal(&SecretReference::File(folder.path().into())).await, SecretErrorKind::NotAFile);
    assert_eq!(refusal(&SecretReference::File("/dev/zero".into())).await, SecretErrorKind::NotAFile);
    for (content, kind) in [
        (Vec::new(), SecretErrorKind::Empty),
        (b" \n".to_vec(), SecretErrorKind::Empty),
        (vec![0xff, 0xfe], SecretErrorKind::NotText),
        (vec![b'a'; MAX_SECRET_BYTES + 1], SecretErrorKind::TooLarge),
    ] {
        assert_eq!(refusal(&SecretFile::new(content).reference()).await, kind);
    }
}

#[tokio::test]
async fn the_largest_secret_is_taken_whole() {
    let file = SecretFile::new(vec![b'a'; MAX_SECRET_BYTES]);
    let secret = Secrets::new().resolve(&file.reference()).await.expect("it is within the limit");
    assert_eq!(secret.expose().len(), MAX_SECRET_BYTES);
}

#[tokio::test(start_paused = true)]
async fn a_value_is_kept_for_five_minutes_and_then_read_again() {
    let file = SecretFile::new("old");
    let secrets = Secrets::new();
    assert_eq!(secrets.resolve(&file.reference()).await.expect("readable").expose(), "old");
    write(&file.path, "new");
    tokio::time::advance(CACHE_TIME - Duration::from_secs(1)).await;
    assert_eq!(secrets.resolve(&file.reference()).await.expect("cached").expose(), "old");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(secrets.resolve(&file.reference()).await.expect("readable").expose(), "new");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_reads_again_but_not_more_often_than_its_interval() {
    let file = SecretFile::new("one");
    let secrets = Secrets::new();
    secrets.resolve(&file.reference()).await.expect("readable");
    write(&file.path, "two");
    assert_eq!(secrets.refresh(&file.reference()).await.expect("just read").expose(), "one");
    tokio::time::advance(REFRESH_INTERVAL).await;
    assert_eq!(secrets.refresh(&file.reference()).await.expect("read again").expose(), "two");
    assert_eq!(secrets.resolve(&file.reference()).await.expect("the refreshed value").expose(), "two");
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_disappears_is_an_error_once_its_time_is_over() {
    let file = SecretFile::new("value");
    let secrets = Secrets::new();
    secrets.resolve(&file.reference()).await.expect("readable");
    fs::remove_file(&file.path).expect("removed");
    assert!(secrets.resolve(&file.reference()).await.is_ok(), "it is still remembered");
    tokio::time::advance(CACHE_TIME).await;
    let error = secrets.resolve(&file.reference()).await.expect_err("nothing to read");
    assert_eq!(error.kind, SecretErrorKind::Missing);
}
