//! Strings to tokens, and whether a term occurs in a string.
//!
//! The user guide ("Tokenization", "Partial matches", "Non-alphanumeric characters") gives rules and examples
//! that agree only if read as follows. A string is cut into *words* at everything that is no letter or digit,
//! and each word into *pieces*: before a digit after a letter and a letter after a digit, before a capital
//! after a small letter, and before the last of several capitals if a small letter follows (`SDBFailure` →
//! `SDB`, `Failure`). Its tokens, all in small letters, are its pieces and the *whole* string without
//! separators. A term is cut likewise and occurs in a string if
//!
//! - its whole is the string's whole. Evidence: the guide lists the tokens `customcount1` of `CustomCount1`
//!   and `project2trial333` of `Project2-trial333`. Any term with a digit and a letter has several pieces, so
//!   nothing but a term's whole can ever find these. It is not compared with pieces: `couNT` does not find
//!   `CustomCount1`.
//! - or its pieces occur one after the other among the string's pieces, whatever separates them. Evidence:
//!   `Count1` and `CustomCount` find `CustomCount1`; `network/errors` and `Network_Errors` find
//!   `NetworkErrors2` and `Network-Errors-2`; `Custom` and `count` are the case of one piece; `customcount`
//!   finds nothing, it is one piece.
//!
//! Pieces are compared regardless of case if they are a word of their own in the term, else with their case.
//! Evidence: `COUNT` and `network/errors` are found regardless, whereas `count1` (two pieces, one word) does
//! not find `CustomCount1`, of which the guide says that composite tokens are case-sensitive.

/// A part of a word, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// Whether a word begins here.
    starts_word: bool,
}

/// The pieces of a string, from left to right.
#[derive(Clone, Debug)]
pub(super) struct Pieces<'a> {
    rest: &'a str,
    starts_word: bool,
}

pub(super) fn pieces(text: &str) -> Pieces<'_> {
    Pieces { rest: text, starts_word: true }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let word = self.rest.trim_start_matches(|character| kind(character).is_none());
        let starts_word = self.starts_word || word.len() < self.rest.len();
        let (text, rest) = word.split_at(piece_end(word));
        *self = Self { rest, starts_word: false };
        (!text.is_empty()).then_some(Piece { text, starts_word })
    }
}

/// `text` from its first letter or digit to its last.
pub(super) fn without_outer_separators(text: &str) -> &str {
    text.trim_matches(|character| kind(character).is_none())
}

/// `text` in small letters, without its separators.
pub(super) fn whole(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| kind(*character).is_some()).flat_map(char::to_lowercase)
}

/// `text` in small letters.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// All tokens of a string, none twice: the whole first, then pieces from left to right.
pub fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = vec![whole(text).collect()];
    for piece in pieces(text) {
        let token: String = folded(piece.text).collect();
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Digit,
    Capital,
    /// Small letters, and letters of scripts without case.
    Small,
}

/// `None` is a separator.
fn kind(character: char) -> Option<Kind> {
    match character {
        'a'..='z' => Some(Kind::Small),
        'A'..='Z' => Some(Kind::Capital),
        '0'..='9' => Some(Kind::Digit),
        _ if character.is_ascii() => None,
        _ if character.is_numeric() => Some(Kind::Digit),
        _ if character.is_uppercase() => Some(Kind::Capital),
        _ if character.is_alphabetic() => Some(Kind::Small),
        _ => None,
    }
}

/// Where the piece ends with which `word` begins; 0 only if that is empty.
fn piece_end(word: &str) -> usize {
    let Some(first) = word.chars().next().and_then(kind) else { return 0 };
    let run = run_end(word, first);
    if first != Kind::Capital {
        return run;
    }
    let last_capital = word[..run].char_indices().next_back().map_or(0, |(at, _)| at);
    match run_end(&word[run..], Kind::Small) {
        0 => run,
        small if last_capital == 0 => run + small,
        _ => last_capital,
    }
}

fn run_end(text: &str, wanted: Kind) -> usize {
    text.find(|character| kind(character) != Some(wanted)).unwrap_or(text.len())
}

/// A term, cut to be looked for.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    whole: String,
    pieces: Vec<PatternPiece>,
}

#[derive(Clone, Debug)]
struct PatternPiece {
    text: String,
    folded: String,
    /// Its word has more pieces.
    with_case: bool,
}

impl Pattern {
    pub(super) fn new(term: &str) -> Self {
        let cut: Vec<Piece<'_>> = pieces(term).collect();
        let alone = |at: usize| cut[at].starts_word && cut.get(at + 1).is_none_or(|next| next.starts_word);
        let pieces = cut.iter().enumerate().map(|(at, piece)| PatternPiece {
            text: piece.text.to_owned(),
            folded: folded(piece.text).collect(),
            with_case: !alone(at),
        });
        Self { whole: whole(term).collect(), pieces: pieces.collect() }
    }

    pub(super) fn whole(&self) -> &str {
        &self.whole
    }

    /// The tokens that every string has in which the pieces occur; none twice.
    pub(super) fn needed_tokens(&self) -> Vec<&str> {
        let mut tokens: Vec<&str> = self.pieces.iter().map(|piece| piece.folded.as_str()).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    /// Whether any string that has all needed tokens matches.
    pub(super) fn is_single_piece(&self) -> bool {
        self.pieces.len() == 1
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.is_whole_of(text) || self.occurs_in(text)
    }

    pub(super) fn is_whole_of(&self, text: &str) -> bool {
        whole(text).eq(self.whole.chars())
    }

    /// Whether the pieces follow each other in `text`.
    pub(super) fn occurs_in(&self, text: &str) -> bool {
        let mut from = pieces(text);
        loop {
            let mut at = from.clone();
            if self.pieces.iter().all(|wanted| at.next().is_some_and(|piece| wanted.matches(piece.text))) {
                return true;
            }
            if from.next().is_none() {
                return false;
            }
        }
    }
}

impl PatternPiece {
    fn matches(&self, piece: &str) -> bool {
        if self.with_case { piece == self.text } else { folded(piece).eq(self.folded.chars()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `expected` are the tokens, separated by blanks.
    fn check(text: &str, expected: &str) {
        assert_eq!(tokens(text).join(" "), expected, "{text}");
    }

    #[test]
    fn the_guides_table_of_tokens() {
        check("CustomCount1", "customcount1 custom count 1");
        check("SDBFailure", "sdbfailure sdb failure");
        check("Project2-trial333", "project2trial333 project 2 trial 333");
        check("Network-Errors_2", "networkerrors2 network errors 2");
    }

    #[test]
    fn case_cuts_words() {
        check("couNT", "count cou nt");
        check("COUNT", "count");
        check("customcount", "customcount");
        check("CPUUtilization", "cpuutilization cpu utilization");
        check("ConsumedLCUs", "consumedlcus consumed lc us");
        check("HTTPCode_Target_5XX_Count", "httpcodetarget5xxcount http code target 5 xx count");
        check("iPhoneX", "iphonex i phone x");
        check("aB", "ab a b");
        check("ABc", "abc a bc");
        check("A", "a");
        check("Ab", "ab");
        check("ProjectA", "projecta project a");
        check("DiskReadOps", "diskreadops disk read ops");
    }

    #[test]
    fn digits_and_letters_cut_words_both_ways() {
        check("t2.micro", "t2micro t 2 micro");
        check("m5.2xlarge", "m52xlarge m 5 2 xlarge");
        check("i-0abc12DEF", "i0abc12def i 0 abc 12 def");
        check("us-east-1a", "useast1a us east 1 a");
        check("333", "333");
        check("EC2", "ec2 ec 2");
        check("AWS/EC2", "awsec2 aws ec 2");
        check("p99Latency", "p99latency p 99 latency");
        check("X2Y", "x2y x 2 y");
    }

    #[test]
    fn whatever_is_no_letter_or_digit_separates() {
        check("mem_used_percent", "memusedpercent mem used percent");
        check("/var/log", "varlog var log");
        check("  a  b  ", "ab a b");
        check("a--b", "ab a b");
        check("Custom:Name[Special", "customnamespecial custom name special");
        check("", "");
        check("-/_ .", "");
        check("app/my-alb/50dc6c495c0c9188", "appmyalb50dc6c495c0c9188 app my alb 50 dc 6 c 495 0 9188");
    }

    #[test]
    fn a_token_counts_once() {
        check("count-Count-COUNT", "countcountcount count");
        check("a", "a");
    }

    #[test]
    fn letters_of_other_scripts_are_letters() {
        check("GrößeInMeter", "größeinmeter größe in meter");
        check("温度2", "温度2 温度 2");
        check("ΔT", "δt");
    }

    proptest! {
        /// Where AWS's rules want a cut between two neighbours, said once more and one pair at a time.
        #[test]
        fn cuts_are_where_the_rules_say(text in "[A-Za-z0-9_/. é-]{0,40}") {
            let characters: Vec<char> = text.chars().collect();
            let mut expected = String::new();
            for (at, character) in characters.iter().enumerate() {
                if !character.is_alphanumeric() {
                    expected.push(' ');
                    continue;
                }
                let cut = at.checked_sub(1).is_some_and(|before| {
                    let before = characters[before];
                    let next_is_small = characters.get(at + 1).is_some_and(|next| next.is_lowercase());
                    let digits = before.is_numeric() != character.is_numeric();
                    let camel = before.is_lowercase() && character.is_uppercase();
                    let last_capital = before.is_uppercase() && character.is_uppercase() && next_is_small;
                    digits || camel || last_capital
                });
                if cut {
                    expected.push(' ');
                }
                expected.push(*character);
            }
            let cut: Vec<&str> = pieces(&text).map(|piece| piece.text).collect();
            prop_assert_eq!(cut, expected.split_whitespace().collect::<Vec<_>>());
        }

        #[test]
        fn any_text_can_be_cut(text in any::<String>()) {
            let letters: String = pieces(&text).flat_map(|piece| folded(piece.text)).collect();
            prop_assert_eq!(letters, whole(&text).collect::<String>());
        }

        #[test]
        fn a_string_is_found_by_itself_and_by_each_piece(text in "[A-Za-z0-9_/.-]{0,30}") {
            for token in tokens(&text).into_iter().chain(pieces(&text).map(|piece| piece.text.to_owned())) {
                let found = Pattern::new(&token).matches(&text);
                prop_assert!(found, "{token} in {text}");
            }
        }
    }
}
