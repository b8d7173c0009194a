//! The patterns that `grok` knows, and how often each may stand in one match.
//!
//! Source of names and counts: CloudWatch Logs user guide, "Supported grok patterns". The expressions are
//! written for an engine that runs in linear time, so without looking around.

/// One named pattern. Others may stand in its expression as `%{NAME}`.
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) expression: &'static str,
    /// How often it may stand in a match.
    pub(super) count_max: usize,
}

/// Patterns that could run over everything are allowed less often.
const FEW: usize = 5;
const MANY: usize = 20;

const fn named(name: &'static str, count_max: usize, expression: &'static str) -> Named {
    Named { name, expression, count_max }
}

/// The pattern called `name`.
pub(super) fn find(name: &str) -> Option<&'static Named> {
    PATTERNS.iter().find(|named| named.name == name)
}

#[rustfmt::skip]
static PATTERNS: &[Named] = &[
    named("USERNAME", MANY, r"[a-zA-Z0-9._-]+"),
    named("USER", MANY, r"%{USERNAME}"),
    named("INT", MANY, r"[+-]?[0-9]+"),
    named("BASE10NUM", MANY, r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"),
    named("NUMBER", MANY, r"%{BASE10NUM}"),
    named("BASE16NUM", MANY, r"[+-]?(?:0x)?[0-9A-Fa-f]+"),
    named("BASE16FLOAT", MANY, r"[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)"),
    named("BOOLEAN", MANY, r"(?:true|false|TRUE|FALSE|True|False)"),
    named("POSINT", MANY, r"\b[1-9][0-9]*\b"),
    named("NONNEGINT", MANY, r"\b[0-9]+\b"),
    named("WORD", MANY, r"\b\w+\b"),
    named("NOTSPACE", FEW, r"\S+"),
    named("SPACE", FEW, r"\s*"),
    named("DATA", FEW, r".*?"),
    named("GREEDYDATA", FEW, r".*"),
    named("GREEDYDATA_MULTILINE", FEW, r"(?s:.*)"),
    named("QUOTEDSTRING", MANY, r#"(?:"(?:\\.|[^\\"])*"|'(?:\\.|[^\\'])*')"#),
    named("QS", MANY, r"%{QUOTEDSTRING}"),
    named("UUID", MANY, r"[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}"),
    named("URN", FEW, r"urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:(?:%[0-9a-fA-F]{2}|[0-9A-Za-z()+,.:=@;$_!*'/?#-])+"),
    named("ARN", FEW, r"arn:(?:aws|aws-cn|aws-us-gov):[a-zA-Z0-9-]*:[a-z0-9-]*:[0-9]*:\S+"),
    // Networks
    named("CISCOMAC", MANY, r"(?:[A-Fa-f0-9]{4}\.){2}[A-Fa-f0-9]{4}"),
    named("WINDOWSMAC", MANY, r"(?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2}"),
    named("COMMONMAC", MANY, r"(?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2}"),
    named("MAC", MANY, r"(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})"),
    named("IPV6", FEW, r"(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}|(?:[0-9A-Fa-f]{1,4}:){1,7}:|:(?::[0-9A-Fa-f]{1,4}){1,7}|::(?:ffff:)?%{IPV4}|::)(?:%[0-9A-Za-z]+)?"),
    named("IPV4", MANY, r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"),
    named("IP", FEW, r"(?:%{IPV6}|%{IPV4})"),
    named("HOSTNAME", FEW, r"\b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*\.?"),
    named("HOST", FEW, r"%{HOSTNAME}"),
    named("IPORHOST", FEW, r"(?:%{IP}|%{HOSTNAME})"),
    named("HOSTPORT", FEW, r"%{IPORHOST}:%{POSINT}"),
    named("URIHOST", FEW, r"%{IPORHOST}(?::%{POSINT})?"),
    // Paths
    named("UNIXPATH", FEW, r"(?:/[\w_%!$@:.,+~-]*)+"),
    named("WINPATH", FEW, r"(?:[A-Za-z]+:|\\)(?:\\[^\\?*\s]*)+"),
    named("PATH", FEW, r"(?:%{UNIXPATH}|%{WINPATH})"),
    named("TTY", MANY, r"/dev/(?:pts|tty[pq]?)(?:\w+)?/?[0-9]+"),
    named("URIPROTO", MANY, r"[A-Za-z][A-Za-z0-9+.-]+"),
    named("URIPATH", FEW, r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+"),
    named("URIPARAM", FEW, r"\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?<>\[\]-]*"),
    named("URIPATHPARAM", FEW, r"%{URIPATH}(?:%{URIPARAM})?"),
    named("URI", FEW, r"%{URIPROTO}://(?:%{USER}(?::[^@\s]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?"),
    // Dates and times
    named("MONTH", MANY, r"\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b"),
    named("MONTHNUM", MANY, r"(?:0[1-9]|1[0-2]|[1-9])"),
    named("MONTHNUM2", MANY, r"(?:0[1-9]|1[0-2])"),
    named("MONTHDAY", MANY, r"(?:0[1-9]|[12][0-9]|3[01]|[1-9])"),
    named("DAY", MANY, r"(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)"),
    named("YEAR", MANY, r"[0-9]{2}(?:[0-9]{2})?"),
    named("HOUR", MANY, r"(?:2[0-3]|[01]?[0-9])"),
    named("MINUTE", MANY, r"[0-5][0-9]"),
    named("SECOND", MANY, r"(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?"),
    named("TIME", MANY, r"%{HOUR}:%{MINUTE}(?::%{SECOND})?"),
    named("DATE_US", MANY, r"%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"),
    named("DATE_EU", MANY, r"%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"),
    named("ISO8601_TIMEZONE", MANY, r"(?:Z|[+-]%{HOUR}(?::?%{MINUTE}))"),
    named("ISO8601_SECOND", MANY, r"(?:%{SECOND}|60)"),
    named("TIMESTAMP_ISO8601", MANY, r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?"),
    named("DATE", MANY, r"(?:%{DATE_US}|%{DATE_EU})"),
    named("DATESTAMP", MANY, r"%{DATE}[- ]%{TIME}"),
    named("TZ", MANY, r"(?:[PMCE][SD]T|UTC|GMT)"),
    named("DATESTAMP_RFC822", MANY, r"%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}"),
    named("DATESTAMP_RFC2822", MANY, r"%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}"),
    named("DATESTAMP_OTHER", MANY, r"%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}"),
    named("DATESTAMP_EVENTLOG", MANY, r"%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}"),
    named("HTTPDATE", MANY, r"%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}"),
    // Logs
    named("LOGLEVEL", MANY, r"(?:[Aa]lert|ALERT|[Tt]race|TRACE|[Dd]ebug|DEBUG|[Nn]otice|NOTICE|[Ii]nfo(?:rmation)?|INFO(?:RMATION)?|[Ww]arn(?:ing)?|WARN(?:ING)?|[Ee]rr(?:or)?|ERR(?:OR)?|[Cc]rit(?:ical)?|CRIT(?:ICAL)?|[Ff]atal|FATAL|[Ss]evere|SEVERE|EMERG(?:ENCY)?|[Ee]merg(?:ency)?)"),
    named("SYSLOGTIMESTAMP", MANY, r"%{MONTH} +%{MONTHDAY} %{TIME}"),
    named("PROG", MANY, r"[\x21-\x5a\x5c\x5e-\x7e]+"),
    named("SYSLOGPROG", MANY, r"%{PROG}(?:\[%{POSINT}\])?"),
    named("SYSLOGHOST", FEW, r"%{IPORHOST}"),
    named("SYSLOGFACILITY", MANY, r"<%{NONNEGINT}\.%{NONNEGINT}>"),
];

#[cfg(test)]
mod tests {
    use super::PATTERNS;

    #[test]
    fn names_are_unique() {
        for (index, named) in PATTERNS.iter().enumerate() {
            assert!(PATTERNS[..index].iter().all(|other| other.name != named.name), "{}", named.name);
        }
    }
}
