mod chat;
mod controls;
mod path;
mod responses;
