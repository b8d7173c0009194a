//! The last explanations that were asked for, by the id of the request that they explain.

use std::collections::VecDeque;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::evaluation::Explanation;

/// So many are kept, if they take no more than so many bytes.
const KEPT_MAX: usize = 100;
const BYTES_MAX: usize = 8 << 20;

/// Explanations in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Explanations {
    kept: Mutex<VecDeque<(String, Bytes)>>,
}

impl Explanations {
    pub(super) fn put(&self, request_id: &str, explanation: &Explanation) {
        let json = serde_json::to_vec_pretty(explanation).expect("texts and numbers are JSON");
        let mut kept = self.kept.lock();
        kept.push_back((request_id.to_owned(), json.into()));
        let mut bytes: usize = kept.iter().map(|(_, json)| json.len()).sum();
        while kept.len() > KEPT_MAX || bytes > BYTES_MAX {
            let Some((_, oldest)) = kept.pop_front() else { break };
            bytes -= oldest.len();
        }
    }

    pub(super) fn get(&self, request_id: &str) -> Option<Bytes> {
        let kept = self.kept.lock();
        kept.iter().rev().find(|(id, _)| id == request_id).map(|(_, json)| json.clone())
    }
}
