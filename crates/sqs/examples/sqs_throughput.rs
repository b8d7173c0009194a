//! What queues take on this machine: send, receive and delete, durably, by many clients at once.
//!
//! `cargo run -p groundwatch-sqs --release --example sqs_throughput -- [CLIENTS] [CYCLES]`. The directory it
//! works in is made where it is started, so that it measures that disk.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use groundwatch_api::sqs::{
    CreateQueue, CreateQueueInput, DeleteMessage, DeleteMessageInput, ReceiveMessage, ReceiveMessageInput,
    SendMessage, SendMessageInput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Caller, RequestId, SystemClock, Timestamp};
use groundwatch_sqs::{Sqs, SqsOptions};
use groundwatch_storage::{Storage, StorageOptions};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let clients: usize = arguments.next().transpose()?.unwrap_or(64);
    let cycles: usize = arguments.next().transpose()?.unwrap_or(40_000);

    let directory = tempfile::tempdir_in(".")?;
    let (storage, recovery) = Storage::open(StorageOptions::new(directory.path()))?;
    drop(recovery);
    let options = SqsOptions { advertised_base_url: "http://h".to_owned(), memory_bytes_max: 256 << 20 };
    let sqs = Sqs::open(&storage, Arc::new(SystemClock), &options).await?;
    let create = CreateQueueInput { queue_name: Some("q".to_owned()), ..CreateQueueInput::default() };
    <Sqs as Handle<CreateQueue>>::handle(&sqs, &call(), create).await?;

    let left = Arc::new(AtomicUsize::new(cycles));
    let started = tokio::time::Instant::now();
    let client = |_| {
        let (sqs, left) = (sqs.clone(), Arc::clone(&left));
        tokio::spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                cycle(&sqs).await?;
            }
            Ok::<_, Fault>(())
        })
    };
    let running: Vec<_> = (0..clients).map(client).collect();
    for client in running {
        client.await??;
    }
    let secs = started.elapsed().as_secs_f64();
    let rate = cycles as f64 / secs;
    println!(
        "{clients} clients: {cycles} cycles of send, receive and delete in {secs:.2} s, {rate:.0} a second"
    );
    Ok(())
}

async fn cycle(sqs: &Sqs) -> Result<(), Fault> {
    let (call, queue_url) = (call(), Some("q".to_owned()));
    let message_body = Some("x".repeat(200));
    let send = SendMessageInput { queue_url: queue_url.clone(), message_body, ..SendMessageInput::default() };
    <Sqs as Handle<SendMessage>>::handle(sqs, &call, send).await?;
    let receive = ReceiveMessageInput {
        queue_url: queue_url.clone(),
        wait_time_seconds: Some(20),
        ..ReceiveMessageInput::default()
    };
    let received = <Sqs as Handle<ReceiveMessage>>::handle(sqs, &call, receive).await?;
    for message in received.messages.unwrap_or_default() {
        let (queue_url, receipt_handle) = (queue_url.clone(), message.receipt_handle);
        let delete = DeleteMessageInput { queue_url, receipt_handle };
        <Sqs as Handle<DeleteMessage>>::handle(sqs, &call, delete).await?;
    }
    Ok(())
}

fn call() -> Call {
    Call::new(Caller::default(), RequestId("1".to_owned()), Timestamp::EPOCH)
}
