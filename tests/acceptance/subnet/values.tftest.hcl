run "subnets_of_one_network_are_placed_apart" {
  assert {
    condition     = fkaks_subnet.endpoints.id == "${local.hub}/subnets/endpoints"
    error_message = "the id is ${fkaks_subnet.endpoints.id}"
  }
  assert {
    condition = toset([for subnet in fkaks_subnet.placed : subnet.address_prefixes[0]]) == toset([
      "10.0.0.96/28", "10.0.0.112/28", "10.0.0.128/28",
    ])
    error_message = "the places are ${jsonencode([for subnet in fkaks_subnet.placed : subnet.address_prefixes[0]])}"
  }
  assert {
    condition     = fkaks_subnet.endpoints.usable_addresses == 27 && fkaks_subnet.endpoints.free_addresses == 27
    error_message = "a /27 has 27 usable addresses, and nobody has one yet"
  }
  assert {
    condition     = fkaks_subnet.endpoints.prefix_length == 27
    error_message = "the length of the prefix is ${fkaks_subnet.endpoints.prefix_length}"
  }
}
