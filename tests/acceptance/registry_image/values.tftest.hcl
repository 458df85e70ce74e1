run "the_image_is_at_its_tags" {
  assert {
    condition     = fkaks_registry_image.nginx.id == "${local.registries}/fkacrimages"
    error_message = "the id is ${fkaks_registry_image.nginx.id}"
  }
  assert {
    condition     = fkaks_registry_image.nginx.login_server == "fkacrimages.azurecr.io"
    error_message = "the login server is ${fkaks_registry_image.nginx.login_server}"
  }
  assert {
    condition     = alltrue([for image in fkaks_registry_image.nginx.images : image.imported])
    error_message = "the images are ${jsonencode(fkaks_registry_image.nginx.images)}"
  }
  assert {
    condition     = length(fkaks_registry_image.nginx.images) == 2
    error_message = "the images are ${jsonencode(fkaks_registry_image.nginx.images)}"
  }
}
