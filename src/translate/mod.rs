//! stand-in until the branch lands
#![allow(missing_docs)]
use crate::request::ReadError;
use crate::response::Failure;
pub fn obstacle(_: &[u8]) -> Result<Option<String>, ReadError> {
    Ok(None)
}
pub fn left_out(_: &[u8]) -> Result<Vec<String>, ReadError> {
    Ok(Vec::new())
}
pub struct ToChat<'a> {
    pub model: &'a str,
    pub limit: &'a str,
    pub reasoning: Option<&'a str>,
    pub drop: &'a [String],
}
pub fn request(body: &[u8], _: &ToChat) -> Result<Vec<u8>, ReadError> {
    Ok(body.to_vec())
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About;
impl About {
    pub fn new(_: &[u8], _: String, _: &str) -> About {
        About
    }
}
pub fn answer(chat: &[u8], _: &About) -> Result<Vec<u8>, Failure> {
    Ok(chat.to_vec())
}
