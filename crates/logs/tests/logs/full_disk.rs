//! A disk that becomes full while files are written: nothing is lost, and nothing is left behind.

use groundwatch_api::logs::FilterLogEventsInput;
use groundwatch_logs::StoreOptions;

use crate::support::{STREAM, Service};

/// So many groups get a file each.
const GROUPS: usize = 6;

/// A service with that many groups, into each of which went an event before each flush and after the last one.
/// With so many bytes a group gets a file of its own.
async fn with_groups(flushes: i64, own_file_bytes: u64) -> Service {
    let service = Service::with_options(StoreOptions { own_file_bytes, ..StoreOptions::default() }).await;
    for group in 0..GROUPS {
        service.create_group(&format!("group-{group}")).await.expect("created");
        service.create_stream(&format!("group-{group}"), STREAM).await.expect("created");
    }
    for flush in 0..flushes {
        put(&service, flush).await;
        service.flush().await;
    }
    put(&service, flushes).await;
    service
}

async fn put(service: &Service, time: i64) {
    for group in 0..GROUPS {
        service.put(&format!("group-{group}"), STREAM, &[(time, &"x".repeat(80))]).await.expect("stored");
    }
}

/// How many events every group has; all have as many.
async fn events(service: &Service) -> usize {
    let mut counts = Vec::new();
    for group in 0..GROUPS {
        let input =
            FilterLogEventsInput { log_group_name: Some(format!("group-{group}")), ..Default::default() };
        counts.push(service.filter(input).await.expect("read").events.map_or(0, |events| events.len()));
    }
    counts.dedup();
    assert_eq!(counts.len(), 1, "as many in each: {counts:?}");
    counts[0]
}

#[tokio::test]
async fn a_flush_that_fails_at_any_file_leaves_none_and_succeeds_later() {
    for room in 0..GROUPS {
        let mut service = with_groups(0, 100).await;
        service.segment_room.limit(Some(room as u64));
        assert!(service.try_flush().await.is_some(), "it is tried again");
        assert_eq!((service.segments(), events(&service).await), (0, 1), "room for {room}");
        service.segment_room.limit(None);
        service.flush().await;
        service.restart().await;
        assert_eq!((service.segments(), events(&service).await), (GROUPS, 1), "room for {room}");
    }
}

#[tokio::test]
async fn a_merge_that_fails_at_any_file_leaves_what_there_was() {
    const SHARED: usize = 8;
    for room in 0..GROUPS {
        let service = with_groups(SHARED as i64 - 1, 200).await;
        service.flush().await;
        service.segment_room.limit(Some(room as u64));
        assert!(service.try_compact().await.is_some(), "it is tried again");
        assert_eq!((service.segments(), events(&service).await), (SHARED, SHARED), "room for {room}");
        service.segment_room.limit(None);
        service.compact().await;
        assert_eq!((service.segments(), events(&service).await), (GROUPS, SHARED), "room for {room}");
    }
}
