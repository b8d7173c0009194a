//! Every shape survives every protocol that its service speaks.

mod support;

use groundwatch_api::fill::fill;
use groundwatch_api::{Operation, Protocol, for_each_operation};
use groundwatch_wire::{cbor, decode, json, query};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use support::{form, markup};

/// Inputs need not be comparable, so their texts are compared.
fn shows<A: std::fmt::Debug, B: std::fmt::Debug>(operation: &str, protocol: Protocol, sent: &A, read: &B) {
    let (mut sent, mut read) = (format!("{sent:?}"), format!("{read:?}"));
    if matches!(protocol, Protocol::Json10 | Protocol::Json11) {
        // The sign of zero is lost; see the unit test beside the JSON decoder.
        (sent, read) = (without_negative_zeros(&sent), without_negative_zeros(&read));
    }
    assert_eq!(sent, read, "{operation} over {protocol:?}");
}

fn without_negative_zeros(text: &str) -> String {
    [")", ",", "]"]
        .iter()
        .fold(text.to_owned(), |text, end| text.replace(&format!("-0.0{end}"), &format!("0.0{end}")))
}

fn input<O: Operation>(seed: u64) {
    let sent: O::Input<'static> = fill(seed);
    for &protocol in O::SERVICE.protocols {
        let document = match protocol {
            Protocol::Query => form::encode(&sent).into_bytes(),
            Protocol::Json10 | Protocol::Json11 => json::encode(&sent).expect("encodes"),
            Protocol::RpcV2Cbor => cbor::encode(&sent).expect("encodes"),
        };
        let read = decode::<O>(protocol, &document).unwrap_or_else(|fault| panic!("{}: {fault}", O::NAME));
        shows(O::NAME, protocol, &sent, &read);
    }
}

fn output<O: Operation<Output: Serialize + DeserializeOwned>>(seed: u64) {
    let sent: O::Output = fill(seed);
    for &protocol in O::SERVICE.protocols {
        let read: O::Output = match protocol {
            Protocol::Query => {
                let xml = query::encode(&sent, O::SERVICE.flattened).expect("encodes");
                let structure = format!("{}Output", O::NAME);
                let pairs = markup::to_pairs(&xml, &structure, O::SERVICE.flattened);
                query::decode(form::join(&pairs).as_bytes(), O::SERVICE.flattened).expect("decodes")
            }
            Protocol::Json10 | Protocol::Json11 => {
                json::decode(&json::encode(&sent).expect("encodes")).expect("decodes")
            }
            Protocol::RpcV2Cbor => cbor::decode(&cbor::encode(&sent).expect("encodes")).expect("decodes"),
        };
        shows(O::NAME, protocol, &sent, &read);
    }
}

macro_rules! every_operation {
    ($($operation:ty,)+) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(64))]

            #[test]
            fn inputs_survive_every_protocol(seed: u64) {
                $(input::<$operation>(seed);)+
            }

            #[test]
            fn outputs_survive_every_protocol(seed: u64) {
                $(output::<$operation>(seed);)+
            }
        }
    };
}

for_each_operation!(every_operation);
