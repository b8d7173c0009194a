//! What the journal holds: nothing for longer than needed, and nothing that is refused is made up for.

use std::time::Duration;

use crate::support::{GROUP, NOW, STREAM, Service};

/// How long events are in the journal at most.
const FLUSH_AGE: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn events_of_a_deleted_group_are_released() {
    for restarts in [false, true] {
        let mut service = Service::new().await;
        service.put(GROUP, STREAM, &[(0, "one")]).await.expect("stored");
        service.delete_group(GROUP).await.expect("deleted");
        if restarts {
            service.restart().await;
        }
        assert_eq!(service.flush_due(), Some(NOW + FLUSH_AGE));
        service.flush().await;
        assert_eq!(service.journal_records(), 0, "restarts: {restarts}");
    }
}

#[tokio::test]
async fn a_refused_append_is_followed_by_a_flush() {
    let service = Service::new().await;
    assert_eq!(service.flush_due(), None);
    service.disk.fail_call_after(0);
    service.put(GROUP, STREAM, &[(0, "one")]).await.expect_err("refused");
    assert_eq!(service.flush_due(), Some(NOW + FLUSH_AGE));
    service.flush().await;
    assert_eq!(service.journal_records(), 0);
}

#[tokio::test]
async fn a_long_journal_is_flushed_at_once() {
    let service = Service::new().await;
    let text = "x".repeat(1_000_000);
    for (puts, due) in [(1, NOW + FLUSH_AGE), (5, NOW)] {
        for _ in 0..puts {
            service.put(GROUP, STREAM, &[(0, &text)]).await.expect("stored");
        }
        assert_eq!(service.flush_due(), Some(due));
    }
    service.flush().await;
    assert_eq!(service.journal_records(), 0);
}

#[tokio::test]
async fn a_clock_that_is_set_back_puts_no_flush_off() {
    let mut service = Service::new().await;
    service.put(GROUP, STREAM, &[(0, "one")]).await.expect("stored");
    service.call.received = NOW - Duration::from_secs(365 * 86_400);
    assert_eq!(service.flush_due(), Some(service.call.received));
}
