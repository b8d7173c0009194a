//! Export tasks: the files, their keys, and what becomes of tasks.

use groundwatch_api::logs::{
    CancelExportTask, CancelExportTaskInput, CreateExportTask, CreateExportTaskInput, DescribeExportTasks,
    DescribeExportTasksInput, ExportTask,
};

use crate::support::{GROUP, NOW, STREAM, Service, assert_refused};

fn task() -> CreateExportTaskInput {
    CreateExportTaskInput {
        log_group_name: Some(GROUP.to_owned()),
        from: Some(NOW.as_millis()),
        to: Some(NOW.as_millis() + 1000),
        destination: Some("bucket-1".to_owned()),
        ..Default::default()
    }
}

impl Service {
    async fn start_export(&self, input: CreateExportTaskInput) -> String {
        self.call::<CreateExportTask>(input).await.expect("created").task_id.expect("an id")
    }

    async fn tasks(&self) -> Vec<ExportTask> {
        let input = DescribeExportTasksInput::default();
        self.call::<DescribeExportTasks>(input).await.expect("described").export_tasks.expect("a list")
    }

    async fn status(&self) -> String {
        let task = self.tasks().await.pop().expect("a task");
        task.status.expect("a status").code.expect("a code").as_str().to_owned()
    }
}

#[tokio::test]
async fn a_task_writes_a_file_a_stream_with_the_events_of_the_range() {
    let mut service = Service::new().await;
    for stream in ["a/b", "a-b", "silent"] {
        service.create_stream(GROUP, stream).await.expect("created");
    }
    service
        .put(GROUP, STREAM, &[(-1, "before"), (0, "first"), (1000, "last"), (1001, "after")])
        .await
        .expect("put");
    service.put(GROUP, "a/b", &[(5, "slash")]).await.expect("put");
    service.flush().await;
    service.put(GROUP, "a-b", &[(6, "dash")]).await.expect("put");
    let id = service.start_export(task()).await;
    assert_eq!(service.status().await, "PENDING");
    assert_eq!(service.bucket("bucket-1")["aws-logs-write-test"], "Permission Check Successful");
    service.restart().await;
    service.export().await;
    assert_eq!(service.status().await, "COMPLETED");
    let written = service.bucket("bucket-1");
    let file =
        |stream: &str| written.get(&format!("exportedlogs/{id}/{stream}/000000.gz")).map(String::as_str);
    assert_eq!(file(STREAM), Some("2026-01-02T03:04:05.000Z first\n2026-01-02T03:04:06.000Z last\n"));
    assert_eq!(file("a-b"), Some("2026-01-02T03:04:05.006Z dash\n"));
    assert_eq!(written.len(), 4, "{:?}", written.keys());
    assert!(
        written.values().any(|text| text == "2026-01-02T03:04:05.005Z slash\n"),
        "beside the stream of that name"
    );
}

#[tokio::test]
async fn a_prefix_chooses_streams_and_another_begins_the_keys() {
    let service = Service::new().await;
    service.create_stream(GROUP, "other").await.expect("created");
    service.put(GROUP, STREAM, &[(0, "a")]).await.expect("put");
    service.put(GROUP, "other", &[(0, "b")]).await.expect("put");
    let input = CreateExportTaskInput {
        log_stream_name_prefix: Some("oth".to_owned()),
        destination_prefix: Some("year/2026".to_owned()),
        ..task()
    };
    let id = service.start_export(input).await;
    service.export().await;
    let written = service.bucket("bucket-1");
    assert_eq!(written.len(), 2, "{:?}", written.keys());
    assert!(written.contains_key("year/2026/aws-logs-write-test"));
    assert!(written.contains_key(&format!("year/2026/{id}/other/000000.gz")));
}

#[tokio::test]
async fn one_task_is_active_at_a_time_and_can_be_cancelled() {
    let service = Service::new().await;
    let id = service.start_export(task()).await;
    let second = service.call::<CreateExportTask>(task()).await;
    assert_refused(second, "LimitExceededException", "Resource limit exceeded.");
    let cancel = || CancelExportTaskInput { task_id: Some(id.clone()) };
    service.call::<CancelExportTask>(cancel()).await.expect("cancelled");
    assert_eq!(service.status().await, "CANCELLED");
    let again = service.call::<CancelExportTask>(cancel()).await;
    assert_refused(again, "InvalidOperationException", "The specified export task has already finished");
    service.export().await;
    assert_eq!(service.status().await, "CANCELLED");
    service.start_export(task()).await;
}

#[tokio::test]
async fn what_cannot_be_exported_is_refused_in_the_words_of_aws() {
    let service = Service::new().await;
    let unknown = CreateExportTaskInput { destination: Some("nowhere".to_owned()), ..task() };
    assert_refused(
        service.call::<CreateExportTask>(unknown).await,
        "InvalidParameterException",
        "The given bucket does not exist. Please make sure the bucket is valid.",
    );
    let upwards = CreateExportTaskInput { destination_prefix: Some("../x".to_owned()), ..task() };
    assert!(service.call::<CreateExportTask>(upwards).await.is_err());
    let group = CreateExportTaskInput { log_group_name: Some("none".to_owned()), ..task() };
    assert_refused(
        service.call::<CreateExportTask>(group).await,
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    );
    assert_refused(
        service.call::<CancelExportTask>(CancelExportTaskInput { task_id: Some("none".to_owned()) }).await,
        "ResourceNotFoundException",
        "The specified export task does not exist.",
    );
    assert!(service.tasks().await.is_empty());
}
