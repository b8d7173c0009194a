//! Dashboards: keeps what users show and ask of their metrics, and draws widgets as images.
//!
//! Owns dashboards with the validation of their [bodies](body), saved metric queries, and the
//! [drawing](image) of metric widgets. Does not own reading metrics (asks a [`WidgetDataSource`]), showing
//! dashboards to people (a console does, and it replaces their variables), or the API of tagging
//! (`groundwatch-tagging`; each dashboard keeps its own tags).
//!
//! The way through a body: an operation (`operations/`) → [`body::validate`] (tables of rules) → the text is
//! kept as it came. The way through an image: [`image::Widget::parse`] (text to what is to be drawn) →
//! [`WidgetDataSource`] → [`image::render`] (layout, a pure function to numbers; then paint, numbers to
//! pixels).
//!
//! What always holds: a body is answered byte for byte as it was put; dashboards are global, so the region of
//! a call never matters; no text of a widget makes drawing fail or take unbounded time or memory.

pub mod body;
mod dashboard;
mod data;
mod error;
mod fault;
pub mod image;
mod operations;
mod rows;
mod saved_query;
mod service;

pub use data::{QuerySource, WidgetDataError, WidgetDataSource, WidgetQuery, WidgetSeries};
pub use error::DashboardError;
pub use service::Dashboards;
