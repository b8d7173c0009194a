//! A damaged segment: nothing stops because of it but reading what was in it.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_api::logs::FilterLogEventsInput;
use groundwatch_core::{Activity, ManualClock};

use crate::support::{GROUP, STREAM, Service};

impl Service {
    async fn run_later(
        &self,
        activity: impl FnOnce(&groundwatch_logs::Logs, Arc<ManualClock>) -> Box<dyn Activity>,
    ) {
        let later = self.call.received + Duration::from_secs(3600);
        activity(self.logs(), Arc::new(ManualClock::new(later))).run(later).await;
    }
}

#[tokio::test]
async fn others_are_merged_and_freed_beside_it() {
    for merges in [false, true] {
        let service = Service::new().await;
        service.put(GROUP, STREAM, &[(0, "lost")]).await.expect("stored");
        service.flush().await;
        service.damage_segments();
        let damaged = service.segment_bytes();
        service.create_group("other").await.expect("created");
        service.create_stream("other", STREAM).await.expect("created");
        service.put("other", STREAM, &[(0, "one")]).await.expect("stored");
        service.flush().await;
        if merges {
            // The first attempt finds the damage.
            for _ in 0..2 {
                service.run_later(|logs, clock| Box::new(logs.compaction_activity(clock))).await;
            }
            let clock = Arc::new(ManualClock::new(service.call.received));
            assert_eq!(service.logs().compaction_activity(clock).next_due(), None, "the other one is merged");
        }
        let input = FilterLogEventsInput { log_group_name: Some("other".to_owned()), ..Default::default() };
        assert_eq!(service.filter(input).await.expect("read").events.map(|events| events.len()), Some(1));
        service.delete_group("other").await.expect("deleted");
        service.run_later(|logs, clock| Box::new(logs.reclaim_activity(clock))).await;
        assert_eq!(service.segment_bytes(), damaged, "merges: {merges}");
    }
}
