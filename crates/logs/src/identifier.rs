//! Which group a request means: by name, or by an identifier that is a name or an ARN.

use groundwatch_core::{Arn, Scope};

/// Why the members that should name a group do not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Both the name and the identifier were given.
    #[error("both a group name and a group identifier were given")]
    Both,
    /// Neither was given.
    #[error("neither a group name nor a group identifier was given")]
    Neither,
    /// The identifier is an ARN, but not one of a log group.
    #[error("`{identifier}` is not the ARN of a log group")]
    NotAGroup {
        /// What was given.
        identifier: String,
    },
    /// The ARN is of another account or region.
    #[error("`{identifier}` belongs to another account or region")]
    Elsewhere {
        /// What was given.
        identifier: String,
    },
}

/// The name of the group that a request means by `name` or `identifier`, of which it must give exactly one.
pub(crate) fn group_name<'a>(
    scope: &Scope,
    name: Option<&'a str>,
    identifier: Option<&'a str>,
) -> Result<&'a str, IdentifierError> {
    match (name, identifier) {
        (Some(_), Some(_)) => Err(IdentifierError::Both),
        (None, None) => Err(IdentifierError::Neither),
        (Some(name), None) => Ok(name),
        (None, Some(identifier)) => name_in_identifier(scope, identifier),
    }
}

/// The group's name in an identifier: itself, or the end of the group's ARN (the form without `:*`).
pub(crate) fn name_in_identifier<'a>(scope: &Scope, identifier: &'a str) -> Result<&'a str, IdentifierError> {
    if !identifier.starts_with("arn:") {
        return Ok(identifier);
    }
    let not_a_group = || IdentifierError::NotAGroup { identifier: identifier.to_owned() };
    let arn = Arn::parse(identifier).map_err(|_| not_a_group())?;
    let name = arn.resource.strip_prefix("log-group:").ok_or_else(not_a_group)?;
    if arn.service != "logs" || name.is_empty() || name.contains(':') {
        return Err(not_a_group());
    }
    if arn.region != scope.region.as_str() || arn.account != scope.account.to_string() {
        return Err(IdentifierError::Elsewhere { identifier: identifier.to_owned() });
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(identifier: &str, expected: Option<&str>) {
        assert_eq!(name_in_identifier(&Scope::default(), identifier).ok(), expected, "{identifier}");
    }

    #[test]
    fn an_identifier_is_a_name_or_an_arn() {
        check("app", Some("app"));
        check("/aws/lambda/f", Some("/aws/lambda/f"));
        check("arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f", Some("/aws/lambda/f"));
        check("arn:aws:logs:us-east-1:000000000000:log-group:app:*", None);
        check("arn:aws:logs:us-east-1:000000000000:log-group:", None);
        check("arn:aws:logs:us-east-1:000000000000:destination:app", None);
        check("arn:aws:sns:us-east-1:000000000000:log-group:app", None);
        check("arn:aws:logs:eu-west-1:000000000000:log-group:app", None);
        check("arn:aws:logs:us-east-1:111111111111:log-group:app", None);
        check("arn:aws", None);
    }

    #[test]
    fn exactly_one_of_name_and_identifier_is_given() {
        let scope = Scope::default();
        assert_eq!(group_name(&scope, Some("a"), None), Ok("a"));
        assert_eq!(group_name(&scope, None, Some("a")), Ok("a"));
        assert_eq!(group_name(&scope, Some("a"), Some("a")), Err(IdentifierError::Both));
        assert_eq!(group_name(&scope, None, None), Err(IdentifierError::Neither));
    }
}
