mod chat;
mod controls;
mod form;
mod path;
mod responses;
