//! `GetCallerIdentity`: the account, ARN and user id behind an access key.

use groundwatch_api::sts::{GetCallerIdentity, GetCallerIdentityInput, GetCallerIdentityOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{AccountId, Call, Caller, Scope};

/// Who a caller is, in AWS's three ways of saying it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account that the access key belongs to.
    pub account: AccountId,
    /// `arn:PARTITION:iam::ACCOUNT:root`: IAM is global within a partition, so its ARNs have no region.
    pub arn: String,
    /// The unique id of the user; a root user's is the account id.
    pub user_id: String,
}

impl Identity {
    /// Who `caller` is in development mode: the root user of its account.
    pub fn of(caller: &Caller) -> Self {
        let Scope { account, region } = &caller.scope;
        let arn = format!("arn:{}:iam::{account}:root", region.partition());
        Self { account: *account, arn, user_id: account.to_string() }
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
    use groundwatch_core::Region;

    use super::*;

    fn check(account: &str, region: &str, arn: &str) {
        let scope = Scope { account: account.parse().expect("an account id"), region: Region::new(region) };
        let identity = Identity::of(&Caller { scope, access_key_id: account.to_owned() });
        assert_eq!(identity.arn, arn);
        assert_eq!(identity.user_id, account);
    }

    #[test]
    fn every_caller_is_the_root_user_of_its_account() {
        check("123456789012", "eu-central-1", "arn:aws:iam::123456789012:root");
        check("000000000000", "us-east-1", "arn:aws:iam::000000000000:root");
        check("123456789012", "cn-north-1", "arn:aws-cn:iam::123456789012:root");
    }
}
