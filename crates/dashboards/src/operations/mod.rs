//! The operations of the API, a file each: input to domain type, the one thing, answer.

mod delete_dashboards;
mod get_dashboard;
mod get_metric_widget_image;
mod list_dashboards;
mod metric_data_query_definitions;
mod put_dashboard;
mod tags;
