//! The API, a file an operation or a family of them.

mod create_queue;
mod delete_message;
mod delete_queue;
mod find_queues;
mod message_visibility;
mod move_tasks;
mod permissions;
mod purge_queue;
mod queue_attributes;
mod receive_message;
mod send_message;
mod tags;

pub(crate) use send_message::Sender;
