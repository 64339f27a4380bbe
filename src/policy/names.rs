//! Names that must be unique.
//!
//! Owns the rule that no two things share a name, and where each was first used. Never looks anything up.

use super::node::Node;

/// Names already taken, with the path of the first use.
#[derive(Default)]
pub(super) struct Names(Vec<(String, String)>);

impl Names {
    /// Takes a name, compared without regard to case; notes an error where it is taken already.
    pub fn claim(&mut self, node: &Node<'_>, name: &str) {
        match self.owner(name) {
            Some(path) => node.fail(format!("the name is already used at {path}")),
            None => self.0.push((name.to_ascii_lowercase(), node.path.clone())),
        }
    }

    /// Takes a name that no document spells; `false` where it is taken already.
    pub fn claim_quietly(&mut self, path: &str, name: &str) -> bool {
        let free = self.owner(name).is_none();
        if free {
            self.0.push((name.to_ascii_lowercase(), path.to_owned()));
        }
        free
    }

    fn owner(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(taken, _)| taken.eq_ignore_ascii_case(name)).map(|(_, path)| path.as_str())
    }
}
