//! The rows of a widget's `metrics`: what each draws, after its shorthand is written out.
//!
//! A row is `[Namespace, MetricName, (DimensionName, DimensionValue)*, {options}]`, or `[{"expression": …}]`.
//! In a row, `"."` stands for what the previous metric's row has at that position, and `"..."` for all that
//! it has from there on, up to the values that follow: those are its last. Expressions between the two rows
//! do not count.

use serde_json::Value;

/// Characters of a namespace, a metric's name, or a dimension's name or value.
const TEXT_LENGTH_MAX: usize = 1024;

/// Dimensions of a metric.
const DIMENSIONS_MAX: usize = 30;

/// How many errors of one list are told.
const ERRORS_MAX: usize = 100;

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) source: Source,
    pub(crate) options: RowOptions,
}

/// Where a row's values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Metric {
        namespace: String,
        name: String,
        dimensions: Vec<(String, String)>,
    },
    /// Metric math, SEARCH or a Metrics Insights query.
    Expression(String),
}

/// How a row is read and drawn. Options are never copied from the previous row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RowOptions {
    pub(crate) id: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) stat: Option<String>,
    pub(crate) period_secs: Option<u32>,
    /// `#rrggbb`.
    pub(crate) color: Option<String>,
    pub(crate) is_hidden: bool,
    pub(crate) is_right: bool,
    pub(crate) region: Option<String>,
    pub(crate) account: Option<String>,
}

/// What is wrong with a row, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowError {
    /// A JSON pointer from the list of rows.
    pub(crate) path: String,
    pub(crate) problem: RowProblem,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RowProblem {
    #[error(
        "Field \"metrics\" has to be an array of array of strings, with an optional metricRenderer object as last element"
    )]
    Shape,
    #[error("Should NOT have fewer than 2 items")]
    TooShort,
    #[error("Dimension '{name}' has no value")]
    Unpaired { name: String },
    #[error("Should NOT have more than {DIMENSIONS_MAX} dimensions")]
    TooManyDimensions,
    #[error("Should NOT be empty or longer than {TEXT_LENGTH_MAX} characters")]
    Length,
    #[error("\"{shorthand}\" refers to a previous metric, and there is none")]
    NoPrevious { shorthand: &'static str },
    #[error("\"{shorthand}\" refers to a value that the previous metric does not have")]
    BeyondPrevious { shorthand: &'static str },
    #[error("\"...\" may be used once in a row")]
    RepeatedEllipsis,
    #[error("Should have required property 'expression'")]
    NoExpression,
    #[error("Should be {kind}")]
    Option { kind: &'static str },
    #[error("Id '{id}' is used more than once")]
    RepeatedId { id: String },
}

/// Reads a list of rows. What is not a list at all has no rows.
pub(crate) fn parse(metrics: &Value) -> Result<Vec<Row>, Vec<RowError>> {
    let items = metrics.as_array().map(Vec::as_slice).unwrap_or_default();
    let (mut rows, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    let mut previous: Option<Vec<String>> = None;
    let mut ids = std::collections::HashSet::new();
    for (index, item) in items.iter().enumerate() {
        match parse_row(item, &mut previous) {
            Ok(row) => {
                if let Some(id) = row.options.id.clone()
                    && !ids.insert(id.clone())
                {
                    errors
                        .push(RowError { path: format!("/{index}"), problem: RowProblem::RepeatedId { id } });
                }
                rows.push(row);
            }
            Err(RowError { path, problem }) => {
                errors.push(RowError { path: format!("/{index}{path}"), problem });
            }
        }
        if errors.len() == ERRORS_MAX {
            break;
        }
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn parse_row(item: &Value, previous: &mut Option<Vec<String>>) -> Result<Row, RowError> {
    let row = item.as_array().ok_or_else(|| at("", RowProblem::Shape))?;
    let (texts, options) = match row.split_last() {
        Some((last @ Value::Object(_), texts)) => (texts, Some((texts.len(), last))),
        _ => (row.as_slice(), None),
    };
    let parsed = match options {
        Some((position, options)) => parse_options(options)
            .map_err(|error| RowError { path: format!("/{position}{}", error.path), ..error })?,
        None => RowOptions::default(),
    };
    if texts.is_empty() {
        let expression = options.and_then(|(_, options)| options.get("expression")?.as_str());
        let expression = expression.ok_or_else(|| match options {
            Some(_) => at("/0", RowProblem::NoExpression),
            None => at("", RowProblem::TooShort),
        })?;
        return Ok(Row { source: Source::Expression(expression.to_owned()), options: parsed });
    }
    let written = texts
        .iter()
        .enumerate()
        .map(|(position, text)| text.as_str().ok_or_else(|| at(&format!("/{position}"), RowProblem::Shape)));
    let expanded = expand(&written.collect::<Result<Vec<_>, _>>()?, previous.as_deref())?;
    let source = metric(&expanded)?;
    *previous = Some(expanded);
    Ok(Row { source, options: parsed })
}

/// Writes out the shorthand of a row's texts.
fn expand(texts: &[&str], previous: Option<&[String]>) -> Result<Vec<String>, RowError> {
    let ellipsis = texts.iter().position(|text| *text == "...");
    let mut expanded: Vec<Option<&str>> = Vec::with_capacity(texts.len());
    // Where each expanded text was written, for errors.
    let mut written = Vec::with_capacity(texts.len());
    for (position, text) in texts.iter().enumerate() {
        if Some(position) == ellipsis {
            let missing = |problem| at(&format!("/{position}"), problem);
            let previous = previous.ok_or_else(|| missing(RowProblem::NoPrevious { shorthand: "..." }))?;
            let rest = texts.len() - position - 1;
            let end = previous.len().checked_sub(rest).filter(|end| *end >= position);
            let end = end.ok_or_else(|| missing(RowProblem::BeyondPrevious { shorthand: "..." }))?;
            expanded.resize(end, None);
            written.resize(end, position);
        } else if *text == "..." {
            return Err(at(&format!("/{position}"), RowProblem::RepeatedEllipsis));
        } else {
            expanded.push((*text != ".").then_some(*text));
            written.push(position);
        }
    }
    let copied = |(index, text): (usize, Option<&str>)| match text {
        Some(text) => Ok(text.to_owned()),
        None => {
            let missing = |problem| at(&format!("/{}", written[index]), problem);
            let previous = previous.ok_or_else(|| missing(RowProblem::NoPrevious { shorthand: "." }))?;
            let value = previous.get(index);
            value.cloned().ok_or_else(|| missing(RowProblem::BeyondPrevious { shorthand: "." }))
        }
    };
    expanded.into_iter().enumerate().map(copied).collect()
}

fn metric(texts: &[String]) -> Result<Source, RowError> {
    let [namespace, name, dimensions @ ..] = texts else { return Err(at("", RowProblem::TooShort)) };
    let length_is_legal = |text: &String| (1..=TEXT_LENGTH_MAX).contains(&text.chars().count());
    if let Some(position) = texts.iter().position(|text| !length_is_legal(text)) {
        return Err(at(&format!("/{position}"), RowProblem::Length));
    }
    let (pairs, unpaired) = dimensions.as_chunks::<2>();
    if let Some(name) = unpaired.first() {
        let name = name[..name.floor_char_boundary(128)].to_owned();
        return Err(at("", RowProblem::Unpaired { name }));
    }
    if pairs.len() > DIMENSIONS_MAX {
        return Err(at("", RowProblem::TooManyDimensions));
    }
    let dimensions = pairs.iter().map(|[name, value]| (name.clone(), value.clone())).collect();
    Ok(Source::Metric { namespace: namespace.clone(), name: name.clone(), dimensions })
}

fn parse_options(options: &Value) -> Result<RowOptions, RowError> {
    let text = |name: &str| match options.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong_option(name, "string")),
    };
    let period_secs = match options.get("period") {
        None => None,
        Some(period) => {
            let secs = period.as_u64().and_then(|secs| u32::try_from(secs).ok()).filter(|secs| *secs > 0);
            Some(secs.ok_or_else(|| wrong_option("period", "a positive integer"))?)
        }
    };
    let id = text("id")?;
    if id.as_deref().is_some_and(|id| !is_id(id)) {
        return Err(wrong_option("id", "an identifier that starts with a lowercase letter"));
    }
    let color = text("color")?;
    let is_visible = match options.get("visible") {
        None => true,
        Some(visible) => visible.as_bool().ok_or_else(|| wrong_option("visible", "boolean"))?,
    };
    let is_right = match text("yAxis")?.as_deref() {
        None | Some("left") => false,
        Some("right") => true,
        Some(_) => return Err(wrong_option("yAxis", "equal to one of the allowed values")),
    };
    text("expression")?;
    Ok(RowOptions {
        id,
        label: text("label")?,
        stat: text("stat")?,
        period_secs,
        color,
        is_hidden: !is_visible,
        is_right,
        region: text("region")?,
        account: text("accountId")?,
    })
}

fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    id.len() <= 255 && id.starts_with(|first: char| first.is_ascii_lowercase()) && id.bytes().all(allowed)
}

fn wrong_option(name: &str, kind: &'static str) -> RowError {
    at(&format!("/{name}"), RowProblem::Option { kind })
}

fn at(path: &str, problem: RowProblem) -> RowError {
    RowError { path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The rows as texts with spaces between, options left out.
    fn expanded(rows: &Value) -> Vec<String> {
        let rows = parse(rows).expect("rows");
        let shown = rows.iter().map(|row| match &row.source {
            Source::Expression(expression) => expression.clone(),
            Source::Metric { namespace, name, dimensions } => {
                let dimensions = dimensions.iter().map(|(name, value)| format!(" {name} {value}"));
                format!("{namespace} {name}{}", dimensions.collect::<String>())
            }
        });
        shown.collect()
    }

    #[test]
    fn shorthand_copies_from_the_previous_metric() {
        let first = json!(["AWS/EC2", "CPUUtilization", "InstanceId", "i-1", {"stat": "p99"}]);
        let check = |row: Value, written_out: &str| {
            assert_eq!(expanded(&json!([first, row]))[1], written_out, "{row}");
        };
        check(json!([".", "NetworkIn", ".", "."]), "AWS/EC2 NetworkIn InstanceId i-1");
        check(json!(["...", "i-2"]), "AWS/EC2 CPUUtilization InstanceId i-2");
        check(json!(["...", {"stat": "p99"}]), "AWS/EC2 CPUUtilization InstanceId i-1");
        check(json!([".", ".", ".", "."]), "AWS/EC2 CPUUtilization InstanceId i-1");
        check(json!([".", "NetworkIn", "...", "i-3"]), "AWS/EC2 NetworkIn InstanceId i-3");
        check(json!(["...", ".", "i-4"]), "AWS/EC2 CPUUtilization InstanceId i-4");
        check(json!([".", "Other"]), "AWS/EC2 Other");
        check(json!(["...", "A", "B", "C", "D"]), "A B C D");
    }

    #[test]
    fn what_is_copied_is_written_out_itself_before_it_is_copied_on() {
        let rows = json!([["N", "M", "Host", "a"], ["...", "b"], [".", "O", ".", "."]]);
        assert_eq!(expanded(&rows)[2], "N O Host b");
    }

    #[test]
    fn expressions_between_do_not_count() {
        let rows = json!([["N", "M", "Host", "a"], [{"expression": "m1*2"}], ["...", "b"]]);
        assert_eq!(expanded(&rows), ["N M Host a", "m1*2", "N M Host b"]);
    }

    #[test]
    fn options_are_read_and_never_copied() {
        let options = json!({"id": "m1", "label": "L", "stat": "Sum", "period": 60, "color": "#ff0000", "visible": false,
            "yAxis": "right", "region": "eu-west-1", "accountId": "1"});
        let rows = parse(&json!([["N", "M", options], ["..."]])).expect("rows");
        let all = RowOptions {
            id: Some("m1".into()),
            label: Some("L".into()),
            stat: Some("Sum".into()),
            period_secs: Some(60),
            color: Some("#ff0000".into()),
            is_hidden: true,
            is_right: true,
            region: Some("eu-west-1".into()),
            account: Some("1".into()),
        };
        assert_eq!(rows[0].options, all);
        assert_eq!(rows[1].options, RowOptions::default());
    }

    #[test]
    fn errors_say_where() {
        let check = |rows: Value, path: &str, problem: RowProblem| {
            assert_eq!(parse(&rows), Err(vec![at(path, problem)]), "{rows}");
        };
        check(json!(["N"]), "/0", RowProblem::Shape);
        check(json!([["N", 1]]), "/0/1", RowProblem::Shape);
        check(json!([["N", {"stat": "Sum"}, "M"]]), "/0/1", RowProblem::Shape);
        check(json!([["N"]]), "/0", RowProblem::TooShort);
        check(json!([[]]), "/0", RowProblem::TooShort);
        check(json!([["N", "M", "D"]]), "/0", RowProblem::Unpaired { name: "D".into() });
        check(json!([["N", "M"], ["N", ""]]), "/1/1", RowProblem::Length);
        check(json!([["...", "x"]]), "/0/0", RowProblem::NoPrevious { shorthand: "..." });
        check(json!([["N", "."]]), "/0/1", RowProblem::NoPrevious { shorthand: "." });
        check(
            json!([["N", "M"], [".", ".", ".", "v"]]),
            "/1/2",
            RowProblem::BeyondPrevious { shorthand: "." },
        );
        check(
            json!([["N", "M"], ["a", "b", "c", "..."]]),
            "/1/3",
            RowProblem::BeyondPrevious { shorthand: "..." },
        );
        check(json!([["N", "M", "D", "v"], ["...", "..."]]), "/1/1", RowProblem::RepeatedEllipsis);
        check(json!([[{"label": "no expression"}]]), "/0/0", RowProblem::NoExpression);
        check(
            json!([["N", "M", {"period": "60"}]]),
            "/0/2/period",
            RowProblem::Option { kind: "a positive integer" },
        );
        check(
            json!([["N", "M", {"id": "a"}], ["N", "O", {"id": "a"}]]),
            "/1",
            RowProblem::RepeatedId { id: "a".into() },
        );
    }
}
