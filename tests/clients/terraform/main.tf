# Everything that Terraform's AWS provider can manage here, with most of its attributes. `n` changes what can be changed in place.

provider "aws" {
  skip_metadata_api_check = true
  max_retries             = 2
  default_tags { tags = { owner = "ops" } }
}

variable "n" {
  type    = number
  default = 1
}
data "aws_caller_identity" "i" {}
locals { account = data.aws_caller_identity.i.account_id }

# ---- logs
resource "aws_cloudwatch_log_group" "standard" {
  name              = "/terraform/standard"
  retention_in_days = var.n == 1 ? 14 : 30
  tags              = { team = "a${var.n}" }
}
resource "aws_cloudwatch_log_group" "never" {
  name         = "/terraform/never"
  skip_destroy = false
}
resource "aws_cloudwatch_log_group" "ia" {
  name            = "/terraform/ia"
  log_group_class = "INFREQUENT_ACCESS"
}
resource "aws_cloudwatch_log_group" "prefix" {
  name_prefix = "/terraform/pre-"
}
resource "aws_cloudwatch_log_stream" "s" {
  name           = "web"
  log_group_name = aws_cloudwatch_log_group.standard.name
}
resource "aws_cloudwatch_log_metric_filter" "dim" {
  name           = "dim"
  pattern        = "{ $.status = ${var.n == 1 ? 500 : 503} }"
  log_group_name = aws_cloudwatch_log_group.standard.name
  metric_transformation {
    name       = "E"
    namespace  = "Terraform"
    value      = "$.latency"
    unit       = "Milliseconds"
    dimensions = { path = "$.path", method = "$.method" }
  }
}
resource "aws_cloudwatch_log_metric_filter" "empty" {
  name           = "all"
  pattern        = ""
  log_group_name = aws_cloudwatch_log_group.standard.name
  metric_transformation {
    name          = "All"
    namespace     = "Terraform"
    value         = "1"
    default_value = 0
  }
}
resource "aws_cloudwatch_query_definition" "q" {
  name            = "terraform/query"
  log_group_names = [aws_cloudwatch_log_group.standard.name]
  query_string    = "fields @timestamp, @message | limit ${var.n * 10}"
}
resource "aws_cloudwatch_log_resource_policy" "p" {
  policy_name     = "terraform"
  policy_document = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "es.amazonaws.com" }, Action = ["logs:PutLogEvents", "logs:CreateLogStream"], Resource = "arn:aws:logs:*" }] })
}
resource "aws_cloudwatch_log_data_protection_policy" "d" {
  log_group_name = aws_cloudwatch_log_group.standard.name
  policy_document = jsonencode({
    Name    = "Example"
    Version = "2021-06-01"
    Statement = [
      { Sid = "Audit", DataIdentifier = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"], Operation = { Audit = { FindingsDestination = { CloudWatchLogs = { LogGroup = "/terraform/never" } } } } },
      { Sid = "Redact", DataIdentifier = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"], Operation = { Deidentify = { MaskConfig = {} } } }
    ]
  })
  depends_on = [aws_cloudwatch_log_group.never]
}
resource "aws_cloudwatch_log_index_policy" "i" {
  log_group_name  = aws_cloudwatch_log_group.standard.name
  policy_document = jsonencode({ Fields = ["eventName", "requestId"] })
}
resource "aws_cloudwatch_log_anomaly_detector" "a" {
  detector_name           = "terraform"
  log_group_arn_list      = [aws_cloudwatch_log_group.standard.arn]
  anomaly_visibility_time = 7
  evaluation_frequency    = "TEN_MIN"
  enabled                 = true
}
resource "aws_cloudwatch_log_account_policy" "sub" {
  policy_name        = "terraform-sub"
  policy_type        = "SUBSCRIPTION_FILTER_POLICY"
  policy_document    = jsonencode({ DestinationArn = aws_sqs_queue.q.arn, FilterPattern = "x" })
  selection_criteria = "LogGroupName NOT IN [\"/terraform/standard\"]"
}
resource "aws_cloudwatch_log_subscription_filter" "queue" {
  name            = "terraform-queue"
  log_group_name  = aws_cloudwatch_log_group.standard.name
  filter_pattern  = "{ $.level = \"${var.n == 1 ? "ERROR" : "WARN"}\" }"
  destination_arn = aws_sqs_queue.dlq.arn
}
resource "aws_cloudwatch_log_destination" "stream" {
  name       = "terraform"
  role_arn   = "arn:aws:iam::${local.account}:role/r"
  target_arn = "arn:aws:kinesis:eu-central-1:${local.account}:stream/s${var.n}"
  tags       = { a = "b${var.n}" }
}
resource "aws_cloudwatch_log_destination_policy" "stream" {
  destination_name = aws_cloudwatch_log_destination.stream.name
  access_policy    = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "a", Effect = "Allow", Principal = { AWS = local.account }, Action = "logs:PutSubscriptionFilter", Resource = aws_cloudwatch_log_destination.stream.arn }] })
}
resource "aws_cloudwatch_log_account_policy" "protection" {
  policy_name     = "terraform-protection"
  policy_type     = "DATA_PROTECTION_POLICY"
  policy_document = data.aws_cloudwatch_log_data_protection_policy_document.emails.json
}
data "aws_cloudwatch_log_data_protection_policy_document" "emails" {
  name        = "emails"
  description = "masks them ${var.n}"
  statement {
    sid              = "Audit"
    data_identifiers = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]
    operation {
      audit {
        findings_destination {}
      }
    }
  }
  statement {
    sid              = "Redact"
    data_identifiers = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]
    operation {
      deidentify {
        mask_config {}
      }
    }
  }
}
resource "aws_cloudwatch_log_delivery_source" "src" {
  name         = "terraform"
  log_type     = "APPLICATION_LOGS"
  resource_arn = "arn:aws:bedrock:eu-central-1:${local.account}:knowledge-base/ABCDEFGHIJ"
}
resource "aws_cloudwatch_log_delivery_destination" "dst" {
  name          = "terraform"
  output_format = "json"
  delivery_destination_configuration { destination_resource_arn = aws_cloudwatch_log_group.ia.arn }
  tags = { a = "b" }
}
resource "aws_cloudwatch_log_delivery_destination_policy" "dst" {
  delivery_destination_name   = aws_cloudwatch_log_delivery_destination.dst.name
  delivery_destination_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "a${var.n}", Effect = "Allow", Principal = { AWS = local.account }, Action = "logs:CreateDelivery", Resource = aws_cloudwatch_log_delivery_destination.dst.arn }] })
}
resource "aws_cloudwatch_log_delivery" "del" {
  delivery_source_name     = aws_cloudwatch_log_delivery_source.src.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.dst.arn
}
data "aws_cloudwatch_log_groups" "all" {
  log_group_name_prefix = "/terraform/s"
  depends_on            = [aws_cloudwatch_log_group.standard]
}
data "aws_cloudwatch_log_group" "one" { name = aws_cloudwatch_log_group.standard.name }

# ---- metrics, alarms
resource "aws_cloudwatch_metric_alarm" "percentile" {
  alarm_name                            = "terraform-percentile"
  namespace                             = "Terraform"
  metric_name                           = "Latency"
  extended_statistic                    = "p99.9"
  period                                = 10
  evaluation_periods                    = 3
  datapoints_to_alarm                   = 2
  threshold                             = var.n * 0.1
  comparison_operator                   = "GreaterThanThreshold"
  evaluate_low_sample_count_percentiles = "ignore"
  treat_missing_data                    = "breaching"
  unit                                  = "Seconds"
  alarm_actions                         = [aws_sns_topic.standard.arn]
  ok_actions                            = [aws_sns_topic.standard.arn]
  insufficient_data_actions             = [aws_sns_topic.standard.arn]
  actions_enabled                       = var.n == 1
}
resource "aws_cloudwatch_metric_alarm" "anomaly" {
  alarm_name          = "terraform-anomaly"
  comparison_operator = "GreaterThanUpperThreshold"
  evaluation_periods  = 2
  threshold_metric_id = "e1"
  metric_query {
    id          = "e1"
    expression  = "ANOMALY_DETECTION_BAND(m1, ${var.n + 1})"
    label       = "expected"
    return_data = true
  }
  metric_query {
    id          = "m1"
    return_data = true
    metric {
      metric_name = "CPUUtilization"
      namespace   = "AWS/EC2"
      period      = 120
      stat        = "Average"
      unit        = "Count"
      dimensions  = { InstanceId = "i-abc123" }
    }
  }
}
resource "aws_cloudwatch_metric_alarm" "account" {
  alarm_name          = "terraform-account"
  comparison_operator = "LessThanThreshold"
  evaluation_periods  = 1
  threshold           = 0
  metric_query {
    id          = "m1"
    account_id  = local.account
    return_data = true
    metric {
      metric_name = "X"
      namespace   = "Terraform"
      period      = 300
      stat        = "tm90"
    }
  }
}
resource "aws_cloudwatch_metric_alarm" "sql" {
  alarm_name          = "terraform-sql"
  comparison_operator = "LessThanThreshold"
  evaluation_periods  = 1
  threshold           = 0
  metric_query {
    id          = "q1"
    expression  = "SELECT MAX(Latency) FROM SCHEMA(\"Terraform\", Host)"
    period      = 300
    return_data = true
  }
}
resource "aws_cloudwatch_metric_alarm" "backlog" {
  alarm_name          = "terraform-backlog"
  alarm_description   = "more than ${var.n} letters"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dlq.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = var.n
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.standard.arn]
}
resource "aws_cloudwatch_composite_alarm" "both" {
  alarm_name    = "terraform-both"
  alarm_rule    = "ALARM(\"${aws_cloudwatch_metric_alarm.percentile.alarm_name}\") OR ALARM(\"${aws_cloudwatch_metric_alarm.sql.alarm_name}\")"
  alarm_actions = [aws_sns_topic.standard.arn]
  actions_suppressor {
    alarm            = aws_cloudwatch_metric_alarm.account.alarm_name
    extension_period = 10 * var.n
    wait_period      = 20
  }
  tags = { x = "y" }
}
resource "aws_cloudwatch_dashboard" "board" {
  dashboard_name = "terraform"
  dashboard_body = jsonencode({ start = "-PT3H", widgets = [
    { type = "text", x = 0, y = 0, width = 3, height = 3, properties = { markdown = "Hello ${var.n}" } },
    { type = "alarm", x = 3, y = 0, width = 6, height = 3, properties = { title = "a", alarms = [aws_cloudwatch_metric_alarm.percentile.arn] } },
    { type = "log", x = 0, y = 3, width = 6, height = 3, properties = { query = "SOURCE '/terraform/standard' | fields @message", region = "eu-central-1", title = "l", view = "table" } },
    { type = "metric", x = 0, y = 6, width = 12, height = 6, properties = { metrics = [["Terraform", "X", "Host", "a", { stat = "p99" }], [{ expression = "m1*2", id = "e1" }], ["Terraform", "Y", { id = "m1" }]], period = 300, stat = "Average", region = "eu-central-1", view = "singleValue", sparkline = true } }
  ] })
}
resource "aws_cloudwatch_metric_stream" "ms" {
  name          = "terraform"
  role_arn      = "arn:aws:iam::${local.account}:role/r"
  firehose_arn  = "arn:aws:firehose:eu-central-1:${local.account}:deliverystream/d"
  output_format = "opentelemetry0.7"
  exclude_filter {
    namespace    = "AWS/EC2"
    metric_names = ["CPUUtilization"]
  }
  exclude_filter { namespace = "AWS/EBS" }
  statistics_configuration {
    additional_statistics = ["p1", "p99.9"]
    include_metric {
      metric_name = "CPUUtilization"
      namespace   = "AWS/EC2"
    }
  }
  tags = { a = "b${var.n}" }
}
resource "aws_cloudwatch_contributor_insight_rule" "ci" {
  rule_name       = "terraform"
  rule_state      = "ENABLED"
  rule_definition = jsonencode({ Schema = { Name = "CloudWatchLogRule", Version = 1 }, LogGroupNames = ["/terraform/standard"], LogFormat = "JSON", Contribution = { Keys = ["$.ip"], Filters = [] }, AggregateOn = "Count" })
}

# ---- sns
resource "aws_sns_topic" "standard" {
  name              = "terraform"
  display_name      = "ops ${var.n}"
  delivery_policy   = jsonencode({ http = { defaultHealthyRetryPolicy = { minDelayTarget = 20, maxDelayTarget = 20, numRetries = 3, numMaxDelayRetries = 0, numNoDelayRetries = 0, numMinDelayRetries = 0, backoffFunction = "linear" }, disableSubscriptionOverrides = false } })
  signature_version = 2
  tracing_config    = "PassThrough"
  tags              = { t = "1" }
}
resource "aws_sns_topic" "fifo" {
  name                        = "terraform.fifo"
  fifo_topic                  = true
  content_based_deduplication = true
  archive_policy              = null
  fifo_throughput_scope       = "Topic"
}
resource "aws_sns_topic_policy" "tp" {
  arn    = aws_sns_topic.standard.arn
  policy = jsonencode({ Version = "2012-10-17", Id = "x", Statement = [{ Sid = "a", Effect = "Allow", Principal = { Service = ["cloudwatch.amazonaws.com"] }, Action = ["sns:Publish"], Resource = aws_sns_topic.standard.arn, Condition = { ArnLike = { "aws:SourceArn" = "arn:aws:cloudwatch:*" } } }] })
}
resource "aws_sns_topic_subscription" "sqs" {
  topic_arn            = aws_sns_topic.standard.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.q.arn
  raw_message_delivery = var.n == 1
  filter_policy        = jsonencode({ sev = ["high", { numeric = [">", var.n] }] })
  filter_policy_scope  = "MessageBody"
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dlq.arn })
}
resource "aws_sns_topic_subscription" "attributes" {
  topic_arn     = aws_sns_topic.standard.arn
  protocol      = "sqs"
  endpoint      = aws_sqs_queue.inline.arn
  filter_policy = jsonencode({ store = ["a${var.n}", { prefix = "b" }], price = [{ numeric = [">=", 1, "<", 10 * var.n] }], gone = [{ exists = false }] })
}
resource "aws_sns_topic_subscription" "fifo" {
  topic_arn = aws_sns_topic.fifo.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.fifo.arn
}
data "aws_sns_topic" "standard" {
  name       = "terraform"
  depends_on = [aws_sns_topic.standard]
}

# ---- sqs
resource "aws_sqs_queue" "dlq" {
  name = "terraform-dlq"
}
resource "aws_sqs_queue_redrive_allow_policy" "ra" {
  queue_url            = aws_sqs_queue.dlq.id
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.q.arn, aws_sqs_queue.inline.arn] })
}
resource "aws_sqs_queue" "q" {
  name                       = "terraform-q"
  delay_seconds              = 5 * var.n
  max_message_size           = 2048
  message_retention_seconds  = 86400
  receive_wait_time_seconds  = 10
  visibility_timeout_seconds = 45
  sqs_managed_sse_enabled    = true
  tags                       = { a = "b${var.n}" }
}
resource "aws_sqs_queue_redrive_policy" "rp" {
  queue_url      = aws_sqs_queue.q.id
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dlq.arn, maxReceiveCount = 3 })
}
resource "aws_sqs_queue_policy" "qp" {
  queue_url = aws_sqs_queue.q.id
  policy    = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "First", Effect = "Allow", Principal = "*", Action = "sqs:SendMessage", Resource = aws_sqs_queue.q.arn, Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.standard.arn } } }] })
}
resource "aws_sqs_queue" "inline" {
  name_prefix                       = "terraform-inline-"
  redrive_policy                    = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dlq.arn, maxReceiveCount = 4 + var.n })
  policy                            = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "a${var.n}", Effect = "Allow", Principal = { Service = "sns.amazonaws.com" }, Action = "sqs:SendMessage", Resource = "*" }] })
  kms_master_key_id                 = "alias/aws/sqs"
  kms_data_key_reuse_period_seconds = 300 * var.n
}
resource "aws_sqs_queue" "fifo" {
  name                        = "terraform.fifo"
  fifo_queue                  = true
  content_based_deduplication = true
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
}
data "aws_sqs_queue" "q" {
  name       = "terraform-q"
  depends_on = [aws_sqs_queue.q]
}
data "aws_sqs_queues" "qs" {
  queue_name_prefix = "terraform"
  depends_on        = [aws_sqs_queue.q]
}
