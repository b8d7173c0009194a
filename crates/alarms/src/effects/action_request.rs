//! What actions other than topics are told: the event that AWS sends to functions, and the calls that AWS
//! makes of EC2, Auto Scaling and Systems Manager. Pure.

use groundwatch_outbound::{AwsCall, Method, OutboundMessage};
use groundwatch_storage::Key;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use crate::alarm::{Alarm, State, StateValue, arn};
use crate::composite::suppression::Suppression;
use crate::effects::action_target::{ActionKind, ActionTarget, ActionTargetError, InstanceAction};
use crate::effects::alarm_shape::{ConfigurationShape, StateShape, TagsShape, stable_uuid};
use crate::effects::delivery::Delivery;
use crate::effects::event::SOURCE;
use crate::evaluation::contributors::ContributorMark;

/// What another service is to do because an alarm has come to a state. Durable until it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionRequest {
    /// The action's ARN.
    pub arn: String,
    /// The alarm and its states: the JSON that functions get.
    pub event: String,
    /// The alarm's state.
    pub state: StateValue,
    /// The dimension `InstanceId` of the alarm's metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// How often it was given before: scaling policies are executed as long as the alarm stays in its state.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repetition: u64,
    /// The newest datapoint that counted, and the threshold that it was held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach: Option<Breach>,
}

/// What a scaling policy has to know to choose its step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breach {
    /// `MetricValue`.
    pub value: f64,
    /// `BreachThreshold`.
    pub threshold: f64,
}

/// Why a request cannot be made. The text ends in the alarm's history.
#[derive(Debug, thiserror::Error)]
pub enum ActionRequestError {
    /// The action is none.
    #[error(transparent)]
    Target(#[from] ActionTargetError),
    /// EC2 actions are for the instance that the metric is about.
    #[error("the alarm's metric has no dimension InstanceId")]
    NoInstance,
}

impl ActionRequest {
    /// What the action `action_arn` is told of `alarm`, which came from the state `previous`.
    pub fn new(key: &Key, alarm: &Alarm, previous: &State, action_arn: &str) -> Self {
        let definition = alarm.definition.as_metric();
        let metric = definition.and_then(|definition| definition.source.as_metric());
        let instance = metric.and_then(|metric| metric.dimensions.iter().find(|it| it.name == "InstanceId"));
        let value = alarm.state.reason_data.as_deref().and_then(newest_value);
        let threshold = definition.and_then(|definition| definition.condition.threshold);
        let is_function =
            ActionTarget::parse(action_arn).is_ok_and(|target| target.kind == ActionKind::Function);
        Self {
            arn: action_arn.to_owned(),
            // Other services are not told of tags.
            event: function_event(key, alarm, previous, is_function),
            state: alarm.state.value,
            repetition: 0,
            instance_id: instance.map(|dimension| dimension.value.clone()),
            breach: value.zip(threshold).map(|(value, threshold)| Breach { value, threshold }),
        }
    }

    /// The request as it is sent once more; `None` if it is sent once only.
    ///
    /// The guide: Auto Scaling actions are invoked every minute for as long as the alarm stays in its state,
    /// all others when it changes.
    pub fn repeated(&self) -> Option<Self> {
        let repeats =
            ActionTarget::parse(&self.arn).is_ok_and(|target| target.kind == ActionKind::ScalingPolicy);
        repeats.then(|| Self { repetition: self.repetition + 1, ..self.clone() })
    }

    /// The request with the newest datapoint by now.
    #[must_use]
    pub fn with_newest(&self, value: f64) -> Self {
        Self { breach: self.breach.map(|breach| Breach { value, ..breach }), ..self.clone() }
    }

    /// The request as it is sent, `delivery` of `key` being what it is kept in.
    pub fn to_message(&self, key: &Key, delivery: &Delivery) -> Result<OutboundMessage, ActionRequestError> {
        let target = ActionTarget::parse(&self.arn)?;
        let id = self.id(key, delivery);
        if target.kind == ActionKind::Function {
            let call = AwsCall::invoke_function(&self.arn, self.event.clone());
            return Ok(OutboundMessage::json(&self.arn, id, self.event.clone()).with_aws(call));
        }
        let (action, call) = match target.kind {
            ActionKind::Instance => self.instance_call(&target)?,
            ActionKind::ScalingPolicy => ("executePolicy", self.policy_call(&target)),
            ActionKind::OpsItem => ("createOpsItem", self.ops_item_call(&target, key, delivery)),
            ActionKind::Incident => ("startIncident", self.incident_call(key, delivery, &id)),
            // AWS has no public call for it.
            ActionKind::Investigation => ("startInvestigation", None),
            ActionKind::Topic | ActionKind::Function => ("notify", None),
        };
        let body = RequestJson {
            action,
            arn: &self.arn,
            instance_id: self.instance_id.as_deref().filter(|_| target.kind == ActionKind::Instance),
            metric_value: self.breach.map(|breach| breach.value),
            breach_threshold: self.breach.map(|breach| breach.threshold),
            event: serde_json::from_str(&self.event).expect("`event` is JSON"),
        };
        let body = serde_json::to_string(&body).expect("text and numbers always have a JSON form");
        Ok(OutboundMessage { aws: call, ..OutboundMessage::json(&self.arn, id, body) })
    }

    /// The same whenever it is sent, and another for each request. The name of `key` alone is not enough: after
    /// a restart it is given again.
    fn id(&self, Key { scope, name }: &Key, delivery: &Delivery) -> String {
        let updated_ms = delivery.state_updated.as_millis();
        stable_uuid(&format!(
            "{}/{}/{}/{updated_ms}/{}/{name}/{}",
            scope.account, scope.region, delivery.alarm, self.arn, self.repetition
        ))
    }

    fn instance_call(
        &self,
        target: &ActionTarget<'_>,
    ) -> Result<(&'static str, Option<AwsCall>), ActionRequestError> {
        let instance_id = self.instance_id.as_deref().ok_or(ActionRequestError::NoInstance)?;
        let action =
            target.instance_action().ok_or_else(|| ActionTargetError::Syntax { arn: self.arn.clone() })?;
        let operation = match action {
            InstanceAction::Stop => Some("StopInstances"),
            InstanceAction::Terminate => Some("TerminateInstances"),
            InstanceAction::Reboot => Some("RebootInstances"),
            // AWS moves the instance to other hardware by itself; no call asks for it.
            InstanceAction::Recover => None,
        };
        let call = operation
            .map(|operation| AwsCall::query("ec2", "2016-11-15", operation, [("InstanceId.1", instance_id)]));
        Ok((action.name(), call))
    }

    /// `scalingPolicy:ID:autoScalingGroupName/GROUP:policyName/POLICY`. Policies of Application Auto Scaling,
    /// which name a `resource/` instead of a group, are executed by no public call.
    fn policy_call(&self, target: &ActionTarget<'_>) -> Option<AwsCall> {
        let (_, rest) = target.resource().split_once(":autoScalingGroupName/")?;
        let (group, policy) = rest.split_once(":policyName/")?;
        let numbers = self.breach.map(|breach| (breach.value.to_string(), breach.threshold.to_string()));
        let mut parameters =
            vec![("AutoScalingGroupName", group), ("PolicyName", policy), ("HonorCooldown", "true")];
        if let Some((value, threshold)) = &numbers {
            parameters.extend([("MetricValue", value.as_str()), ("BreachThreshold", threshold.as_str())]);
        }
        Some(AwsCall::query("autoscaling", "2011-01-01", "ExecutePolicy", parameters))
    }

    /// `opsitem:SEVERITY#CATEGORY=CATEGORY`. One alarm has one open item: it is told apart by the alarm's
    /// ARN.
    fn ops_item_call(&self, target: &ActionTarget<'_>, key: &Key, delivery: &Delivery) -> Option<AwsCall> {
        let severity_and_category = target.resource().strip_prefix("opsitem:")?;
        let (severity, category) = match severity_and_category.split_once("#CATEGORY=") {
            Some((severity, category)) => (severity, Some(category)),
            None => (severity_and_category, None),
        };
        let alarm_arn = arn(&Key::new(&key.scope, delivery.alarm.as_str()));
        let text = |value: String| json!({ "Value": value, "Type": "SearchableString" });
        let mut item = json!({
            "Title": self.title(&delivery.alarm),
            "Description": format!("CloudWatch alarm {alarm_arn} went into {}", self.state),
            "Source": "CloudWatch",
            "Severity": severity,
            "OperationalData": {
                "/aws/dedup": text(json!({ "dedupString": alarm_arn }).to_string()),
                "/aws/resources": text(json!([{ "arn": alarm_arn }]).to_string()),
            },
        });
        if let Some(category) = category {
            item["Category"] = category.into();
        }
        Some(AwsCall::json("ssm", "1.1", "AmazonSSM.CreateOpsItem", item.to_string()))
    }

    fn incident_call(&self, key: &Key, delivery: &Delivery, id: &str) -> Option<AwsCall> {
        let incident = json!({
            "clientToken": id,
            "responsePlanArn": self.arn,
            "title": self.title(&delivery.alarm),
            "triggerDetails": {
                "source": "aws.cloudwatch",
                "timestamp": delivery.state_updated.as_secs(),
                "triggerArn": arn(&Key::new(&key.scope, delivery.alarm.as_str())),
                "rawData": self.event,
            },
        });
        let headers = vec![("content-type", "application/json".to_owned())];
        Some(AwsCall::rest("ssm-incidents", Method::POST, "/startIncident", headers, incident.to_string()))
    }

    fn title(&self, alarm: &str) -> String {
        format!("CloudWatch alarm - '{alarm}' is in {} state", self.state)
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a webhook, a command or a folder gets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestJson<'a> {
    action: &'static str,
    arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    breach_threshold: Option<f64>,
    event: &'a RawValue,
}

/// The event that functions are invoked with (user guide, "Event object sent from CloudWatch to Lambda").
fn function_event(key: &Key, alarm: &Alarm, previous: &State, with_tags: bool) -> String {
    let event = FunctionEvent {
        source: SOURCE,
        alarm_arn: arn(key),
        account_id: key.scope.account.to_string(),
        time: alarm.state.updated.to_aws_json_text(),
        region: key.scope.region.as_str(),
        alarm_data: AlarmData {
            alarm_name: &key.name,
            state: StateShape::of(&alarm.state, &alarm.suppression),
            previous_state: StateShape::of(previous, &Suppression::None),
            configuration: ConfigurationShape::of(key, &alarm.definition),
            alarm_contributor: alarm.contributor.as_ref(),
            tags: with_tags.then(|| TagsShape::of(alarm)).flatten(),
        },
    };
    serde_json::to_string(&event).expect("text, numbers and lists always have a JSON form")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionEvent<'a> {
    source: &'static str,
    alarm_arn: String,
    account_id: String,
    time: String,
    region: &'a str,
    alarm_data: AlarmData<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlarmData<'a> {
    alarm_name: &'a str,
    state: StateShape<'a>,
    previous_state: StateShape<'a>,
    configuration: ConfigurationShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_contributor: Option<&'a ContributorMark>,
    #[serde(flatten)]
    tags: Option<TagsShape<'a>>,
}

/// The newest datapoint of a `StateReasonData`; a state that was set by hand has whatever data it was given.
fn newest_value(reason_data: &str) -> Option<f64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ReasonData {
        recent_datapoints: Vec<f64>,
    }
    serde_json::from_str::<ReasonData>(reason_data).ok()?.recent_datapoints.last().copied()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use groundwatch_core::{Tags, Timestamp};
    use serde_json::Value;

    use super::*;
    use crate::alarm::AlarmType;
    use crate::effects::delivery::Payload;
    use crate::evaluation::source::Source;
    use crate::testing::{definition, key};

    /// An alarm of the metric of an instance, which went from OK to ALARM with the datapoint 9.
    fn request(action_arn: &str) -> (ActionRequest, Delivery) {
        let mut definition = definition().description("slow").build();
        let Source::Metric(metric) = &mut definition.source else { panic!("a single metric") };
        metric.dimensions[0].name = "InstanceId".to_owned();
        metric.dimensions[0].value = "i-0".to_owned();
        let now = Timestamp::from_millis(1_767_323_045_678);
        let old = Alarm::new(definition, Tags::default(), now);
        let state = State {
            value: StateValue::Alarm,
            reason: "Threshold Crossed".to_owned(),
            reason_data: Some("{\"recentDatapoints\":[1.0,9.0]}".to_owned()),
            updated: now,
            transitioned: now,
        };
        let alarm = Alarm { state, ..old.clone() };
        let request = ActionRequest::new(&key("cpu"), &alarm, &old.state, action_arn);
        let delivery = Delivery::new("cpu", AlarmType::MetricAlarm, Payload::Request(request.clone()), now);
        (request, delivery)
    }

    fn message(action_arn: &str) -> OutboundMessage {
        let (request, delivery) = request(action_arn);
        request.to_message(&key("00000000000000000007"), &delivery).expect("a request")
    }

    #[test]
    fn functions_get_the_guides_event() {
        let function = "arn:aws:lambda:us-east-1:000000000000:function:heal";
        let message = message(function);
        let metric_id = stable_uuid("arn:aws:cloudwatch:us-east-1:000000000000:alarm:cpu");
        assert_eq!(
            String::from_utf8_lossy(&message.body),
            format!(
                "{{\"source\":\"aws.cloudwatch\",\
                 \"alarmArn\":\"arn:aws:cloudwatch:us-east-1:000000000000:alarm:cpu\",\
                 \"accountId\":\"000000000000\",\"time\":\"2026-01-02T03:04:05.678+0000\",\"region\":\"us-east-1\",\
                 \"alarmData\":{{\"alarmName\":\"cpu\",\"state\":{{\"value\":\"ALARM\",\
                 \"reason\":\"Threshold Crossed\",\"reasonData\":\"{{\\\"recentDatapoints\\\":[1.0,9.0]}}\",\
                 \"timestamp\":\"2026-01-02T03:04:05.678+0000\"}},\"previousState\":{{\
                 \"value\":\"INSUFFICIENT_DATA\",\"reason\":\"Unchecked: Initial alarm creation\",\
                 \"timestamp\":\"2026-01-02T03:04:05.678+0000\"}},\"configuration\":{{\"description\":\"slow\",\
                 \"metrics\":[{{\"id\":\"{metric_id}\",\"metricStat\":{{\"metric\":{{\"namespace\":\"Shop\",\
                 \"name\":\"Latency\",\"dimensions\":{{\"InstanceId\":\"i-0\"}}}},\"period\":60,\
                 \"stat\":\"Average\"}},\"returnData\":true}}]}}}}}}"
            )
        );
        let call = message.aws.expect("a call");
        assert_eq!(call.body, message.body);
        assert!(call.path_and_query.ends_with("function%3Aheal/invocations"), "{}", call.path_and_query);
    }

    #[test]
    fn instances_are_named_by_the_metric() {
        let check = |action: &str, expected: Option<&str>| {
            let call = message(action).aws;
            assert_eq!(
                call.map(|call| String::from_utf8_lossy(&call.body).into_owned()).as_deref(),
                expected
            );
        };
        let stop = "Action=StopInstances&Version=2016-11-15&InstanceId.1=i-0";
        check("arn:aws:automate:us-east-1:ec2:stop", Some(stop));
        check("arn:aws:swf:us-east-1:1:action/actions/AWS_EC2.InstanceId.Stop/1.0", Some(stop));
        check(
            "arn:aws:automate:us-east-1:ec2:reboot",
            Some("Action=RebootInstances&Version=2016-11-15&InstanceId.1=i-0"),
        );
        check("arn:aws:automate:us-east-1:ec2:recover", None);
        let (request, delivery) = request("arn:aws:automate:us-east-1:ec2:stop");
        let nobody = ActionRequest { instance_id: None, ..request }.to_message(&key("7"), &delivery);
        assert!(matches!(nobody, Err(ActionRequestError::NoInstance)));
    }

    #[test]
    fn scaling_policies_learn_value_and_threshold() {
        let policy =
            "arn:aws:autoscaling:us-east-1:1:scalingPolicy:id:autoScalingGroupName/web:policyName/up";
        let call = message(policy).aws.expect("a call");
        assert_eq!(
            call.body,
            "Action=ExecutePolicy&Version=2011-01-01&AutoScalingGroupName=web&PolicyName=up&HonorCooldown=true\
             &MetricValue=9&BreachThreshold=1"
        );
        let application = "arn:aws:autoscaling:us-east-1:1:scalingPolicy:id:resource/ecs/s:policyName/up";
        assert_eq!(message(application).aws, None);
    }

    #[test]
    fn ops_items_and_incidents_name_the_alarm() {
        let body = |action: &str| -> Value {
            serde_json::from_slice(&message(action).aws.expect("a call").body).expect("JSON")
        };
        let item = body("arn:aws:ssm:us-east-1:1:opsitem:3#CATEGORY=Security");
        assert_eq!((&item["Severity"], &item["Category"]), (&"3".into(), &"Security".into()));
        assert_eq!(item["Title"], "CloudWatch alarm - 'cpu' is in ALARM state");
        let incident = body("arn:aws:ssm-incidents::1:responseplan/n");
        assert_eq!(incident["responsePlanArn"], "arn:aws:ssm-incidents::1:responseplan/n");
        assert_eq!(
            incident["triggerDetails"]["triggerArn"],
            "arn:aws:cloudwatch:us-east-1:000000000000:alarm:cpu"
        );
    }

    #[test]
    fn others_than_functions_are_told_what_to_do() {
        let message = message("arn:aws:automate:us-east-1:ec2:recover");
        let body: Value = serde_json::from_slice(&message.body).expect("JSON");
        assert_eq!((&body["action"], &body["instanceId"]), (&"recover".into(), &"i-0".into()));
        assert_eq!(body["event"]["alarmData"]["alarmName"], "cpu");
    }

    #[test]
    fn an_order_keeps_its_id() {
        let stop = "arn:aws:automate:us-east-1:ec2:stop";
        assert_eq!(message(stop).id, message(stop).id);
        let (request, delivery) = request(stop);
        let id = |key: &Key, delivery: &Delivery| request.to_message(key, delivery).expect("a request").id;
        assert_ne!(id(&key("8"), &delivery), id(&key("7"), &delivery));
        let later =
            Delivery { state_updated: delivery.state_updated + Duration::from_secs(1), ..delivery.clone() };
        assert_ne!(
            id(&key("7"), &later),
            id(&key("7"), &delivery),
            "a number that comes again after a restart"
        );
    }
}
