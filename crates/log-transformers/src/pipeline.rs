//! Pipelines: processors one after another, and the rules that they keep together.
//!
//! Source of the rules: CloudWatch Logs user guide, "Create and manage log transformers".

use groundwatch_api::logs::Processor;

use crate::converters::{DateTimeConverter, TypeConverter};
use crate::event::{EVENT_BYTES_MAX, Event, EventError, Origin};
use crate::mutators::{
    AddKeys, ChangeCase, CopyValue, DeleteKeys, ListToMap, MoveKeys, RenameKeys, SplitString,
    SubstituteString, TrimString,
};
use crate::parsers::{
    Csv, Grok, ParseCloudfront, ParseJson, ParseKeyValue, ParsePostgres, ParseRoute53, ParseVpc, ParseWaf,
};
use crate::path::PathError;

const PROCESSORS_MAX: usize = 20;
const PARSERS_MAX: usize = 5;

/// A pipeline, ready to transform events.
pub struct Transformer {
    processors: Vec<Box<dyn Process>>,
}

impl std::fmt::Debug for Transformer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Transformer of {} processors", self.processors.len())
    }
}

/// What every processor does.
pub(crate) trait Process: Send + Sync {
    /// Changes the event's fields.
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError>;
}

/// What is wrong with a pipeline, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("processor {position} ({processor}): {cause}")]
pub struct ConfigError {
    /// Which processor, counted from 1.
    pub position: usize,
    /// Its name.
    pub processor: &'static str,
    /// What is wrong with it.
    pub cause: Cause,
}

/// What is wrong with a processor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// An element of the list with no processor in it, or with several.
    #[error("an element of the list holds exactly one processor")]
    NotOne,
    /// More processors than a pipeline can have.
    #[error("a transformer has at most {PROCESSORS_MAX} processors")]
    TooMany,
    /// The first processor is not a parser.
    #[error("the first processor must be a parser")]
    FirstIsNoParser,
    /// More parsers than a pipeline can have.
    #[error("a transformer has at most {PARSERS_MAX} parsers")]
    TooManyParsers,
    /// A second processor of a kind that comes once.
    #[error("a transformer has at most one of it")]
    Twice,
    /// A parser of AWS's own logs that is not the first processor.
    #[error("it must be the first processor")]
    NotFirst,
    /// A parser that must read the whole text.
    #[error("its source can only be @message")]
    SourceNotMessage,
    /// A processor that is known and not offered.
    #[error("it is not supported")]
    Unsupported,
    /// A path that is none.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A member whose value is not allowed.
    #[error("{member}: {reason}")]
    Member {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Cause {
    pub(crate) fn member(member: &'static str, reason: impl Into<String>) -> Self {
        Self::Member { member, reason: reason.into() }
    }
}

/// What matters of a kind of processor for its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Parses AWS's own logs.
    VendedParser,
    Parser,
    /// Parses, and comes once.
    SingleParser,
    Single,
    Other,
}

impl Kind {
    fn is_parser(self) -> bool {
        matches!(self, Self::VendedParser | Self::Parser | Self::SingleParser)
    }
}

struct Compiled {
    name: &'static str,
    kind: Kind,
    process: Box<dyn Process>,
}

impl Transformer {
    /// Makes a pipeline of processors as `PutTransformer` takes them.
    pub fn new(processors: &[Processor]) -> Result<Self, ConfigError> {
        let mut compiled: Vec<Compiled> = Vec::new();
        for (index, processor) in processors.iter().enumerate() {
            let name = name(processor);
            let error = |cause| ConfigError { position: index + 1, processor: name.unwrap_or("none"), cause };
            if index >= PROCESSORS_MAX {
                return Err(error(Cause::TooMany));
            }
            let next = compile(processor, name.ok_or(Cause::NotOne).map_err(error)?).map_err(error)?;
            if index == 0 {
                only_message(source(processor)).map_err(error)?;
            }
            check_neighbours(&compiled, &next).map_err(error)?;
            compiled.push(next);
        }
        if compiled.is_empty() {
            return Err(ConfigError { position: 1, processor: "none", cause: Cause::FirstIsNoParser });
        }
        Ok(Self { processors: compiled.into_iter().map(|compiled| compiled.process).collect() })
    }

    /// What the pipeline makes of an event's text: a JSON object.
    pub fn transform(&self, message: &str, origin: Origin<'_>) -> Result<String, EventError> {
        if message.len() > EVENT_BYTES_MAX {
            return Err(EventError::TooLong);
        }
        let mut event = Event::new(message, origin);
        for processor in &self.processors {
            processor.apply(&mut event)?;
        }
        event.into_text()
    }
}

/// Checks what a processor may come after.
fn check_neighbours(before: &[Compiled], next: &Compiled) -> Result<(), Cause> {
    if before.is_empty() && !next.kind.is_parser() {
        return Err(Cause::FirstIsNoParser);
    }
    if next.kind == Kind::VendedParser && !before.is_empty() {
        return Err(Cause::NotFirst);
    }
    let single = matches!(next.kind, Kind::Single | Kind::SingleParser);
    if single && before.iter().any(|known| known.name == next.name) {
        return Err(Cause::Twice);
    }
    let parsers = before.iter().filter(|known| known.kind.is_parser()).count();
    if next.kind.is_parser() && parsers >= PARSERS_MAX {
        return Err(Cause::TooManyParsers);
    }
    Ok(())
}

/// The name of the one processor in an element; `None` if there is not one.
fn name(processor: &Processor) -> Option<&'static str> {
    let present = [
        ("addKeys", processor.add_keys.is_some()),
        ("copyValue", processor.copy_value.is_some()),
        ("csv", processor.csv.is_some()),
        ("dateTimeConverter", processor.date_time_converter.is_some()),
        ("deleteKeys", processor.delete_keys.is_some()),
        ("grok", processor.grok.is_some()),
        ("listToMap", processor.list_to_map.is_some()),
        ("lowerCaseString", processor.lower_case_string.is_some()),
        ("moveKeys", processor.move_keys.is_some()),
        ("parseCloudfront", processor.parse_cloudfront.is_some()),
        ("parseJSON", processor.parse_json.is_some()),
        ("parseKeyValue", processor.parse_key_value.is_some()),
        ("parsePostgres", processor.parse_postgres.is_some()),
        ("parseRoute53", processor.parse_route53.is_some()),
        ("parseToOCSF", processor.parse_to_ocsf.is_some()),
        ("parseVPC", processor.parse_vpc.is_some()),
        ("parseWAF", processor.parse_waf.is_some()),
        ("renameKeys", processor.rename_keys.is_some()),
        ("splitString", processor.split_string.is_some()),
        ("substituteString", processor.substitute_string.is_some()),
        ("trimString", processor.trim_string.is_some()),
        ("typeConverter", processor.type_converter.is_some()),
        ("upperCaseString", processor.upper_case_string.is_some()),
    ];
    let mut names = present.into_iter().filter(|(_, present)| *present).map(|(name, _)| name);
    names.next().filter(|_| names.next().is_none())
}

/// The processor in an element that holds exactly one.
fn compile(processor: &Processor, name: &'static str) -> Result<Compiled, Cause> {
    fn boxed(process: impl Process + 'static) -> Box<dyn Process> {
        Box::new(process)
    }
    let is = |kind, process| Ok(Compiled { name, kind, process });
    match processor {
        Processor { parse_json: Some(config), .. } => is(Kind::Parser, boxed(ParseJson::new(config)?)),
        Processor { grok: Some(config), .. } => is(Kind::SingleParser, boxed(Grok::new(config)?)),
        Processor { csv: Some(config), .. } => is(Kind::Parser, boxed(Csv::new(config)?)),
        Processor { parse_key_value: Some(config), .. } => {
            is(Kind::Parser, boxed(ParseKeyValue::new(config)?))
        }
        Processor { parse_cloudfront: Some(config), .. } => {
            only_message(config.source.as_deref())?;
            is(Kind::VendedParser, boxed(ParseCloudfront))
        }
        Processor { parse_postgres: Some(config), .. } => {
            only_message(config.source.as_deref())?;
            is(Kind::VendedParser, boxed(ParsePostgres::new()))
        }
        Processor { parse_route53: Some(config), .. } => {
            only_message(config.source.as_deref())?;
            is(Kind::VendedParser, boxed(ParseRoute53))
        }
        Processor { parse_vpc: Some(config), .. } => {
            only_message(config.source.as_deref())?;
            is(Kind::VendedParser, boxed(ParseVpc))
        }
        Processor { parse_waf: Some(config), .. } => {
            only_message(config.source.as_deref())?;
            is(Kind::VendedParser, boxed(ParseWaf))
        }
        Processor { add_keys: Some(config), .. } => is(Kind::Single, boxed(AddKeys::new(config)?)),
        Processor { copy_value: Some(config), .. } => is(Kind::Single, boxed(CopyValue::new(config)?)),
        Processor { delete_keys: Some(config), .. } => is(Kind::Other, boxed(DeleteKeys::new(config)?)),
        Processor { move_keys: Some(config), .. } => is(Kind::Other, boxed(MoveKeys::new(config)?)),
        Processor { rename_keys: Some(config), .. } => is(Kind::Other, boxed(RenameKeys::new(config)?)),
        Processor { list_to_map: Some(config), .. } => is(Kind::Other, boxed(ListToMap::new(config)?)),
        Processor { lower_case_string: Some(config), .. } => {
            is(Kind::Other, boxed(ChangeCase::to_lower(config)?))
        }
        Processor { upper_case_string: Some(config), .. } => {
            is(Kind::Other, boxed(ChangeCase::to_upper(config)?))
        }
        Processor { trim_string: Some(config), .. } => is(Kind::Other, boxed(TrimString::new(config)?)),
        Processor { split_string: Some(config), .. } => is(Kind::Other, boxed(SplitString::new(config)?)),
        Processor { substitute_string: Some(config), .. } => {
            is(Kind::Other, boxed(SubstituteString::new(config)?))
        }
        Processor { type_converter: Some(config), .. } => is(Kind::Other, boxed(TypeConverter::new(config)?)),
        Processor { date_time_converter: Some(config), .. } => {
            is(Kind::Other, boxed(DateTimeConverter::new(config)?))
        }
        // Its mappings are AWS's own and change by version: half of one would be worse than none.
        _ => Err(Cause::Unsupported),
    }
}

/// What a configurable parser is told to read.
fn source(processor: &Processor) -> Option<&str> {
    let Processor { parse_json, grok, csv, parse_key_value, .. } = processor;
    let json = parse_json.as_ref().and_then(|config| config.source.as_deref());
    let grok = grok.as_ref().and_then(|config| config.source.as_deref());
    let csv = csv.as_ref().and_then(|config| config.source.as_deref());
    let pairs = parse_key_value.as_ref().and_then(|config| config.source.as_deref());
    json.or(grok).or(csv).or(pairs)
}

/// The parsers of AWS's own logs, and the first parser of a pipeline, read the whole text.
fn only_message(source: Option<&str>) -> Result<(), Cause> {
    match source {
        None | Some(crate::event::MESSAGE) => Ok(()),
        Some(_) => Err(Cause::SourceNotMessage),
    }
}
