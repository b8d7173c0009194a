//! Who is told what became of every request.

use std::time::Duration;

use http::StatusCode;

/// What became of a request.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// Service and operation; `None` if it was refused before both were known.
    pub operation: Option<(&'static str, &'static str)>,
    /// The status of the answer.
    pub status: StatusCode,
    /// From the end of the request's head to the answer, whose body is still to be sent.
    pub took: Duration,
}

/// Is told of every answer. Called in the request's way: it must be quick.
pub trait Observer: Send + Sync + 'static {
    /// A request has its answer. Clients that hang up before are not told of.
    fn answered(&self, answered: &Answered);
}
