run "what_users_of_the_modules_read" {
  assert {
    condition     = startswith(output.acr_private_endpoint_ip, "10.10.20.")
    error_message = "The login server is not in the endpoints' subnet: ${output.acr_private_endpoint_ip}."
  }
  assert {
    condition = sort(keys(output.private_ip_addresses)) == tolist([
      "fkacrmodule.azurecr.io",
      "fkacrmodule.northeurope.data.azurecr.io",
      "fkacrmodule.westeurope.data.azurecr.io",
    ])
    error_message = "The registry has other names: ${join(", ", keys(output.private_ip_addresses))}."
  }
  assert {
    condition     = length(output.subnet_ids) == 3
    error_message = "The network should have the subnets of nodes, endpoints and bastion."
  }
  assert {
    condition     = length(output.kubelet_object_id) == 36
    error_message = "The kubelet identity is no object id: ${output.kubelet_object_id}."
  }
}
