//! The sockets.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::SharedClock;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::collector::{QUEUE_EVENTS_MAX, collect};
use crate::{Address, Event, Frames, Sink};

/// How many connections send at a time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 256;
/// The largest datagram that is read, which is the largest there is.
const DATAGRAM_BYTES_MAX: usize = 64 << 10;
/// How much is read from a connection at a time.
const READ_BYTES: usize = 16 << 10;
/// After how many lost datagrams it is said again.
const LOST_SAID_EVERY: u64 = 1000;

/// Bound sockets, ready to receive.
pub struct Receiver {
    tcp: Vec<TcpListener>,
    udp: Vec<UdpSocket>,
    clock: SharedClock,
}

impl Receiver {
    /// Binds all addresses.
    pub async fn bind(addresses: &[Address], clock: SharedClock) -> io::Result<Self> {
        let (mut tcp, mut udp) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                Address::Tcp(address) => tcp.push(TcpListener::bind(address).await?),
                Address::Udp(address) => udp.push(UdpSocket::bind(address).await?),
            }
        }
        Ok(Self { tcp, udp, clock })
    }

    /// Where it listens, TCP first.
    pub fn addresses(&self) -> io::Result<Vec<Address>> {
        let tcp = self.tcp.iter().map(|socket| socket.local_addr().map(Address::Tcp));
        let udp = self.udp.iter().map(|socket| socket.local_addr().map(Address::Udp));
        tcp.chain(udp).collect()
    }

    /// Receives until `stop`; what has been received by then is stored.
    pub async fn serve(self, sink: Arc<dyn Sink>, stop: CancellationToken) {
        let (events, queue) = mpsc::channel(QUEUE_EVENTS_MAX);
        let tasks = TaskTracker::new();
        for listener in self.tcp {
            tasks.spawn(accept(listener, events.clone(), self.clock.clone(), stop.clone(), tasks.clone()));
        }
        for socket in self.udp {
            tasks.spawn(datagrams(socket, events.clone(), self.clock.clone(), stop.clone()));
        }
        drop(events);
        tasks.close();
        collect(queue, sink.as_ref()).await;
        tasks.wait().await;
    }
}

async fn accept(
    listener: TcpListener,
    events: mpsc::Sender<Event>,
    clock: SharedClock,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let accepting = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let connection = connection(stream, events.clone(), clock.clone(), stop.clone());
                    tasks.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a syslog connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    };
    let _ = stop.run_until_cancelled(accepting).await;
}

async fn connection(
    mut stream: TcpStream,
    events: mpsc::Sender<Event>,
    clock: SharedClock,
    stop: CancellationToken,
) {
    let mut frames = Frames::default();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match stop.run_until_cancelled(stream.read(&mut buffer)).await {
            Some(Ok(read @ 1..)) => frames.push(&buffer[..read]),
            None | Some(Ok(0)) => break,
            Some(Err(error)) => {
                tracing::debug!(%error, "syslog connection broke off");
                break;
            }
        }
        while let Some(message) = frames.next_message() {
            // Waits for room: the sender is held up as long.
            if events.send(Event::read(&message, clock.now())).await.is_err() {
                return;
            }
        }
    }
    if let Some(message) = frames.finish() {
        let _ = events.send(Event::read(&message, clock.now())).await;
    }
}

async fn datagrams(
    socket: UdpSocket,
    events: mpsc::Sender<Event>,
    clock: SharedClock,
    stop: CancellationToken,
) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut lost: u64 = 0;
    while let Some(received) = stop.run_until_cancelled(socket.recv_from(&mut buffer)).await {
        let length = match received {
            Ok((length, _)) => length,
            Err(error) => {
                tracing::debug!(%error, "cannot receive a syslog datagram");
                continue;
            }
        };
        let end = buffer[..length].iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | 0));
        let message = &buffer[..end.map_or(0, |last| last + 1)];
        if !message.is_empty() && events.try_send(Event::read(message, clock.now())).is_err() {
            if lost.is_multiple_of(LOST_SAID_EVERY) {
                tracing::warn!(lost, "syslog datagrams are lost: they come faster than they are stored");
            }
            lost += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::{BoxFuture, ManualClock, Timestamp};
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::{Batch, SinkError};

    struct Channel(mpsc::UnboundedSender<String>);

    impl Sink for Channel {
        fn store<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), SinkError>> {
            Box::pin(async move {
                for event in &batch.events {
                    self.0.send(event.text.clone()).expect("the test listens");
                }
                Ok(())
            })
        }
    }

    #[tokio::test]
    async fn messages_arrive_over_both_transports() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_323_045)));
        let any = ([127, 0, 0, 1], 0).into();
        let receiver =
            Receiver::bind(&[Address::Tcp(any), Address::Udp(any)], clock).await.expect("ports are free");
        let addresses = receiver.addresses().expect("bound");
        let (sender, mut stored) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(receiver.serve(Arc::new(Channel(sender)), stop.clone()));

        let mut stream = TcpStream::connect(addresses[0].socket()).await.expect("listens");
        stream.write_all(b"<1>line\n10 <2>counted").await.expect("taken");
        let mut seen = vec![stored.recv().await.expect("stored"), stored.recv().await.expect("stored")];
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        socket.send_to(b"<3>datagram\n\0", addresses[1].socket()).await.expect("sent");
        seen.push(stored.recv().await.expect("stored"));
        stream.write_all(b"<4>without an end").await.expect("taken");
        drop(stream);
        seen.push(stored.recv().await.expect("stored"));
        seen.sort();
        assert_eq!(seen, ["<1>line", "<2>counted", "<3>datagram", "<4>without an end"]);
        stop.cancel();
        serving.await.expect("ends when told");
    }
}
