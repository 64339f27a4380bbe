//! Turns an answer of one API into one of another: reader and writer put together.
//!
//! Owns which of them are, and how an answer ends that breaks off. Never knows what either reads or writes.

use super::about::{About, Client};
use super::delta::{Delta, Fault};
use super::{chat, messages, responses};
use crate::request::Api;
use crate::request::json::JsonError;
use crate::response::Failure;

/// Sees every delta before it is written.
pub(crate) type Watch<'w> = &'w mut dyn FnMut(&Delta);

/// Turns the events of a provider's stream into those that the client expects.
#[derive(Debug)]
pub struct Stream {
    reader: Reader,
    writer: Writer,
}

#[derive(Debug)]
enum Reader {
    Chat,
    Messages(messages::Counts),
}

#[derive(Debug)]
enum Writer {
    Responses(responses::Stream),
    Chat(chat::Stream),
}

impl Stream {
    /// A stream of which nothing has come yet. `wire`: the API in which the provider answers.
    pub fn new(wire: Api, about: About) -> Self {
        let reader = match wire {
            Api::Messages => Reader::Messages(messages::Counts::default()),
            _ => Reader::Chat,
        };
        let writer = match about.0 {
            Client::Responses(about) => Writer::Responses(responses::Stream::new(about)),
            Client::Chat(about) => Writer::Chat(chat::Stream::new(about)),
        };
        Stream { reader, writer }
    }

    /// Takes the payload of one event, and adds the events to `out` that it becomes. What cannot be read ends the stream
    /// with an error, as an error of the provider does.
    ///
    /// # Errors
    /// [`JsonError`] where it cannot be read.
    pub(crate) fn event(&mut self, payload: &[u8], out: &mut Vec<u8>, watch: Watch) -> Result<(), JsonError> {
        let Stream { reader, writer } = self;
        let mut take = |delta: Delta| {
            watch(&delta);
            writer.take(delta, out);
        };
        let read = match reader {
            Reader::Chat => chat::read(payload, &mut take),
            Reader::Messages(counts) => messages::event(payload, counts, &mut take),
        };
        if read.is_err() {
            self.unreadable(out);
        }
        read
    }

    /// What has come cannot be read: ends the stream.
    pub fn unreadable(&mut self, out: &mut Vec<u8>) {
        let message = b"The provider's stream could not be read.".as_slice();
        let kind = Some(b"server_error".as_slice());
        let fault = Fault { kind, code: Some(b"invalid_answer"), message: Some(message), ..Fault::default() };
        self.writer.take(Delta::Fault(fault), out);
    }

    /// The provider's stream has come to its proper end, which is no event in its API.
    pub fn done(&mut self, out: &mut Vec<u8>) {
        if matches!(self.reader, Reader::Chat) {
            self.writer.take(Delta::End, out);
        }
    }

    /// No more events come: adds the last ones to `out`, once.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        match &mut self.writer {
            Writer::Responses(writer) => writer.take(Delta::End, out),
            Writer::Chat(writer) => writer.finish(out),
        }
    }

    /// Whether the client has got a whole answer.
    pub fn is_whole(&self) -> bool {
        match &self.writer {
            Writer::Responses(writer) => writer.is_whole(),
            Writer::Chat(writer) => writer.is_whole(),
        }
    }
}

impl Writer {
    fn take(&mut self, delta: Delta, out: &mut Vec<u8>) {
        match self {
            Writer::Responses(writer) => writer.take(delta, out),
            Writer::Chat(writer) => writer.take(delta, out),
        }
    }
}

/// Writes a whole answer in `wire`, the provider's API, as the client expects it.
///
/// # Errors
/// [`Failure`] where it is no answer.
pub(crate) fn answer(body: &[u8], wire: Api, about: &About, watch: Watch) -> Result<Vec<u8>, Failure> {
    let read = |take: &mut dyn FnMut(Delta)| match wire {
        Api::Messages => messages::whole(body, &mut |delta| take(delta)),
        _ => chat::read(body, &mut |delta| take(delta)),
    };
    let (read, text) = match &about.0 {
        Client::Responses(about) => {
            let mut response = responses::Whole::new(about);
            let read = read(&mut |delta| {
                watch(&delta);
                response.take(delta);
            });
            (read, response.finish())
        }
        Client::Chat(about) => {
            let mut completion = chat::Whole::new(about);
            let read = read(&mut |delta| {
                watch(&delta);
                completion.take(delta);
            });
            (read, completion.finish())
        }
    };
    text.filter(|_| read.is_ok()).ok_or_else(|| Failure::without_body("malformed"))
}
