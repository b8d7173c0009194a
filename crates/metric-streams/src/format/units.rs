//! CloudWatch's units as OpenTelemetry writes them ("Translations with OpenTelemetry" in AWS's guide).

/// The unit in the Unified Code for Units of Measure.
pub(super) fn ucum(unit: &str) -> String {
    match unit.strip_suffix("/Second") {
        Some(size) => format!("{}/s", base(size)),
        None => base(unit).to_owned(),
    }
}

fn base(unit: &str) -> &str {
    match unit {
        "Seconds" => "s",
        "Microseconds" => "us",
        "Milliseconds" => "ms",
        "Bytes" => "By",
        "Kilobytes" => "kBy",
        "Megabytes" => "MBy",
        "Gigabytes" => "GBy",
        "Terabytes" => "TBy",
        "Bits" => "bit",
        "Kilobits" => "kbit",
        "Megabits" => "MBit",
        "Gigabits" => "GBit",
        "Terabits" => "Tbit",
        "Percent" => "%",
        "Count" => "{Count}",
        "None" => "1",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_guide() {
        let check = |unit: &str, expected: &str| assert_eq!(ucum(unit), expected);
        check("Seconds", "s");
        check("Megabytes", "MBy");
        check("Megabits", "MBit");
        check("Bytes/Second", "By/s");
        check("Count/Second", "{Count}/s");
        check("Percent", "%");
        check("None", "1");
    }
}
