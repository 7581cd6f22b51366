//! A transport of rmcp's whose messages are held to the schemas as they pass. What rmcp does not
//! know of a message is gone by then.

use std::future::Future;

use rmcp::RoleClient;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;

use super::wire::Wire;

pub(crate) struct Held<T> {
    transport: T,
    wire: Wire,
}

impl<T> Held<T> {
    pub(crate) fn new(transport: T) -> Self {
        Self {
            transport,
            wire: Wire::default(),
        }
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Held<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        self.wire.sent(&serde_json::to_value(&message).unwrap());
        self.transport.send(message)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        let message = self.transport.receive().await?;
        self.wire.received(&serde_json::to_value(&message).unwrap());
        Some(message)
    }

    async fn close(&mut self) -> Result<(), T::Error> {
        self.transport.close().await
    }
}
