//! Sending mail: what delivery asks of the network, and its implementation over SMTP.

use std::time::Duration;

use groundwatch_core::BoxFuture;
use lettre::message::{Mailbox, header::ContentType};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

/// How long a mail server may take to answer a command.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A mail to one subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// The address, which was checked when it was subscribed.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Why a mail was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The mail server will not take it, now or later.
    #[error("the mail server refuses it: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The mail server cannot take it now, or cannot be reached.
    #[error("the mail server does not take it now: {reason}")]
    Unavailable {
        /// What it or the network said.
        reason: String,
    },
}

/// Sends mails.
pub trait MailSender: Send + Sync + 'static {
    /// When it is `Ok`, the mail server has taken over.
    fn send(&self, email: Email) -> BoxFuture<'_, Result<(), MailError>>;
}

/// Sends mails through one server.
pub struct SmtpSender {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// The mail server's URL or the sender's address is malformed.
#[derive(Debug, thiserror::Error)]
pub enum SmtpConfigError {
    /// The URL.
    #[error("not the URL of a mail server")]
    Url(#[source] lettre::transport::smtp::Error),
    /// The address.
    #[error("not a mail address")]
    From(#[source] lettre::address::AddressError),
}

impl SmtpSender {
    /// A sender by the server at `url`: `smtp://host:25`, `smtps://user:password@host:465`, or
    /// `smtp://user:password@host:587?tls=required`. Mails come from `from`, such as `Alerts
    /// <alerts@example.com>`.
    pub fn new(url: &str, from: &str) -> Result<Self, SmtpConfigError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(SmtpConfigError::Url)?;
        let from = from.parse().map_err(SmtpConfigError::From)?;
        Ok(Self { transport: transport.timeout(Some(ANSWER_TIMEOUT)).build(), from })
    }

    async fn send_email(&self, email: Email) -> Result<(), MailError> {
        let refused = |error: &dyn std::fmt::Display| MailError::Refused { reason: error.to_string() };
        let to: Mailbox = email.to.parse().map_err(|error| refused(&error))?;
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(email.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(email.text)
            .map_err(|error| refused(&error))?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(refused(&error)),
            Err(error) => Err(MailError::Unavailable { reason: error.to_string() }),
        }
    }
}

impl MailSender for SmtpSender {
    fn send(&self, email: Email) -> BoxFuture<'_, Result<(), MailError>> {
        Box::pin(self.send_email(email))
    }
}
