//! The configuration of a scene, written as an operator writes it.

use siemaphore_receiver::ReceiverConfig;

use super::siem::{Kind, StandIn};

/// A destination and the stand-in that it delivers to.
pub(crate) struct Destination {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) receiver: ReceiverConfig,
    organization: String,
    formatter: String,
    secret: String,
    ca_file: &'static str,
    lines: String,
    instead: Option<String>,
}

impl Destination {
    /// Named after its SIEM, delivered to by the built-in formatter, everything right.
    pub(crate) fn to(kind: Kind) -> Destination {
        Destination {
            name: kind.name().to_owned(),
            kind,
            receiver: ReceiverConfig::default(),
            organization: "acme".to_owned(),
            formatter: kind.name().to_owned(),
            secret: kind.secret().to_owned(),
            ca_file: "ca.pem",
            lines: String::new(),
            instead: None,
        }
    }

    pub(crate) fn named(mut self, name: &str) -> Destination {
        name.clone_into(&mut self.name);
        self
    }

    /// Gets the events of another organisation than `acme`.
    pub(crate) fn of(mut self, organization: &str) -> Destination {
        organization.clone_into(&mut self.organization);
        self
    }

    pub(crate) fn formatted_by(mut self, formatter: &str) -> Destination {
        formatter.clone_into(&mut self.formatter);
        self
    }

    /// Starts with a secret that the SIEM does not know.
    pub(crate) fn with_secret(mut self, secret: &str) -> Destination {
        secret.clone_into(&mut self.secret);
        self
    }

    /// Trusts an authority that has not signed the SIEM's certificate.
    pub(crate) fn trusting_another_authority(mut self) -> Destination {
        self.ca_file = "other-ca.pem";
        self
    }

    /// Further lines: `with("timeout = '1s'")`.
    pub(crate) fn with(mut self, line: &str) -> Destination {
        self.lines.push_str(line);
        self.lines.push('\n');
        self
    }

    /// Lines in place of what the SIEM usually needs: authentication and settings. `FOLDER` is where the secrets are.
    pub(crate) fn with_only(mut self, lines: &str) -> Destination {
        self.instead = Some(format!("{lines}\n"));
        self
    }

    pub(crate) fn receiver(mut self, config: ReceiverConfig) -> Destination {
        self.receiver = config;
        self
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    pub(crate) fn secret_file(&self) -> String {
        format!("{}.secret", self.name)
    }

    pub(crate) fn text(&self, folder: &str, siem: &StandIn) -> String {
        let Destination { name, organization, formatter, ca_file, lines, .. } = self;
        let (endpoint, secret) = (siem.endpoint(), self.secret_file());
        let usual = format!("secret = \"file:{folder}/{secret}\"\n{}", siem.configuration());
        let usual = self.instead.clone().unwrap_or(usual).replace("FOLDER", folder);
        format!(
            "\n[[destination]]\nname = \"{name}\"\norganization = \"{organization}\"\nformatter = \"{formatter}\"\n\
             endpoint = \"{endpoint}\"\nca_file = \"{ca_file}\"\n{usual}{lines}"
        )
    }
}
