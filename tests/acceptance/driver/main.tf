variable "greeting" {
  type    = string
  default = "hello"
}

resource "terraform_data" "greeting" {
  input = var.greeting

  lifecycle {
    precondition {
      condition     = length(var.greeting) < 20
      error_message = "A greeting is shorter than twenty characters, so that it fits on a card; this one is longer."
    }
  }
}

output "greeting" {
  value = terraform_data.greeting.output
}
