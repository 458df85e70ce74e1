//! Images of the registries of a state, as a node's container runtime pulls them.

use reqwest::Method;

use super::Session;

impl Session {
    /// What a registry of the state answers who pulls `nginx:1.27` from a place, the id of a subnet or an address,
    /// with a token of the state whose password is in a vault. `None` where there is no connection.
    pub fn pull(&self, registry: &str, token: &str, place: &str) -> Option<u16> {
        let token = self.state(token);
        let secret = token["secrets"]["password"]["id"].as_str().unwrap();
        let path = format!("/secrets{secret}");
        let answer = self.sandbox.control(Method::GET, &path, None);
        let password = answer["value"].as_str().unwrap();
        let login = (token["name"].as_str().unwrap(), password);
        let registry = self.state(registry);
        let server = registry["login_server"].as_str().unwrap();
        self.sandbox
            .pull_from(place, server, "nginx", "1.27", login)
    }
}
