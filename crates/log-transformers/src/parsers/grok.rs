//! `grok`: named patterns in a text, each with a field of its own.
//!
//! A match is a regular expression in which `%{NAME}` stands for a pattern and `%{NAME:field}` keeps what it
//! matched. Values are texts, without the quotes around them. The three patterns of whole log lines make
//! several fields at once, named as AWS's guide shows them, some of them numbers.

use groundwatch_api::logs;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::grok_patterns;
use crate::event::{Event, EventError, Source};
use crate::path::Path;
use crate::pipeline::{Cause, Process};

const NAME: &str = "grok";
const MATCH_CHARACTERS_MAX: usize = 512;
const PATTERNS_MAX: usize = 20;
const REGEX_BYTES_MAX: usize = 4 << 20;

pub(crate) struct Grok {
    source: Source,
    regex: Regex,
    /// What each capture group becomes, in their order.
    captures: Vec<Capture>,
}

/// What a capture group becomes.
struct Capture {
    field: Path,
    form: Form,
}

/// How a value is written.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Integer,
    /// `03/Aug/2023:12:34:56 +0000`, written as AWS writes it.
    HttpDate,
}

/// A pattern of whole log lines: an expression with its groups, in order.
struct LogLine {
    name: &'static str,
    expression: &'static str,
    fields: &'static [(&'static str, Form)],
}

#[rustfmt::skip]
static LOG_LINES: &[LogLine] = &[
    LogLine {
        name: "APACHE_ACCESS_LOG",
        expression: r#"(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) (\S+)(?: HTTP/([0-9.]+))?" ([0-9]{3}) (?:([0-9]+)|-)"#,
        fields: &[
            ("remote_host", Form::Text), ("timestamp", Form::HttpDate), ("http_method", Form::Text),
            ("request", Form::Text), ("http_version", Form::Text), ("status_code", Form::Integer),
            ("response_size", Form::Integer),
        ],
    },
    LogLine {
        name: "NGINX_ACCESS_LOG",
        expression: r#"(\S+) - (\S+) \[([^\]]+)\] "(\S+) (\S+)(?: HTTP/([0-9.]+))?" ([0-9]{3}) ([0-9]+) "([^"]*)" "([^"]*)""#,
        fields: &[
            ("remote_host", Form::Text), ("auth_user", Form::Text), ("timestamp", Form::HttpDate),
            ("http_method", Form::Text), ("request", Form::Text), ("http_version", Form::Text),
            ("status_code", Form::Integer), ("response_size", Form::Integer), ("referrer", Form::Text),
            ("agent", Form::Text),
        ],
    },
    LogLine {
        name: "SYSLOG5424",
        expression: r#"<([0-9]{1,3})>([0-9]{1,2}) (\S+) (?:-|(\S+)) (?:-|(\S+)) (?:-|(\S+)) (?:-|(\S+)) (?:-|\[((?:[^\]\\"]|\\.|"(?:[^"\\]|\\.)*")*)\])(?: ?((?s:.*)))?"#,
        fields: &[
            ("pri", Form::Integer), ("version", Form::Integer), ("timestamp", Form::Text), ("hostname", Form::Text),
            ("app", Form::Text), ("proc_id", Form::Text), ("msg_id", Form::Text), ("structured_data", Form::Text),
            ("message", Form::Text),
        ],
    },
];

impl Grok {
    pub(crate) fn new(config: &logs::Grok) -> Result<Self, Cause> {
        let text = config.r#match.as_deref().unwrap_or_default();
        let wrong = |reason: String| Cause::member("match", reason);
        if text.chars().count() > MATCH_CHARACTERS_MAX {
            return Err(wrong(format!("it has more than {MATCH_CHARACTERS_MAX} characters")));
        }
        let mut expression = String::new();
        let mut captures = Vec::new();
        let mut used: Vec<&str> = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("%{") {
            plain(&rest[..start], &mut expression)?;
            let end = rest[start..].find('}').ok_or_else(|| wrong("`%{` is not closed".into()))? + start;
            let inside = &rest[start + 2..end];
            rest = &rest[end + 1..];
            let (name, field) = match inside.split_once(':') {
                Some((name, field)) => (name, Some(field)),
                None => (inside, None),
            };
            if field.is_some_and(|field| field.contains(':')) {
                return Err(wrong(format!("`%{{{inside}}}` names a type: fields of grok are texts")));
            }
            let count_max = count_max(name).ok_or_else(|| wrong(format!("there is no pattern `{name}`")))?;
            used.push(name);
            if used.iter().filter(|used| **used == name).count() > count_max {
                return Err(wrong(format!("`{name}` comes more than {count_max} times")));
            }
            match LOG_LINES.iter().find(|line| line.name == name) {
                Some(line) => log_line(line, field, &mut expression, &mut captures)?,
                None => pattern(name, field, &mut expression, &mut captures)?,
            }
        }
        plain(rest, &mut expression)?;
        if used.is_empty() {
            return Err(wrong("it names no pattern".into()));
        }
        if used.len() > PATTERNS_MAX {
            return Err(wrong(format!("it names more than {PATTERNS_MAX} patterns")));
        }
        let regex = RegexBuilder::new(&expression)
            .size_limit(REGEX_BYTES_MAX)
            .build()
            .map_err(|_| wrong("it is not a regular expression that can be used".into()))?;
        Ok(Self { source: Source::parse(config.source.as_deref())?, regex, captures })
    }
}

/// Copies what stands between patterns. Groups of its own would upset the count of ours.
fn plain(text: &str, expression: &mut String) -> Result<(), Cause> {
    let mut characters = text.chars().peekable();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        expression.push(character);
        match character {
            '\\' => expression.extend(characters.next()),
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => match characters.peek() {
                Some('?') => {
                    expression.extend(characters.next());
                    if matches!(characters.peek(), Some('<' | 'P' | '=' | '!')) {
                        return Err(Cause::member(
                            "match",
                            "named groups and looking around are not supported",
                        ));
                    }
                }
                _ => expression.push_str("?:"),
            },
            _ => {}
        }
    }
    Ok(())
}

fn count_max(name: &str) -> Option<usize> {
    if LOG_LINES.iter().any(|line| line.name == name) {
        return Some(1);
    }
    grok_patterns::find(name).map(|named| named.count_max)
}

/// Adds a pattern, as a capture group if it has a field.
fn pattern(
    name: &str,
    field: Option<&str>,
    expression: &mut String,
    captures: &mut Vec<Capture>,
) -> Result<(), Cause> {
    match field {
        Some(field) => {
            captures.push(Capture { field: Path::parse(field)?, form: Form::Text });
            expression.push('(');
        }
        None => expression.push_str("(?:"),
    }
    expand(name, expression);
    expression.push(')');
    Ok(())
}

/// Adds a pattern's expression, with those of the patterns in it. Our own patterns name known ones, and no
/// pattern is within itself.
fn expand(name: &str, expression: &mut String) {
    let mut rest = grok_patterns::find(name).map_or("", |named| named.expression);
    while let Some((before, after)) = rest.split_once("%{") {
        let (inner, behind) = after.split_once('}').unwrap_or((after, ""));
        expression.push_str(before);
        expression.push_str("(?:");
        expand(inner, expression);
        expression.push(')');
        rest = behind;
    }
    expression.push_str(rest);
}

/// Adds a pattern of whole lines, whose groups have fields already.
fn log_line(
    line: &LogLine,
    field: Option<&str>,
    expression: &mut String,
    captures: &mut Vec<Capture>,
) -> Result<(), Cause> {
    if field.is_some() {
        return Err(Cause::member("match", format!("`{}` names its fields itself", line.name)));
    }
    expression.push_str(line.expression);
    for (field, form) in line.fields {
        captures.push(Capture { field: Path::parse(field)?, form: *form });
    }
    Ok(())
}

impl Process for Grok {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let text = self.source.text(event, NAME)?;
        let found = self
            .regex
            .captures(&text)
            .ok_or_else(|| EventError::unreadable(NAME, "the text does not match the pattern"))?;
        for (group, capture) in self.captures.iter().enumerate() {
            if let Some(text) = found.get(group + 1) {
                capture.field.set(&mut event.fields, capture.form.value(text.as_str()), true);
            }
        }
        Ok(())
    }
}

impl Form {
    fn value(self, text: &str) -> Value {
        match self {
            Self::Text => Value::String(unquoted(text).to_owned()),
            Self::Integer => text.parse::<i64>().map_or_else(|_| Value::String(text.to_owned()), Value::from),
            Self::HttpDate => Value::String(http_date(text).unwrap_or_else(|| text.to_owned())),
        }
    }
}

/// `03/Aug/2023:12:34:56 +0000` as `2023-08-03T12:34:56Z`.
fn http_date(text: &str) -> Option<String> {
    let zoned = jiff::Zoned::strptime("%d/%b/%Y:%H:%M:%S %z", text).ok()?;
    Some(zoned.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_finds_what_it_is_named_for() {
        for (name, text) in [
            ("USERNAME", "jane.doe"),
            ("INT", "-12"),
            ("NUMBER", "12.5"),
            ("BASE16NUM", "0xff"),
            ("BASE16FLOAT", "0xff.8"),
            ("BOOLEAN", "true"),
            ("POSINT", "17"),
            ("NONNEGINT", "0"),
            ("WORD", "word_1"),
            ("QUOTEDSTRING", r#""a \" b""#),
            ("UUID", "123e4567-e89b-12d3-a456-426614174000"),
            ("URN", "urn:isbn:0451450523"),
            ("ARN", "arn:aws:iam::123456789012:user/jane"),
            ("MAC", "00:1A:2b:3c:4d:5e"),
            ("MAC", "00-1A-2b-3c-4d-5e"),
            ("MAC", "001a.2b3c.4d5e"),
            ("IP", "10.0.0.255"),
            ("IP", "2001:db8::8a2e:370:7334"),
            ("IP", "::1"),
            ("HOSTNAME", "server-01.internal-network.local"),
            ("HOSTPORT", "example.com:8080"),
            ("PATH", "/var/log/syslog.1"),
            ("PATH", r"C:\Windows\System32"),
            ("TTY", "/dev/pts/0"),
            ("URIPATHPARAM", "/a/b?c=d&e=f"),
            ("URI", "https://user:secret@example.com:8443/a?b=c"),
            ("MONTH", "September"),
            ("TIME", "23:59:60"),
            ("DATE_US", "12/31/2025"),
            ("DATE_EU", "31.12.2025"),
            ("TIMESTAMP_ISO8601", "2025-12-31T23:59:59.123+01:00"),
            ("TIMESTAMP_ISO8601", "2025-12-31 23:59:59,123"),
            ("DATESTAMP", "12/31/2025 23:59:59"),
            ("DATESTAMP_RFC822", "Wed Dec 31 2025 23:59:59 UTC"),
            ("DATESTAMP_RFC2822", "Wed, 31 Dec 2025 23:59:59 +0100"),
            ("DATESTAMP_OTHER", "Wed Dec 31 23:59:59 UTC 2025"),
            ("DATESTAMP_EVENTLOG", "20251231235959"),
            ("HTTPDATE", "31/Dec/2025:23:59:59 +0000"),
            ("LOGLEVEL", "WARNING"),
            ("SYSLOGTIMESTAMP", "Dec  1 23:59:59"),
            ("SYSLOGPROG", "sshd[1234]"),
            ("SYSLOGHOST", "host-1"),
            ("SYSLOGFACILITY", "<4.3>"),
        ] {
            let config = logs::Grok { r#match: Some(format!("^%{{{name}:it}}$")), source: None };
            let grok = Grok::new(&config).unwrap_or_else(|cause| panic!("{name}: {cause}"));
            let found = grok.regex.captures(text).unwrap_or_else(|| panic!("{name} finds {text}"));
            assert_eq!(&found[1], text, "{name}");
        }
    }
}
