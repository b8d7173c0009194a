//! The API operations: a request becomes a question to the rules, the answer a response.

mod get_insight_rule_report;
mod rules;
