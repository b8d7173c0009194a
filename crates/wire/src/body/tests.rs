use std::io::Write;
use std::task::Poll;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().expect("a value")))
        .collect()
}

/// Reads a body that arrives in these pieces.
async fn read(
    intake: &Intake,
    pairs: &[(&'static str, &str)],
    pieces: Vec<Bytes>,
) -> Result<Received, Fault> {
    let headers = headers(pairs);
    let frames = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Frame::data(piece)));
    let received = intake.receive(&headers, StreamBody::new(stream::iter(frames))).await?;
    intake.unpack(&headers, received).await
}

#[track_caller]
fn refused(result: Result<Received, Fault>, code: &str, status: u16) {
    let fault = result.expect_err("refused");
    assert_eq!((fault.shape.code, fault.shape.status), (code, status));
}

#[tokio::test]
async fn bodies_come_in_pieces_or_whole() {
    let intake = Intake::default();
    for (length, pieces) in
        [("6", vec!["abcdef"]), ("6", vec!["ab", "", "cd", "ef"]), ("9", vec!["abc", "def"])]
    {
        let pieces = pieces.into_iter().map(Bytes::from).collect();
        let received = read(&intake, &[("content-length", length)], pieces).await.expect("a body");
        assert_eq!(&received.bytes[..], b"abcdef");
    }
    assert!(read(&intake, &[], vec![]).await.expect("no body").bytes.is_empty());
}

#[tokio::test]
async fn gzip_in_any_case_and_in_several_members() {
    let intake = Intake::default();
    let packed = Bytes::from([gzip(b"abc"), gzip(b"def")].concat());
    for encoding in ["gzip", "GZIP", "x-gzip"] {
        let received = read(&intake, &[("content-encoding", encoding)], vec![packed.clone()]).await;
        assert_eq!(&received.expect("unpacks").bytes[..], b"abcdef", "{encoding}");
    }
}

#[tokio::test]
async fn large_bodies_are_unpacked_on_another_thread() {
    let noise: Vec<u8> =
        (0..300_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let packed = gzip(&noise);
    assert!(packed.len() > UNPACK_HERE_BYTES_MAX);
    let received = read(&Intake::default(), &[("content-encoding", "gzip")], vec![packed.into()]).await;
    assert!(received.expect("unpacks").bytes == noise);
}

#[tokio::test]
async fn what_is_not_as_the_encoding_says_is_refused() {
    let intake = Intake::default();
    let code = "MalformedHttpRequestException";
    let cut = gzip(b"abcdef")[..15].to_vec();
    for body in [b"plain".to_vec(), cut, [gzip(b"abc"), b"tail".to_vec()].concat()] {
        refused(read(&intake, &[("content-encoding", "gzip")], vec![body.into()]).await, code, 400);
    }
    refused(read(&intake, &[("content-encoding", "br")], vec![]).await, code, 400);
    refused(read(&intake, &[("content-encoding", "gzip, gzip")], vec![]).await, code, 400);
}

#[tokio::test]
async fn size_is_bounded_whether_announced_or_not_packed_or_not() {
    let intake = Intake::default();
    let code = "RequestEntityTooLargeException";
    let announced = (WIRE_BYTES_MAX + 1).to_string();
    refused(read(&intake, &[("content-length", &announced)], vec![]).await, code, 413);
    let mebibyte = Bytes::from(vec![0; 1 << 20]);
    refused(read(&intake, &[], vec![mebibyte.clone(); 17]).await, code, 413);
    let bomb = Bytes::from(gzip(&vec![0; UNPACKED_BYTES_MAX + 1]));
    refused(read(&intake, &[("content-encoding", "gzip")], vec![bomb]).await, code, 413);
    assert!(read(&intake, &[], vec![mebibyte; 16]).await.is_ok());
}

#[tokio::test]
async fn all_bodies_together_are_bounded_and_give_their_memory_back() {
    let intake = Intake::default();
    let announced = WIRE_BYTES_MAX.to_string();
    let largest = Bytes::from(vec![0; WIRE_BYTES_MAX]);
    let mut held = Vec::new();
    for _ in 0..TOTAL_BYTES_MAX / WIRE_BYTES_MAX {
        let body = vec![largest.clone()];
        held.push(read(&intake, &[("content-length", &announced)], body).await.expect("room"));
    }
    refused(read(&intake, &[], vec![Bytes::from_static(b"a")]).await, "Throttling", 400);
    held.pop();
    assert!(read(&intake, &[], vec![Bytes::from_static(b"a")]).await.is_ok());
}

#[tokio::test]
async fn what_is_announced_and_does_not_come_takes_no_room() {
    let intake = Intake::default();
    let announced = headers(&[("content-length", &WIRE_BYTES_MAX.to_string())]);
    let never = || StreamBody::new(stream::pending::<Result<Frame<Bytes>, std::io::Error>>());
    let mut waiting: Vec<_> = (0..2 * TOTAL_BYTES_MAX / WIRE_BYTES_MAX)
        .map(|_| Box::pin(intake.receive(&announced, never())))
        .collect();
    for body in &mut waiting {
        let pending = std::future::poll_fn(|context| Poll::Ready(body.as_mut().poll(context).is_pending()));
        assert!(pending.await, "it waits for the body");
    }
    assert!(read(&intake, &[], vec![Bytes::from_static(b"a")]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_is_given_up() {
    let drips = stream::unfold((), |()| async {
        tokio::time::sleep(STALL_MAX / 2).await;
        Some((Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"a"))), ()))
    });
    let body = StreamBody::new(Box::pin(drips));
    refused(Intake::default().receive(&HeaderMap::new(), body).await, "RequestTimeout", 408);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up() {
    let never = StreamBody::new(stream::pending::<Result<Frame<Bytes>, std::io::Error>>());
    refused(Intake::default().receive(&HeaderMap::new(), never).await, "RequestTimeout", 408);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_malformed() {
    let frames =
        stream::iter([Ok(Frame::data(Bytes::from_static(b"a"))), Err(std::io::Error::other("gone"))]);
    let result = Intake::default().receive(&HeaderMap::new(), StreamBody::new(frames)).await;
    refused(result, "MalformedHttpRequestException", 400);
    let whole = Intake::default().receive(&HeaderMap::new(), Full::new(Bytes::from_static(b"a"))).await;
    assert!(whole.is_ok());
}
