//! Compression with gzip, event by event: what was written can be read before the next event comes.
//!
//! Never asks whether the client wanted it.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue};

use super::reply::Body;

/// The same response, compressed.
pub fn gzip(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.remove(CONTENT_LENGTH);
    let start = Some((body, GzEncoder::new(Vec::new(), Compression::default())));
    let frames = stream::unfold(start, |state| async {
        let (mut body, mut encoder) = state?;
        match body.frame().await {
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                Some((push(&mut encoder, &data), Some((body, encoder))))
            }
            Some(Err(error)) => Some((Err(error), None)),
            None => Some((encoder.finish().map(|rest| Frame::data(rest.into())), None)),
        }
    });
    Response::from_parts(parts, StreamBody::new(frames).boxed_unsync())
}

fn push(encoder: &mut GzEncoder<Vec<u8>>, data: &Bytes) -> io::Result<Frame<Bytes>> {
    encoder.write_all(data)?;
    encoder.flush()?;
    Ok(Frame::data(std::mem::take(encoder.get_mut()).into()))
}
