//! No pipeline and no event make a transformer panic, or its output too long; and it makes the same every
//! time.

use groundwatch_api::logs::Processor;
use groundwatch_core::Timestamp;
use groundwatch_log_transformers::{OUTPUT_BYTES_MAX, Origin, Transformer};
use proptest::prelude::*;
use serde_json::{Value, json};

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "a.b", "b.c", "a.b.c", "list", "@message"]).prop_map(str::to_owned)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~äß\n\t]{0,40}",
        prop::sample::select(vec![
            "%{WORD:a} %{GREEDYDATA:b}",
            "%{SYSLOG5424}",
            "yyyy-MM-dd'T'HH:mm",
            "$1",
            "(a)|b",
            ".*",
            ""
        ])
        .prop_map(str::to_owned)
    ]
}

fn processor() -> impl Strategy<Value = Value> {
    (0..17_usize, key(), key(), text(), text(), any::<bool>()).prop_map(|(kind, source, target, one, other, yes)| match kind {
        0 => json!({ "parseJSON": { "source": source, "destination": target } }),
        1 => json!({ "grok": { "source": source, "match": one } }),
        2 => json!({ "csv": { "source": source, "delimiter": one.chars().next().unwrap_or(',').to_string() } }),
        3 => json!({ "parseKeyValue": { "source": source, "fieldDelimiter": format!("{one}&"), "overwriteIfExists": yes } }),
        4 => json!({ "addKeys": { "entries": [{ "key": target, "value": one, "overwriteIfExists": yes }] } }),
        5 => json!({ "copyValue": { "entries": [{ "source": source, "target": target, "overwriteIfExists": yes }] } }),
        6 => json!({ "moveKeys": { "entries": [{ "source": source, "target": target, "overwriteIfExists": yes }] } }),
        7 => json!({ "renameKeys": { "entries": [{ "key": source, "renameTo": target, "overwriteIfExists": yes }] } }),
        8 => json!({ "deleteKeys": { "withKeys": [source] } }),
        9 => json!({ "listToMap": { "source": source, "key": target, "flatten": yes, "flattenedElement": "last" } }),
        10 => json!({ "upperCaseString": { "withKeys": [source] } }),
        11 => json!({ "trimString": { "withKeys": [source] } }),
        12 => json!({ "splitString": { "entries": [{ "source": source, "delimiter": format!("{one}b") }] } }),
        13 => json!({ "substituteString": { "entries": [{ "source": source, "from": one, "to": other }] } }),
        14 => json!({ "typeConverter": { "entries": [{ "key": source, "type": if yes { "integer" } else { "string" } }] } }),
        15 => json!({ "dateTimeConverter": { "source": source, "target": target, "matchPatterns": [one], "targetFormat": other } }),
        _ => json!({ "parseWAF": {} }),
    })
}

fn message() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~äß\n\t]{0,80}",
        (text(), text(), any::<i32>()).prop_map(|(one, other, number)| json!({
            "a": { "b": one, "c": number }, "b": other, "list": [{ "a": one, "b": number }, { "a": number }]
        })
        .to_string())
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_pipeline_does_any_event(list in prop::collection::vec(processor(), 0..6), message in message()) {
        let mut config = vec![json!({ "parseJSON": {} })];
        config.extend(list);
        let processors: Vec<Processor> = serde_json::from_value(Value::Array(config)).expect("processors");
        let Ok(transformer) = Transformer::new(&processors) else { return Ok(()) };
        let origin = Origin { account: "1", region: "r", group: "g", stream: "s", ingested: Timestamp::EPOCH };
        let made = transformer.transform(&message, origin);
        prop_assert_eq!(&made, &transformer.transform(&message, origin));
        if let Ok(text) = made {
            prop_assert!(text.len() <= OUTPUT_BYTES_MAX);
            prop_assert!(serde_json::from_str::<serde_json::Map<String, Value>>(&text).is_ok());
        }
    }
}
