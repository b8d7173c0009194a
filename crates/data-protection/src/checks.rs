//! What numbers must satisfy besides their form: check digits, and values that are not given out.

/// Card numbers that issuers have reserved for tests. Source: CloudWatch Logs user guide, "Financial
/// information".
#[rustfmt::skip]
const TEST_CARDS: [&str; 53] = [
    "122000000000003", "2222405343248877", "2222990905257051", "2223007648726984", "2223577120017656", "30569309025904",
    "34343434343434", "3528000700000000", "3530111333300000", "3566002020360505", "36148900647913", "36700102000000",
    "371449635398431", "378282246310005", "378734493671000", "38520000023237", "4012888888881881", "4111111111111111",
    "4222222222222", "4444333322221111", "4462030000000000", "4484070000000000", "4911830000000", "4917300800000000",
    "4917610000000000", "4917610000000000003", "5019717010103742", "5105105105105100", "5111010030175156",
    "5185540810000019", "5200828282828210", "5204230080000017", "5204740009900014", "5420923878724339",
    "5454545454545454", "5455330760000018", "5506900490000436", "5506900490000444", "5506900510000234",
    "5506920809243667", "5506922400634930", "5506927427317625", "5553042241984105", "5555553753048194",
    "5555555555554444", "5610591081018250", "6011000990139424", "6011000400000000", "6011111111111117",
    "630490017740292441", "630495060000000000", "6331101999990016", "6759649826438453",
];

/// The digits of a text, as numbers.
fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|character| character.to_digit(10)).collect()
}

/// Luhn's formula.
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The weighted sum of digits.
fn weighted(digits: &[u32], weights: impl IntoIterator<Item = u32>) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// A number of a card that is no test: 13 to 19 digits of a known issuer, with a right check digit.
pub(crate) fn credit_card(text: &str) -> bool {
    let digits = digits(text);
    let number: String = digits.iter().map(u32::to_string).collect();
    let issued = ["2", "30", "34", "35", "36", "37", "38", "39", "4", "5", "6"];
    (13..=19).contains(&digits.len())
        && issued.iter().any(|prefix| number.starts_with(prefix))
        && luhn(&digits)
        && !TEST_CARDS.contains(&number.as_str())
}

/// An American social security number that can have been given out.
pub(crate) fn ssn_us(text: &str) -> bool {
    let number: String = text.chars().filter(char::is_ascii_digit).collect();
    let (Some(area), Some(group), Some(serial)) = (number.get(..3), number.get(3..5), number.get(5..9))
    else {
        return false;
    };
    !matches!(area, "000" | "666") && !area.starts_with('9') && group != "00" && serial != "0000"
}

/// An international bank account number: the remainder by 97 is 1 when its first four characters stand last.
pub(crate) fn iban(text: &str) -> bool {
    let compact: Vec<char> = text.chars().filter(char::is_ascii_alphanumeric).collect();
    if compact.len() < 15 {
        return false;
    }
    let rotated = compact[4..].iter().chain(&compact[..4]);
    let remainder = rotated.fold(0, |remainder: u32, character| match character.to_digit(36) {
        Some(digit) if digit < 10 => (remainder * 10 + digit) % 97,
        Some(letter) => (remainder * 100 + letter) % 97,
        None => remainder,
    });
    remainder == 1
}

/// A Brazilian number of a person (eleven digits, two of them checks).
pub(crate) fn cpf(text: &str) -> bool {
    let digits = digits(text);
    let check = |count: usize| {
        let count_weight = u32::try_from(count).unwrap_or(0) + 1;
        let rest = weighted(&digits[..count], (2..=count_weight).rev()) * 10 % 11 % 10;
        digits[count] == rest
    };
    digits.len() == 11 && digits.iter().any(|digit| *digit != digits[0]) && check(9) && check(10)
}

/// A Brazilian number of a company (fourteen digits, two of them checks).
pub(crate) fn cnpj(text: &str) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    let digits = digits(text);
    let check = |count: usize| {
        let rest = weighted(&digits[..count], WEIGHTS[13 - count..].iter().copied()) % 11;
        digits[count] == if rest < 2 { 0 } else { 11 - rest }
    };
    digits.len() == 14 && check(12) && check(13)
}

/// A number of the British health service (ten digits, the last a check).
pub(crate) fn nhs(text: &str) -> bool {
    let digits = digits(text);
    digits.len() == 10 && (11 - weighted(&digits[..9], (2..=10).rev()) % 11) % 11 == digits[9]
}

/// An American provider of health care: Luhn with 80840 in front.
pub(crate) fn national_provider(text: &str) -> bool {
    let own = digits(text);
    own.len() == 10 && luhn(&[&[8, 0, 8, 4, 0], own.as_slice()].concat())
}

/// A registration of the American drug enforcement agency: two letters, six digits and a check.
pub(crate) fn dea(text: &str) -> bool {
    let digits = digits(text);
    digits.len() == 7 && (weighted(&digits[..6], [1, 2, 1, 2, 1, 2])) % 10 == digits[6]
}

/// A Canadian social insurance number: nine digits by Luhn's formula.
pub(crate) fn sin_ca(text: &str) -> bool {
    let digits = digits(text);
    digits.len() == 9 && digits[0] != 0 && luhn(&digits)
}

/// A Spanish number of a person or a foreigner: its letter is the remainder by 23.
pub(crate) fn nif_es(text: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let compact: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
    let Some((body, letter)) = compact.split_at_checked(compact.len().saturating_sub(1)) else {
        return false;
    };
    let body = match body.as_bytes().first() {
        Some(b'X') => format!("0{}", &body[1..]),
        Some(b'Y') => format!("1{}", &body[1..]),
        Some(b'Z') => format!("2{}", &body[1..]),
        _ => body.to_owned(),
    };
    let number = body.parse::<usize>().ok();
    number.is_some_and(|number| letter.as_bytes() == [LETTERS[number % 23]])
}

/// A French number of a person: thirteen digits, and their remainder by 97 taken from 97.
pub(crate) fn insee(text: &str) -> bool {
    let number: String = text.chars().filter(char::is_ascii_digit).collect();
    let (Some(body), Some(key)) = (number.get(..13), number.get(13..15)) else { return false };
    matches!((body.parse::<u64>(), key.parse::<u64>()), (Ok(body), Ok(key)) if 97 - body % 97 == key)
}

/// A number of a vehicle: seventeen characters, the ninth a check.
pub(crate) fn vin(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |character: char| match character.to_ascii_uppercase() {
        digit @ '0'..='9' => digit.to_digit(10),
        letter @ 'A'..='H' => Some(letter as u32 - 'A' as u32 + 1),
        letter @ 'J'..='N' => Some(letter as u32 - 'J' as u32 + 1),
        'P' => Some(7),
        'R' => Some(9),
        letter @ 'S'..='Z' => Some(letter as u32 - 'S' as u32 + 2),
        _ => None,
    };
    let Some(values) = text.chars().map(value).collect::<Option<Vec<u32>>>() else { return false };
    let check = text.chars().nth(8).map(|check| match check {
        'X' | 'x' => 10,
        digit => digit.to_digit(10).unwrap_or(99),
    });
    values.len() == 17 && Some(weighted(&values, WEIGHTS) % 11) == check
}

/// A German tax number of a person: eleven digits, the last a check by ISO 7064.
pub(crate) fn tax_id_de(text: &str) -> bool {
    let digits = digits(text);
    if digits.len() != 11 || digits[0] == 0 {
        return false;
    }
    let product = digits[..10].iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == digits[10]
}

/// Whether an Internet address of version 6 reads as one.
pub(crate) fn ip_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

/// Whether a text has letters and digits both: a secret of forty letters is a word.
pub(crate) fn mixed(text: &str) -> bool {
    let has = |kind: fn(&char) -> bool| text.chars().any(|character| kind(&character));
    has(char::is_ascii_digit) && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&str) -> bool, right: &[&str], wrong: &[&str]) {
        for text in right {
            assert!(rule(text), "{text} is right");
        }
        for text in wrong {
            assert!(!rule(text), "{text} is wrong");
        }
    }

    #[test]
    fn check_digits() {
        check(
            credit_card,
            &["4539 1488 0343 6467", "5425233430109903"],
            &["4539148803436468", "4111111111111111", "9792"],
        );
        check(
            ssn_us,
            &["078-05-1120", "123456789"],
            &["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "12"],
        );
        check(
            iban,
            &["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"],
            &["DE88370400440532013000", "DE8937"],
        );
        check(cpf, &["529.982.247-25"], &["529.982.247-26", "111.111.111-11"]);
        check(cnpj, &["11.222.333/0001-81"], &["11.222.333/0001-82"]);
        check(nhs, &["943 476 5919"], &["943 476 5918"]);
        check(national_provider, &["1234567893"], &["1234567890"]);
        check(dea, &["AB1234563"], &["AB1234567"]);
        check(sin_ca, &["130 692 544"], &["130 692 543", "046 454 286"]);
        check(nif_es, &["12345678Z", "X1234567L"], &["12345678A", "Z"]);
        check(insee, &["2 55 08 14 168 025 38"], &["2 55 08 14 168 025 39"]);
        check(vin, &["1M8GDM9AXKP042788"], &["1M8GDM9A1KP042788", "short"]);
        check(tax_id_de, &["86095742719"], &["86095742718", "06095742719"]);
    }
}
