//! From a request to its answer, in named steps.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_api::{Event, EventStream, Fault, Handle, Operation, Protocol, Service, validate};
use groundwatch_core::{BoxFuture, Call, RequestId, SharedClock};
use http::Request;
use http::request::Parts;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::body::{Intake, discard};
use crate::credentials::{Authenticator, Claim, Credential};
use crate::explain::{asks_why, point_to_explanation};
use crate::observer::{Answered, Observer};
use crate::request::{announces_metrics, trace};
use crate::response::{Response, stamp};
use crate::route::route;
use crate::{Dialect, browser, codec, errors, event_stream, fault};

/// The table of all operations that are served, and the way to them.
pub struct Router {
    operations: HashMap<OperationName, Arc<dyn Serve>>,
    services: Vec<&'static Service>,
    authenticator: Arc<dyn Authenticator>,
    observer: Option<Arc<dyn Observer>>,
    clock: SharedClock,
    intake: Intake,
    calls: TaskTracker,
}

/// The names of a service and of its operation.
type OperationName = (&'static str, &'static str);

impl Router {
    /// A router that serves nothing yet.
    pub fn new(clock: SharedClock, authenticator: Arc<dyn Authenticator>) -> Self {
        Self {
            operations: HashMap::new(),
            services: Vec::new(),
            authenticator,
            observer: None,
            clock,
            intake: Intake::default(),
            calls: TaskTracker::new(),
        }
    }

    /// Tells `observer` of every answer.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Serves operation `O` by `service`.
    #[must_use]
    pub fn on<O: Operation<Output: Serialize>, S: Handle<O>>(self, service: Arc<S>) -> Self {
        self.serve::<O>(Arc::new(Served::<O, S> { service, operation: PhantomData }))
    }

    /// Serves operation `O`, which answers with a stream of events, by `service`.
    #[must_use]
    pub fn on_stream<O, S, E>(self, service: Arc<S>) -> Self
    where
        O: Operation<Output = EventStream<E>>,
        S: Handle<O>,
        E: Event,
    {
        self.serve::<O>(Arc::new(Streamed::<O, S> { service, operation: PhantomData }))
    }

    fn serve<O: Operation>(mut self, served: Arc<dyn Serve>) -> Self {
        if !self.services.contains(&O::SERVICE) {
            self.services.push(O::SERVICE);
        }
        self.operations.insert((O::SERVICE.name, O::NAME), served);
        self
    }

    /// Answers a request. There is always an answer: what goes wrong is told in the client's protocol.
    pub async fn answer<B>(&self, request: Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let begun = Instant::now();
        let mut operation = None;
        let answer = self.answer_as(request, &mut operation).await;
        if let Some(observer) = &self.observer {
            observer.answered(&Answered { operation, status: answer.status(), took: begun.elapsed() });
        }
        answer
    }

    /// As [`Self::answer`]; notes the operation as soon as it is known.
    async fn answer_as<B>(&self, request: Request<B>, operation: &mut Option<OperationName>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let id = RequestId(Uuid::new_v4().to_string());
        let (head, mut body) = request.into_parts();
        let credential = Credential::of(&head);
        let dialect = Dialect::of(&head, credential.as_ref().ok().and_then(Option::as_ref), &self.services);
        let answered = match credential {
            Ok(credential) => {
                self.carry_out(&head, &mut body, credential.as_ref(), &dialect, &id, operation).await
            }
            Err(fault) => Err(fault),
        };
        match answered {
            Ok(mut answer) => {
                stamp(&mut answer, &id);
                if asks_why(&head.headers) {
                    point_to_explanation(&mut answer, &id);
                }
                answer
            }
            Err(fault) => {
                tracing::debug!(request_id = %id, %fault, "request refused");
                discard(&head.headers, body);
                errors::render(&fault, &dialect, &id)
            }
        }
    }

    /// The steps. Authorization will stand after the route is known, the audit record after the call.
    async fn carry_out<B>(
        &self,
        head: &Parts,
        body: B,
        credential: Option<&Credential>,
        dialect: &Dialect,
        id: &RequestId,
        operation: &mut Option<OperationName>,
    ) -> Result<Response, Fault>
    where
        B: hyper::body::Body<Data = Bytes> + Unpin,
    {
        browser::refuse_foreign_pages(head)?;
        // 1. Receive: the whole body, as it was sent and signed.
        let received = self.intake.receive(&head.headers, body).await?;
        // 2. Authenticate: who calls.
        let caller = self.authenticator.authenticate(&Claim { head, credential, body: &received.bytes })?;
        // 3. Unpack: undo the compression.
        let unpacked = self.intake.unpack(&head.headers, received).await?;
        // 4. Route: which operation.
        let route = route(head, unpacked.bytes.clone(), dialect, credential, &self.services)?;
        let name = *operation.insert((route.service.name, route.operation));
        let served = self
            .operations
            .get(&name)
            .ok_or_else(|| fault::not_implemented(route.service, route.operation))?;
        // 5. Call: decode, validate, handle, encode.
        let call = Call {
            caller,
            request_id: id.clone(),
            received: self.clock.now(),
            explain: asks_why(&head.headers),
            announces_metrics: announces_metrics(&head.headers),
            trace: trace(&head.headers),
        };
        let running = Arc::clone(served).serve(call, dialect.protocol, route.payload);
        self.run_to_its_end(running, unpacked, route.operation, id).await
    }

    /// Runs a call in a task of its own: neither a client that hangs up nor a panic may stop it halfway, and
    /// only the panic's own request fails. `memory` is held as long as the call.
    pub(crate) async fn run_to_its_end<M: Send + 'static>(
        &self,
        call: BoxFuture<'static, Result<Response, Fault>>,
        memory: M,
        operation: &'static str,
        id: &RequestId,
    ) -> Result<Response, Fault> {
        let task = self.calls.spawn(async move {
            let answer = call.await;
            drop(memory);
            answer
        });
        task.await.unwrap_or_else(|error| {
            let panic = error.try_into_panic().ok();
            let message = panic.as_deref().map_or("cancelled", panic_message);
            tracing::error!(request_id = %id, operation, panic = message, "a handler failed; this is a bug");
            Err(fault::internal_failure())
        })
    }

    /// Waits until no call is running. Meant for after the last connection is closed.
    pub async fn finish(&self) {
        self.calls.close();
        self.calls.wait().await;
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }
}

fn panic_message<'p>(panic: &'p (dyn std::any::Any + Send + 'static)) -> &'p str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "without a message",
    }
}

/// An operation and who handles it, with their types erased.
trait Serve: Send + Sync {
    fn serve(
        self: Arc<Self>,
        call: Call,
        protocol: Protocol,
        payload: Bytes,
    ) -> BoxFuture<'static, Result<Response, Fault>>;
}

struct Served<O, S> {
    service: Arc<S>,
    operation: PhantomData<fn() -> O>,
}

impl<O: Operation<Output: Serialize>, S: Handle<O>> Serve for Served<O, S> {
    fn serve(
        self: Arc<Self>,
        call: Call,
        protocol: Protocol,
        payload: Bytes,
    ) -> BoxFuture<'static, Result<Response, Fault>> {
        Box::pin(async move {
            let output = called::<O, S>(&self.service, &call, protocol, &payload).await?;
            codec::encode::<O>(protocol, &output, &call.request_id).map_err(|error| {
                tracing::error!(request_id = %call.request_id, operation = O::NAME, %error, "output does not encode");
                fault::internal_failure()
            })
        })
    }
}

/// As [`Served`], for an operation that answers with a stream of events.
struct Streamed<O, S> {
    service: Arc<S>,
    operation: PhantomData<fn() -> O>,
}

impl<O, S, E> Serve for Streamed<O, S>
where
    O: Operation<Output = EventStream<E>>,
    S: Handle<O>,
    E: Event,
{
    fn serve(
        self: Arc<Self>,
        call: Call,
        protocol: Protocol,
        payload: Bytes,
    ) -> BoxFuture<'static, Result<Response, Fault>> {
        Box::pin(async move {
            let events = called::<O, S>(&self.service, &call, protocol, &payload).await?;
            Ok(event_stream::respond(protocol, events))
        })
    }
}

/// Decodes, validates, handles.
async fn called<O: Operation, S: Handle<O>>(
    service: &S,
    call: &Call,
    protocol: Protocol,
    payload: &[u8],
) -> Result<O::Output, Fault> {
    let input = codec::decode::<O>(protocol, payload)?;
    validate::check::<O>(&input)?;
    service.handle(call, input).await
}
