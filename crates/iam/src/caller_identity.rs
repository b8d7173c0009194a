//! `GetCallerIdentity`: the account, ARN and user id behind an access key.

use groundwatch_api::sts::{GetCallerIdentity, GetCallerIdentityInput, GetCallerIdentityOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{AccountId, Call, Caller};

/// Who a caller is, in AWS's three ways of saying it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account that the access key belongs to.
    pub account: AccountId,
    /// `arn:aws:iam::ACCOUNT:root`: IAM is global, so its ARNs have no region.
    pub arn: String,
    /// The unique id of the user; a root user's is the account id.
    pub user_id: String,
}

impl Identity {
    /// Who `caller` is in development mode: the root user of its account.
    pub fn of(caller: &Caller) -> Self {
        let account = caller.scope.account;
        Self { account, arn: format!("arn:aws:iam::{account}:root"), user_id: account.to_string() }
    }
}

/// Implements the operations that ask who is calling.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identities;

impl Handle<GetCallerIdentity> for Identities {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        _input: GetCallerIdentityInput,
    ) -> Result<GetCallerIdentityOutput, Fault> {
        let identity = Identity::of(&call.caller);
        Ok(GetCallerIdentityOutput {
            user_id: Some(identity.user_id),
            account: Some(identity.account.to_string()),
            arn: Some(identity.arn),
        })
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::{Region, Scope};

    use super::*;

    fn check(account: &str, arn: &str) {
        let scope =
            Scope { account: account.parse().expect("an account id"), region: Region::new("eu-central-1") };
        let identity = Identity::of(&Caller { scope, access_key_id: account.to_owned() });
        assert_eq!(identity.arn, arn);
        assert_eq!(identity.user_id, account);
    }

    #[test]
    fn every_caller_is_the_root_user_of_its_account() {
        check("123456789012", "arn:aws:iam::123456789012:root");
        check("000000000000", "arn:aws:iam::000000000000:root");
    }
}
