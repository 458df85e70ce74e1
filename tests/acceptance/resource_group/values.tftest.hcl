run "the_id_is_known_before_anything_is_made" {
  command = plan

  assert {
    condition     = output.id == "/subscriptions/${fkaks_resource_group.app.subscription_id}/resourceGroups/rg-app"
    error_message = "the id should be known at plan, and is ${output.id}"
  }
}

run "the_users_spelling_stays" {
  assert {
    condition     = fkaks_resource_group.app.location == "West Europe"
    error_message = "the region became ${fkaks_resource_group.app.location}"
  }
  assert {
    condition     = fkaks_resource_group.app.tags == tomap({ env = "test" })
    error_message = "the provider's default tags should not show as the resource's own"
  }
  assert {
    condition     = fkaks_resource_group.app.objects["group"] == tolist([output.id])
    error_message = "the resource should own its group and nothing else"
  }
}

run "tags_change_in_place" {
  variables {
    tags = { env = "prod", team = "platform" }
  }
  assert {
    condition     = fkaks_resource_group.app.tags["team"] == "platform"
    error_message = "the new tag is missing"
  }
}
