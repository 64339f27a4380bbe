//! What fields the policy has, as its reader accepts them and as its documentation shows them.
//!
//! Owns the form of the tables; each stands beside the code that reads its fields. Never reads anything itself.

/// An object of the policy.
#[derive(Debug)]
pub struct Section {
    /// Where it stands: `models[].price`; empty for the whole.
    pub path: &'static str,
    /// What it is for. Empty in wasm, like all that only people read.
    pub about: &'static str,
    /// All that it may have.
    pub fields: &'static [Field],
}

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may be, in words.
    pub kind: &'static str,
    /// What holds where it is absent: YAML, or words in parentheses; `None`: it must be there.
    pub default: Option<&'static str>,
    /// YAML.
    pub example: &'static str,
    /// What it does.
    pub about: &'static str,
}

impl Section {
    /// The names of its fields.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.fields.iter().map(|field| field.name)
    }
}

/// Text for people, who do not read wasm.
pub(super) const fn prose(text: &'static str) -> &'static str {
    if cfg!(target_arch = "wasm32") { "" } else { text }
}

/// A [`Section`] with its fields: comment, name, kind, default, example. Without a default a field is required.
macro_rules! section {
    ($(#[doc = $about:literal])* $section:ident $path:literal {
        $($(#[doc = $doc:literal])* $name:ident: $kind:literal $(= $default:literal)?, $example:literal;)*
    }) => {
        $(#[doc = $about])*
        pub(super) static $section: $crate::policy::fields::Section = $crate::policy::fields::Section {
            path: $path,
            about: $crate::policy::fields::prose(concat!($($about),*)),
            fields: &[$($crate::policy::fields::Field {
                name: stringify!($name),
                kind: $crate::policy::fields::prose($kind),
                default: section!(@default $($default)?),
                example: $crate::policy::fields::prose($example),
                about: $crate::policy::fields::prose(concat!($($doc),*)),
            }),*],
        };
    };
    (@default) => { None };
    (@default $default:literal) => { Some($crate::policy::fields::prose($default)) };
}
pub(super) use section;
