run "both_sides_are_connected_across_subscriptions" {
  assert {
    condition     = fkaks_network_peering.hub.id == "${fkaks_network.app.id}/virtualNetworkPeerings/to-hub"
    error_message = "the id is ${fkaks_network_peering.hub.id}"
  }
  assert {
    condition     = fkaks_network_peering.hub.remote_id == "${local.hub}/virtualNetworkPeerings/vnet-aks"
    error_message = "by default the other side has the name of the network that it leads to"
  }
  assert {
    condition     = fkaks_network_peering.hub.peering_state == "Connected"
    error_message = "the state is ${fkaks_network_peering.hub.peering_state}"
  }
  assert {
    condition     = fkaks_network_peering.hub.peering_sync_level == "FullyInSync"
    error_message = "the level is ${fkaks_network_peering.hub.peering_sync_level}"
  }
  assert {
    condition     = fkaks_network_peering.hub.remote_address_space == tolist(["10.0.0.0/20"])
    error_message = "it leads to ${jsonencode(fkaks_network_peering.hub.remote_address_space)}"
  }
  assert {
    condition     = fkaks_network_peering.hub.objects["local"] == tolist([fkaks_network_peering.hub.id])
    error_message = "the objects are ${jsonencode(fkaks_network_peering.hub.objects)}"
  }
}
