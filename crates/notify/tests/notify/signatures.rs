//! Signatures, checked as AWS's SDKs check them: text from the message's members, key from the certificate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundwatch_api::sns::{SetTopicAttributes, SetTopicAttributesInput};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::sha2::{Digest as _, Sha256};
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use serde_json::Value;
use sha1::Sha1;

use crate::harness::{BASE_URL, Sns, handle};

const HOOK: &str = "http://hook.test/";

/// The public key of a certificate in PEM.
fn public_key(pem: &str) -> RsaPublicKey {
    let lines: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(lines).expect("base64");
    // The key's own structure begins with its algorithm, whose bytes are known and stand in no other place.
    const RSA_ENCRYPTION: &[u8] =
        &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0];
    let algorithm =
        der.windows(RSA_ENCRYPTION.len()).position(|bytes| bytes == RSA_ENCRYPTION).expect("an RSA key");
    let start = algorithm - 4;
    let length = 4 + usize::from(u16::from_be_bytes([der[start + 2], der[start + 3]]));
    RsaPublicKey::from_public_key_der(&der[start..start + length]).expect("a public key")
}

async fn check(sns: &Sns, body: &Value, members: &[&str], version: &str) {
    assert_eq!(body["SignatureVersion"], version);
    let url = body["SigningCertURL"].as_str().expect("a link");
    let path = url.strip_prefix(BASE_URL).expect("it leads back to this server");
    let key = public_key(&sns.notify.certificate(path).await.expect("a certificate"));
    let present = members.iter().filter(|member| !body[**member].is_null());
    let text: String =
        present.map(|member| format!("{member}\n{}\n", body[*member].as_str().expect("text"))).collect();
    let signature = STANDARD.decode(body["Signature"].as_str().expect("text")).expect("base64");
    let verified = |text: &str| match version {
        "1" => key.verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(text), &signature),
        _ => key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(text), &signature),
    };
    verified(&text).expect("the signature fits");
    verified(&text.replace("Message", "message")).expect_err("and nothing else");
}

const OF_NOTIFICATIONS: &[&str] = &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
const OF_CONFIRMATIONS: &[&str] =
    &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

fn last(sns: &Sns) -> Value {
    serde_json::from_slice(&sns.inbox.last(HOOK).post.body).expect("JSON")
}

#[tokio::test]
async fn signatures_are_verified_by_the_certificate_that_they_name() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribe(&topic, HOOK).await.expect("subscribed");
    sns.settle().await;
    check(&sns, &last(&sns), OF_CONFIRMATIONS, "1").await;
    sns.subscribed(&topic, HOOK).await;
    sns.publish(&topic, "a\nmessage of \"two\" lines").await.expect("published");
    sns.settle().await;
    let before = last(&sns);
    check(&sns, &before, OF_NOTIFICATIONS, "1").await;

    let sns = sns.restart();
    let input = SetTopicAttributesInput {
        topic_arn: Some(topic.clone()),
        attribute_name: Some("SignatureVersion".to_owned()),
        attribute_value: Some("2".to_owned()),
    };
    sns.call(input, handle::<SetTopicAttributes, _>).await.expect("set");
    sns.notify
        .publish(&Default::default(), &topic, Some("a subject"), "text", None)
        .await
        .expect("published");
    sns.settle().await;
    check(&sns, &last(&sns), OF_NOTIFICATIONS, "2").await;
    assert_eq!(last(&sns)["SigningCertURL"], before["SigningCertURL"], "the key outlives a restart");
    assert_eq!(sns.notify.certificate("/_groundwatch/sns/other.pem").await, None);
}
