//! What is wrong with a key, and what with a signature.

/// The text is not the key that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is neither PEM nor one line of base64")]
    Damaged,
    #[error("it is not an Ed25519 key")]
    NotEd25519,
    #[error("it is a private key, and a public one belongs here")]
    Private,
    #[error("it is a public key, and the private one signs")]
    Public,
    #[error("the private key is encrypted")]
    Encrypted,
    #[error("it is a `{label}`, not a key")]
    Other { label: String },
}

impl KeyError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            KeyError::Private => {
                "use its public half, `siemaphore plugin keygen` has written it to a `.pub` file beside it, and keep the private \
                 key away from the host"
            }
            KeyError::Public => "name the file that `siemaphore plugin keygen` wrote, without `.pub`",
            KeyError::Encrypted => "decrypt it first: `openssl pkey -in KEY -out DECRYPTED`",
            KeyError::Damaged | KeyError::NotEd25519 | KeyError::Other { .. } => {
                "make a pair with `siemaphore plugin keygen`, or with `openssl genpkey -algorithm ed25519`"
            }
        }
    }
}

/// The file is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the file is not signed, and only signed ones are taken")]
    Missing,
    #[error("the signature is not the 64 bytes of an Ed25519 signature")]
    Malformed,
    #[error(
        "the signature is of none of the {keys} trusted keys, or the file has been changed since it was signed"
    )]
    Untrusted { keys: usize },
}

impl SignatureError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            SignatureError::Missing => {
                "put its signature beside it as NAME.wasm.sig: `siemaphore plugin sign NAME.wasm --key KEY` makes it"
            }
            SignatureError::Malformed => {
                "sign it again with `siemaphore plugin sign`, and copy the signature as a binary file"
            }
            SignatureError::Untrusted { .. } => {
                "get the file and its signature again from whoever signed it; if you trust their key, add it to \
                 `trusted_keys` under [plugins]"
            }
        }
    }
}
