//! AWS's names to Rust's.

/// Words that Rust keeps to itself and that models use as members.
const KEYWORDS: [&str; 12] =
    ["type", "match", "enum", "in", "use", "where", "ref", "default", "fn", "loop", "move", "static"];

/// `OKActions` → `["OK", "Actions"]`: a word starts at a capital after a small letter or digit, at the last
/// capital of a run of them that a small letter follows, and after anything that is neither letter nor digit.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            continue;
        }
        let after_small =
            word.ends_with(|before: char| before.is_ascii_lowercase() || before.is_ascii_digit());
        let before_small = letters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let after_capital = word.ends_with(|before: char| before.is_ascii_uppercase());
        if letter.is_ascii_uppercase() && (after_small || (after_capital && before_small)) {
            words.push(std::mem::take(&mut word));
        }
        word.push(letter);
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// A member's name: `MetricName` → `metric_name`.
pub(super) fn field(name: &str) -> String {
    let field = words(name).join("_").to_ascii_lowercase();
    if KEYWORDS.contains(&field.as_str()) { format!("r#{field}") } else { field }
}

/// A static's name: `ResourceNotFound` → `RESOURCE_NOT_FOUND`.
pub(super) fn constant(name: &str) -> String {
    words(name).join("_").to_ascii_uppercase()
}

/// A type's name: as in the model, but with a capital in front.
pub(super) fn type_name(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// An enum's variant: `Bytes/Second` → `BytesPerSecond`, `INSUFFICIENT_DATA` → `InsufficientData`.
pub(super) fn variant(value: &str) -> String {
    let spoken = value.replace('/', "_Per_").replace('*', "_Any_").replace('%', "_Percent_");
    let mut variant = String::new();
    for word in words(&spoken) {
        let shouted = word.chars().all(|letter| !letter.is_ascii_lowercase());
        let rest = if shouted { word[1..].to_ascii_lowercase() } else { word[1..].to_owned() };
        variant.push(word.chars().next().map_or('_', |first| first.to_ascii_uppercase()));
        variant.push_str(&rest);
    }
    match variant.as_str() {
        // `Unknown` is the open variant, and `Self` is Rust's.
        "Unknown" | "Self" => format!("{variant}Value"),
        _ if variant.starts_with(|first: char| first.is_ascii_digit()) => format!("N{variant}"),
        _ => variant,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_become_snake_case() {
        for (name, expected) in [
            ("MetricName", "metric_name"),
            ("logGroupName", "log_group_name"),
            ("OKActions", "ok_actions"),
            ("AlarmARN", "alarm_arn"),
            ("topicARN", "topic_arn"),
            ("S3Bucket", "s3_bucket"),
            ("Type", "r#type"),
            ("PromQLCriteria", "prom_ql_criteria"),
        ] {
            assert_eq!(field(name), expected);
        }
    }

    #[test]
    fn errors_become_constants() {
        assert_eq!(constant("ResourceNotFoundException"), "RESOURCE_NOT_FOUND_EXCEPTION");
        assert_eq!(constant("KMSAccessDeniedException"), "KMS_ACCESS_DENIED_EXCEPTION");
    }

    #[test]
    fn values_become_variants() {
        for (value, expected) in [
            ("Seconds", "Seconds"),
            ("Bytes/Second", "BytesPerSecond"),
            ("INSUFFICIENT_DATA", "InsufficientData"),
            ("OK", "Ok"),
            ("GreaterThanOrEqualToThreshold", "GreaterThanOrEqualToThreshold"),
            ("p99", "P99"),
            ("5xx", "N5xx"),
            ("UNKNOWN", "UnknownValue"),
            ("s3:ObjectCreated:*", "S3ObjectCreatedAny"),
        ] {
            assert_eq!(variant(value), expected);
        }
    }
}
