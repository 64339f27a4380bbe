//! What the readers of requests share: the outermost object, and the checks on what is inside.
//!
//! Never knows an API.

use super::json::{Escaped, Raw, each_item, fields};
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
        match self.get(name) {
            None => Ok([None; N]),
            value => object_of(value, names, &Path::root(name)),
        }
    }
}

/// Reads the items of an array.
pub fn each<'a>(list: Raw<'a>, read: impl FnMut(usize, &mut Reader<'a>) -> Result<()>) -> Result<()> {
    each_item(&mut list.reader(), read)
}

/// Reads the items of an array, which must be there; `read` is told where each one stands.
pub fn list<'a, T>(
    value: Option<Raw<'a>>,
    path: &Path,
    mut read: impl FnMut(&mut Reader<'a>, &Path) -> Result<T>,
) -> Result<Vec<T>> {
    let Some(value) = value.filter(|value| value.kind() == Kind::Array) else {
        return path.invalid("must be an array");
    };
    let mut list = Vec::new();
    each(value, |index, reader| {
        list.push(read(reader, &path.item(index))?);
        Ok(())
    })?;
    Ok(list)
}

/// Members of the value that comes next, which must be an object that has none of them twice.
pub fn object<'a, const N: usize>(
    reader: &mut Reader<'a>,
    names: &[&'static str; N],
    path: &Path,
) -> Result<[Option<Raw<'a>>; N]> {
    if reader.peek()? != Kind::Object {
        return path.invalid("must be an object");
    }
    let found = fields(reader, names)?;
    match found.twice.and_then(|place| names.get(place)) {
        Some(name) => path.member(name).invalid("is there twice"),
        None => Ok(found.values),
    }
}

/// The same of a value that is at hand, and must be there.
pub fn object_of<'a, const N: usize>(
    value: Option<Raw<'a>>,
    names: &[&'static str; N],
    path: &Path,
) -> Result<[Option<Raw<'a>>; N]> {
    match value {
        Some(value) => object(&mut value.reader(), names, path),
        None => path.invalid("must be an object"),
    }
}

/// A value that must be an object where it is there.
pub fn schema<'a>(value: Option<Raw<'a>>, path: &Path) -> Result<Option<Raw<'a>>> {
    match value {
        Some(value) if value.kind() != Kind::Object => path.invalid("must be an object"),
        value => Ok(value),
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

/// The text of a string that must be there.
pub fn text<'a>(value: Option<Raw<'a>>, path: &Path) -> Result<Escaped<'a>> {
    required(value, path).map(escaped)
}

/// The text of a value that is known to be a string.
pub fn escaped(value: Raw) -> Escaped {
    value.escaped().unwrap_or_default()
}

/// `true` or `false`, where it is there.
pub fn flag<'a>(value: Option<Raw<'a>>, path: &Path) -> Result<Option<Raw<'a>>> {
    match value {
        Some(value) if value.kind() != Kind::Bool => path.invalid("must be true or false"),
        value => Ok(value),
    }
}
