//! siemaphore:formatter@1.0.0.

mod convert;

use siemaphore_model::Event;
use siemaphore_model::formatter::{Description, Records, RequestProfile, Response, SettingProblem, Verdict};
use wasmtime::component::InstancePre;
use wasmtime::{Result, Store};

use crate::guest::Guest;

#[allow(unreachable_pub, unused_qualifications, clippy::all, reason = "generated from wit/v1")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/v1",
        world: "siem-formatter",
        // Events are lowered from borrowed text: a copy of each would cost as much as the call.
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

use bindings::exports::siemaphore::formatter::formatter as wit;
use bindings::{SiemFormatter, SiemFormatterPre};

pub(crate) struct Prepared(SiemFormatterPre<Guest>);

impl Prepared {
    pub(crate) fn new(component: InstancePre<Guest>) -> Result<Prepared> {
        Ok(Prepared(SiemFormatterPre::new(component)?))
    }

    pub(crate) fn instantiate(&self, store: &mut Store<Guest>) -> Result<Instance> {
        Ok(Instance(self.0.instantiate(store)?))
    }
}

pub(crate) struct Instance(SiemFormatter);

impl Instance {
    fn guest(&self) -> &wit::Guest {
        self.0.siemaphore_formatter_formatter()
    }

    pub(crate) fn describe(&self, store: &mut Store<Guest>) -> Result<Description> {
        Ok(convert::description(self.guest().call_describe(store)?))
    }

    pub(crate) fn configure(
        &self,
        store: &mut Store<Guest>,
        settings: &str,
        destination: &str,
    ) -> Result<Result<RequestProfile, Vec<SettingProblem>>> {
        let answer = self.guest().call_configure(store, settings, destination)?;
        Ok(answer.map(convert::profile).map_err(convert::problems))
    }

    pub(crate) fn format(
        &self,
        store: &mut Store<Guest>,
        events: &[Event<'_>],
    ) -> Result<Result<Records, String>> {
        let keys: Vec<_> = events.iter().map(|event| event.key().to_hex()).collect();
        let events: Vec<_> =
            events.iter().zip(&keys).map(|(event, key)| convert::event(event, key.as_str())).collect();
        Ok(self.guest().call_format(store, &events)?.map(convert::records))
    }

    pub(crate) fn interpret(&self, store: &mut Store<Guest>, response: &Response) -> Result<Verdict> {
        let headers = convert::pairs(&response.headers);
        let response = convert::response(response, &headers);
        Ok(convert::verdict(self.guest().call_interpret(store, response)?))
    }
}
