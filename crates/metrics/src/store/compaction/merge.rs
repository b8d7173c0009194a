//! Merges runs into one, series by series: memory holds one block in the making, a megabyte of each run, and
//! one series' day.

use std::sync::Arc;

use super::super::block_file::BlockFile;
use super::super::run::Run;
use super::cursor::Cursor;
use super::roll_up::roll_up;
use crate::block::BlockWriter;
use crate::sample::Samples;
use crate::{MetricError, MetricStore, Unit};

/// Writes the blocks of `runs` as one run, rolled up to `resolution_secs`. Nothing is visible yet, and
/// nothing is left behind after a failure.
pub(super) async fn merge(
    store: &MetricStore,
    runs: Vec<Vec<Arc<BlockFile>>>,
    resolution_secs: u32,
) -> Result<Run, MetricError> {
    let mut run = Run::new(resolution_secs);
    match write(store, runs, resolution_secs, &mut run).await {
        Ok(()) => Ok(run),
        Err(error) => {
            run.discard(&store.inner.storage.segments).await;
            Err(error)
        }
    }
}

async fn write(
    store: &MetricStore,
    runs: Vec<Vec<Arc<BlockFile>>>,
    resolution_secs: u32,
    run: &mut Run,
) -> Result<(), MetricError> {
    let segments = &store.inner.storage.segments;
    let mut cursors = Vec::with_capacity(runs.len());
    for blocks in runs {
        cursors.push(Cursor::new(store, blocks).await?);
    }
    let mut writer: Option<BlockWriter> = None;
    while let Some((key, unit)) = first(&cursors) {
        let mut samples = Samples::default();
        for cursor in &mut cursors {
            if cursor.head().is_some_and(|head| (&head.0, head.1) == (&key, unit)) {
                cursor.take(&mut samples).await?;
            }
        }
        samples.sort();
        let samples = roll_up(samples, resolution_secs);
        let Some((first, _)) = samples.span() else { continue };
        if writer.as_ref().is_some_and(BlockWriter::is_full)
            && let Some(block) = writer.take().and_then(BlockWriter::finish)
        {
            run.write(segments, block).await?;
        }
        writer.get_or_insert_with(|| BlockWriter::new(first)).push(&key, unit, &samples);
    }
    match writer.and_then(BlockWriter::finish) {
        Some(block) => run.write(segments, block).await,
        None => Ok(()),
    }
}

/// The first series and unit that any cursor has.
fn first(cursors: &[Cursor]) -> Option<(Arc<str>, Unit)> {
    let heads = cursors.iter().filter_map(Cursor::head);
    heads.min_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.code().cmp(&b.1.code()))).cloned()
}
