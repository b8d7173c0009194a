//! Patterns of dates as Java writes them (`yyyy-MM-dd'T'HH:mm:ss.SSSXXX`), for reading and for writing.
//! English names.

use jiff::civil::Weekday;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// Zones that have a name in America and no entry in the database of zones.
const ABBREVIATED: [(&str, i32); 8] =
    [("EST", -5), ("EDT", -4), ("CST", -6), ("CDT", -5), ("MST", -7), ("MDT", -6), ("PST", -8), ("PDT", -7)];

/// A pattern, ready to read and to write.
#[derive(Debug)]
pub(super) struct DatePattern {
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Literal(String),
    /// A number of at least so many digits.
    Number(Part, usize),
    /// Digits after the decimal point.
    Fraction(usize),
    MonthName {
        full: bool,
    },
    WeekdayName {
        full: bool,
    },
    HalfDay,
    /// `+0100`, `+01:00`, `+01`; `Z` for none if `zero_is_z`.
    Offset {
        form: OffsetForm,
        zero_is_z: bool,
    },
    /// `GMT+01:00`, `GMT+1`.
    Gmt {
        full: bool,
    },
    /// A zone by name: an abbreviation or an identifier.
    ZoneName {
        identifier: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OffsetForm {
    Hours,
    Plain,
    Colon,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    DayOfYear,
    /// 0 to 23.
    Hour,
    /// 1 to 12.
    ClockHour,
    Minute,
    Second,
}

/// What was read, before it is a moment.
#[derive(Default)]
struct Fields {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    day_of_year: Option<i16>,
    hour: i8,
    clock_hour: Option<i8>,
    afternoon: bool,
    minute: i8,
    second: i8,
    nanosecond: i32,
    zone: Option<TimeZone>,
}

impl DatePattern {
    /// Reads a pattern; an error tells what it has that is not understood.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        let mut items: Vec<Item> = Vec::new();
        let mut characters = pattern.chars().peekable();
        while let Some(character) = characters.next() {
            let item = match character {
                '\'' => Item::Literal(quoted(&mut characters)?),
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while characters.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    item(letter, count)?
                }
                '[' | ']' | '{' | '}' | '#' => return Err(format!("`{character}` is not supported")),
                other => Item::Literal(other.to_string()),
            };
            match (items.last_mut(), item) {
                (Some(Item::Literal(before)), Item::Literal(text)) => before.push_str(&text),
                (_, item) => items.push(item),
            }
        }
        if items.is_empty() { Err("it is empty".into()) } else { Ok(Self { items }) }
    }

    /// The moment that a text means in this pattern. What the pattern does not say is taken from
    /// `default_zone`, and the date from `today` as far as nothing of it is said.
    pub(super) fn read(&self, text: &str, default_zone: &TimeZone, today: Timestamp) -> Option<Timestamp> {
        let mut fields = Fields::default();
        let mut rest = text;
        for (index, item) in self.items.iter().enumerate() {
            let followed_by_digits =
                matches!(self.items.get(index + 1), Some(Item::Number(..) | Item::Fraction(_)));
            rest = item.read(rest, followed_by_digits, &mut fields)?;
        }
        if rest.is_empty() { fields.moment(default_zone, today) } else { None }
    }

    /// The moment written in this pattern.
    pub(super) fn write(&self, moment: &Zoned) -> String {
        let mut text = String::new();
        for item in &self.items {
            item.write(moment, &mut text);
        }
        text
    }
}

/// What stands between quotes; two quotes are one. A quote that is never closed runs to the end, as the
/// default target format of AWS's reference has it.
fn quoted(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    if characters.next_if_eq(&'\'').is_some() {
        return Ok("'".into());
    }
    while let Some(character) = characters.next() {
        if character == '\'' && characters.next_if_eq(&'\'').is_none() {
            return Ok(text);
        }
        text.push(character);
    }
    Ok(text)
}

fn item(letter: char, count: usize) -> Result<Item, String> {
    let item = match (letter, count) {
        ('y' | 'u', 1..=4) => Item::Number(Part::Year, count),
        ('M' | 'L', 1..=2) => Item::Number(Part::Month, count),
        ('M' | 'L', 3..=4) => Item::MonthName { full: count == 4 },
        ('d', 1..=2) => Item::Number(Part::Day, count),
        ('D', 1..=3) => Item::Number(Part::DayOfYear, count),
        ('E', 1..=4) => Item::WeekdayName { full: count == 4 },
        ('H', 1..=2) => Item::Number(Part::Hour, count),
        ('h', 1..=2) => Item::Number(Part::ClockHour, count),
        ('m', 1..=2) => Item::Number(Part::Minute, count),
        ('s', 1..=2) => Item::Number(Part::Second, count),
        ('S', 1..=9) => Item::Fraction(count),
        ('a', 1) => Item::HalfDay,
        ('Z', 1..=3) => Item::Offset { form: OffsetForm::Plain, zero_is_z: false },
        ('Z', 4) => Item::Gmt { full: true },
        ('Z', 5) => Item::Offset { form: OffsetForm::Colon, zero_is_z: true },
        ('X' | 'x', 1) => Item::Offset { form: OffsetForm::Hours, zero_is_z: letter == 'X' },
        ('X' | 'x', 2) => Item::Offset { form: OffsetForm::Plain, zero_is_z: letter == 'X' },
        ('X' | 'x', 3) => Item::Offset { form: OffsetForm::Colon, zero_is_z: letter == 'X' },
        ('O', 1) => Item::Gmt { full: false },
        ('O', 4) => Item::Gmt { full: true },
        ('z', 1..=3) => Item::ZoneName { identifier: false },
        ('V', 2) => Item::ZoneName { identifier: true },
        _ => return Err(format!("`{}` is not supported", letter.to_string().repeat(count))),
    };
    Ok(item)
}

impl Item {
    /// Reads the item at the beginning of `text`, and returns what comes behind it.
    fn read<'t>(&self, text: &'t str, followed_by_digits: bool, fields: &mut Fields) -> Option<&'t str> {
        match self {
            Self::Literal(literal) => text.strip_prefix(literal.as_str()),
            Self::Number(part, width) => {
                // Digits that touch the next number's are told apart by the width alone.
                let exact = followed_by_digits || (*width > 1 && !(*part == Part::Year && *width == 3));
                let (digits, rest) = if exact { digits(text, *width, *width)? } else { digits(text, 1, 9)? };
                let number: i32 = digits.parse().ok()?;
                part.set(number, *width, fields)?;
                Some(rest)
            }
            Self::Fraction(width) => {
                let (digits, rest) = digits(text, *width, *width)?;
                let scale = 10_i32.pow(9 - u32::try_from(*width).ok()?);
                fields.nanosecond = digits.parse::<i32>().ok()? * scale;
                Some(rest)
            }
            Self::MonthName { full } => {
                let (index, rest) = name(text, &MONTHS, *full)?;
                fields.month = i8::try_from(index + 1).ok();
                Some(rest)
            }
            // The date says which day of the week it is.
            Self::WeekdayName { full } => name(text, &WEEKDAYS, *full).map(|(_, rest)| rest),
            Self::HalfDay => {
                let half = text.get(..2)?;
                fields.afternoon = half.eq_ignore_ascii_case("PM");
                (fields.afternoon || half.eq_ignore_ascii_case("AM")).then(|| &text[2..])
            }
            Self::Offset { form, zero_is_z } => {
                let (offset, rest) = match text.strip_prefix('Z').filter(|_| *zero_is_z) {
                    Some(rest) => (Offset::UTC, rest),
                    None => read_offset(text, *form)?,
                };
                fields.zone = Some(TimeZone::fixed(offset));
                Some(rest)
            }
            Self::Gmt { full } => {
                let rest = text.strip_prefix("GMT").or_else(|| text.strip_prefix("UTC"))?;
                let form = if *full { OffsetForm::Colon } else { OffsetForm::Hours };
                let (offset, rest) = read_offset(rest, form).unwrap_or((Offset::UTC, rest));
                fields.zone = Some(TimeZone::fixed(offset));
                Some(rest)
            }
            Self::ZoneName { .. } => {
                let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_+-:".contains(byte);
                let length = text.bytes().take_while(in_name).count();
                fields.zone = Some(zone(&text[..length])?);
                Some(&text[length..])
            }
        }
    }

    fn write(&self, moment: &Zoned, text: &mut String) {
        match self {
            Self::Literal(literal) => text.push_str(literal),
            Self::Number(part, width) => {
                let number = part.of(moment, *width);
                text.push_str(&format!("{number:0width$}"));
            }
            Self::Fraction(width) => {
                text.push_str(&format!("{:09}", moment.subsec_nanosecond())[..*width]);
            }
            Self::MonthName { full } => {
                let month = MONTHS[usize::try_from(moment.month() - 1).unwrap_or(0)];
                text.push_str(if *full { month } else { &month[..3] });
            }
            Self::WeekdayName { full } => {
                let day = WEEKDAYS[weekday_index(moment.weekday())];
                text.push_str(if *full { day } else { &day[..3] });
            }
            Self::HalfDay => text.push_str(if moment.hour() < 12 { "AM" } else { "PM" }),
            Self::Offset { form, zero_is_z } => {
                if *zero_is_z && moment.offset().seconds() == 0 {
                    text.push('Z');
                } else {
                    write_offset(moment.offset(), *form, text);
                }
            }
            Self::Gmt { full } => {
                text.push_str("GMT");
                let offset = moment.offset();
                if offset.seconds() != 0 {
                    write_offset(offset, if *full { OffsetForm::Colon } else { OffsetForm::Hours }, text);
                }
            }
            Self::ZoneName { identifier } => match moment.time_zone().iana_name().filter(|_| *identifier) {
                Some(name) => text.push_str(name),
                None => {
                    let info = moment.time_zone().to_offset_info(moment.timestamp());
                    text.push_str(info.abbreviation());
                }
            },
        }
    }
}

impl Part {
    /// Notes a number; `None` if it cannot be.
    fn set(self, number: i32, width: usize, fields: &mut Fields) -> Option<()> {
        let small = i8::try_from(number).ok();
        let within = |range: std::ops::RangeInclusive<i8>| small.filter(|small| range.contains(small));
        match self {
            // Two digits are of this century, as in Java.
            Self::Year if width == 2 => fields.year = i16::try_from(2000 + number).ok(),
            Self::Year => fields.year = Some(i16::try_from(number).ok()?),
            Self::Month => fields.month = Some(within(1..=12)?),
            Self::Day => fields.day = Some(within(1..=31)?),
            Self::DayOfYear => fields.day_of_year = Some(i16::try_from(number).ok()?),
            Self::Hour => fields.hour = within(0..=23)?,
            Self::ClockHour => fields.clock_hour = Some(within(1..=12)?),
            Self::Minute => fields.minute = within(0..=59)?,
            Self::Second => fields.second = within(0..=59)?,
        }
        Some(())
    }

    fn of(self, moment: &Zoned, width: usize) -> i16 {
        match self {
            Self::Year if width == 2 => moment.year().rem_euclid(100),
            Self::Year => moment.year(),
            Self::Month => moment.month().into(),
            Self::Day => moment.day().into(),
            Self::DayOfYear => moment.day_of_year(),
            Self::Hour => moment.hour().into(),
            Self::ClockHour => (moment.hour() + 11).rem_euclid(12) as i16 + 1,
            Self::Minute => moment.minute().into(),
            Self::Second => moment.second().into(),
        }
    }
}

impl Fields {
    fn moment(self, default_zone: &TimeZone, today: Timestamp) -> Option<Timestamp> {
        let zone = self.zone.clone().unwrap_or_else(|| default_zone.clone());
        let today = today.to_zoned(zone.clone()).date();
        let hour = match self.clock_hour {
            Some(hour) => hour % 12 + if self.afternoon { 12 } else { 0 },
            None => self.hour,
        };
        let date = match self.day_of_year {
            Some(day) => jiff::civil::date(self.year.unwrap_or(today.year()), 1, 1)
                .with()
                .day_of_year(day)
                .build()
                .ok()?,
            None => {
                // A date of which nothing is said is today; of one that has begun the rest is the first.
                let nothing = self.year.is_none() && self.month.is_none();
                let month = self.month.unwrap_or(if nothing { today.month() } else { 1 });
                let day = self.day.unwrap_or(if nothing { today.day() } else { 1 });
                jiff::civil::Date::new(self.year.unwrap_or(today.year()), month, day).ok()?
            }
        };
        let time = jiff::civil::Time::new(hour, self.minute, self.second, self.nanosecond).ok()?;
        Some(date.to_datetime(time).to_zoned(zone).ok()?.timestamp())
    }
}

/// The digits at the beginning of `text`, so many of them, and what comes behind.
fn digits(text: &str, min: usize, max: usize) -> Option<(&str, &str)> {
    let length = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    (length >= min).then(|| text.split_at(length))
}

/// Which of `names` is at the beginning of `text`, in any case: whole or its first three letters.
fn name<'t>(text: &'t str, names: &[&str], full: bool) -> Option<(usize, &'t str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let wanted = if full { name } else { &name[..3] };
        let start = text.get(..wanted.len())?;
        start.eq_ignore_ascii_case(wanted).then(|| (index, &text[wanted.len()..]))
    })
}

/// `+01`, `+0100` or `+01:00`. The short form takes minutes as well, and hours of one digit.
fn read_offset(text: &str, form: OffsetForm) -> Option<(Offset, &str)> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let rest = text.strip_prefix(['+', '-'])?;
    let hour_digits = if form == OffsetForm::Hours { 1 } else { 2 };
    let (hours, rest) = digits(rest, hour_digits, 2)?;
    let (minutes, rest) = match form {
        OffsetForm::Colon => digits(rest.strip_prefix(':')?, 2, 2)?,
        OffsetForm::Plain => digits(rest, 2, 2)?,
        OffsetForm::Hours => digits(rest, 2, 2).unwrap_or(("0", rest)),
    };
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Some((Offset::from_seconds(sign * seconds).ok()?, rest))
}

fn write_offset(offset: Offset, form: OffsetForm, text: &mut String) {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    text.push_str(&match form {
        OffsetForm::Hours if minutes == 0 => format!("{sign}{hours:02}"),
        OffsetForm::Hours | OffsetForm::Plain => format!("{sign}{hours:02}{minutes:02}"),
        OffsetForm::Colon => format!("{sign}{hours:02}:{minutes:02}"),
    });
}

fn weekday_index(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)
}

/// The zone of that name: an identifier, `UTC`, `GMT`, `Z`, or an abbreviation.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    if let Some((_, hours)) = ABBREVIATED.iter().find(|(known, _)| *known == name) {
        return Some(TimeZone::fixed(Offset::from_seconds(hours * 3600).ok()?));
    }
    match name {
        "" => None,
        "Z" | "UTC" | "GMT" | "UT" => Some(TimeZone::UTC),
        offset if offset.starts_with(['+', '-']) => {
            let form = if offset.contains(':') { OffsetForm::Colon } else { OffsetForm::Hours };
            let (offset, rest) = read_offset(offset, form)?;
            rest.is_empty().then(|| TimeZone::fixed(offset))
        }
        identifier => TimeZone::get(identifier).ok(),
    }
}
