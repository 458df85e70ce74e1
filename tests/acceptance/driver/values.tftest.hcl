run "a_greeting_is_kept" {
  assert {
    condition     = output.greeting == "hello"
    error_message = "expected hello, got ${output.greeting}"
  }
}
