//! Composite alarms: what moves them, and what holds their actions back.
//!
//! [`judgement`] turns the states of children into the composite's state with its reason, [`suppression`] is
//! the state machine around an actions suppressor (both pure), [`family`] knows who depends on whom.

pub(crate) mod family;
pub mod judgement;
pub mod suppression;
