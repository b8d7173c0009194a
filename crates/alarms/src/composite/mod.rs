//! Composite alarms: what moves them, and what holds their actions back.
//!
//! `rule` is their language, `judgement` turns the states of children into the composite's state with its reason, `suppression` is
//! the state machine around an actions suppressor (both pure), `dependency_graph` knows who depends on whom.

pub(crate) mod dependency_graph;
pub(crate) mod judgement;
pub(crate) mod rule;
pub(crate) mod suppression;
