//! What can go wrong with vended logs.

/// Why a source, a destination or a delivery is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VendedError {
    /// There is none of that name or id.
    #[error("{what} does not exist")]
    Missing {
        /// `Delivery Source`, `Delivery Destination` or `Delivery`.
        what: &'static str,
    },
    /// The resource is none that sends logs.
    #[error("`{arn}` is not a resource that delivers logs")]
    NotASource {
        /// What was given.
        arn: String,
    },
    /// The resource does not send logs of that type.
    #[error("`{service}` has no logs of type `{log_type}`")]
    LogType {
        /// The resource's service.
        service: String,
        /// What was given.
        log_type: String,
    },
    /// A source's resource stays as it is.
    #[error("a delivery source cannot get another resource or log type")]
    OtherResource,
    /// A destination's format stays as it is.
    #[error("a delivery destination cannot get another output format")]
    OtherFormat,
    /// Neither a resource that can be a destination nor a type that needs none.
    #[error("the destination's resource cannot be delivered to")]
    NotADestination,
    /// The two are paired already.
    #[error("there is such a delivery already")]
    Exists,
    /// Something is delivered by it.
    #[error("a delivery uses it")]
    InUse,
    /// A policy that is none.
    #[error("policy is not valid: {reason}")]
    Policy {
        /// What is wrong with it.
        reason: String,
    },
}
