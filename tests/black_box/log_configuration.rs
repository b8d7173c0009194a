//! Stored configuration of CloudWatch Logs: saved queries, field indexes and lookup tables, each through its
//! whole life.

use serde_json::{Value, json};

use crate::harness::{ACCOUNT, Server};

/// Calls an operation of CloudWatch Logs; what is answered, or the error's name.
pub(crate) async fn call(server: &Server, operation: &str, input: Value) -> Result<Value, String> {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/eu-central-1/logs/aws4_request, SignedHeaders=host, Signature=0"
    );
    let target = format!("Logs_20140328.{operation}");
    let headers = [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", target.as_str()),
        ("Authorization", authorization.as_str()),
    ];
    let answer = server.post("/", &headers, input.to_string().as_bytes()).await;
    let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
    if answer.status == 200 {
        return Ok(body);
    }
    let name = body["__type"].as_str().unwrap_or_default();
    Err(name.rsplit('#').next().unwrap_or_default().to_owned())
}

/// [`call`], where nothing may go wrong.
pub(crate) async fn done(server: &Server, operation: &str, input: Value) -> Value {
    call(server, operation, input).await.unwrap_or_else(|error| panic!("{operation}: {error}"))
}

#[tokio::test]
async fn a_query_is_saved_changed_listed_and_deleted() {
    let server = Server::start_with_manual_clock().await;
    let token = "0123456789abcdef0123456789abcdef0123";
    let definition = json!({ "name": "errors/all", "queryString": "filter @message like /ERROR/",
        "logGroupNames": ["/app"], "clientToken": token });
    let first = done(&server, "PutQueryDefinition", definition.clone()).await;
    let again = done(&server, "PutQueryDefinition", definition).await;
    assert_eq!(first, again, "the same token creates nothing");
    let id = first["queryDefinitionId"].clone();
    done(&server, "PutQueryDefinition", json!({ "name": "other", "queryString": "limit 1" })).await;

    let listed =
        done(&server, "DescribeQueryDefinitions", json!({ "queryDefinitionNamePrefix": "errors/" })).await;
    let [shown] = listed["queryDefinitions"].as_array().expect("a list").as_slice() else {
        panic!("one: {listed}")
    };
    assert_eq!(shown["queryLanguage"], "CWLI");
    assert_eq!(shown["lastModified"], 1_767_225_600_000_i64);
    assert_eq!(shown["logGroupNames"], json!(["/app"]));

    let changed = json!({ "queryDefinitionId": id, "name": "all", "queryString": "limit 2" });
    done(&server, "PutQueryDefinition", changed).await;
    let server = server.kill_and_restart(&["--clock", "manual"]);
    let page = done(&server, "DescribeQueryDefinitions", json!({ "maxResults": 1 })).await;
    assert_eq!(page["queryDefinitions"][0]["name"], "all");
    assert!(page["queryDefinitions"][0].get("logGroupNames").is_none(), "nothing of the old one is kept");
    let rest = json!({ "maxResults": 1, "nextToken": page["nextToken"] });
    let rest = done(&server, "DescribeQueryDefinitions", rest).await;
    assert_eq!(rest["queryDefinitions"][0]["name"], "other");

    let delete = json!({ "queryDefinitionId": id });
    assert_eq!(done(&server, "DeleteQueryDefinition", delete.clone()).await, json!({ "success": true }));
    let missing = Err("ResourceNotFoundException".to_owned());
    assert_eq!(call(&server, "DeleteQueryDefinition", delete).await, missing);
    let unknown = json!({ "queryDefinitionId": "nobody", "name": "n", "queryString": "q" });
    assert_eq!(call(&server, "PutQueryDefinition", unknown).await, missing);
}

#[tokio::test]
async fn field_indexes_are_those_of_the_policy_and_of_aws() {
    let server = Server::start_with_manual_clock().await;
    done(&server, "CreateLogGroup", json!({ "logGroupName": "/app" })).await;
    let policy = r#"{"Fields":["requestId"],"FieldsV2":{"status":{"type":"FACET"}}}"#;
    let put = json!({ "logGroupIdentifier": "/app", "policyDocument": policy });
    let answer = done(&server, "PutIndexPolicy", put).await;
    assert_eq!(answer["indexPolicy"]["source"], "LOG_GROUP");
    let group = json!({ "logGroupIdentifiers": ["/app"] });
    let policies = done(&server, "DescribeIndexPolicies", group.clone()).await;
    assert_eq!(policies["indexPolicies"][0]["policyDocument"], policy);

    let put = json!({ "logGroupIdentifier": "/app", "policyDocument": r#"{"Fields":["requestId"]}"# });
    done(&server, "PutIndexPolicy", put).await;
    let fields = async |category: &str| {
        let input = json!({ "logGroupIdentifiers": ["/app"], "indexCategories": [category] });
        let answer = done(&server, "DescribeFieldIndexes", input).await;
        let indexes = answer["fieldIndexes"].as_array().expect("a list").clone();
        indexes
            .iter()
            .map(|index| index["fieldIndexName"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(fields("CUSTOM").await, ["requestId"]);
    assert_eq!(fields("INACTIVE").await, ["status"]);
    assert!(fields("DEFAULT").await.contains(&"@logStream".to_owned()));

    done(&server, "DeleteIndexPolicy", json!({ "logGroupIdentifier": "/app" })).await;
    let again = call(&server, "DeleteIndexPolicy", json!({ "logGroupIdentifier": "/app" })).await;
    assert_eq!(again, Err("ResourceNotFoundException".to_owned()));
    assert_eq!(done(&server, "DescribeIndexPolicies", group).await["indexPolicies"], json!([]));
    let wrong = json!({ "logGroupIdentifier": "/app", "policyDocument": "{" });
    assert_eq!(call(&server, "PutIndexPolicy", wrong).await, Err("InvalidParameterException".to_owned()));
}

#[tokio::test]
async fn a_lookup_table_keeps_its_text_over_a_crash() {
    let server = Server::start_with_manual_clock().await;
    let create =
        json!({ "lookupTableName": "users", "tableBody": "id,name\n1,Jane\n2,Joe\n", "description": "who" });
    let created = done(&server, "CreateLookupTable", create.clone()).await;
    let arn = created["lookupTableArn"].as_str().expect("an ARN").to_owned();
    assert!(arn.ends_with(":lookup-table:users"), "{arn}");
    let again = call(&server, "CreateLookupTable", create).await;
    assert_eq!(again, Err("ResourceAlreadyExistsException".to_owned()));
    let wrong = json!({ "lookupTableName": "wrong", "tableBody": "id,id\n" });
    assert_eq!(call(&server, "CreateLookupTable", wrong).await, Err("ValidationException".to_owned()));

    let update = json!({ "lookupTableArn": arn, "tableBody": "id\n7\n" });
    done(&server, "UpdateLookupTable", update).await;
    let server = server.kill_and_restart(&["--clock", "manual"]);
    let table = done(&server, "GetLookupTable", json!({ "lookupTableArn": arn })).await;
    assert_eq!((&table["tableBody"], &table["description"]), (&json!("id\n7\n"), &json!("who")));
    let listed = done(&server, "DescribeLookupTables", json!({ "lookupTableNamePrefix": "us" })).await;
    assert_eq!(listed["lookupTables"][0]["tableFields"], json!(["id"]));
    assert_eq!(listed["lookupTables"][0]["recordsCount"], 1);
    done(&server, "TagResource", json!({ "resourceArn": arn, "tags": { "team": "red" } })).await;
    let tags = done(&server, "ListTagsForResource", json!({ "resourceArn": arn })).await;
    assert_eq!(tags["tags"], json!({ "team": "red" }));
    done(&server, "DeleteLookupTable", json!({ "lookupTableArn": arn })).await;
    let missing = call(&server, "GetLookupTable", json!({ "lookupTableArn": arn })).await;
    assert_eq!(missing, Err("ResourceNotFoundException".to_owned()));
}
