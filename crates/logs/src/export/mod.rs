//! Export tasks: the events of a group in a range of time, as gzip files in a bucket.
//!
//! A task is written one file after the other; after each, how far it came is noted. So a crash repeats one
//! file, which then replaces itself, and memory holds one file at most. A bucket is a target of the ARN
//! `arn:aws:s3:::BUCKET`: an S3-compatible endpoint, or a folder.

mod bucket;
mod error;
mod exporter;
mod task;

pub(crate) use bucket::{Buckets, is_bucket, is_key};
pub use error::ExportError;
pub use exporter::LogExport;
pub(crate) use exporter::{Exporter, Tasks};
pub(crate) use task::{ExportTask, Progress, Status};
