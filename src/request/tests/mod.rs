mod chat;
mod controls;
mod form;
mod messages;
mod path;
mod responses;
