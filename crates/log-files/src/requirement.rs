//! What must occur in messages for them to match: lets a search pass over row groups, and over rows, without
//! deciding.

use crate::tokens::Token;

/// Tokens of which some must occur in a message for it to match: all of those of one alternative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// At least one, and each has at least one token.
    alternatives: Vec<Vec<Token>>,
}

impl Requirement {
    /// That a message contains `text`; `None` if that says nothing of tokens.
    pub fn of_text(text: &[u8]) -> Option<Self> {
        let tokens = Token::of_text(text);
        (!tokens.is_empty()).then(|| Self { alternatives: vec![tokens] })
    }

    /// The same, where nothing that could be part of a token stands before or behind it.
    pub fn of_delimited_text(text: &[u8]) -> Option<Self> {
        let tokens = Token::of_delimited_text(text);
        (!tokens.is_empty()).then(|| Self { alternatives: vec![tokens] })
    }

    /// That a JSON document has `text` in a name or in a text of it; `None` if that says nothing of tokens.
    /// Any character may be escaped there by its number, and what stands between tokens by letters, which
    /// then continue them.
    pub fn of_json_text(text: &[u8]) -> Option<Self> {
        let tokens: Vec<Token> = Token::of_text(text).into_iter().map(Token::into_part).collect();
        (!tokens.is_empty()).then(|| Self { alternatives: vec![tokens, vec![Token::json_escape()]] })
    }

    /// That one of these holds; `None` if nothing is known of one of them, or if there are none.
    pub fn one_of(requirements: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        let all: Option<Vec<Self>> = requirements.into_iter().collect();
        let alternatives: Vec<_> =
            all?.into_iter().flat_map(|requirement| requirement.alternatives).collect();
        (!alternatives.is_empty()).then_some(Self { alternatives })
    }

    /// The one of these that is expected to let the least pass: the one whose longest tokens are longest.
    pub fn strictest(requirements: impl IntoIterator<Item = Self>) -> Option<Self> {
        requirements.into_iter().max_by_key(Self::strictness)
    }

    /// How many characters of whichever alternative are known to lie together. Escapes in JSON do not count:
    /// there are hardly any.
    pub(crate) fn strictness(&self) -> usize {
        let longest = self.longest_tokens().filter(|token| !token.is_json_escape());
        longest.map(|token| token.text().len()).min().unwrap_or_default()
    }

    /// The tokens of each alternative.
    pub(crate) fn alternatives(&self) -> &[Vec<Token>] {
        &self.alternatives
    }

    /// The longest token of each alternative, of which one must occur.
    pub(crate) fn longest_tokens(&self) -> impl Iterator<Item = &Token> {
        self.alternatives.iter().filter_map(|tokens| tokens.iter().max_by_key(|token| token.text().len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> Option<Requirement> {
        Requirement::of_text(text.as_bytes())
    }

    #[test]
    fn what_says_nothing_requires_nothing() {
        assert_eq!(of_text(" = "), None);
        assert_eq!(Requirement::one_of([]), None);
        assert_eq!(Requirement::one_of([of_text("a"), of_text("")]), None);
    }

    #[test]
    fn an_alternative_is_as_strict_as_its_longest_token_and_all_as_the_least_strict() {
        let either = Requirement::one_of([of_text("a disk"), of_text("full")]).expect("tokens");
        assert_eq!(either.strictness(), 4);
        assert_eq!(
            Requirement::strictest([either.clone(), of_text("disk").expect("a token")]),
            Some(of_text("disk").expect("a token"))
        );
        assert_eq!(
            Requirement::strictest([either, of_text("no").expect("a token")]).map(|it| it.strictness()),
            Some(4)
        );
    }
}
