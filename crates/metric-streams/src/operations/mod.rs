//! The API operations: a request becomes a question to the streams, the answer a response.

mod put_metric_stream;
mod streams;
