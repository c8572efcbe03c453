//! Cookies between an answer and its follow-ups: load balancers put the node that has the batch into one.
//!
//! No more than that: names and values, no expiry, no domains. They live for one batch and go to one host.

use http::HeaderValue;

use crate::clean::Answer;

const MAX_COOKIES: usize = 16;
const MAX_COOKIE_BYTES: usize = 4096;

/// The cookies of one batch's answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cookies(Vec<(String, String)>);

impl Cookies {
    /// Takes what an answer sets. A later cookie replaces an earlier one of the same name.
    pub fn keep(&mut self, answer: &Answer) {
        let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
        for (name, value) in set.filter_map(|(_, cookie)| parse(cookie)) {
            self.0.retain(|(known, _)| known != name);
            if self.0.len() < MAX_COOKIES {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { None } else { HeaderValue::from_str(&pairs.join("; ")).ok() }
    }
}

fn parse(cookie: &str) -> Option<(&str, &str)> {
    let pair = cookie.split(';').next().filter(|pair| pair.len() <= MAX_COOKIE_BYTES)?;
    let (name, value) = pair.split_once('=')?;
    Some((name.trim(), value.trim())).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::tests_support::answer;

    #[test]
    fn cookies_of_answers_are_sent_back_and_replaced_by_later_ones() {
        let mut cookies = Cookies::default();
        assert_eq!(cookies.header(), None);
        cookies.keep(&answer(
            200,
            &[("set-cookie", "AWSALB=one; Path=/; Secure"), ("set-cookie", "b=2")],
            "",
        ));
        cookies.keep(&answer(200, &[("set-cookie", "AWSALB=two"), ("set-cookie", "nonsense")], ""));
        assert_eq!(cookies.header().expect("two cookies"), "b=2; AWSALB=two");
    }
}
