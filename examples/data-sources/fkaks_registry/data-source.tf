# By its name in a group; an id says it all, and a name alone is looked up in the provider's subscription.
data "fkaks_registry" "example" {
  name              = "fkacrprivate"
  resource_group_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
}

check "the_registry_is_private" {
  assert {
    condition     = data.fkaks_registry.example.exposure == "private"
    error_message = "${data.fkaks_registry.example.login_server} can be reached from outside."
  }
}
