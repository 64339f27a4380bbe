//! Forms: `multipart/form-data` bodies, read as the JSON object that the other endpoints get.
//!
//! Never keeps a file: its length takes its place.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value, json};

/// The fields of a form as JSON; `None` where the body is no form.
pub async fn read(headers: &HeaderMap, body: &Bytes) -> Option<Bytes> {
    let boundary = multer::parse_boundary(headers.get(CONTENT_TYPE)?.to_str().ok()?).ok()?;
    let whole = body.clone();
    let stream = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(whole) });
    let mut form = multer::Multipart::new(stream, boundary);
    let mut fields = Map::new();
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name().unwrap_or_default().to_owned();
        let value: Value = match field.file_name() {
            Some(_) => json!(field.bytes().await.ok()?.len()),
            None => json!(field.text().await.ok()?),
        };
        fields.insert(name, value);
    }
    Some(Bytes::from(Value::Object(fields).to_string()))
}
