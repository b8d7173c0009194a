//! Hostile input for everything that reads bytes from outside: real requests, damaged in the ways that break
//! parsers, under a counted allocator.

use std::fmt;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use groundwatch_api::cloudwatch::{GetMetricData, PutMetricData};
use groundwatch_api::fill::fill;
use groundwatch_api::logs::PutLogEvents;
use groundwatch_api::{Operation, Protocol, for_each_operation};
use groundwatch_wire::{Intake, Router, cbor, decode, json};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::Full;
use peak_alloc::PeakAlloc;

use super::{form, sink};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Memory that a request may take whatever its size: the router's tables, a body's first step of unpacking.
const MEMORY_FREE_BYTES: usize = 256 << 10;

/// Who reads the input, and how many bytes of memory a byte of input may cost it at most.
///
/// One byte of CBOR can be an empty structure, of hundreds of bytes, in a list that doubles while it grows;
/// deflate packs up to a thousandfold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Cbor,
    Json,
    Query,
    Gzip,
    Whole,
}

impl Reader {
    const ALL: [Self; 5] = [Self::Cbor, Self::Json, Self::Query, Self::Gzip, Self::Whole];

    fn name(self) -> &'static str {
        match self {
            Self::Cbor => "cbor",
            Self::Json => "json",
            Self::Query => "query",
            Self::Gzip => "gzip",
            Self::Whole => "whole requests",
        }
    }

    fn factor_max(self) -> usize {
        match self {
            Self::Cbor => 1024,
            Self::Json => 512,
            Self::Query => 256,
            Self::Gzip | Self::Whole => 4096,
        }
    }
}

/// What a run has shown.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) inputs: u64,
    pub(crate) accepted: u64,
    /// Seeds of the inputs that made a reader panic, with its name.
    pub(crate) panics: Vec<(u64, &'static str)>,
    /// Seeds of the inputs that took too much memory, with the reader's name and the bytes.
    pub(crate) greedy: Vec<(u64, &'static str, usize)>,
    /// The most memory that an input took, in bytes, by reader.
    pub(crate) peak_bytes: [usize; Reader::ALL.len()],
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = self.inputs - self.accepted - self.panics.len() as u64;
        write!(f, "{} inputs: {} accepted, {refused} refused, ", self.inputs, self.accepted)?;
        write!(f, "{} panics, {} over the memory bound; peak memory", self.panics.len(), self.greedy.len())?;
        for (reader, bytes) in Reader::ALL.iter().zip(self.peak_bytes) {
            write!(f, " · {} {} KiB", reader.name(), bytes >> 10)?;
        }
        Ok(())
    }
}

/// Feeds so many inputs to the readers, one after the other. The same seed makes the same inputs.
pub(crate) fn run(inputs: u64, seed: u64) -> Summary {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let router = sink::router();
    let corpus = corpus();
    let mut summary = Summary { inputs, ..Summary::default() };
    for number in 0..inputs {
        let seed = seed.wrapping_add(number);
        let mut dice = Dice(seed);
        let sample = &corpus[dice.below(corpus.len())];
        let other = &corpus[dice.below(corpus.len())];
        let input = mutate(&mut dice, sample.document.clone(), &other.document);
        let reader = sample.reader;

        let read = || match reader {
            Reader::Cbor | Reader::Json | Reader::Query => (sample.decode)(&input),
            Reader::Gzip => runtime.block_on(unpack(&input)),
            Reader::Whole => runtime.block_on(answer(&router, &mut dice.clone(), sample, &input)),
        };
        let bound = MEMORY_FREE_BYTES + reader.factor_max() * input.len();
        let (accepted, mut taken) = measured(read);
        if taken > bound {
            // What a process makes once, such as a compiled pattern, is not this input's doing and will not
            // come again.
            taken = measured(read).1;
        }

        match accepted {
            Some(true) => summary.accepted += 1,
            Some(false) => {}
            None => summary.panics.push((seed, reader.name())),
        }
        if taken > bound {
            summary.greedy.push((seed, reader.name(), taken));
        }
        let peak = &mut summary.peak_bytes[reader as usize];
        *peak = taken.max(*peak);
    }
    summary
}

/// Whether the input was accepted (`None`: a panic), and the most memory that it took meanwhile, in bytes.
fn measured(read: impl Fn() -> bool) -> (Option<bool>, usize) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let accepted = catch_unwind(AssertUnwindSafe(read)).ok();
    (accepted, MEMORY.peak_usage().saturating_sub(before))
}

async fn unpack(input: &[u8]) -> bool {
    let intake = Intake::default();
    let headers = HeaderMap::from_iter([(http::header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))]);
    match intake.receive(&headers, Full::new(Bytes::copy_from_slice(input))).await {
        Ok(received) => intake.unpack(&headers, received).await.is_ok(),
        Err(_) => false,
    }
}

/// Sends a whole request, whose head may be damaged too.
async fn answer(router: &Router, dice: &mut Dice, sample: &Sample, input: &[u8]) -> bool {
    let mut request = Request::builder().method("POST").uri("/");
    for (name, value) in &sample.headers {
        let mut value = value.clone().into_bytes();
        if dice.below(4) == 0 {
            value = mutate(dice, value, b"AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request");
        }
        match (*name, HeaderValue::from_bytes(&value)) {
            (":path", _) => {
                if let Ok(uri) = http::Uri::try_from(&value[..]) {
                    request = request.uri(uri);
                }
            }
            (name, Ok(value)) => request = request.header(name, value),
            // hyper has refused it already.
            (_, Err(_)) => {}
        }
    }
    match request.body(Full::new(Bytes::copy_from_slice(input))) {
        Ok(request) => {
            let status = router.answer(request).await.status();
            assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "a handler or a codec panicked");
            status == StatusCode::OK
        }
        Err(_) => false,
    }
}

/// A good document, and who reads it.
struct Sample {
    reader: Reader,
    document: Vec<u8>,
    /// For whole requests; `:path` stands for the path.
    headers: Vec<(&'static str, String)>,
    decode: fn(&[u8]) -> bool,
}

fn corpus() -> Vec<Sample> {
    let mut corpus = Vec::new();
    for seed in 0..4 {
        every_operation(seed, &mut corpus);
    }
    // Of indefinite length, so that repeated elements are not too many: the most memory for a byte.
    for (reader, document, decode) in [
        (
            Reader::Cbor,
            &b"\xbf\x6aMetricData\x9f\xa0\xa0\xa0\xff\xff"[..],
            reads_cbor::<PutMetricData> as fn(&[u8]) -> bool,
        ),
        (Reader::Cbor, b"\xa1\x71MetricDataQueries\x9f\xa0\xa0\xa0\xff", reads_cbor::<GetMetricData>),
        (Reader::Json, br#"{"MetricData":[{},{},{},{}]}"#, reads_json::<PutMetricData>),
        (Reader::Json, br#"{"logEvents":[{},{},{},{}],"X":[[],[],[]]}"#, reads_json::<PutLogEvents>),
    ] {
        // As often as the operations' own.
        for _ in 0..8 {
            corpus.push(Sample { reader, document: document.to_vec(), headers: vec![], decode });
        }
    }
    corpus
}

fn samples<O: Operation>(seed: u64, corpus: &mut Vec<Sample>) {
    let input: O::Input<'static> = fill(seed);
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential=123456789012/20260102/eu-central-1/{}/aws4_request, SignedHeaders=host, Signature=0",
        O::SERVICE.signing_name
    );
    for &protocol in O::SERVICE.protocols {
        let (reader, document, decode, mut headers): (_, _, fn(&[u8]) -> bool, _) = match protocol {
            Protocol::Query => {
                let (name, version) = (O::NAME, O::SERVICE.api_version);
                let form = format!("Action={name}&Version={version}&{}", form::encode(&input)).into_bytes();
                let content_type = "application/x-www-form-urlencoded".to_owned();
                (Reader::Query, form, reads_query::<O>, vec![("content-type", content_type)])
            }
            Protocol::Json10 | Protocol::Json11 => {
                let document = json::encode(&input).expect("encodes");
                let target = format!("{}.{}", O::SERVICE.target_prefix, O::NAME);
                let content_type = "application/x-amz-json-1.1".to_owned();
                (
                    Reader::Json,
                    document,
                    reads_json::<O>,
                    vec![("x-amz-target", target), ("content-type", content_type)],
                )
            }
            Protocol::RpcV2Cbor => {
                let document = cbor::encode(&input).expect("encodes");
                let path = format!("/service/{}/operation/{}", O::SERVICE.target_prefix, O::NAME);
                let protocol = "rpc-v2-cbor".to_owned();
                (
                    Reader::Cbor,
                    document,
                    reads_cbor::<O>,
                    vec![(":path", path), ("smithy-protocol", protocol)],
                )
            }
        };
        headers.push(("authorization", credential.clone()));
        let mut add = |reader, document, headers| corpus.push(Sample { reader, document, headers, decode });
        add(reader, document.clone(), vec![]);
        add(Reader::Gzip, gzip(&document), vec![]);
        add(Reader::Whole, document.clone(), headers.clone());
        headers.push(("content-encoding", "gzip".to_owned()));
        add(Reader::Whole, gzip(&document), headers);
    }
}

macro_rules! every_operation {
    ($($operation:ty,)+) => {
        fn every_operation(seed: u64, corpus: &mut Vec<Sample>) {
            $(samples::<$operation>(seed, corpus);)+
        }
    };
}

for_each_operation!(every_operation);

fn reads_query<O: Operation>(document: &[u8]) -> bool {
    decode::<O>(Protocol::Query, document).is_ok()
}

fn reads_json<O: Operation>(document: &[u8]) -> bool {
    decode::<O>(Protocol::Json11, document).is_ok()
}

fn reads_cbor<O: Operation>(document: &[u8]) -> bool {
    decode::<O>(Protocol::RpcV2Cbor, document).is_ok()
}

fn gzip(document: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(document).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

/// Splitmix64.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }

    /// A place inside `bytes`, and one not before it and not far after.
    fn range(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(bytes.len() + 1);
        start..(start + self.below(32)).min(bytes.len())
    }
}

/// Bytes that mean something to one of the formats.
const TELLING: &[u8] =
    b"{}[]\",:\\&=.%+<>/0919-eE\x00\x1f\x7f\x80\x9b\x9f\xa0\xbf\xbb\xc1\xdb\xf6\xf9\xfb\xff\x5b\x7b";

fn mutate(dice: &mut Dice, mut bytes: Vec<u8>, other: &[u8]) -> Vec<u8> {
    for _ in 0..1 + dice.below(4) {
        let place = dice.below(bytes.len());
        match dice.below(9) {
            0 if !bytes.is_empty() => bytes[place] ^= 1 << dice.below(8),
            1 if !bytes.is_empty() => bytes[place] = TELLING[dice.below(TELLING.len())],
            2 => bytes.insert(place, TELLING[dice.below(TELLING.len())]),
            3 => bytes.truncate(place),
            4 => {
                let range = dice.range(&bytes);
                bytes.drain(range);
            }
            5 => {
                let piece = other[dice.range(other)].to_vec();
                bytes.splice(place..place, piece);
            }
            6 => {
                // Repetition is what turns depth and claimed lengths into trouble.
                let piece = bytes[dice.range(&bytes)].to_vec();
                let times = 1 << dice.below(10);
                bytes.splice(place..place, piece.repeat(times));
            }
            7 => {
                let noise: Vec<u8> = (0..dice.below(16)).map(|_| dice.roll() as u8).collect();
                bytes.splice(place..place, noise);
            }
            _ => {
                let telling = TELLING[dice.below(TELLING.len())];
                bytes.splice(place..place, std::iter::repeat_n(telling, 1 << dice.below(14)));
            }
        }
    }
    bytes
}
