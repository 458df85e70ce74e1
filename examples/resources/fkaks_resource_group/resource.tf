resource "fkaks_resource_group" "example" {
  name     = "rg-images"
  location = "westeurope"
  tags     = { team = "platform" }
}
