use std::collections::BTreeMap;

use groundwatch_api::{Blob, WireTimestamp};
use groundwatch_core::Timestamp;

use super::*;
use crate::bounds::{DEPTH_MAX, ELEMENTS_MAX, STRUCTURES_MAX};
use crate::cbor::encode;

/// Bytes from hexadecimal digits; blanks are for the reader.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

#[track_caller]
fn check<'de, T: Deserialize<'de> + PartialEq + std::fmt::Debug>(document: &'de [u8], expected: T) {
    assert_eq!(decode(document), Ok(expected));
}

#[track_caller]
fn refused<T: for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(hex: &str, complaint: &str) {
    assert_eq!(decode::<T>(&bytes(hex)), Err(Malformed::new(complaint)), "{hex}");
}

#[test]
fn integers_of_every_width() {
    for (hex, value) in [
        ("00", 0),
        ("17", 23),
        ("18 18", 24),
        ("18 05", 5),
        ("19 0100", 256),
        ("1a 00010000", 65_536),
        ("1b 7fffffffffffffff", i64::MAX),
        ("20", -1),
        ("38 63", -100),
        ("39 03e7", -1000),
        ("3b 7fffffffffffffff", i64::MIN),
    ] {
        check(&bytes(hex), value);
    }
    assert!(decode::<i64>(&bytes("3b ffffffffffffffff")).is_err(), "below the smallest");
}

#[test]
fn doubles_of_every_width_and_from_integers() {
    for (hex, value) in [
        ("f9 3e00", 1.5),
        ("fa 3fc00000", 1.5),
        ("fb 3ff8000000000000", 1.5),
        ("f9 7c00", f64::INFINITY),
        ("f9 fc00", f64::NEG_INFINITY),
        ("01", 1.0),
        ("20", -1.0),
        ("1b ffffffffffffffff", 18_446_744_073_709_551_615.0),
        ("3b ffffffffffffffff", -18_446_744_073_709_551_616.0),
    ] {
        check(&bytes(hex), value);
    }
    assert!(decode::<f64>(&bytes("f9 7e00")).is_ok_and(f64::is_nan));
}

#[test]
fn texts_in_one_piece_borrow_and_texts_in_chunks_are_joined() {
    let document = bytes("63 c3bc 61");
    let text: &str = decode(&document).expect("a borrowed text");
    assert_eq!((text, text.as_ptr()), ("üa", document[1..].as_ptr()));
    check(&bytes("7f 62 c3bc 61 61 60 ff"), "üa".to_owned());
    refused::<String>("61 ff", "a text is not valid UTF-8");
    refused::<String>("7f 61 c3 61 bc ff", "a text is not valid UTF-8");
    refused::<String>("7f 41 61 ff", "a text in chunks holds something else");
}

#[test]
fn lists_and_maps_of_either_length() {
    check(&bytes("83 01 02 03"), vec![1, 2, 3]);
    check(&bytes("9f 01 02 03 ff"), vec![1, 2, 3]);
    check(&bytes("80"), Vec::<i32>::new());
    check(&bytes("9f ff"), Vec::<i32>::new());
    let map = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
    check(&bytes("a2 61 61 01 61 62 02"), map.clone());
    check(&bytes("bf 61 61 01 61 62 02 ff"), map);
}

#[test]
fn null_and_undefined_are_absent() {
    check(&bytes("f6"), None::<i32>);
    check(&bytes("f7"), None::<i32>);
    check(&bytes("05"), Some(5));
}

#[test]
fn timestamps_are_numbers_in_tag_1() {
    for (hex, millis) in [
        ("c1 1a 695734e5", 1_767_322_853_000),
        ("c1 fb 41da55cd39600000", 1_767_322_853_500),
        ("c1 f9 3e00", 1_500),
        ("c1 38 63", -100_000),
        ("1a 695734e5", 1_767_322_853_000),
        ("d9 0001 01", 1_000),
    ] {
        check(&bytes(hex), WireTimestamp(Timestamp::from_millis(millis)));
    }
}

#[test]
fn bytes_are_no_texts() {
    refused::<String>("41 61", "a text is a byte string");
    refused::<Option<String>>("41 61", "a text is a byte string");
    refused::<BTreeMap<String, i32>>("a1 41 61 01", "a text is a byte string");
}

#[test]
fn blobs_are_byte_strings() {
    check(&bytes("43 000102"), Blob(vec![0, 1, 2]));
    check(&bytes("5f 41 00 42 0102 ff"), Blob(vec![0, 1, 2]));
}

#[test]
fn unknown_tags_are_skipped() {
    check(&bytes("d9 d9f7 c6 05"), 5);
}

#[derive(Debug, PartialEq, Deserialize)]
struct Named {
    name: Option<String>,
}

#[test]
fn unknown_members_of_any_kind_are_skipped() {
    let name = Named { name: Some("a".to_owned()) };
    for ignored in [
        "01",
        "63 616263",
        "7f 61 61 ff",
        "82 01 80",
        "9f 9f ff ff",
        "a1 01 bf ff",
        "c1 fb 0000000000000000",
        "f7",
    ] {
        let document = format!("a2 61 78 {ignored} 64 6e616d65 61 61");
        assert_eq!(decode(&bytes(&document)), Ok(Named { name: name.name.clone() }), "{ignored}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    refused::<i32>("", "the document ends too early");
    refused::<i32>("19 01", "the document ends too early");
    refused::<String>("65 6161", "the document ends too early");
    refused::<String>("7b ffffffffffffffff", "the document ends too early");
    refused::<Vec<i32>>("9f 01", "the document ends too early");
    refused::<Vec<i32>>("9b ffffffffffffffff 01", "the document ends too early");
    refused::<i32>("01 02", "1 bytes follow the document");
    refused::<i32>("1c", "additional information 28 is reserved");
    refused::<i32>("f8 20", "simple value 24 has no meaning here");
    refused::<i32>("ff", "a break where nothing is open");
    refused::<Named>("81 61 61", "a structure is not a map");
    refused::<Named>("a1 00 61 61", "a key is not a text");
}

#[test]
fn depth_is_bounded_for_ignored_members_too() {
    let nested = |levels: u32| [vec![0x81; levels as usize], vec![0x80]].concat();
    assert!(decode::<IgnoredAny>(&nested(DEPTH_MAX - 1)).is_ok());
    refused::<IgnoredAny>(&"81".repeat(1_000_000), "nested deeper than 64 levels");
    assert!(decode::<IgnoredAny>(&nested(DEPTH_MAX)).is_err());
    // Tags nest too, but cost nothing.
    check(&[vec![0xc6; 1_000_000], vec![5]].concat(), 5);
}

#[test]
fn a_small_document_cannot_ask_for_many_elements() {
    let list = |elements: u32, element: u8| {
        let mut document = vec![0x9f];
        document.resize(elements as usize + 1, element);
        document.push(0xff);
        document
    };
    assert!(decode::<Vec<i32>>(&list(ELEMENTS_MAX, 0)).is_ok());
    assert!(decode::<Vec<i32>>(&list(ELEMENTS_MAX + 1, 0)).is_err());
    assert!(decode::<Vec<Named>>(&list(STRUCTURES_MAX, 0xa0)).is_ok());
    assert!(decode::<Vec<Named>>(&list(STRUCTURES_MAX + 1, 0xa0)).is_err());
}

#[test]
fn golden_bytes_of_what_is_written() {
    #[derive(serde::Serialize)]
    struct Shape {
        at: WireTimestamp,
        data: Blob,
        values: Vec<f64>,
        count: i64,
    }
    let shape = Shape {
        at: WireTimestamp(Timestamp::from_secs(1_767_322_853)),
        data: Blob(vec![1, 2]),
        values: vec![1.5],
        count: -1000,
    };
    let golden = "a4 62 6174 c1 1a 695734e5 64 64617461 42 0102 \
                  66 76616c756573 81 fb 3ff8000000000000 65 636f756e74 39 03e7";
    assert_eq!(encode(&shape), Ok(bytes(golden)));
}
