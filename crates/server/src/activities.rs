//! Drives the background [`Activity`]s: by the machine's clock, each in a task of its own, or by a manual
//! clock, one after the other in the order of their due times.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, Clock, ManualClock, SharedClock, Timestamp};
use tokio::sync::{Mutex, Notify, watch};

/// A real clock may jump, so nothing sleeps longer than this before it looks again.
const SLEEP_MAX: Duration = Duration::from_secs(5);

/// The pause after an activation that panicked, or that left its work due: it must not spin.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How often one activity may be due again at one manual moment before it is taken for stuck.
const ROUNDS_AT_ONE_MOMENT_MAX: u32 = 100_000;

/// Runs `activity` by a real clock until `stop` turns true.
pub(crate) async fn drive(activity: Arc<dyn Activity>, clock: SharedClock, mut stop: watch::Receiver<bool>) {
    loop {
        let changed = activity.changed().notified();
        tokio::pin!(changed);
        // From here on no notification is missed, also if it comes before the select below.
        changed.as_mut().enable();
        let (due, now) = (activity.next_due(), clock.now());
        // What is due runs, however often it changes.
        if due.is_none_or(|due| due > now) {
            let pause = due.map_or(SLEEP_MAX, |due| due.since(now).min(SLEEP_MAX));
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = changed => {}
                () = tokio::time::sleep(pause) => {}
            }
            continue;
        }
        if *stop.borrow() {
            return;
        }
        let healthy = activate(&activity, now).await;
        if !healthy || activity.next_due().is_some_and(|due| due <= now) {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(PAUSE_AFTER_FAILURE) => {}
            }
        }
    }
}

/// One activation, in a task of its own so that a panic ends only the activation. Tells whether it went well.
async fn activate(activity: &Arc<dyn Activity>, now: Timestamp) -> bool {
    let name = activity.name();
    let task = tokio::spawn({
        let activity = activity.clone();
        async move { activity.run(now).await }
    });
    match task.await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(activity = name, %error, "background activity failed; it will run again");
            false
        }
    }
}

/// Moves a manual clock, and runs what falls due on the way.
pub(crate) struct ManualDriver {
    clock: Arc<ManualClock>,
    activities: Vec<Arc<dyn Activity>>,
    /// Held while activities run: moves of the clock happen one after the other.
    turn: Mutex<()>,
}

impl ManualDriver {
    /// Drives `activities` by `clock`.
    pub(crate) fn new(clock: Arc<ManualClock>, activities: Vec<Arc<dyn Activity>>) -> Self {
        Self { clock, activities, turn: Mutex::new(()) }
    }

    /// The moment that the clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock to `target`, stopping at every due time on the way. Returns when nothing due is left.
    /// A target in the past sets the clock back, and runs what is due then.
    pub(crate) async fn move_to(&self, target: Timestamp) {
        let _turn = self.turn.lock().await;
        if target < self.clock.now() {
            self.clock.set(target);
        }
        self.run_until(target).await;
        self.clock.set(target);
    }

    /// Moves the clock on by `duration`, as [`Self::move_to`] does; two callers at once move it by both
    /// durations.
    pub(crate) async fn advance(&self, duration: Duration) {
        let _turn = self.turn.lock().await;
        let target = self.clock.now() + duration;
        self.run_until(target).await;
        self.clock.set(target);
    }

    /// Runs what requests made due at the present moment, until `stop` turns true.
    pub(crate) async fn settle(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let woken = Arc::new(Notify::new());
        for activity in &self.activities {
            let (activity, woken, mut stop) = (activity.clone(), woken.clone(), stop.clone());
            tokio::spawn(async move {
                loop {
                    tokio::select! {
                        _ = stop.wait_for(|stop| *stop) => return,
                        () = activity.changed().notified() => woken.notify_one(),
                    }
                }
            });
        }
        loop {
            {
                let _turn = self.turn.lock().await;
                self.run_until(self.clock.now()).await;
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = woken.notified() => {}
                // In case a notification came before its watcher first waited.
                () = tokio::time::sleep(SLEEP_MAX) => {}
            }
        }
    }

    /// An activity that fails, or stays due, is set aside for the rest of this move: the others still run on
    /// time.
    async fn run_until(&self, target: Timestamp) {
        let mut set_aside = HashSet::new();
        let mut rounds = 0;
        while let Some((due, index)) = self.next_due(target, &set_aside) {
            let activity = &self.activities[index];
            let moment = due.max(self.clock.now());
            rounds = if moment > self.clock.now() { 0 } else { rounds + 1 };
            self.clock.set(moment);
            if rounds > ROUNDS_AT_ONE_MOMENT_MAX {
                tracing::error!(activity = activity.name(), %moment, "activity stays due; the clock moves on without it");
                set_aside.insert(index);
                rounds = 0;
            } else if !activate(activity, moment).await {
                set_aside.insert(index);
            }
        }
    }

    /// The activity that is due first, at or before `target`, by its place; the one listed first among
    /// equals.
    fn next_due(&self, target: Timestamp, set_aside: &HashSet<usize>) -> Option<(Timestamp, usize)> {
        self.activities
            .iter()
            .enumerate()
            .filter(|(index, _)| !set_aside.contains(index))
            .filter_map(|(index, activity)| Some((activity.next_due()?, index)))
            .filter(|(due, _)| *due <= target)
            .min_by_key(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as SyncMutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use groundwatch_core::BoxFuture;

    use super::*;

    /// When activities ran, in seconds, and which.
    type Log = Arc<SyncMutex<Vec<(i64, &'static str)>>>;

    /// Falls due every `period_secs`, and writes down when it ran. With a period of 0 it stays due.
    struct Periodic {
        name: &'static str,
        period_secs: i64,
        next: SyncMutex<Timestamp>,
        ran: Log,
        changed: Notify,
    }

    impl Periodic {
        fn every(period_secs: i64, name: &'static str, ran: &Log) -> Arc<dyn Activity> {
            Arc::new(Self {
                name,
                period_secs,
                next: SyncMutex::new(Timestamp::from_secs(period_secs)),
                ran: ran.clone(),
                changed: Notify::new(),
            })
        }
    }

    impl Activity for Periodic {
        fn name(&self) -> &'static str {
            self.name
        }

        fn next_due(&self) -> Option<Timestamp> {
            Some(*self.next.lock().expect("not poisoned"))
        }

        fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
            Box::pin(async move {
                self.ran.lock().expect("not poisoned").push((now.as_secs(), self.name));
                *self.next.lock().expect("not poisoned") =
                    Timestamp::from_secs(now.as_secs() + self.period_secs);
            })
        }

        fn changed(&self) -> &Notify {
            &self.changed
        }
    }

    #[tokio::test]
    async fn a_manual_clock_stops_at_every_due_time_in_order() {
        let ran = Log::default();
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let activities = vec![Periodic::every(2, "two", &ran), Periodic::every(3, "three", &ran)];
        let driver = ManualDriver::new(clock, activities);
        driver.advance(Duration::from_secs(6)).await;
        assert_eq!(
            *ran.lock().expect("not poisoned"),
            [(2, "two"), (3, "three"), (4, "two"), (6, "two"), (6, "three")]
        );
        assert_eq!(driver.now(), Timestamp::from_secs(6));
    }

    /// Is due at once, and changes whenever it is asked when that is.
    struct Restless {
        asked: AtomicUsize,
        ran_at: AtomicUsize,
        changed: Notify,
        stop: watch::Sender<bool>,
    }

    impl Activity for Restless {
        fn name(&self) -> &'static str {
            "restless"
        }

        fn next_due(&self) -> Option<Timestamp> {
            if self.asked.fetch_add(1, Ordering::Relaxed) < 100 {
                self.changed.notify_waiters();
            }
            (!*self.stop.borrow()).then_some(Timestamp::EPOCH)
        }

        fn run(&self, _: Timestamp) -> BoxFuture<'_, ()> {
            self.ran_at.store(self.asked.load(Ordering::Relaxed), Ordering::Relaxed);
            self.stop.send_replace(true);
            Box::pin(async {})
        }

        fn changed(&self) -> &Notify {
            &self.changed
        }
    }

    #[tokio::test]
    async fn what_is_due_runs_however_often_it_changes() {
        let (stop, stopped) = watch::channel(false);
        let (asked, ran_at) = Default::default();
        let restless = Arc::new(Restless { asked, ran_at, changed: Notify::new(), stop });
        drive(restless.clone(), Arc::new(ManualClock::new(Timestamp::EPOCH)), stopped).await;
        assert_eq!(restless.ran_at.load(Ordering::Relaxed), 1, "when it was first seen to be due");
    }

    #[tokio::test]
    async fn an_activity_that_stays_due_does_not_hold_up_the_others() {
        let (stuck, ran) = (Log::default(), Log::default());
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let activities = vec![Periodic::every(0, "stuck", &stuck), Periodic::every(2, "two", &ran)];
        let driver = ManualDriver::new(clock, activities);
        driver.advance(Duration::from_secs(4)).await;
        assert_eq!(*ran.lock().expect("not poisoned"), [(2, "two"), (4, "two")]);
    }
}
