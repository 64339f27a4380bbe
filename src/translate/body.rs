//! What the readers of requests share: the outermost object, and the checks on what is inside.
//!
//! Never knows an API.

use super::json::{Fields, Raw, each_item, fields};
use super::path::{Path, Stop};
use crate::request::Members;
use crate::request::json::{Kind, Reader};

/// What reading comes to.
pub type Result<T> = core::result::Result<T, Stop>;

/// A request's outermost object.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Body<'a, 'd> {
    pub bytes: &'a [u8],
    pub members: &'d Members,
    /// Members that are as absent.
    pub drop: &'d [String],
}

impl<'a> Body<'a, '_> {
    /// Whether this member is as absent.
    pub fn drops(&self, name: &str) -> bool {
        self.drop.iter().any(|dropped| dropped == name)
    }

    /// A member; null and dropped ones are as absent.
    pub fn get(&self, name: &str) -> Option<Raw<'a>> {
        let value = Raw::at(self.members.get(self.bytes, name)?.value, self.bytes);
        Some(value).filter(|value| value.kind() != Kind::Null && !self.drops(name))
    }

    pub fn of_kind(&self, name: &'static str, kind: Kind, rule: &'static str) -> Result<Option<Raw<'a>>> {
        match self.get(name) {
            Some(value) if value.kind() != kind => Path::root(name).invalid(rule),
            value => Ok(value),
        }
    }

    pub fn string(&self, name: &'static str) -> Result<Option<Raw<'a>>> {
        self.of_kind(name, Kind::String, "must be a string")
    }

    pub fn number(&self, name: &'static str) -> Result<Option<Raw<'a>>> {
        self.of_kind(name, Kind::Number, "must be a number")
    }

    pub fn flag(&self, name: &'static str) -> Result<Option<Raw<'a>>> {
        self.of_kind(name, Kind::Bool, "must be true or false")
    }

    /// Members of an object in the body, none where it is absent.
    pub fn object<const N: usize>(
        &self,
        name: &'static str,
        names: &[&'static str; N],
    ) -> Result<[Option<Raw<'a>>; N]> {
        match self.of_kind(name, Kind::Object, "must be an object")? {
            Some(object) => once(fields(&mut object.reader(), names)?, names, &Path::root(name)),
            None => Ok([None; N]),
        }
    }
}

/// Reads the items of an array.
pub fn each<'a>(list: Raw<'a>, read: impl FnMut(usize, &mut Reader<'a>) -> Result<()>) -> Result<()> {
    each_item(&mut list.reader(), read)
}

/// The members of an object that must not be there twice.
pub fn once<'a, const N: usize>(
    found: Fields<'a, N>,
    names: &[&'static str; N],
    path: &Path,
) -> Result<[Option<Raw<'a>>; N]> {
    match found.twice.and_then(|place| names.get(place)) {
        Some(name) => path.member(name).invalid("is there twice"),
        None => Ok(found.values),
    }
}

/// A value that must be a string where it is there.
pub fn string<'a>(value: Option<Raw<'a>>, path: &Path) -> Result<Option<Raw<'a>>> {
    match value {
        Some(value) if value.kind() != Kind::String => path.invalid("must be a string"),
        value => Ok(value),
    }
}

/// A string that must be there.
pub fn required<'a>(value: Option<Raw<'a>>, path: &Path) -> Result<Raw<'a>> {
    match string(value, path)? {
        Some(value) => Ok(value),
        None => path.invalid("is missing"),
    }
}

/// `true` or `false`, where it is there.
pub fn flag<'a>(value: Option<Raw<'a>>, path: &Path) -> Result<Option<Raw<'a>>> {
    match value {
        Some(value) if value.kind() != Kind::Bool => path.invalid("must be true or false"),
        value => Ok(value),
    }
}
