//! Training, and measuring what was trained.
//!
//! Owns everything that turns outcomes into weights and abilities. Uses the filter's own code for features and for
//! prediction, so that what is measured is what is served.

pub mod ability;
pub mod corpus;
pub mod data;
pub mod fit;
pub mod irt;
pub mod metrics;
pub mod pack;
pub mod ridge;
