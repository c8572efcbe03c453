//! What is removed from an event before it is stored: content and credentials.
//!
//! A rule names a place (a JSON Pointer, or a key at any depth) and what to do with the value there. For one member a
//! pointer goes before a key, and the operator's rule before a shipped one. `true`, `false` and `null` stay: they hold
//! no content, and "a secret was found: true" is what a SIEM wants to know.
//!
//! Limits: rules see names, not meaning. Content that a producer puts under an innocent name passes, until the
//! operator adds a rule.

/// What a source redacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// The shipped rules: the keys below and the pointers of the profile.
    pub defaults: bool,
    /// The operator's own, the first match wins.
    pub rules: Vec<Rule>,
}

impl Default for Redaction {
    fn default() -> Redaction {
        Redaction { defaults: true, rules: Vec::new() }
    }
}

impl Redaction {
    /// Nothing is removed.
    pub fn off() -> Redaction {
        Redaction { defaults: false, rules: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub place: Place,
    pub action: Action,
}

/// Where a rule applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A JSON Pointer; a segment `*` stands for any member and any element.
    Pointer(String),
    /// A member with this name at any depth. Letters of either case, `_`, `-` and `.` make no difference: `api_key`
    /// is also `apiKey` and `API-Key`.
    Key(String),
}

/// What happens to a value. What takes its place is always a JSON string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `[redacted]`. The member stays, so that one sees that something was there.
    Drop,
    /// `****` and the last four characters; of a text under twelve characters, and of anything else, only `****`.
    Mask,
    /// `sha256:` and 64 hexadecimal digits: of the text, or of the JSON of anything else. Equal values stay equal;
    /// values that can be guessed can be found out.
    Hash,
    /// The first so many characters and `…`; what is not text is dropped.
    Truncate(usize),
    /// Leave the value as it is, against a shipped rule. Rules for what is inside it still apply.
    Keep,
}

/// Keys whose values are dropped at any depth, as they look when folded: lowercase letters and digits only.
///
/// Chosen so that every documented field of the shipped profiles' producers survives, which a test holds up.
pub(crate) const DEFAULT_KEYS: &[&str] = &[
    // What people and models said.
    "prompt",
    "prompts",
    "prompttext",
    "systemprompt",
    "userprompt",
    "messages",
    "chathistory",
    "chatmessages",
    "transcript",
    "content",
    "contents",
    "completion",
    "completions",
    "generatedtext",
    "reasoning",
    "reasoningcontent",
    "thinking",
    "input",
    "inputs",
    "inputtext",
    "output",
    "outputs",
    "outputtext",
    "requestbody",
    "requestcontent",
    "requesttext",
    "responsebody",
    "responsecontent",
    "responsetext",
    // What tools were given and gave back.
    "arguments",
    "args",
    "functionarguments",
    "toolargs",
    "toolarguments",
    "toolinput",
    "toolparameters",
    "tooloutput",
    "toolresponse",
    "toolresult",
    "toolresults",
    // What a detector found.
    "detectedvalue",
    "detectedvalues",
    "matchedcontent",
    "matchedtext",
    "matchedvalue",
    "originaltext",
    "rawtext",
    "rawvalue",
    "snippet",
    // Credentials.
    "accesskey",
    "accesstoken",
    "apikey",
    "apisecret",
    "apitoken",
    "authorization",
    "authtoken",
    "bearertoken",
    "clientsecret",
    "connectionstring",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "encryptionkey",
    "idtoken",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "proxyauthorization",
    "pwd",
    "refreshtoken",
    "secret",
    "secretaccesskey",
    "secretkey",
    "secrets",
    "secretvalue",
    "sessiontoken",
    "setcookie",
    "signingkey",
    "token",
    "xapikey",
];

/// Keys that hold content only when their value is text: an object under `response` is mostly a status and sizes.
pub(crate) const DEFAULT_TEXT_KEYS: &[&str] = &["answer", "response"];
