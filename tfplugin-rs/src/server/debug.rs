//! Debug mode: the provider is started by its author, and Terraform or OpenTofu is told where to find it.

use super::handshake::{Address, PROTOCOL_VERSION};
use super::serve::About;

/// What to tell a person who started the provider for debugging.
pub(crate) fn instructions(about: &About, address: &Address) -> String {
    let attach = reattach(about, address);
    format!(
        "The provider runs, in the clear and for whoever may open its socket, until Ctrl-C. To use it, set:\n\n\
         \tTF_REATTACH_PROVIDERS='{attach}'\n\n"
    )
}

/// The value of `TF_REATTACH_PROVIDERS` for this process.
///
/// `Test` has to be true: with false Terraform crashes.
pub(crate) fn reattach(about: &About, address: &Address) -> String {
    serde_json::json!({
        &about.address: {
            "Protocol": "grpc",
            "ProtocolVersion": PROTOCOL_VERSION,
            "Pid": std::process::id(),
            "Test": true,
            "Addr": { "Network": address.network(), "String": address.to_string() },
        }
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_what_the_clis_read() {
        let about = About {
            name: "x",
            address: "ns/x".to_owned(),
            version: "1",
        };
        let text = reattach(&about, &Address::Unix("/tmp/p".into()));
        let pid = std::process::id();
        assert_eq!(
            text,
            format!(
                r#"{{"ns/x":{{"Addr":{{"Network":"unix","String":"/tmp/p"}},"Pid":{pid},"Protocol":"grpc","ProtocolVersion":6,"Test":true}}}}"#
            )
        );
    }
}
