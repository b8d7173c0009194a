//! What each processor makes of events: a line a case. Cases with `guide:` are those of the CloudWatch Logs
//! user guide.

use groundwatch_api::logs::Processor;
use groundwatch_core::Timestamp;
use groundwatch_log_transformers::{Origin, Transformer};
use serde_json::{Value, json};

/// 2026-01-01T00:00:00Z
const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

fn origin() -> Origin<'static> {
    Origin { account: "123456789012", region: "eu-west-1", group: "/app", stream: "one", ingested: NOW }
}

fn transformer(config: &Value) -> Result<Transformer, String> {
    let processors: Vec<Processor> = serde_json::from_value(config.clone()).expect("processors");
    Transformer::new(&processors).map_err(|error| error.to_string())
}

/// The text that `config` makes of `message`, as JSON.
fn transformed(config: &Value, message: &str) -> Result<Value, String> {
    let transformer = transformer(config).unwrap_or_else(|error| panic!("{config}: {error}"));
    let text = transformer.transform(message, origin()).map_err(|error| error.to_string())?;
    Ok(serde_json::from_str(&text).expect("JSON"))
}

#[expect(clippy::needless_pass_by_value, reason = "cases are easier to read without borrowing")]
fn check(config: Value, message: &str, expected: Value) {
    assert_eq!(transformed(&config, message), Ok(expected), "{config} on {message}");
}

/// `parseJSON`, then `processor`, on a message that is `fields`.
#[expect(clippy::needless_pass_by_value, reason = "cases are easier to read without borrowing")]
fn after_json(processor: Value, fields: Value, expected: Value) {
    check(json!([{ "parseJSON": {} }, processor]), &fields.to_string(), expected);
}

/// The event fails, with a reason that has `reason` in it.
#[expect(clippy::needless_pass_by_value, reason = "cases are easier to read without borrowing")]
fn fails(config: Value, message: &str, reason: &str) {
    let error = transformed(&config, message).expect_err("fails");
    assert!(error.contains(reason), "{config} on {message}: {error}");
}

/// The configuration is refused, with an error that has `reason` in it.
#[expect(clippy::needless_pass_by_value, reason = "cases are easier to read without borrowing")]
fn refused(config: Value, reason: &str) {
    let error = transformer(&config).expect_err("refused");
    assert!(error.contains(reason), "{config}: {error}");
}

#[test]
fn parse_json() {
    let nested = r#"{"outer_key":{"inner_key":"inner_value"}}"#;
    check(json!([{ "parseJSON": {} }]), nested, json!({ "outer_key": { "inner_key": "inner_value" } }));
    // guide:
    let into = json!([{ "parseJSON": { "destination": "new_key" } }]);
    check(into, nested, json!({ "new_key": { "outer_key": { "inner_key": "inner_value" } } }));
    check(json!([{ "parseJSON": { "source": "@message" } }]), "{}", json!({}));
    let twice = json!([{ "parseJSON": {} }, { "parseJSON": { "source": "a.b", "destination": "c.d" } }]);
    check(
        twice,
        r#"{"a":{"b":"{\"x\":1}"}}"#,
        json!({ "a": { "b": "{\"x\":1}" }, "c": { "d": { "x": 1 } } }),
    );
    check(
        json!([{ "parseJSON": {} }]),
        r#"{"a":1.5,"b":null,"c":[1,{}]}"#,
        json!({ "a": 1.5, "b": null, "c": [1, {}] }),
    );
    fails(json!([{ "parseJSON": {} }]), "text", "not JSON");
    fails(json!([{ "parseJSON": {} }]), "[1]", "not a JSON object");
    fails(json!([{ "parseJSON": {} }]), "", "not JSON");
    let of_missing = json!([{ "parseJSON": {} }, { "parseJSON": { "source": "missing" } }]);
    fails(of_missing, "{}", "there is no text to read");
    let taken = json!([{ "parseJSON": {} }, { "parseJSON": { "source": "a", "destination": "b" } }]);
    fails(taken, r#"{"a":"{}","b":1}"#, "the destination is taken");
}

#[test]
fn grok() {
    let grok = |pattern: &str| json!([{ "grok": { "match": pattern } }]);
    // guide:
    check(
        grok("%{NUMBER:version} %{HOSTNAME:hostname} %{NOTSPACE:status} %{QUOTEDSTRING:logMsg}"),
        r#"293750 server-01.internal-network.local OK "[Thread-000] token generated""#,
        json!({ "version": "293750", "hostname": "server-01.internal-network.local", "status": "OK",
            "logMsg": "[Thread-000] token generated" }),
    );
    // guide:
    let message =
        r#"{"timestamp":"2024-11-23T16:03:12Z","level":"ERROR","logMsg":"GET /page.html HTTP/1.1"}"#;
    let config = json!([{ "parseJSON": {} }, { "grok": { "source": "logMsg",
        "match": "%{WORD:http_method} %{NOTSPACE:request} HTTP/%{NUMBER:http_version}" } }]);
    let expected = json!({ "timestamp": "2024-11-23T16:03:12Z", "level": "ERROR", "logMsg": "GET /page.html HTTP/1.1",
        "http_method": "GET", "request": "/page.html", "http_version": "1.1" });
    check(config, message, expected);
    // guide: dots in the names of fields
    check(
        grok("%{NUMBER:user.id} %{WORD:user.name}"),
        "17 jane",
        json!({ "user": { "id": "17", "name": "jane" } }),
    );
    check(grok("%{WORD} %{WORD:second}"), "a b", json!({ "second": "b" }));
    check(grok("%{WORD:w}"), "  --word--", json!({ "w": "word" }));
    check(grok("^%{GREEDYDATA:all}$"), "", json!({ "all": "" }));
    check(grok("%{DATA:before}=%{GREEDYDATA:after}"), "a=b=c", json!({ "before": "a", "after": "b=c" }));
    check(
        grok(r"\[%{LOGLEVEL:level}\] %{GREEDYDATA:text}"),
        "[WARN] low disk",
        json!({ "level": "WARN", "text": "low disk" }),
    );
    check(grok("(?:%{INT:number}|%{WORD:word})"), "abc", json!({ "word": "abc" }));
    check(grok("(%{INT:number})-(%{INT:other})"), "1-2", json!({ "number": "1", "other": "2" }));
    check(grok("%{GREEDYDATA:line}"), "one\ntwo", json!({ "line": "one" }));
    check(grok("%{GREEDYDATA_MULTILINE:text}"), "one\ntwo", json!({ "text": "one\ntwo" }));
    check(
        grok("%{SYSLOGTIMESTAMP:when} %{SYSLOGHOST:host} %{SYSLOGPROG:program}: %{GREEDYDATA:text}"),
        "Dec  1 10:00:00 web-1 sshd[42]: closed",
        json!({ "when": "Dec  1 10:00:00", "host": "web-1", "program": "sshd[42]", "text": "closed" }),
    );
    fails(grok("%{INT:number}"), "none", "does not match");
    refused(grok("%{NOSUCH:x}"), "there is no pattern `NOSUCH`");
    refused(grok("%{INT:x:int}"), "names a type");
    refused(grok("%{INT"), "not closed");
    refused(grok("plain"), "names no pattern");
    refused(grok("(?<name>a)%{INT:x}"), "not supported");
    refused(grok("(?=a)%{INT:x}"), "not supported");
    refused(grok("%{INT:x}("), "not a regular expression");
    refused(grok("%{INT:a.b.c.d}"), "is not a path");
    refused(grok(&"%{DATA}".repeat(6)), "more than 5 times");
    refused(grok(&format!("{}{}", "%{INT}".repeat(20), "%{WORD}")), "more than 20 patterns");
    refused(grok(&format!("%{{INT}}{}", "x".repeat(510))), "more than 512 characters");
}

#[test]
fn grok_patterns_of_whole_lines() {
    let grok = |pattern: &str| json!([{ "grok": { "match": pattern } }]);
    // guide:
    check(
        grok("%{APACHE_ACCESS_LOG}"),
        r#"127.0.0.1 - - [03/Aug/2023:12:34:56 +0000] "GET /page.html HTTP/1.1" 200 1234"#,
        json!({ "request": "/page.html", "http_method": "GET", "status_code": 200, "http_version": "1.1",
            "response_size": 1234, "remote_host": "127.0.0.1", "timestamp": "2023-08-03T12:34:56Z" }),
    );
    // guide:
    check(
        grok("%{NGINX_ACCESS_LOG}"),
        r#"192.168.1.100 - Foo [03/Aug/2023:12:34:56 +0000] "GET /account/login.html HTTP/1.1" 200 42 "https://www.amazon.com/" "Mozilla/5.0 (Windows NT 10.0)""#,
        json!({ "request": "/account/login.html", "referrer": "https://www.amazon.com/",
            "agent": "Mozilla/5.0 (Windows NT 10.0)", "http_method": "GET", "status_code": 200, "auth_user": "Foo",
            "http_version": "1.1", "response_size": 42, "remote_host": "192.168.1.100",
            "timestamp": "2023-08-03T12:34:56Z" }),
    );
    // guide:
    check(
        grok("%{SYSLOG5424}"),
        r#"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource= "Application" eventID="1011"] [examplePriority@32473 class="high"]"#,
        json!({ "pri": 165, "version": 1, "timestamp": "2003-10-11T22:14:15.003Z",
            "hostname": "mymachine.example.com", "app": "evntslog", "msg_id": "ID47",
            "structured_data": r#"exampleSDID@32473 iut="3" eventSource= "Application" eventID="1011""#,
            "message": r#"[examplePriority@32473 class="high"]"# }),
    );
    check(
        grok("%{APACHE_ACCESS_LOG}"),
        r#"::1 - - [03/Aug/2023:12:34:56 +0200] "HEAD / HTTP/2" 304 -"#,
        json!({ "request": "/", "http_method": "HEAD", "status_code": 304, "http_version": "2", "remote_host": "::1",
            "timestamp": "2023-08-03T10:34:56Z" }),
    );
    refused(grok("%{SYSLOG5424:x}"), "names its fields itself");
    refused(grok("%{SYSLOG5424}%{SYSLOG5424}"), "more than 1 times");
}

#[test]
fn csv() {
    // guide:
    check(
        json!([{ "csv": { "delimiter": ":", "quoteCharacter": "'" } }]),
        "'Akua Mansa':28:'New York: USA'",
        json!({ "column_1": "Akua Mansa", "column_2": "28", "column_3": "New York: USA" }),
    );
    check(json!([{ "csv": {} }]), "a,\"b,c\"", json!({ "column_1": "a", "column_2": "b,c" }));
    check(json!([{ "csv": { "columns": ["x", "y"] } }]), "1,2", json!({ "x": "1", "y": "2" }));
    check(json!([{ "csv": { "columns": ["x"] } }]), "1,2", json!({ "x": "1", "column_2": "2" }));
    check(json!([{ "csv": { "columns": ["x", "y"] } }]), "1", json!({ "x": "1" }));
    check(json!([{ "csv": { "delimiter": "\\t" } }]), "a\tb", json!({ "column_1": "a", "column_2": "b" }));
    check(json!([{ "csv": { "destination": "row" } }]), "a", json!({ "row": { "column_1": "a" } }));
    after_json(
        json!({ "csv": { "source": "line" } }),
        json!({ "line": "a,b" }),
        json!({ "line": "a,b", "column_1": "a", "column_2": "b" }),
    );
    refused(json!([{ "csv": { "delimiter": "::" } }]), "delimiter");
    refused(json!([{ "csv": { "delimiter": "\"" } }]), "quoteCharacter");
}

#[test]
fn parse_key_value() {
    // guide:
    check(
        json!([{ "parseKeyValue": { "destination": "new_key", "fieldDelimiter": "!", "keyValueDelimiter": ":",
            "nonMatchValue": "defaultValue", "keyPrefix": "parsed_" } }]),
        "key1:value1!key2:value2!key3:value3!key4",
        json!({ "new_key": { "parsed_key1": "value1", "parsed_key2": "value2", "parsed_key3": "value3",
            "parsed_key4": "defaultValue" } }),
    );
    let plain = || json!([{ "parseKeyValue": {} }]);
    check(plain(), "a=1&b=2", json!({ "a": "1", "b": "2" }));
    check(plain(), "a=1=2", json!({ "a": "1=2" }));
    check(plain(), "a=", json!({ "a": "" }));
    check(plain(), "a", json!({ "a": null }));
    check(plain(), "", json!({}));
    check(plain(), "a=1&a=2", json!({ "a": "1" }));
    check(json!([{ "parseKeyValue": { "overwriteIfExists": true } }]), "a=1&a=2", json!({ "a": "2" }));
    after_json(
        json!({ "parseKeyValue": { "source": "q" } }),
        json!({ "q": "a=1" }),
        json!({ "q": "a=1", "a": "1" }),
    );
}

#[test]
fn vended_logs() {
    // guide:
    check(
        json!([{ "parseVPC": {} }]),
        "2 123456789010 eni-abc123de 192.0.2.0 192.0.2.24 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
        json!({ "version": 2, "accountId": "123456789010", "interfaceId": "eni-abc123de", "srcAddr": "192.0.2.0",
            "dstAddr": "192.0.2.24", "srcPort": 20641, "dstPort": 22, "protocol": 6, "packets": 20, "bytes": 4249,
            "start": 1_418_530_010, "end": 1_418_530_070, "action": "ACCEPT", "logStatus": "OK" }),
    );
    let no_data = "2 123456789010 eni-1 - - - - - - - 1431280876 1431280934 - NODATA";
    let answer = transformed(&json!([{ "parseVPC": { "source": "@message" } }]), no_data).expect("parsed");
    assert_eq!((&answer["srcAddr"], &answer["logStatus"]), (&json!("-"), &json!("NODATA")));
    fails(json!([{ "parseVPC": {} }]), "2 123", "14 values");
    // guide:
    check(
        json!([{ "parseRoute53": {} }]),
        "1.0 2017-12-13T08:15:50.235Z Z123412341234 example.com AAAA NOERROR TCP IAD12 192.0.2.0 198.51.100.0/24",
        json!({ "version": 1.0, "queryTimestamp": "2017-12-13T08:15:50.235Z", "hostZoneId": "Z123412341234",
            "queryName": "example.com", "queryType": "AAAA", "responseCode": "NOERROR", "protocol": "TCP",
            "edgeLocation": "IAD12", "resolverIp": "192.0.2.0", "ednsClientSubnet": "198.51.100.0/24" }),
    );
    let line = "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.24\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\t\
                Mozilla/5.0%20(Windows%20NT%2010.0)\t-\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\t\
                d111111abcdef8.cloudfront.net\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t\
                -\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-";
    let answer = transformed(&json!([{ "parseCloudfront": {} }]), line).expect("parsed");
    assert_eq!(answer["cs(User-Agent)"], "Mozilla/5.0 (Windows NT 10.0)", "decoded");
    assert_eq!(answer["sc-status"], 200);
    assert_eq!(answer["time-taken"], 0.001);
    assert_eq!(answer["sc-range-end"], "-");
    assert_eq!(answer.as_object().map(serde_json::Map::len), Some(33));
    // guide:
    check(
        json!([{ "parsePostgres": {} }]),
        "2019-03-10 03:54:59 UTC:10.0.0.123(52834):postgres@logtestdb:[20175]:ERROR: column \"wrong_column_name\" does not exist",
        json!({ "logTime": "2019-03-10 03:54:59 UTC", "srcIp": "10.0.0.123(52834)", "userName": "postgres",
            "dbName": "logtestdb", "processId": "20175", "logLevel": "ERROR" }),
    );
    fails(json!([{ "parsePostgres": {} }]), "ERROR", "default prefix");
    check(
        json!([{ "parseWAF": {} }]),
        r#"{"action":"BLOCK","httpRequest":{"clientIp":"1.1.1.1","headers":[{"name":"Host","value":"localhost:1989"},{"name":"Accept","value":"*/*"}]},"labels":[{"name":"value"}]}"#,
        json!({ "action": "BLOCK", "httpRequest": { "clientIp": "1.1.1.1",
            "headers": { "Host": "localhost:1989", "Accept": "*/*" } }, "labels": { "value": "value" } }),
    );
    check(json!([{ "parseWAF": {} }]), r#"{"labels":"odd"}"#, json!({ "labels": "odd" }));
}

#[test]
fn add_keys() {
    // guide:
    after_json(
        json!({ "addKeys": { "entries": [{ "source": "x", "key": "outer_key.new_key", "value": "new_value" }] } }),
        json!({ "outer_key": { "inner_key": "inner_value" } }),
        json!({ "outer_key": { "inner_key": "inner_value", "new_key": "new_value" } }),
    );
    let add = |overwrite: bool| json!({ "addKeys": { "entries": [{ "key": "a", "value": "new", "overwriteIfExists": overwrite }] } });
    after_json(add(false), json!({ "a": 1 }), json!({ "a": 1 }));
    after_json(add(true), json!({ "a": 1 }), json!({ "a": "new" }));
    after_json(add(false), json!({}), json!({ "a": "new" }));
    let under = json!({ "addKeys": { "entries": [{ "key": "a.b", "value": "new" }] } });
    after_json(under, json!({ "a": "text" }), json!({ "a": "text" }));
}

#[test]
fn copy_value() {
    let copy = |source: &str, target: &str| json!({ "copyValue": { "entries": [{ "source": source, "target": target }] } });
    // guide:
    after_json(
        copy("outer_key.new_key", "new_key"),
        json!({ "outer_key": { "new_key": "inner_value" } }),
        json!({ "outer_key": { "new_key": "inner_value" }, "new_key": "inner_value" }),
    );
    after_json(copy("@logGroupName", "from.group"), json!({}), json!({ "from": { "group": "/app" } }));
    after_json(copy("@logGroupStream", "s"), json!({}), json!({ "s": "one" }));
    after_json(copy("@logStreamName", "s"), json!({}), json!({ "s": "one" }));
    after_json(copy("@accountId", "s"), json!({}), json!({ "s": "123456789012" }));
    after_json(copy("@regionName", "s"), json!({}), json!({ "s": "eu-west-1" }));
    after_json(copy("missing", "s"), json!({ "a": 1 }), json!({ "a": 1 }));
    after_json(copy("a", "b"), json!({ "a": [1], "b": 2 }), json!({ "a": [1], "b": 2 }));
}

#[test]
fn move_keys() {
    let moved = |source: &str, target: &str, overwrite: bool| json!({ "moveKeys": { "entries": [{ "source": source, "target": target, "overwriteIfExists": overwrite }] } });
    // guide:
    after_json(
        moved("outer_key1.inner_key1", "outer_key2", false),
        json!({ "outer_key1": { "inner_key1": "inner_value1" }, "outer_key2": { "inner_key2": "inner_value2" } }),
        json!({ "outer_key1": {}, "outer_key2": { "inner_key2": "inner_value2", "inner_key1": "inner_value1" } }),
    );
    after_json(moved("a", "b.c", false), json!({ "a": 1 }), json!({ "b": { "c": 1 } }));
    after_json(moved("a", "b", false), json!({ "a": 1, "b": 2 }), json!({ "a": 1, "b": 2 }));
    after_json(moved("a", "b", true), json!({ "a": 1, "b": 2 }), json!({ "b": 1 }));
    after_json(
        moved("a", "b", false),
        json!({ "a": 1, "b": { "a": 2 } }),
        json!({ "a": 1, "b": { "a": 2 } }),
    );
    after_json(moved("a", "b", true), json!({ "a": 1, "b": { "a": 2 } }), json!({ "b": { "a": 1 } }));
    after_json(moved("missing", "b", true), json!({ "b": 2 }), json!({ "b": 2 }));
}

#[test]
fn rename_keys() {
    let renamed = |key: &str, to: &str, overwrite: bool| json!({ "renameKeys": { "entries": [{ "key": key, "renameTo": to, "overwriteIfExists": overwrite }] } });
    // guide:
    after_json(
        renamed("outer_key", "new_key", false),
        json!({ "outer_key": { "inner_key": "inner_value" } }),
        json!({ "new_key": { "inner_key": "inner_value" } }),
    );
    after_json(renamed("a", "b", false), json!({ "a": 1, "b": 2 }), json!({ "a": 1, "b": 2 }));
    after_json(renamed("a", "b", true), json!({ "a": 1, "b": 2 }), json!({ "b": 1 }));
    after_json(renamed("a", "a", true), json!({ "a": 1 }), json!({ "a": 1 }));
    after_json(renamed("missing", "b", true), json!({ "b": 2 }), json!({ "b": 2 }));
}

#[test]
fn delete_keys() {
    // guide:
    after_json(
        json!({ "deleteKeys": { "withKeys": ["outer_key.inner_key"] } }),
        json!({ "outer_key": { "inner_key": "inner_value" } }),
        json!({ "outer_key": {} }),
    );
    after_json(
        json!({ "deleteKeys": { "withKeys": ["a", "missing", "b.c"] } }),
        json!({ "a": 1, "b": 2 }),
        json!({ "b": 2 }),
    );
}

#[test]
fn list_to_map() {
    let list = || {
        json!({ "outer_key": [
        { "inner_key": "a", "inner_value": "val-a" },
        { "inner_key": "b", "inner_value": "val-b1" },
        { "inner_key": "b", "inner_value": "val-b2" },
        { "inner_key": "c", "inner_value": "val-c" }] })
    };
    let config = |more: Value| {
        let mut config =
            json!({ "source": "outer_key", "key": "inner_key", "valueKey": "inner_value", "target": "map" });
        config.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({ "listToMap": config })
    };
    let with_map = |map: Value| {
        let mut fields = list();
        fields["map"] = map;
        fields
    };
    // guide: the three of them
    after_json(
        config(json!({})),
        list(),
        with_map(json!({ "a": ["val-a"], "b": ["val-b1", "val-b2"], "c": ["val-c"] })),
    );
    let flat = |element: &str| config(json!({ "flatten": true, "flattenedElement": element }));
    after_json(flat("first"), list(), with_map(json!({ "a": "val-a", "b": "val-b1", "c": "val-c" })));
    after_json(flat("last"), list(), with_map(json!({ "a": "val-a", "b": "val-b2", "c": "val-c" })));
    let whole = json!({ "listToMap": { "source": "l", "key": "k" } });
    after_json(
        whole.clone(),
        json!({ "l": [{ "k": "x", "v": 1 }] }),
        json!({ "l": [{ "k": "x", "v": 1 }], "x": [{ "k": "x", "v": 1 }] }),
    );
    after_json(
        whole.clone(),
        json!({ "l": [{ "k": 7 }, { "k": true }] }),
        json!({ "l": [{ "k": 7 }, { "k": true }], "7": [{ "k": 7 }], "true": [{ "k": true }] }),
    );
    after_json(whole.clone(), json!({ "l": [1, {}, { "k": null }] }), json!({ "l": [1, {}, { "k": null }] }));
    after_json(whole, json!({ "l": "text" }), json!({ "l": "text" }));
    let without_element =
        json!([{ "parseJSON": {} }, { "listToMap": { "source": "l", "key": "k", "flatten": true } }]);
    refused(without_element, "flattenedElement");
}

#[test]
fn strings() {
    let lower = json!({ "lowerCaseString": { "withKeys": ["outer_key.inner_key"] } });
    // guide:
    after_json(
        lower,
        json!({ "outer_key": { "inner_key": "INNER_VALUE" } }),
        json!({ "outer_key": { "inner_key": "inner_value" } }),
    );
    let upper = json!({ "upperCaseString": { "withKeys": ["outer_key.inner_key"] } });
    // guide:
    after_json(
        upper,
        json!({ "outer_key": { "inner_key": "inner_value" } }),
        json!({ "outer_key": { "inner_key": "INNER_VALUE" } }),
    );
    after_json(
        json!({ "upperCaseString": { "withKeys": ["a", "b"] } }),
        json!({ "a": 1, "b": "ß" }),
        json!({ "a": 1, "b": "SS" }),
    );
    let trim = json!({ "trimString": { "withKeys": ["outer_key.inner_key"] } });
    // guide:
    after_json(
        trim,
        json!({ "outer_key": { "inner_key": "   inner_value  " } }),
        json!({ "outer_key": { "inner_key": "inner_value" } }),
    );
    let split = |delimiter: &str| json!({ "splitString": { "entries": [{ "source": "outer_key.inner_key", "delimiter": delimiter }] } });
    // guide:
    after_json(
        split("_"),
        json!({ "outer_key": { "inner_key": "inner_value" } }),
        json!({ "outer_key": { "inner_key": ["inner", "value"] } }),
    );
    // guide: a delimiter of several characters
    after_json(
        split("123"),
        json!({ "outer_key": { "inner_key": "item1123item2123item3" } }),
        json!({ "outer_key": { "inner_key": ["item1", "item2", "item3"] } }),
    );
    after_json(
        split("."),
        json!({ "outer_key": { "inner_key": 1.5 } }),
        json!({ "outer_key": { "inner_key": 1.5 } }),
    );
    refused(
        json!([{ "parseJSON": {} }, { "splitString": { "entries": [{ "source": "a", "delimiter": "" }] } }]),
        "delimiter",
    );
}

#[test]
fn substitute_string() {
    let substitute = |from: &str, to: &str| json!({ "substituteString": { "entries": [{ "source": "k", "from": from, "to": to }] } });
    let on = |from: &str, to: &str, text: &str, expected: &str| {
        after_json(substitute(from, to), json!({ "k": text }), json!({ "k": expected }));
    };
    // guide:
    on(r"\[\]", "value1", "[]", "value1");
    // guide: a group
    on(r"\d{3}-(\d{2})", "xxx-$1", "123-45 678-90", "xxx-45 xxx-90");
    on("b", "", "abc", "ac");
    on("", "-", "ab", "-a-b-");
    on("(a)(b)", "$2$1", "ab", "ba");
    on("(a)", "$10", "a", "a0");
    on("(?<first>a)b", "${first}${first}", "ab", "aa");
    on("a", r"\$1\\", "a", r"$1\");
    on("(?i)WORLD", "all", "hello world", "hello all");
    after_json(substitute("1", "2"), json!({ "k": 1 }), json!({ "k": 1 }));
    let refused_entry = |from: &str, to: &str, reason: &str| {
        refused(json!([{ "parseJSON": {} }, substitute(from, to)]), reason);
    };
    refused_entry("(", "x", "from");
    refused_entry("(?=a)", "x", "looks around");
    refused_entry(r"(a)\1", "x", "back references");
    refused_entry("a", "$1", "followed by no group");
    refused_entry("a", "${none}", "no group called 'none'");
    refused_entry("a", "x\\", "backslash");
}

#[test]
fn type_converter() {
    let convert = |kind: &str| json!({ "typeConverter": { "entries": [{ "key": "k", "type": kind }] } });
    // guide:
    after_json(
        json!({ "typeConverter": { "entries": [{ "key": "status", "type": "integer" }] } }),
        json!({ "name": "value", "status": "200" }),
        json!({ "name": "value", "status": 200 }),
    );
    for (kind, before, after) in [
        ("integer", json!(" 7 "), json!(7)),
        ("integer", json!(7.9), json!(7)),
        ("integer", json!(-7), json!(-7)),
        ("double", json!("1.5"), json!(1.5)),
        ("double", json!("1e3"), json!(1000.0)),
        ("double", json!(2), json!(2.0)),
        ("string", json!(200), json!("200")),
        ("string", json!(true), json!("true")),
        ("string", json!("x"), json!("x")),
        ("boolean", json!("TRUE"), json!(true)),
        ("boolean", json!("false"), json!(false)),
        ("boolean", json!(true), json!(true)),
        ("integer", json!(null), json!(null)),
    ] {
        after_json(convert(kind), json!({ "k": before }), json!({ "k": after }));
    }
    after_json(convert("integer"), json!({}), json!({}));
    for (kind, value) in [
        ("integer", json!("1.5")),
        ("integer", json!("x")),
        ("double", json!("NaN")),
        ("boolean", json!("yes")),
        ("boolean", json!(1)),
        ("integer", json!([1])),
        ("string", json!({})),
    ] {
        let message = json!({ "k": value }).to_string();
        fails(json!([{ "parseJSON": {} }, convert(kind)]), &message, "'k' cannot be converted");
    }
    refused(
        json!([{ "parseJSON": {} }, { "typeConverter": { "entries": [{ "key": "k", "type": "date" }] } }]),
        "type",
    );
}

#[test]
fn date_time_converter() {
    let convert = |pattern: &str, more: Value| {
        let mut config = json!({ "source": "d", "target": "t", "matchPatterns": [pattern] });
        config.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({ "dateTimeConverter": config })
    };
    let check = |pattern: &str, more: Value, text: &str, expected: &str| {
        after_json(convert(pattern, more), json!({ "d": text }), json!({ "d": text, "t": expected }));
    };
    let iso = "yyyy-MM-dd HH:mm:ss";
    check(iso, json!({}), "2025-12-31 23:59:58", "2025-12-31T23:59:58.000Z");
    check(
        "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        json!({}),
        "2025-12-31T23:59:58.123+01:00",
        "2025-12-31T22:59:58.123Z",
    );
    check("yyyy-MM-dd'T'HH:mm:ssX", json!({}), "2025-12-31T23:59:58Z", "2025-12-31T23:59:58.000Z");
    check("dd/MMM/yyyy:HH:mm:ss Z", json!({}), "03/Aug/2023:12:34:56 +0200", "2023-08-03T10:34:56.000Z");
    check("EEE MMM d HH:mm:ss z yyyy", json!({}), "Wed Dec 31 23:59:58 PST 2025", "2026-01-01T07:59:58.000Z");
    check("EEEE, d MMMM yyyy", json!({}), "Wednesday, 31 December 2025", "2025-12-31T00:00:00.000Z");
    check("M/d/yy h:mm a", json!({}), "1/2/26 12:05 AM", "2026-01-02T00:05:00.000Z");
    check("M/d/yy h:mm a", json!({}), "11/12/26 3:05 pm", "2026-11-12T15:05:00.000Z");
    check("yyyyMMddHHmmss", json!({}), "20251231235958", "2025-12-31T23:59:58.000Z");
    check("yyyy-DDD", json!({}), "2024-366", "2024-12-31T00:00:00.000Z");
    check("MMM d HH:mm:ss", json!({}), "Feb 3 04:05:06", "2026-02-03T04:05:06.000Z");
    check("HH:mm", json!({}), "04:05", "2026-01-01T04:05:00.000Z");
    check("yyyy-MM-dd HH:mm VV", json!({}), "2025-07-01 12:00 Europe/Berlin", "2025-07-01T10:00:00.000Z");
    check("yyyy-MM-dd HH:mm 'o''clock'", json!({}), "2025-07-01 12:00 o'clock", "2025-07-01T12:00:00.000Z");
    check(
        iso,
        json!({ "sourceTimezone": "America/New_York" }),
        "2025-07-01 12:00:00",
        "2025-07-01T16:00:00.000Z",
    );
    check(
        iso,
        json!({ "targetTimezone": "Asia/Tokyo", "targetFormat": "yyyy-MM-dd HH:mm:ss XXX z" }),
        "2025-07-01 12:00:00",
        "2025-07-01 21:00:00 +09:00 JST",
    );
    check(
        iso,
        json!({ "targetFormat": "EEE, d MMM yy h:mm a, D" }),
        "2025-07-01 13:05:00",
        "Tue, 1 Jul 25 1:05 PM, 182",
    );
    // AWS's reference writes its default with a quote that is never closed.
    check(
        iso,
        json!({ "targetFormat": "yyyy-MM-dd'T'HH:mm:ss.SSS'Z", "locale": "en" }),
        "2025-07-01 13:05:00",
        "2025-07-01T13:05:00.000Z",
    );
    let several = json!({ "dateTimeConverter": { "source": "d", "target": "d", "matchPatterns": ["yyyy", "yyyy-MM-dd"] } });
    after_json(several, json!({ "d": "2025-02-28" }), json!({ "d": "2025-02-28T00:00:00.000Z" }));
    after_json(convert("yyyy", json!({})), json!({ "x": 1 }), json!({ "x": 1 }));
    for (pattern, text) in [
        ("yyyy-MM-dd", "2025-02-29"),
        ("yyyy-MM-dd", "2025-2-3"),
        ("HH", "24"),
        ("yyyy", "x"),
        ("yyyy", "2025 "),
    ] {
        fails(
            json!([{ "parseJSON": {} }, convert(pattern, json!({}))]),
            &json!({ "d": text }).to_string(),
            "the form of no pattern",
        );
    }
    let refuse = |pattern: &str, more: Value, reason: &str| {
        refused(json!([{ "parseJSON": {} }, convert(pattern, more)]), reason);
    };
    refuse("yyyy-ww", json!({}), "`ww` is not supported");
    refuse("[yyyy]", json!({}), "`[` is not supported");
    refuse("", json!({}), "empty");
    refuse("yyyy", json!({ "sourceTimezone": "Mars/Base" }), "no time zone 'Mars/Base'");
    refuse("yyyy", json!({ "locale": "de" }), "only English");
}

#[test]
fn rules_of_pipelines() {
    let json_first = |then: Vec<Value>| {
        let mut list = vec![json!({ "parseJSON": {} })];
        list.extend(then);
        Value::Array(list)
    };
    let delete = || json!({ "deleteKeys": { "withKeys": ["a"] } });
    refused(json!([]), "the first processor must be a parser");
    refused(json!([delete()]), "processor 1 (deleteKeys): the first processor must be a parser");
    refused(json!([{}]), "exactly one processor");
    refused(json!([{ "parseJSON": {}, "csv": {} }]), "exactly one processor");
    refused(json_first(vec![json!({ "parseVPC": {} })]), "processor 2 (parseVPC): it must be the first");
    refused(json!([{ "parseWAF": { "source": "x" } }]), "source can only be @message");
    refused(json!([{ "parseJSON": { "source": "x" } }]), "source can only be @message");
    refused(json_first(vec![json!({ "parseJSON": { "source": "x" } }); 5]), "at most 5 parsers");
    refused(json_first(vec![delete(); 20]), "at most 20 processors");
    let grok = || json!({ "grok": { "source": "x", "match": "%{WORD:w}" } });
    refused(json_first(vec![grok(), grok()]), "processor 3 (grok): a transformer has at most one of it");
    let add = || json!({ "addKeys": { "entries": [{ "key": "a", "value": "b" }] } });
    refused(json_first(vec![add(), add()]), "at most one of it");
    let copy = || json!({ "copyValue": { "entries": [{ "source": "a", "target": "b" }] } });
    refused(json_first(vec![copy(), copy()]), "at most one of it");
    refused(
        json!([{ "parseToOCSF": { "eventSource": "VPCFlow", "ocsfVersion": "V1.1" } }]),
        "(parseToOCSF): it is not supported",
    );
    refused(json_first(vec![json!({ "deleteKeys": { "withKeys": ["a..b"] } })]), "is not a path");
    check(json_first(vec![delete(); 19]), "{}", json!({}));
}

#[test]
fn bounds_of_events() {
    let many =
        |count: usize| Value::Object((0..count).map(|n| (format!("k{n}"), json!(n))).collect()).to_string();
    assert!(transformed(&json!([{ "parseJSON": {} }]), &many(200)).is_ok());
    fails(json!([{ "parseJSON": {} }]), &many(201), "more than 200 fields");
    let long = json!({ "k": "x".repeat(512 * 1024) }).to_string();
    fails(json!([{ "parseJSON": {} }]), &long, "more than 524288 bytes");
    let grows = json!([{ "parseJSON": {} }, { "substituteString": { "entries": [
        { "source": "k", "from": "", "to": "x".repeat(128) }] } }]);
    fails(grows, &json!({ "k": "y".repeat(100_000) }).to_string(), "more than 1048576 bytes");
    let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    fails(json!([{ "parseJSON": {} }]), &deep, "not JSON");
}
