//! The store as a whole: its figures, its damage, and a copy of it.

use std::path::{Path as FilePath, PathBuf};

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use siemaphore_store::{BackupProgress, BackupSummary, BlockId, Store, StoreError};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::api::ApiError;
use crate::api::lines::{self, Lines};

pub(crate) fn router() -> Router<Store> {
    Router::new()
        .route("/store", get(status))
        .route("/store/check", get(check))
        .route("/store/damaged", get(damaged))
        .route("/store/damaged/{first}", get(damaged_bytes))
        .route("/store/backup", post(backup))
}

#[derive(Debug, Serialize)]
struct StatusView {
    size_bytes: u64,
    size_limit_bytes: u64,
    file_bytes: u64,
    free_bytes: u64,
    disk_reserve_bytes: u64,
    blocks: u64,
    events: u64,
    oldest_ms: Option<u64>,
    dead_letters: u64,
    damaged_blocks: u64,
    accepting: bool,
}

async fn status(State(store): State<Store>) -> Result<Json<StatusView>, ApiError> {
    let status = store.status().await?;
    Ok(Json(StatusView {
        size_bytes: status.size_bytes,
        size_limit_bytes: status.size_limit_bytes,
        file_bytes: status.file_bytes,
        free_bytes: status.free_bytes,
        disk_reserve_bytes: status.disk_reserve_bytes,
        blocks: status.blocks,
        events: status.events,
        oldest_ms: status.oldest_ms,
        dead_letters: status.dead_letters,
        damaged_blocks: status.damaged_blocks,
        accepting: status.accepting,
    }))
}

/// What the database finds wrong with itself; empty when it is sound.
async fn check(State(store): State<Store>) -> Result<Json<Vec<String>>, ApiError> {
    Ok(Json(store.check().await?))
}

/// A block that failed its checksum.
#[derive(Debug, Serialize)]
struct DamagedView {
    organization: String,
    first_position: u64,
    events: u64,
    stored_ms: u64,
    found_ms: u64,
    reason: String,
    /// How much of it could be read.
    size_bytes: u64,
}

async fn damaged(State(store): State<Store>) -> Result<Json<Vec<DamagedView>>, ApiError> {
    let views = store.damaged_blocks().await?.into_iter().map(|block| DamagedView {
        organization: block.organization,
        first_position: block.first,
        events: block.count,
        stored_ms: block.stored_ms,
        found_ms: block.found_ms,
        reason: block.reason,
        size_bytes: block.bytes,
    });
    Ok(Json(views.collect()))
}

/// The bytes as they were found: a zstd frame with something wrong in it.
async fn damaged_bytes(State(store): State<Store>, Path(first): Path<u64>) -> Result<Vec<u8>, ApiError> {
    let bytes = store.damaged_data(BlockId(first)).await?;
    bytes.ok_or_else(|| {
        let reason = format!("nothing is kept of a damaged block at position {first}");
        ApiError::not_found(reason, "nothing of it could be read, or it was not damaged")
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BackupTo {
    /// An absolute path on the machine of the host. There must be no file yet.
    file: PathBuf,
}

/// Answers with a line for each step and one for the end.
async fn backup(State(store): State<Store>, Json(to): Json<BackupTo>) -> Result<Response, ApiError> {
    if !to.file.is_absolute() {
        let reason = format!("{} is not an absolute path", to.file.display());
        return Err(ApiError::bad_request(
            reason,
            "the host has a working folder of its own: write the whole path",
        ));
    }
    refuse_place(&to.file).await?;
    let (report, progress) = watch::channel(None);
    let copy = move |step| {
        report.send_replace(Some(step));
    };
    let task = tokio::spawn(async move { store.backup(to.file, copy).await });
    Ok(lines::answer(Backup { progress, task: Some(AbortOnDropHandle::new(task)) }, 1))
}

/// What would fail at once, in plain words; whoever is faster than this check meets the same refusal in the store.
async fn refuse_place(file: &FilePath) -> Result<(), ApiError> {
    if tokio::fs::symlink_metadata(file).await.is_ok() {
        let reason = format!("{} is there already", file.display());
        return Err(ApiError::conflict(reason, "it is not overwritten; name another file"));
    }
    let folder = file.parent().unwrap_or(file);
    if !tokio::fs::metadata(folder).await.is_ok_and(|metadata| metadata.is_dir()) {
        let reason = format!("{} cannot be written: {} is not a folder", file.display(), folder.display());
        return Err(ApiError::bad_request(reason, "make the folder first, or name a file in another one"));
    }
    Ok(())
}

struct Backup {
    progress: watch::Receiver<Option<BackupProgress>>,
    /// None after its end. A client that goes away ends the copy, and what there was of it is removed.
    task: Option<AbortOnDropHandle<Result<BackupSummary, StoreError>>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum BackupLine {
    Step { done_bytes: u64, total_bytes: u64 },
    Done { file: PathBuf, size_bytes: u64, events: u64, dead_letters: u64 },
    Failed { error: String },
}

impl Lines for Backup {
    async fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, StoreError> {
        let Some(task) = &mut self.task else { return Ok(false) };
        let line = tokio::select! {
            biased;
            Ok(()) = self.progress.changed() => match *self.progress.borrow_and_update() {
                Some(BackupProgress { done_bytes, total_bytes }) => BackupLine::Step { done_bytes, total_bytes },
                None => return Ok(true),
            },
            ended = task => {
                self.task = None;
                BackupLine::of_end(ended.map_err(|error| error.to_string()))
            }
        };
        lines::push(out, &line);
        Ok(true)
    }
}

impl BackupLine {
    fn of_end(ended: Result<Result<BackupSummary, StoreError>, String>) -> BackupLine {
        match ended {
            Ok(Ok(summary)) => BackupLine::Done {
                file: summary.path,
                size_bytes: summary.bytes,
                events: summary.events,
                dead_letters: summary.dead_letters,
            },
            Ok(Err(StoreError::NoRoom { path, needed_bytes, free_bytes })) => {
                let (needed, free) = (ByteSize(needed_bytes), ByteSize(free_bytes));
                let path = path.display();
                let error = format!(
                    "a copy at {path} needs {needed} of free space, the reserve included; there are {free}\n  \
                     hint: name a file on a disk with more room"
                );
                BackupLine::Failed { error }
            }
            Ok(Err(error)) => BackupLine::Failed { error: error.to_string() },
            Err(error) => BackupLine::Failed { error },
        }
    }
}
